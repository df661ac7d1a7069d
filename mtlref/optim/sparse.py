"""Quadratic plus absolute values (L1) or row maxima (L∞,1): ADMM or an interior point far from the answer, exact Newton
near it.

For L1 the Hessian on the entries that are not zero is H itself; ``peaks`` has that of the maxima.
Everything runs in coordinates in which H has a unit diagonal, so that the scale of a feature does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.admm import admm
from mtlref.optim.interior import interior
from mtlref.optim.peaks import Peaks
from mtlref.optim.quadratic import Quadratic
from mtlref.optim.stacks import principal

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

ADMM_ROUND = 20
# Where an interior point satisfies its conditions this well, Newton's method is tried.
FIRST_ACCURACY = 1e-5
FIRST_RHO = 0.3
NEWTON_ROUND = 12
# A step that lowers the objective by this share of it gets on, whatever the conditions say.
FALL = 1e-6
WELL = 0.1
# Where the optimality conditions miss by more than this share of the threshold, a certificate would say little.
CLOSE = 3e-4
FAR = 30.0
DAMPINGS = (0.0, 1e-8, 1e-5, 1e-2, 3.0)
FELT = 1e-2
HALVINGS = 4
# Where the optimality conditions hold to this share of the threshold, rounding is all that is left.
SETTLED = 1e-13
EPS = float(np.finfo(float).eps)


class Kind(Protocol):
    """Entries or maxima of rows: what differs between L1 and L∞,1. ``threshold`` broadcasts against V (T, p)."""

    threshold: Array

    @staticmethod
    def strength(g: Array) -> Array:
        """(p,): what a feature at zero keeps below its threshold: the polar of its part of the penalty, of g."""

    def shrink(self, V: Array, step: float) -> Array:
        """The prox of step · penalty."""

    def value(self, V: Array) -> float:
        """The penalty."""

    def residual(self, V: Array, g: Array) -> float:
        """How far g = r − HV is from the penalty's subdifferential at V, relative to the threshold."""

    def newton(self, q: Quadratic, V: Array, g: Array, damping: float) -> Array | None:
        """One Newton step on what is active, H + damping · I in place of H; None where the linear algebra fails."""

    def activate(self, q: Quadratic, V: Array, g: Array) -> Array:
        """V with what should leave zero, or enter it, moved there by one block prox step each."""


