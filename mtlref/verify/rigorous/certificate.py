"""A certificate whose bound on the gap is a theorem: primal rounded up, dual rounded down, gap rounded up.

    F(W, b) <= primal,   dual <= min F,   F(W, b) − min F <= gap

for (P) over real numbers, with data, weights, parameters, W and b the numbers that their floats are, and c_t = 1/Σ s_ti
the exact quotient. Floating point only guesses dual points; each is then made feasible exactly, and valued exactly or
with outward rounding. A bad guess makes the gap larger, never wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import CertificateError, DataError, FormError
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Prepared
from mtlref.optim.result import Certificate
from mtlref.tasks import TaskData
from mtlref.verify.rigorous.elementary import sqrt_above
from mtlref.verify.rigorous.feasible import dual_point
from mtlref.verify.rigorous.guess import Guess, Guesses
from mtlref.verify.rigorous.interval import Exact, down, stacked, up
from mtlref.verify.rigorous.loss import OutOfDomain, Rows, conjugate_below, loss_above, null_below, rows_of
from mtlref.verify.rigorous.penalties import PENALTIES
from mtlref.verify.rigorous.penalty import Penalty

Array = NDArray[np.float64]
KIND = "rigorous duality gap"
# Only a gap above this share of F(0, b0), beside which the penalty is below this share of the gap, is worth a look at
# min L.
NEGLIGIBLE = Fraction(1, 10**9)
FAINT = Fraction(1, 1000)


def certify(estimator: LinearModel, data: Any, ready: Prepared, W: Array, b: Array) -> Certificate:
    """The certificate of (W, b), W (p, T), b (T,).

    Raises FormError for Moments, whose sums are already rounded, and for a method without rigorous bounds;
    CertificateError where no dual point could be made feasible, or where a bound does not fit a float; DataError where
    W is not one that the method can give.
    """
    kind = PENALTIES.get(type(estimator))
    if kind is None:
        raise FormError(f"rigorous=True is not known for {type(estimator).__name__}: leave it out for floats")
    if getattr(estimator, "kernel", None) is not None:
        raise FormError("rigorous=True needs linear features: a kernel's are already rounded")
    if not isinstance(data, TaskData):
        raise FormError("rigorous=True needs the rows: Moments hold sums that are already rounded")
    pooled = estimator.pooled_intercept
    if pooled and ((W[:, :1] != W).any() or (b != b[0]).any()):
        raise DataError(
            "Pooled has one w and one intercept for all tasks: the columns of W and the entries of b must be equal"
        )
    weights = estimator._weights()
    if weights["lam"] == 0:
        raise FormError(
            "rigorous=True needs lam > 0: G = 0, which lam = 0 asks of a dual point, no float meets exactly"
        )
    loss = ready.fit.loss
    penalty = kind(weights, data.T)
    labelled = data
    if loss == "logistic":  # labels as −1 and +1; the designs as they came, before any scaling
        assert isinstance(ready.data, TaskData)
        labelled = replace(data, y=ready.data.y)
    rows = rows_of(labelled, estimator.scaling)
    exact_W = Exact.of(W)
    primal = loss_above(rows, loss, exact_W, Exact.of(b)) + penalty.above(exact_W)
    scale = null_below(rows, loss, estimator.fit_intercept, pooled)
    guesses = Guesses.of(estimator, ready, rows, exact_W)
    dual = _largest_dual(rows, penalty, guesses, exact_W, primal, scale)
    gap = primal - dual
    if gap < 0:
        raise CertificateError(
            f"the dual value exceeds the primal value by {float(-gap):.3e}: a bound is wrong"
        )
    relative = up(gap / scale) if scale > 0 else (0.0 if gap == 0 else math.inf)
    distance = up(sqrt_above(2 * gap / penalty.modulus)) if penalty.modulus else math.inf
    return Certificate(KIND, up(primal), down(dual), up(gap), relative, down(scale), distance)


def _largest_dual(
    rows: list[Rows], penalty: Penalty, guesses: Guesses, W: Exact, primal: Fraction, scale: Fraction
) -> Fraction:
    """The largest of the dual values of the points tried, or 0 where that is larger: loss and penalty are >= 0."""
    best, refused = _value(rows, penalty, guesses, guesses.near(penalty), W)
    if best is None:
        best, refused = _value(rows, penalty, guesses, guesses.inside(penalty), W)
    gap = primal - (best or 0)
    # A penalty too small to show beside the gap: min F >= min L, the dual value at a point with G = 0.
    if gap > NEGLIGIBLE * scale and penalty.above(W) <= FAINT * gap:
        free, _ = _value(rows, penalty, guesses, [guesses.free()], W)
        best = free if best is None or (free is not None and free > best) else best
    if best is None:
        raise CertificateError(
            f"no dual point could be made feasible exactly, so that nothing is proven: {refused}"
        )
    return max(best, Fraction(0))


def _value(
    rows: list[Rows], penalty: Penalty, guesses: Guesses, points: Iterable[Guess], W: Exact
) -> tuple[Fraction | None, str]:
    """The largest dual value of some points; None and the reason where none could be made feasible."""
    best: Fraction | None = None
    refused = "none leads to a dual value"
    for point in points:
        try:
            theta = dual_point(rows, point.theta, point.room, guesses.blocks, point.groups)
            G = stacked([task.X.T @ th for task, th in zip(rows, theta, strict=True)])
            for alpha, bound in penalty.conjugates(G, W):
                value = (
                    conjugate_below(
                        rows, guesses.loss, [th.times(a) for th, a in zip(theta, alpha, strict=True)]
                    )
                    - bound
                )
                best = value if best is None else max(best, value)
        except (CertificateError, OutOfDomain) as problem:
            refused = str(problem)
    return best, refused
