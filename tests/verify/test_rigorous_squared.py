"""Rigorous bounds of squared norms and of row maxima: on their sides, and no further off than floats are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mtlref as mt
from mtlref.errors import CertificateError, FormError
from mtlref.penalties import BoxNorm
from mtlref.verify.rigorous.interval import Exact
from mtlref.verify.rigorous.norms import RowMaxima
from mtlref.verify.rigorous.penalty import Penalty
from mtlref.verify.rigorous.spectral import nuclear_above, top_squares_above
from mtlref.verify.rigorous.squared import (
    GivenRelation,
    SquaredBoxNorm,
    SquaredNuclearNorm,
    SquaredRowNorms,
)

Array = NDArray[np.float64]
RNG = np.random.default_rng(0)
MATRICES = {
    "tall": RNG.standard_normal((5, 3)),
    "wide": RNG.standard_normal((2, 4)),
    "rank one": np.outer(RNG.standard_normal(4), RNG.standard_normal(3)),
    "scales": RNG.standard_normal((4, 3)) * [1e-8, 1.0, 1e8],
    "ties": np.eye(4)[:, :3],
    "tiny": 1e-200 * RNG.standard_normal((3, 3)),
}
OMEGA = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 1.0]])
CLOSE = Fraction(1, 10**12)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("name", MATRICES)
def test_sums_of_the_largest_squares(name: str, k: int) -> None:
    A = MATRICES[name]
    bound = top_squares_above(Exact.of(A), k)
    plain = sum(Fraction(v) ** 2 for v in np.linalg.svd(A, compute_uv=False)[:k])
    assert plain * (1 - CLOSE) <= bound <= plain * (1 + CLOSE)
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        true = sum(v**2 for v in list(mpmath.svd_r(mpmath.matrix(A.tolist()), compute_uv=False))[:k])
        assert mpmath.mpf(bound.numerator) / bound.denominator * (1 + mpmath.mpf(10) ** -40) >= true


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("eta", [0.05, 3.0])
@pytest.mark.parametrize("name", MATRICES)
def test_the_box_norm(name: str, eta: float, k: int) -> None:
    W = MATRICES[name]
    bound = SquaredBoxNorm({"lam": 1.0, "eta": eta, "dim": k}, W.shape[1]).above(Exact.of(W))
    size = float(np.abs(W).max())
    plain = Fraction(BoxNorm(eta, k).value(W / size)) * Fraction(size) ** 2
    # Where singular values span 1e16 floats know the smallest to no digit at all.
    assert plain * (1 - CLOSE) <= bound <= plain * (1 + (Fraction(1, 10**7) if name == "scales" else CLOSE))
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        sigma = list(mpmath.svd_r(mpmath.matrix((W / size).tolist()), compute_uv=False))
        live = [s for s in sigma if s > mpmath.mpf(10) ** -40]
        m = [mpmath.mpf(1)] * len(live)
        if len(live) > k:
            low, high = mpmath.mpf(0), (1 + mpmath.mpf(eta)) / live[-1]
            for _ in range(400):
                tau = (low + high) / 2
                m = [min(max(tau * s - eta, mpmath.mpf(0)), mpmath.mpf(1)) for s in live]
                low, high = (tau, high) if sum(m) < k else (low, tau)
        e = mpmath.mpf(eta)
        true = (
            e * (1 + e) * sum(s**2 / (e + mi) for s, mi in zip(live, m, strict=True)) * mpmath.mpf(size) ** 2
        )
        # W / size is rounded once.
        assert mpmath.mpf(bound.numerator) / bound.denominator >= true * (1 - mpmath.mpf(10) ** -15)


PENALTIES: dict[str, Penalty] = {
    "nuclear": SquaredNuclearNorm({"lam": 0.3}, 3),
    "nuclear and ridge": SquaredNuclearNorm({"lam": 0.3, "ridge": 0.2}, 3),
    "rows": SquaredRowNorms({"lam": 0.3}, 3),
    "given": GivenRelation({"lam": 0.3, "ridge": 0.0, "omega": OMEGA}, 3),
    "given and ridge": GivenRelation({"lam": 0.3, "ridge": 0.2, "omega": OMEGA}, 3),
    "box": SquaredBoxNorm({"lam": 0.3, "eta": 0.1, "n_clusters": 2}, 3),
    "maxima and ridge": RowMaxima({"lam": 0.3, "ridge": 0.2}, 3),
    "maxima": RowMaxima({"lam": 0.3}, 3),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_no_inner_product_exceeds_penalty_and_conjugate(name: str) -> None:
    """A theorem of the two bounds, so that no slack is granted; near equality at the best W for a G."""
    rng = np.random.default_rng(1)
    penalty = PENALTIES[name]
    for scale in (1e-6, 1.0, 1e6):
        for _ in range(10):
            W, G = Exact.of(rng.standard_normal((4, 3))), Exact.of(scale * rng.standard_normal((4, 3)))
            for alpha, bound in penalty.conjugates(G, W):
                inner = sum((a * (G[:, t] * W[:, t]).total() for t, a in enumerate(alpha)), Fraction(0))
                for factor in (Fraction(1), Fraction(1, 10**6), Fraction(10**6)):
                    assert factor * inner <= penalty.above(W.times(factor)) + bound


def test_row_maxima_are_exact() -> None:
    W = np.array([[0.5, -2.0, 1.0], [0.25, 0.25, 0.0]])
    penalty = RowMaxima({"lam": 1.0, "ridge": 0.5}, 3)
    assert penalty.norm_above(Exact.of(W)) == Fraction(9, 4)
    assert penalty.polar_above(Exact.of(W)) == Fraction(7, 2)
    # |W| less its projection on the l1 ball of radius 1 is (0.5, 1, 1) at level 1, and nothing of the second row.
    ((_, value),) = penalty.excess(Exact.of(W))
    assert value == Fraction(9, 4)


def test_the_nuclear_norm_is_the_least_tr_of_a_relation() -> None:
    W = MATRICES["tall"]
    penalty = SquaredNuclearNorm({"lam": 1.0}, 3)
    assert penalty.above(Exact.of(W)) == nuclear_above(Exact.of(W)) ** 2 / 2


def audited(model: Any, **changes: Any) -> Any:
    rng = np.random.default_rng(2)
    X = [rng.standard_normal((6, 3)) for _ in range(3)]
    data = mt.TaskData.from_list(X, [x.sum(axis=1) for x in X])
    return mt.audit(model, data, np.ones((3, 3)), rigorous=True, **changes)


def test_what_cannot_be_bounded_is_refused() -> None:
    with pytest.raises(FormError, match="needs linear features"):
        audited(mt.MTRL(lam=0.1, kernel=lambda A, B: A @ B.T))
    with pytest.raises(CertificateError, match="positive definite in exact numbers"):
        GivenRelation({"lam": 1.0, "ridge": 0.0, "omega": np.array([[1.0, 1.0], [1.0, 1.0]])}, 2)
    with pytest.raises(CertificateError, match="symmetric to the last bit"):
        GivenRelation({"lam": 1.0, "ridge": 0.0, "omega": np.array([[1.0, 0.5], [0.25, 1.0]])}, 2)


@pytest.mark.parametrize(
    "model",
    [
        mt.MTRL(lam=0.1, omega=OMEGA),
        mt.MTRL(lam=0.1, ridge=0.1, omega=OMEGA),
        mt.MTFL(lam=0.1, diagonal=True),
    ],
    ids=["omega", "omega and ridge", "diagonal"],
)
def test_further_settings(model: Any) -> None:
    rng = np.random.default_rng(2)
    X = [rng.standard_normal((9, 3)) for _ in range(3)]
    data = mt.TaskData.from_list(X, [x.sum(axis=1) + rng.standard_normal(9) for x in X])
    fitted = model.fit(data)
    sure = mt.audit(model, data, fitted.coef_.T, fitted.intercept_, rigorous=True)
    assert sure.relative_gap <= 1e-6
    assert sure.primal == pytest.approx(fitted.result_.certificate.primal, rel=1e-12)
