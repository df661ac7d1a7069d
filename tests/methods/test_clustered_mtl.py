"""The page ClusteredMTL: known answers, real data, and what its docstring claims."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mtlref as mt
from mtlref.linear.clustered_mtl import relaxed_indicator
from mtlref.optim.boxnorm import box_weights

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15, 11)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y)


def adjusted_rand(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Hubert & Arabie 1985: pairs that agree, beyond chance; 1 for equal partitions."""
    same, alike = np.equal.outer(one, one), np.equal.outer(other, other)
    pairs = np.triu_indices(len(one), 1)
    a, b = same[pairs].astype(float), alike[pairs].astype(float)
    expected = a.sum() * b.sum() / len(a)
    return float((a @ b - expected) / ((a.sum() + b.sum()) / 2 - expected))


def jacob_tasks(seed: int, n: int) -> tuple[mt.TaskData, NDArray[np.intp]]:
    """Ten tasks around each of two centres, drawn as Jacob, Bach & Vert 2008 do.

    Centres of variance 900 on features of their own, tasks of variance 16 around them, noise of variance 150.
    """
    rng = np.random.default_rng(seed)
    p, labels = 30, np.repeat([0, 1], 10)
    centres = np.zeros((p, 2))
    centres[:14, 0], centres[14:28, 1] = 30 * rng.standard_normal(14), 30 * rng.standard_normal(14)
    apart = 4 * rng.standard_normal((p, 20))
    apart[:14, labels == 1] = 0.0
    apart[14:28, labels == 0] = 0.0
    W = centres[:, labels] + apart
    rows = [rng.standard_normal((n, p)) for _ in labels]
    y = [x @ W[:, t] + np.sqrt(150) * rng.standard_normal(n) for t, x in enumerate(rows)]
    return mt.TaskData.from_list(rows, y), labels


@pytest.fixture
def decompositions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes of all matrices decomposed: eigenvalues and singular values, of the solver and of certificates.

    Those of a task alone, made together, are factorisations a task and not counted.
    """
    made: list[tuple[int, ...]] = []

    def counted(plain: Any) -> Any:
        def decompose(A: Any, *more: Any, **named: Any) -> Any:
            if np.ndim(A) == 2 and sys._getframe(1).f_code.co_name != "least":
                made.append(np.shape(A))
            return plain(A, *more, **named)

        return decompose

    for name in ("svd", "eigh", "eigvalsh"):
        monkeypatch.setattr(np.linalg, name, counted(getattr(np.linalg, name)))
    return made


def test_known_optima(check_known: Any) -> None:
    check_known("ClusteredMTL", 2)


def test_landmine(check_landmine: Any) -> None:
    check_landmine("ClusteredMTL", eta=0.2, n_clusters=2)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize(("eta", "share"), [(0.001, 1e-6), (0.01, 1e-3), (0.5, 1e-1)])
def test_school_within_fifty_eigendecompositions(
    school: mt.TaskData, decompositions: list[tuple[int, ...]], eta: float, share: float, intercept: bool
) -> None:
    moments = mt.Moments.from_data(school)
    model = mt.ClusteredMTL(eta=eta, n_clusters=5, scaling="sum", fit_intercept=intercept, tol=1e-8)
    model.set_params(lam=share * model.lam_scale(moments))
    decompositions.clear()
    model.fit(moments)
    assert 0 < len(decompositions) <= 50
    assert mt.audit(model, school, model.coef_.T).relative_gap <= 1.01e-8


@pytest.mark.parametrize("eta", [0.001, 0.1])
@pytest.mark.parametrize("share", [1e-5, 1e-2])
def test_as_few_on_tasks_as_badly_conditioned(
    decompositions: list[tuple[int, ...]], eta: float, share: float
) -> None:
    """School's shape in small: rows of each task few, features of sizes far apart and nearly collinear."""
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((12, 12)) * np.geomspace(1, 1e-3, 12)
    truth = rng.standard_normal((12, 3)) @ rng.standard_normal((3, 30)) + 0.2 * rng.standard_normal((12, 30))
    rows = [rng.standard_normal((15, 12)) @ mix for _ in range(30)]
    data = mt.Moments.from_data(
        mt.TaskData.from_list(
            rows, [x @ w + rng.standard_normal(15) for x, w in zip(rows, truth.T, strict=True)]
        )
    )
    for model in (
        mt.ClusteredMTL(eta=eta, n_clusters=3, scaling="sum", tol=1e-8),
        mt.ConvexASO(eta=eta, dim=3, scaling="sum", tol=1e-8),
    ):
        model.set_params(lam=share * model.lam_scale(data))
        decompositions.clear()
        model.fit(data)
        assert 0 < len(decompositions) <= 50
        assert model.result_.converged