@dataclass(frozen=True)
class Entries:
    """Σ_tj threshold_tj |V_tj|; threshold (T, p), zero for what is free.

    reference (T, p) : what residuals are relative to, where some thresholds are zero.
    """

    threshold: Array
    reference: Array | None = None

    @staticmethod
    def strength(g: Array) -> Array:
        """(p,): the largest |g_tj|."""
        return np.asarray(np.abs(g).max(axis=0))

    def shrink(self, V: Array, step: float) -> Array:
        """Soft thresholding."""
        return np.sign(V) * np.maximum(np.abs(V) - step * self.threshold, 0.0)

    def value(self, V: Array) -> float:
        """Σ_tj threshold_tj |V_tj|."""
        return float(np.vdot(self.threshold, np.abs(V)))

    def residual(self, V: Array, g: Array) -> float:
        """Largest |g − threshold sign(V)| / threshold, at zeros the excess of |g|."""
        miss = np.where(
            V != 0, np.abs(g - self.threshold * np.sign(V)), np.maximum(np.abs(g) - self.threshold, 0.0)
        )
        return float((miss / (self.threshold if self.reference is None else self.reference)).max())

    def newton(self, q: Quadratic, V: Array, g: Array, damping: float) -> Array | None:
        """H_AA⁻¹ (g − threshold sign) on each task's active entries, batched by masking; cut at sign changes."""
        free = self.threshold == 0
        on = (V != 0) | (free & (np.broadcast_to(q.diagonal, V.shape) > 0))
        descent = np.where(on, g - self.threshold * np.sign(V), 0.0)
        assert q.H is not None
        any_on = np.flatnonzero(on.any(axis=0))
        step = np.zeros_like(V)
        if any_on.size == 0:
            return step
        mask = on[:, any_on]
        H = np.broadcast_to(principal(q.H, any_on), (q.T, any_on.size, any_on.size))
        K = H * (mask[:, :, None] & mask[:, None, :])
        diagonal = np.arange(any_on.size)
        K[:, diagonal, diagonal] += np.where(mask, 0.0, 1.0)
        part = _solve(K, descent[:, any_on], damping)
        if part is None:
            return None
        step[:, any_on] = part
        # Each task goes as far as its first sign change, where that entry becomes zero.
        crossing = on & ~free & (np.sign(V + step) != np.sign(V)) & (step != 0)
        share = np.divide(-V, step, out=np.full_like(V, np.inf), where=crossing)
        first = np.minimum(share.min(axis=1, initial=np.inf), 1.0)[:, None]
        step *= first
        return np.where(crossing & (share <= first), -V, step)

    def activate(self, q: Quadratic, V: Array, g: Array) -> Array:
        """Entries at zero whose |g| exceeds the threshold take one coordinate step; in each task only the one with
        the largest excess where all of them together would raise its objective."""
        bend = np.broadcast_to(q.diagonal, V.shape)
        entering = np.where((V == 0) & (bend > 0), self.shrink(g, 1.0), 0.0)
        if not entering.any():
            return V
        trial = V + np.divide(entering, bend, out=np.zeros_like(V), where=bend > 0)
        worse = self._by_task(q, trial) > self._by_task(q, V)
        single = np.zeros_like(V)
        most = np.abs(entering).argmax(axis=1)
        tasks = np.arange(q.T)
        single[tasks, most] = (trial - V)[tasks, most]
        return np.where(worse[:, None], V + single, trial)

    def _by_task(self, q: Quadratic, V: Array) -> Array:
        """(T,): each task's objective."""
        smooth = ((q.times(V) / 2 - q.r) * V).sum(axis=1)
        return np.asarray(smooth + (self.threshold * np.abs(V)).sum(axis=1))


