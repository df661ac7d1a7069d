"""The interior-point method for M, held against ADMM, against its own equations, and faults put into it."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mtlref.optim import boxinterior, spectral
from mtlref.optim.boxinterior import Pairs, Tasks, affordable, box_interior
from mtlref.optim.boxinterior import Path as MatrixPath
from mtlref.optim.boxnorm import BoxNormTerm
from mtlref.optim.quadratic import Quadratic
from mtlref.penalties import BoxNorm

Array = NDArray[np.float64]


def quadratic(seed: int, T: int = 7, p: int = 4, shared: bool = False, rows: int = 9) -> Quadratic:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((1 if shared else T, rows, p)) * np.geomspace(1, 0.03, p)
    H = np.stack([x.T @ x for x in A])
    truth = rng.standard_normal((T, 2)) @ rng.standard_normal((2, p)) + 0.3 * rng.standard_normal((T, p))
    return Quadratic(np.matmul(np.broadcast_to(H, (T, p, p)), truth[:, :, None])[:, :, 0], H)


def value(q: Quadratic, V: Array, term: BoxNormTerm) -> float:
    lam = term.weight / (term.eta * (1 + term.eta))
    return q.value(V) + lam * BoxNorm(term.eta, term.k).value(V)


def last(module: Any, q: Any, term: BoxNormTerm, most: int = 40) -> tuple[Array, int]:
    steps = 0
    V = np.zeros_like(q.r)
    for found, gap in module.box_interior(q, term):
        V, steps = found, steps + 1
        if gap < 1e-11 or steps > most:
            break
    return V, steps


@pytest.mark.parametrize("shape", [{}, {"shared": True}, {"T": 3, "p": 6}, {"rows": 2}])
@pytest.mark.parametrize("eta", [1e-3, 0.1, 3.0])
def test_it_finds_what_admm_finds(shape: dict[str, Any], eta: float) -> None:
    q = quadratic(0, **shape)
    term = BoxNormTerm(0.3 * eta * (1 + eta), eta, 2)
    V, steps = last(boxinterior, q, term)
    assert steps <= 25
    plain = spectral.by_admm(q, np.zeros_like(q.r), term)
    at_zero = abs(value(q, plain, term))
    assert value(q, V, term) <= value(q, plain, term) + 1e-10 * at_zero
    if eta >= 0.1:  # ADMM itself is not there yet for the smallest eta
        np.testing.assert_allclose(V, plain, rtol=0, atol=1e-5 * np.abs(plain).max())  # the root of the gap


@pytest.mark.parametrize("T", [3, 7])
def test_both_sides_of_a_shared_design_agree(T: int) -> None:
    """M on the features' side and, in the eigenvectors of the design, on the tasks'."""
    q = quadratic(1, T=T, p=5, shared=True)
    assert q.rotated is not None
    inside, basis = q.rotated
    term = BoxNormTerm(0.01, 0.05, 2)
    one, other = last(boxinterior, q, term)[0], last(boxinterior, inside, term)[0] @ basis.T
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(one).max())  # the root of the gap
    assert value(q, one, term) == pytest.approx(value(q, other, term), rel=1e-10)


def test_the_roots_give_the_covariance_form() -> None:
    """G and K against their formulas with H inverted; V = G P is the answer for that P."""
    q = quadratic(2)
    P = np.cov(np.random.default_rng(0).standard_normal((4, 9)))
    G, K = Tasks.of(q).at(P)
    assert q.H is not None
    for t in range(q.T):
        np.testing.assert_allclose(K[t], np.linalg.inv(np.linalg.inv(q.H[t]) + P), rtol=1e-8)
        np.testing.assert_allclose(
            np.linalg.solve(q.H[t] + np.linalg.inv(P), q.r[t]), G[t] @ P, rtol=1e-8, atol=1e-10
        )


def test_the_operator_is_a_sum_of_products() -> None:
    rng = np.random.default_rng(0)
    X, Y = (A + A.transpose(0, 2, 1) for A in rng.standard_normal((2, 3, 4, 4)))
    pairs = Pairs(4)
    D = rng.standard_normal((4, 4))
    D += D.T
    plain = sum((x @ D @ y + y @ D @ x) / 2 for x, y in zip(X, Y, strict=True))
    np.testing.assert_allclose(
        pairs.matrix(pairs.operator(X, Y) @ pairs.vector(D)), plain, rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(pairs.matrix(pairs.vector(D)), D, rtol=1e-15)


def test_the_curvature_is_the_slope_of_the_gradient() -> None:
    """sym(K δ G G') / (4 weight²) against central differences of −G'G / (4 weight)."""
    path = MatrixPath(Tasks.of(quadratic(3)), BoxNormTerm(0.2, 0.1, 2))
    D = np.random.default_rng(1).standard_normal((4, 4))
    D += D.T
    w, start, step = path.term.weight, path.M, 1e-5
    K, GG = path.K, path.G[:, :, None] * path.G[:, None, :] / (4 * w * w)
    exact = path.pairs.matrix(path.pairs.operator(K, GG) @ path.pairs.vector(D))
    ends = []
    for sign in (1, -1):
        path.M = start + sign * step * D
        path._look()
        ends.append(-path.C)
    difference = (ends[0] - ends[1]) / (2 * step)
    # Central differences of that step are good to some 1e-8 of the slope.
    np.testing.assert_allclose(exact, difference, rtol=0, atol=1e-6 * np.abs(exact).max())


def test_m_stays_between_its_bounds() -> None:
    path = MatrixPath(Tasks.of(quadratic(4)), BoxNormTerm(0.001, 0.01, 2))
    for _ in range(8):
        path.step()
        level = np.linalg.eigvalsh(path.M)
        assert level[0] > 0
        assert level[-1] < 1
        assert np.trace(path.M) == pytest.approx(2, rel=1e-12)
        assert np.linalg.eigvalsh(path.A)[0] > 0
        assert np.linalg.eigvalsh(path.B)[0] > 0


def test_it_ends_where_there_is_nothing_to_find_and_where_rounding_leaves_no_step() -> None:
    q = quadratic(5)
    nothing = Quadratic(np.zeros_like(q.r), q.H)
    assert len(list(box_interior(nothing, BoxNormTerm(0.1, 0.1, 2)))) == 0
    assert len(list(box_interior(q, BoxNormTerm(0.1, 0.1, 2)))) <= 40
    assert len(list(box_interior(q, BoxNormTerm(1e-300, 0.1, 2)))) <= 60


def test_large_sides_are_left_to_admm(monkeypatch: pytest.MonkeyPatch) -> None:
    q = quadratic(6)
    assert affordable(q)
    monkeypatch.setattr(boxinterior, "MOST_SIDE", 3)
    assert not affordable(q)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("GG /= 4 * w * w", "GG /= 40 * w * w"),
        ("self.nu * one + RA - RB", "self.nu * one + RA + RB"),
        ("A[:, k, k] += 1.0", "A[:, k, k] += 2.0"),
        ("(self.term.k - np.trace(M))", "0.0"),
        ("RB + _sym(Ni @ D @ B)", "RB - _sym(Ni @ D @ B)"),
        ("ij * n + ji, ii * n + jj", "ij * n + ij, ii * n + jj"),
    ],
)
def test_faults_are_seen(old: str, new: str) -> None:
    """Each either misses the optimum or takes far more steps; two that mend one another are put in together."""
    text = Path(boxinterior.__file__).read_text(encoding="utf-8")
    assert old in text
    if old.startswith("(self.term.k"):  # harmless while tr M = k from the start
        text = text.replace("self.M = term.k / p * self.one", "self.M = term.k / (p + 1) * self.one")
    wrong: Any = types.ModuleType("mtlref.optim.boxinterior_wrong")
    sys.modules[wrong.__name__] = wrong
    try:
        exec(compile(text.replace(old, new), "boxinterior_wrong.py", "exec"), wrong.__dict__)
        q, term = quadratic(0), BoxNormTerm(0.3 * 0.05 * 1.05, 0.05, 2)
        best, few = last(boxinterior, q, term)
        found, many = last(wrong, q, term)
    finally:
        del sys.modules[wrong.__name__]
    missed = value(q, found, term) > value(q, best, term) + 1e-9 * abs(value(q, best, term))
    assert missed or many >= 1.5 * few
