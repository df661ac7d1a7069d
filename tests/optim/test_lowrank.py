"""Newton's method in factors of W for partly penalised singular values, held against slower ways."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim import lowrank, spectral
from mtlref.optim.eliminated import bent_solve, curvature
from mtlref.optim.lowrank import partial_trace
from mtlref.optim.quadratic import Quadratic
from mtlref.verify.derivative import richardson


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


def test_the_step_is_newtons() -> None:
    """The Hessian with U eliminated, times the step, against differences of the gradient; one column cannot turn."""
    q, free, lam = quadratic(3), 0, 1.5
    assert q.H is not None
    B = lowrank._split(q.r, 0)[0][:, :1]
    B *= 1 + 0.05 * np.random.default_rng(0).standard_normal((5, 1))

    def gradient(B: np.ndarray) -> np.ndarray:
        found = lowrank._tasks(q, q.H, B, free, lam)
        assert found is not None
        out = (q.times(found[1] @ B.T) - q.r).T @ found[1]
        out[:, free:] += lam * B[:, free:]
        return out

    found = lowrank._tasks(q, q.H, B, free, lam)
    assert found is not None
    U = found[1]
    step = lowrank._direction(q.H, B, U, q.times(U @ B.T) - q.r, gradient(B), free, lam)
    assert step is not None
    size = float(np.abs(gradient(B)).max())
    for M in np.random.default_rng(1).standard_normal((4, 5, 1)):
        (change,) = richardson(
            lambda h, M=M: float(np.vdot(M, gradient(B + h[0] * step))), np.zeros(1), step=1e-3
        )
        assert change == pytest.approx(-float(np.vdot(M, gradient(B))), abs=1e-7 * size)


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


def test_what_is_too_large_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    q = quadratic(1)
    monkeypatch.setattr(lowrank, "DENSE", 1)
    assert partial_trace(q, np.ones((6, 5)), 1, 0.1) is None
    data = mt.TaskData.from_list(
        [np.random.default_rng(t).standard_normal((20, 4)) for t in range(5)],
        [np.random.default_rng(t + 9).standard_normal(20) * 3 for t in range(5)],
    )
    model = mt.CappedTraceNorm(lam=0.1, threshold=0.5, tol=1e-8)
    slow = model.fit(data).result_
    monkeypatch.undo()
    quick = model.fit(data).result_
    assert max(slow.certificate.relative_gap, quick.certificate.relative_gap) <= 1e-8
    assert quick.certificate.primal == pytest.approx(slow.certificate.primal, rel=1e-7)


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
