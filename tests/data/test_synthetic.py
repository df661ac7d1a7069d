"""Synthetic problems have the structure that they promise, and the graph finds clusters."""

import numpy as np
import pytest

import mtlref as mt

MAKERS = [mt.data.make_joint_features, mt.data.make_low_rank, mt.data.make_around_mean, mt.data.make_clusters]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_shapes_and_ranges(make, loss):
    data, W, b = make(T=7, p=5, n=(6, 20), loss=loss, random_state=1)
    assert (data.T, data.p) == (7, 5)
    assert W.shape == (5, 7)
    assert b.shape == (7,)
    assert data.n.min() >= 6
    assert data.n.max() <= 20
    # A range of sizes that gave one size only would test nothing.
    assert len(np.unique(data.n)) > 2
    if loss == "logistic":
        assert all(sorted(np.unique(y)) == [-1, 1] for y in data.y)


@pytest.mark.parametrize("make", MAKERS)
def test_shared_design(make):
    data, _, _ = make(T=3, p=6, n=9, shared=True, random_state=0)
    assert data.shared
    with pytest.raises(mt.DataError, match="one number of rows"):
        make(T=3, p=6, n=(5, 9), shared=True)


@pytest.mark.parametrize("make", MAKERS)
def test_without_noise_the_truth_fits_exactly_and_least_squares_finds_it(make):
    data, W, b = make(T=4, p=5, n=12, noise=0.0, random_state=3)
    for t in range(4):
        np.testing.assert_allclose(data.X[t] @ W[:, t] + b[t], data.y[t], rtol=1e-12, atol=1e-12)
        rows = np.column_stack([data.X[t], np.ones(12)])
        np.testing.assert_allclose(
            np.linalg.lstsq(rows, data.y[t])[0], [*W[:, t], b[t]], rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_gives_the_same_bits(make):
    first, again = make(random_state=5)[0], make(random_state=5)[0]
    assert all((a == c).all() for a, c in zip(first.y, again.y, strict=True))
    other = make(random_state=6)[0]
    assert not all((a == c).all() for a, c in zip(first.y, other.y, strict=True))


def test_structures():
    _, W, _ = mt.data.make_joint_features(p=12, n_relevant=4, random_state=0)
    assert ((W != 0).all(axis=1) | (W == 0).all(axis=1)).all()
    assert (W != 0).any(axis=1).sum() == 4
    _, W, _ = mt.data.make_low_rank(T=8, p=9, rank=3, random_state=0)
    assert np.linalg.matrix_rank(W) == 3
    _, W, _ = mt.data.make_clusters(T=6, n_clusters=3, spread=0.0, random_state=0)
    assert len(np.unique(W, axis=1).T) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mt.data.make_joint_features(p=3, n_relevant=4), "n_relevant must be from 0 to 3"),
        (lambda: mt.data.make_low_rank(T=2, rank=3), "rank must be from 0 to 2"),
        (lambda: mt.data.make_around_mean(spread=-1), "spread must be >= 0"),
        (lambda: mt.data.make_clusters(spread=float("nan")), "spread must be >= 0"),
        (lambda: mt.data.make_clusters(T=3, n_clusters=4), "n_clusters must be from 1 to 3"),
        (lambda: mt.data.make_low_rank(n=0), "at least 1 row"),
        (lambda: mt.data.make_low_rank(n=(5, 3)), "at least 1 row"),
        (lambda: mt.data.make_low_rank(noise=-1), "noise must be >= 0"),
        (lambda: mt.data.make_low_rank(loss="logistic", noise=0), "noise must be > 0"),
        (lambda: mt.data.make_low_rank(loss="hinge"), "'squared' or 'logistic'"),
    ],
)
def test_numbers_out_of_range(call, message):
    with pytest.raises(mt.DataError, match=message):
        call()


def test_the_graph_finds_clusters_and_is_symmetric():
    data, _, _ = mt.data.make_clusters(T=12, p=10, n=80, n_clusters=3, spread=0.1, random_state=0)
    graph = mt.data.nearest_task_graph(data, n_neighbors=3)
    assert (graph == mt.data.cluster_graph(12, 3)).all()
    wider = mt.data.nearest_task_graph(data, n_neighbors=5)
    assert (wider == wider.T).all()
    assert set(np.unique(wider)) == {0.0, 1.0}
    assert (np.diag(wider) == 0).all()
    assert (wider.sum(axis=1) >= 5).all()


def test_the_graph_does_not_depend_on_the_units_of_features():
    data, _, _ = mt.data.make_clusters(T=8, p=6, n=30, n_clusters=2, random_state=1)
    factors = 2.0 ** np.array([-20, -3, 0, 4, 15, 30])
    other = mt.TaskData.from_list([x * factors for x in data.X], list(data.y))
    assert (mt.data.nearest_task_graph(data) == mt.data.nearest_task_graph(other)).all()


def test_the_graph_of_labels_and_of_wide_data():
    data, _, _ = mt.data.make_clusters(T=4, p=30, n=8, n_clusters=2, loss="logistic", random_state=0)
    text = mt.TaskData.from_list(list(data.X), [np.where(y > 0, "yes", "no") for y in data.y])
    assert (mt.data.nearest_task_graph(data, 1) == mt.data.nearest_task_graph(text, 1)).all()


@pytest.mark.parametrize(("k", "message"), [(0, "from 1 to 3"), (4, "from 1 to 3")])
def test_the_graph_refuses(k, message):
    data, _, _ = mt.data.make_clusters(T=4, n_clusters=2, random_state=0)
    with pytest.raises(mt.DataError, match=message):
        mt.data.nearest_task_graph(data, k)
    with pytest.raises(mt.DataError, match="at least two"):
        mt.data.nearest_task_graph(data.select([0]), 1)
