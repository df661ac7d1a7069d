"""Newton's method for the trace norm in factors: where it ends, that its step is Newton's, and faults in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mtlref as mt
from mtlref.optim import tracenewton
from mtlref.optim.admm import admm
from mtlref.optim.diagonal import Diagonal
from mtlref.optim.spectral import TraceNormTerm, prox_singular
from mtlref.optim.tracenewton import newton_trace

Array = NDArray[np.float64]
LAM = 3.0


def diagonal(seed: int, T: int, p: int, ridge: float = 0.0) -> Diagonal:
    """Curvatures over two decades, some of them zero, and a right side of three strong directions."""
    rng = np.random.default_rng(seed)
    e = np.r_[10.0 ** rng.uniform(-1, 1, p - 2), 0.0, 0.0]
    strong = rng.standard_normal((T, 3)) @ rng.standard_normal((3, p))
    return Diagonal((3 * strong + rng.standard_normal((T, p))) * np.sqrt(e), e, ridge)


def by_admm(q: Diagonal, steps: int) -> Array:
    """V after so many steps."""
    term = TraceNormTerm(LAM)
    run = admm(q, lambda V, step: prox_singular(V, lambda s: term.prox(s, step)), np.zeros_like(q.r), 1.0)
    for _ in range(steps):
        V, _, _ = next(run)
    return V


def miss(q: Diagonal, V: Array) -> float:
    """How far r − V H is from lam (U V' + R), relative to lam."""
    slope = (q.r - q.times(V)) / LAM
    left, sigma, right = np.linalg.svd(V, full_matrices=False)
    on = sigma > 1e-9 * sigma[0]
    rest = slope - left[:, on] @ right[on]
    beyond = max(float(np.linalg.norm(rest, 2)) - 1.0, 0.0)
    return max(float(np.abs(left[:, on].T @ rest).max()), float(np.abs(rest @ right[on].T).max()), beyond)


def check_answer(newton: Callable[..., Any]) -> None:
    """From a rough start of the right rank or of one too many it ends at the answer in a few points."""
    for T, p in ((6, 15), (15, 6)):
        for ridge in (0.0, 0.5):
            q = diagonal(1, T, p, ridge)
            rough = by_admm(q, 12)
            rank = int(np.linalg.matrix_rank(rough, tol=1e-9))
            assert 2 <= rank < min(T, p)
            assert miss(q, rough) > 1e-5
            rng = np.random.default_rng(2)
            more = rough + 1e-2 * np.outer(rng.standard_normal(T), rng.standard_normal(p))
            for start, m in ((rough, rank), (more, rank + 1)):
                points = list(newton(q, start, m, LAM))
                assert 1 <= len(points) <= 5
                assert miss(q, points[-1]) <= 1e-9


def check_step(direction: Callable[..., Any]) -> None:
    """K step, by differences of the gradient with U eliminated, is the gradient; one column cannot turn."""
    q = diagonal(4, 7, 9, 0.2)
    h = (q.e + q.ridge)[:, None]

    def at(B: Array) -> tuple[Array, Array, Array]:
        U = q.r @ B @ np.linalg.inv(B.T @ (h * B) + LAM * np.eye(B.shape[1]))
        S = (U @ B.T) * h.T - q.r
        return U, S, S.T @ U + LAM * B

    _, sigma, right = np.linalg.svd(by_admm(q, 20))
    B = 1.05 * right[:1].T * np.sqrt(sigma[0])
    U, S, gradient = at(B)
    step = direction(h, B, U, S, gradient, LAM, 1e-12)
    size = 1e-6
    change = (at(B + size * step)[2] - at(B - size * step)[2]) / (2 * size)
    # Differences of a gradient of about 1e2 with a step of 1e-6 leave some 1e-8 of it.
    np.testing.assert_allclose(change, gradient, atol=1e-6 * float(np.abs(gradient).max()))


def test_it_ends_at_the_answer() -> None:
    check_answer(newton_trace)


def test_the_step_is_newtons() -> None:
    check_step(tracenewton._direction)


def test_the_objective_never_rises() -> None:
    """From a start of a rank too low: what it ends at is no answer, and no worse than what it began with."""
    q = diagonal(5, 8, 12)
    V = by_admm(q, 4)
    left, sigma, right = np.linalg.svd(V, full_matrices=False)
    low = (left[:, :1] * sigma[:1]) @ right[:1]

    def objective(V: Array) -> float:
        fall = float(np.vdot(V, q.times(V))) / 2 - float(np.vdot(q.r, V))
        return fall + LAM * float(np.linalg.svd(V, compute_uv=False).sum())

    *_, end = newton_trace(q, low, 1, LAM)
    assert objective(end) <= objective(low)
    assert np.linalg.matrix_rank(end, tol=1e-9) == 1
    assert miss(q, end) > 1e-3


@pytest.mark.parametrize(("n", "p", "ratio"), [(60, 20, 4.0), (30, 50, 10.0), (60, 20, 300.0)])
def test_fits_of_one_design_take_few_iterations(n: int, p: int, ratio: float) -> None:
    rng = np.random.default_rng(n + p)
    X = rng.standard_normal((n, p))
    W = rng.standard_normal((p, 2)) @ rng.standard_normal((2, 12))
    Y = X @ W + rng.standard_normal((n, 12))
    top = mt.TraceNorm().lam_max(X, y=Y)
    model = mt.TraceNorm(lam=top / ratio, tol=1e-11).fit(X, Y)
    assert model.result_.certificate.relative_gap <= 1e-11
    assert model.result_.n_iter <= 45


@pytest.mark.parametrize(("check", "text", "fault"), [
    (check_step, "+ U @ (D.T @ hB)", "- U @ (D.T @ hB)"),
    (check_step, "- hB @ (Z.T @ U)", ""),
    (check_step, "- S.T @ Z ", "+ S.T @ Z "),
    (check_answer, "h = (q.e + q.ridge)[:, None]", "h = q.e[:, None]"),
    (check_answer, "+ lam * B\n", "+ 2 * lam * B\n"),
])  # fmt: skip
def test_faults_are_seen(check: Callable[..., None], text: str, fault: str, mutated: Any) -> None:
    mutant = mutated(tracenewton, text, fault)
    with pytest.raises(AssertionError):
        check(mutant._direction if check is check_step else mutant.newton_trace)
