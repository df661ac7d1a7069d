"""Newton's method in factors of W for partly penalised singular values, held against slower ways."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim import spectral, spectralleap
from mtlref.optim.eliminated import bent_solve, curvature
from mtlref.optim.lowrank import partial_trace
from mtlref.optim.problem import Problem
from mtlref.optim.quadratic import Quadratic


def quadratic(seed: int, T: int = 6, p: int = 5, shared: bool = False, rows: int = 9) -> Quadratic:
    rng = np.random.default_rng(seed)
    H = np.stack([x.T @ x for x in rng.standard_normal((1 if shared else T, rows, p))])
    truth = rng.standard_normal((T, 2)) @ rng.standard_normal((2, p)) + 0.3 * rng.standard_normal((T, p))
    return Quadratic(np.matmul(np.broadcast_to(H, (T, p, p)), truth[:, :, None])[:, :, 0], H)


def value(q: Quadratic, V: np.ndarray, free: int, lam: float) -> float:
    return q.value(V) + lam * float(np.linalg.svd(V, compute_uv=False)[free:].sum())


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("lam", [1.0, 8.0])
def test_with_none_free_it_is_the_trace_norm(shared: bool, lam: float) -> None:
    q = quadratic(0, shared=shared)
    V = partial_trace(q, np.zeros((6, 5)), 0, lam)
    assert V is not None
    plain = spectral.by_admm(q, np.zeros((6, 5)), spectral.TraceNormTerm(lam))
    np.testing.assert_allclose(V, plain, atol=1e-9 * np.abs(plain).max())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("shared", [False, True])
def test_it_ends_where_the_slope_is_that_of_the_penalty(seed: int, shared: bool) -> None:
    """slope = lam (U V' + R) on what is penalised, zero on what is free, σ_1(R) <= 1."""
    q, free, lam = quadratic(seed, shared=shared), 2, 1.5
    start = spectral.by_admm(q, np.zeros((6, 5)), spectral.TraceNormTerm(lam))
    V = partial_trace(q, start, free, lam)
    assert V is not None
    assert value(q, V, free, lam) <= value(q, start, free, lam)
    left, sigma, right = np.linalg.svd(V)
    rank = int((sigma > 1e-8 * sigma[0]).sum())
    slope = left.T @ (q.r - q.times(V)) @ right.T
    size = np.abs(q.r).max()
    inside = np.diag(np.r_[np.zeros(free), np.full(rank - free, lam)])
    np.testing.assert_allclose(slope[:rank, :rank], inside, atol=1e-8 * size)
    np.testing.assert_allclose(slope[:rank, rank:], 0.0, atol=1e-8 * size)
    np.testing.assert_allclose(slope[rank:, :rank], 0.0, atol=1e-8 * size)
    assert np.linalg.norm(slope[rank:, rank:], 2) <= lam * (1 + 1e-8)


def test_what_the_data_leave_free_does_not_run_away() -> None:
    """Fewer rows than features in every task, nothing penalised in the largest: passes stay near the start."""
    q, lam = quadratic(5, T=8, p=6, rows=3), 0.5
    V = partial_trace(q, np.zeros((8, 6)), 0, lam)
    assert V is not None
    V = partial_trace(q, V, 1, lam)
    assert V is not None
    assert np.isfinite(V).all()
    slope = q.r - q.times(V)
    assert np.linalg.norm(slope, 2) <= lam * (1 + 1e-6)


def wide_tasks() -> mt.TaskData:
    """Fewer rows than features in every task, not the same number of them."""
    rng = np.random.default_rng(0)
    W = rng.standard_normal((12, 2)) @ rng.standard_normal((2, 8))
    X = [rng.standard_normal((n, 12)) for n in (5, 6) * 4]
    return mt.TaskData.from_list(X, [x @ W[:, t] + rng.standard_normal(len(x)) for t, x in enumerate(X)])


def test_where_newtons_step_is_not_defined_admm_leaps(monkeypatch: pytest.MonkeyPatch) -> None:
    model = mt.CappedTraceNorm(lam=0.2, threshold=2.0, ridge=0.05, tol=1e-8)
    quick = model.fit(wide_tasks()).result_
    monkeypatch.setattr(spectralleap, "partial_trace", lambda *a: None)
    slow = model.fit(wide_tasks()).result_
    assert max(slow.certificate.relative_gap, quick.certificate.relative_gap) <= 1e-8
    assert quick.certificate.primal == pytest.approx(slow.certificate.primal, rel=1e-7)


@pytest.mark.parametrize("ridge", [0.0, 0.1])
def test_where_all_is_free_it_is_least_squares(ridge: float) -> None:
    """The shortest, from the rows of each task by themselves."""
    data = wide_tasks()
    problem = Problem(data, "squared", np.ones(data.T), fit_intercept=False)
    W = spectralleap._unpenalised(problem, ridge)
    for x, y, w in zip(data.X, data.y, W.T, strict=True):
        plain = (
            np.linalg.pinv(x) @ y if not ridge else x.T @ np.linalg.solve(x @ x.T + ridge * np.eye(len(x)), y)
        )
        np.testing.assert_allclose(w, plain, rtol=1e-10, atol=1e-12)


def test_rows_serve_as_their_gram_matrices_do() -> None:
    data = wide_tasks()
    q = Problem(data, "squared", np.ones(data.T), fit_intercept=True).quadratic
    assert q.H is None
    dense = q.restrict(np.arange(q.p))
    V = np.random.default_rng(1).standard_normal((q.T, q.p))
    np.testing.assert_allclose(q.times(V), dense.times(V), rtol=1e-12, atol=1e-12)
    start = spectral.by_admm(dense, 0 * V, spectral.TraceNormTerm(0.5))
    found, same = (partial_trace(part, start, 2, 0.5) for part in (q, dense))
    assert found is not None
    assert same is not None
    assert value(q, found, 2, 0.5) == pytest.approx(value(dense, same, 2, 0.5), rel=1e-9)


@pytest.mark.parametrize("rows", [160, 60])
def test_many_tasks_and_features_are_no_hindrance(rows: int) -> None:
    """So many that a Hessian in factors of W would have thousands of rows; singular values on either side."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, 80))
    W = rng.standard_normal((80, 4)) @ rng.standard_normal((4, 20))
    data = mt.TaskData.from_shared(X, X @ W + 3 * rng.standard_normal((rows, 20)))
    model = mt.CappedTraceNorm()
    lam = 0.03 * model.lam_max(data)
    sigma = np.linalg.svd(mt.TraceNorm(lam=lam).fit(data).coef_, compute_uv=False)
    threshold = float(np.median(sigma[sigma > 1e-8]))
    model.set_params(lam=lam, threshold=threshold, tol=1e-9).fit(data)
    assert model.rank_ > 4
    assert model.result_.certificate.relative_gap <= 1e-9
    assert len(model.stages_) <= 4


def test_the_curvature_is_a_sum_of_kronecker_products() -> None:
    rng = np.random.default_rng(2)
    H, S = rng.standard_normal((3, 4, 4)), rng.standard_normal((2, 3))
    plain = sum(np.kron(H[t], np.outer(S[:, t], S[:, t])) for t in range(3))
    np.testing.assert_allclose(curvature(H, S), plain, atol=1e-13)
    np.testing.assert_allclose(curvature(H[:1], S), np.kron(H[0], S @ S.T), atol=1e-13)


def test_an_indefinite_curvature_is_bent() -> None:
    rng = np.random.default_rng(4)
    Q = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    e = np.array([3.0, -2.0, 1.0, 0.5, -0.1, 4.0])
    B = rng.standard_normal((3, 2))
    out = bent_solve(Q @ np.diag(e) @ Q.T, B)
    np.testing.assert_allclose(out.ravel(), Q @ ((Q.T @ B.ravel()) / np.abs(e)), rtol=1e-10)
