"""Outer splits: what is trained on, what is tested, and that the two never meet."""

import numpy as np
import pytest

import mtlref as mt
from mtlref.study.splits import describe, published_splits, random_splits

from .conftest import make_labels, make_regression


@pytest.mark.parametrize("make", [make_regression, make_labels])
def test_random_splits_divide_every_task(make):
    data = make()
    for split in random_splits(data, 5, (0.3, 0.75), seed=1):
        for t in range(data.T):
            small, large, test = split.train[0][t], split.train[1][t], split.test[t]
            assert set(small) <= set(large)
            assert sorted([*large, *test]) == list(range(data.n[t]))
            assert len(large) == pytest.approx(0.75 * data.n[t], abs=1)
            assert len(small) == pytest.approx(0.3 * data.n[t], abs=1.5)


def test_labels_are_divided_too():
    y = np.array([1.0] * 4 + [0.0] * 36)
    X = np.arange(80.0).reshape(40, 2)
    data = mt.TaskData.from_list([X, X], [y, y])
    for split in random_splits(data, 10, (0.75,), seed=0):
        for t in range(2):
            assert y[split.train[0][t]].sum() == 3
            assert y[split.test[t]].sum() == 1


def test_a_single_row_is_trained_on():
    data = mt.TaskData.from_list([np.ones((1, 2)), np.eye(4)[:, :2]], [[1.0], [1.0, 2.0, 3.0, 4.0]])
    (split,) = random_splits(data, 1, (0.5,), seed=0)
    assert split.train[0][0].tolist() == [0]
    assert split.test[0].tolist() == []
    assert len(split.test[1]) == 2


def test_a_shared_design_stays_shared():
    rng = np.random.default_rng(0)
    data = mt.TaskData.from_shared(rng.standard_normal((20, 3)), rng.standard_normal((20, 4)))
    (split,) = random_splits(data, 1, (0.5,), seed=0)
    assert data.take(split.train[0]).shared
    assert data.take(split.test).shared


def test_a_shared_design_with_rare_labels_keeps_both():
    rng = np.random.default_rng(0)
    Y = -np.ones((30, 2))
    Y[:2, 0] = Y[2:4, 1] = 1
    data = mt.TaskData.from_shared(rng.standard_normal((30, 3)), Y)
    for split in random_splits(data, 10, (0.5,), seed=0):
        assert all(len(np.unique(y)) == 2 for y in data.take(split.train[0]).y)


def test_a_shared_design_with_one_row_of_a_label_says_so():
    Y = np.zeros((6, 2))
    Y[:3, 0] = 1
    data = mt.TaskData.from_shared(np.arange(12.0).reshape(6, 2), Y)
    with pytest.raises(mt.DataError, match="both labels"):
        random_splits(data, 1, (0.5,), seed=0)


def test_the_seed_decides():
    data = make_regression()
    first, again, other = (random_splits(data, 2, (0.75,), seed=s) for s in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first[1].test, again[1].test, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first[1].test, other[1].test, strict=True))


def test_published_splits_are_taken_as_they_are():
    data = make_regression()
    rows = [np.arange(n) for n in data.n]
    published = [
        ([r[:10] for r in rows], [r[10:] for r in rows]),
        ([r[4:] for r in rows], [r[:4] for r in rows]),
    ]
    splits = published_splits(data, published, 2, (1.0,), seed=0)
    assert [r.tolist() for r in splits[1].train[0]] == [r[4:].tolist() for r in rows]
    half = published_splits(data, published, 1, (0.5, 1.0), seed=0)[0]
    assert all(set(s) <= set(r[:10]) and len(s) == 5 for s, r in zip(half.train[0], rows, strict=True))
    with pytest.raises(mt.DataError, match="2 published splits; got splits=3"):
        published_splits(data, published, 3, (1.0,), seed=0)


def test_nothing_to_test_is_an_error():
    data = mt.TaskData.from_list([np.ones((1, 2)), np.ones((1, 2))], [[1.0], [2.0]])
    with pytest.raises(mt.DataError, match="at least two rows"):
        random_splits(data, 1, (0.5,), seed=0)


def test_words():
    assert describe("published", 10, (1.0,), 0) == "10 train/test splits given with the data"
    assert "25 %, 50 %" in describe("random", 3, (0.25, 0.5), 7)
    assert "seed 7" in describe("random", 3, (0.25, 0.5), 7)