def _solve(K: Array, B: Array, damping: float) -> Array | None:
    # A proximal term of the size of rounding keeps duplicate columns from making the system singular; it slows
    # Newton's method by nothing that can be seen and leaves its fixed points where they are.
    size = K.shape[-1]
    proximal = (1e-13 + damping) * np.eye(size)
    try:
        part = np.linalg.solve(K + proximal, B[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return None
    return np.asarray(part) if np.isfinite(part).all() else None


Penalty = Entries | Peaks


def sparse_quadratic(
    q: Quadratic, kind: type[Penalty], lam: float, V: Array, share: Array | None = None
) -> Iterator[tuple[Array, bool]]:
    """Yields (V, certify) for min q(V) + lam · (absolute values or row maxima), q dense; ends where rounding begins."""
    s, scaled = q.unit_entries if kind is Entries else q.unit_rows
    penalty = kind(lam / s)
    if share is not None:  # (p,): what each feature bears of lam
        penalty = Entries(share * (lam / s), lam / s)
    V = np.ascontiguousarray(V * s)
    settled = False
    # Row maxima have a better globaliser than Newton's short steps.
    peaks = isinstance(penalty, Peaks)
    for V, settled, certify in _newton(scaled, penalty, V, swift=peaks):
        yield V / s, certify
    if isinstance(penalty, Peaks) and not settled:
        accuracy = FIRST_ACCURACY
        for V, miss in interior(scaled, penalty.threshold):
            yield V / s, False
            if miss <= accuracy:
                accuracy = 1e-2 * miss
                for W, settled, certify in _newton(scaled, penalty, V, swift=True):
                    yield W / s, certify
                if settled:
                    return
    steps = admm(scaled, penalty.shrink, V, FIRST_RHO)
    while not settled:
        for _ in range(ADMM_ROUND):
            Z, _, _ = next(steps)
            yield Z / s, False
        # ADMM goes on from its own iterate: where Newton's method fails, its last point is no better a start.
        for V, settled, certify in _newton(scaled, penalty, Z):
            yield V / s, certify


def _units(penalty: Penalty) -> Array:
    """What residuals are relative to: the thresholds, or what stands in for those that are zero."""
    reference = getattr(penalty, "reference", None)
    return penalty.threshold if reference is None else np.asarray(reference)


def _sane_steps(q: Quadratic, penalty: Penalty, V: Array, g: Array, swift: bool = False) -> Iterator[Array]:
    """Newton's step, and damped ones for where it leaves all proportion or leads nowhere.

    Fewer rows than active features make H singular; so do columns that are each other's mirror image, of which only
    some are active.
    """
    reach = FAR * (float(np.linalg.norm(V)) + float(np.linalg.norm(g)))
    least = 0.0
    for damping in DAMPINGS[:1] if swift else DAMPINGS:
        if damping < least:
            continue
        step = penalty.newton(q, V, g, damping)
        if step is not None and float(np.linalg.norm(step)) <= reach:
            yield step
            least = FELT  # a step in proportion is the same under less


def _newton(
    q: Quadratic, penalty: Penalty, V: Array, swift: bool = False
) -> Iterator[tuple[Array, bool, bool]]:
    """Newton steps with a line search and an active set that follows the optimality conditions.

    Yields (V, settled, whether it is worth a certificate); ends, with one that is, where the conditions hold to
    rounding, where they stop improving, or after some rounds. swift : full steps alone, while each halves the miss.
    """
    HV = q.times(V)
    settled_at = SETTLED + 32 * EPS * float(np.abs(q.r).max() / _units(penalty).min())
    best = np.inf
    stalled, fell = 0, False
    miss = penalty.residual(V, q.r - HV)
    value = q.value(V, HV) + penalty.value(V)
    for _ in range(NEWTON_ROUND):
        if miss <= settled_at:
            yield V, True, True
            return
        if miss >= 0.5 * best and not fell:
            stalled += 1
            if stalled >= 3:
                yield V, miss <= 100 * settled_at, True
                return
        best = min(best, miss)
        entered = penalty.activate(q, V, q.r - HV)
        if entered is not V:
            V, HV = entered, q.times(entered)
            value = q.value(V, HV) + penalty.value(V)
        found = _descend(q, penalty, V, HV, miss, value, swift)
        if found is None:
            break
        before, far = value, miss
        V, HV, miss, value = found
        fell = value < before - FALL * abs(before)
        # A step that got on well is followed by a better one; thresholds at rounding let none seem to get on.
        yield V, False, miss <= CLOSE or miss > WELL * far
    yield V, False, True


def _descend(
    q: Quadratic, penalty: Penalty, V: Array, HV: Array, miss: float, value: float, swift: bool
) -> tuple[Array, Array, float, float] | None:
    """(V, HV, residual, value) after a line search along the first step that descends; None where none does."""
    allowed = value + 1e-14 * abs(value)
    for step in _sane_steps(q, penalty, V, q.r - HV, swift):
        size = 1.0
        for k in range(HALVINGS + 1):
            trial = (
                V + size * step
            )  # the full step twice: first it is to halve the miss, then not to raise the value
            size = 1.0 / 2**k
            HT = q.times(trial)
            new = q.value(trial, HT) + penalty.value(trial)
            left = penalty.residual(trial, q.r - HT)
            # A rise is allowed for better conditions, but not above the value at zero: far out they say nothing.
            better = left <= 0.5 * miss
            if (new <= allowed and (k >= 1 or better)) or (k == 1 and better and new <= max(value, 0.0)):
                return trial, HT, left, new
            if swift:
                return None
    return None