def test_the_best_m_by_brute_force() -> None:
    """Both codes that find m, against a fine search over the τ of (K) and against every smaller value of (P)."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        sigma = np.sort(rng.exponential(size=rng.integers(1, 7)) ** 3)[::-1]
        eta, k = float(rng.choice([0.01, 0.5, 4.0])), int(rng.integers(1, 8))
        m = relaxed_indicator(sigma, eta, k)
        np.testing.assert_allclose(box_weights(sigma, eta, k), m, atol=1e-12)
        assert m.min() >= 0
        assert m.max() <= 1
        assert m.sum() == pytest.approx(min(k, len(sigma)), rel=1e-12)
        value = (sigma**2 / (eta + m)).sum()
        for _ in range(20):
            other = rng.random(len(m))
            other = np.minimum(1.0, other * min(1.0, k / other.sum()))
            assert (sigma**2 / (eta + other)).sum() >= value * (1 - 1e-13)


def test_equal_values_and_zeros() -> None:
    for find in (relaxed_indicator, box_weights):
        np.testing.assert_allclose(find(np.array([2.0, 2.0, 2.0]), 0.1, 2), 2 / 3, rtol=1e-14)
        np.testing.assert_allclose(find(np.array([5.0, 1e-17, 0.0]), 0.1, 1)[:2], [1.0, 0.0], atol=1e-14)
        np.testing.assert_allclose(
            find(np.array([1e200, 1e-200]), 0.1, 1), [1.0, 0.0] if find is relaxed_indicator else 1.0
        )


def test_the_membership_is_the_best_m() -> None:
    model = mt.ClusteredMTL(
        lam=0.3, eta=0.2, n_clusters=2, scaling="sum", fit_intercept=False, tol=1e-12
    ).fit(DATA)
    M = model.membership_
    level = np.linalg.eigvalsh(M)
    assert level.min() >= -1e-12
    assert level.max() <= 1 + 1e-12
    assert np.trace(M) == pytest.approx(2, rel=1e-12)
    # (K): the gradient of the loss is that of the penalty at this M.
    W = model.coef_.T
    G = np.column_stack([x.T @ (y - x @ w) for x, y, w in zip(X, Y, W.T, strict=True)])
    slope = 2 * 0.3 * 0.2 * 1.2 * W @ np.linalg.inv(0.2 * np.eye(4) + M)
    np.testing.assert_allclose(
        G, slope, rtol=0, atol=1e-5 * np.abs(G).max()
    )  # W is known to the root of the gap
    assert model.task_correlation_ == pytest.approx(model.task_correlation_.T)
    np.testing.assert_allclose(np.diag(model.task_correlation_), 1.0, rtol=1e-12)


def test_what_is_left_of_the_trace_goes_to_where_w_is_not() -> None:
    zero = mt.ClusteredMTL(n_clusters=3).fit([np.eye(4)] * 4, [np.ones(4)] * 4)
    assert not zero.coef_.any()
    np.testing.assert_allclose(zero.membership_, 0.75 * np.eye(4), atol=1e-15)
    one = mt.ClusteredMTL(n_clusters=2, lam=0.01, fit_intercept=False).fit(
        [np.eye(4)] * 4, [np.arange(4.0)] * 4
    )
    np.testing.assert_allclose(np.linalg.eigvalsh(one.membership_), [1 / 3, 1 / 3, 1 / 3, 1], atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("n_clusters", [4, 9])
def test_as_many_clusters_as_tasks_is_ridge(loss: str, n_clusters: int) -> None:
    y = [np.where(v > np.median(v), 1.0, -1.0) for v in Y] if loss == "logistic" else Y
    settings: dict[str, Any] = {"loss": loss, "tol": 1e-13}
    one = mt.ClusteredMTL(lam=0.4, eta=0.25, n_clusters=n_clusters, **settings).fit(X, y)
    other = mt.SingleTaskRidge(lam=0.2, **settings).fit(X, y)
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-6, atol=1e-6)


def test_tasks_that_are_copies_have_equal_columns() -> None:
    model = mt.ClusteredMTL(lam=0.2, eta=0.1, n_clusters=2, tol=1e-12).fit(
        [X[0], X[1], X[0], X[1]], [Y[0], Y[1], Y[0], Y[1]]
    )
    np.testing.assert_allclose(model.coef_[:2], model.coef_[2:], rtol=0, atol=1e-6)
    assert model.labels_.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_clusters_are_found(seed: int) -> None:
    data, labels = jacob_tasks(seed, 20)
    model = mt.ClusteredMTL(eta=0.05, n_clusters=2, fit_intercept=False)
    model.set_params(lam=0.3 * model.lam_scale(data)).fit(data)
    assert adjusted_rand(model.labels_, labels) == 1.0


def test_labels_follow_the_tasks() -> None:
    data, _ = jacob_tasks(7, 20)
    order = np.random.default_rng(0).permutation(20)
    model = mt.ClusteredMTL(eta=0.05, n_clusters=3, lam=1.0, tol=1e-9)
    labels = model.fit(data).labels_
    mixed = model.fit(data.select([data.names[o] for o in order])).labels_
    assert adjusted_rand(labels[order], mixed) == 1.0


@pytest.mark.parametrize("bad", [{"eta": 0.0}, {"eta": -1.0}, {"n_clusters": 0}, {"eta": np.inf}])
def test_parameters_out_of_range(bad: dict[str, Any]) -> None:
    with pytest.raises(mt.DataError, match=next(iter(bad))):
        mt.ClusteredMTL(**bad).fit(DATA)


def test_a_broken_number_of_clusters() -> None:
    with pytest.raises(mt.FormError, match="n_clusters must be a whole number"):
        mt.ClusteredMTL(n_clusters=2.5).fit(DATA)  # type: ignore[arg-type]
