"""Fitting the parameters: L-BFGS-B on θ from several starts, with all that went wrong said.

(P)  min over θ within bounds of −log p(y; θ) / N, or of a leave-one-out loss / N, less the logarithms of priors / N
(K)  the projected gradient: |Π(θ − ∇) − θ| <= tol in every entry

Source: Byrd et al. 1995 (L-BFGS-B); Rasmussen & Williams 2006, section 5.4.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mtlref.errors import DataError, FitDoubt, IllConditioned, NotConverged
from mtlref.gp import leave_out
from mtlref.gp.cells import Cells
from mtlref.gp.model import Model
from mtlref.gp.nested import REFUSED, approach, fits_inside
from mtlref.gp.priors import Attached
from mtlref.gp.route import Route, choose, condition_on
from mtlref.gp.spectrum import Spectrum

Array = NDArray[Any]
# Bounds, in units where targets have variance 1; of a kernel's parameters as factors of its start.
KAPPA, NOISE, LOADING, KERNEL = (1e-6, 1e3), (1e-6, 1e2), 30.0, 1e3
# What is minimised, with the groups that are left out.
OBJECTIVES = {"likelihood": "", "leave-one-out": "cell", "leave-place-out": "place"}
# Ends further apart than this in −log p are other optima.
DISAGREEMENT = 0.1


@dataclass(frozen=True, eq=False)
class Fitted:
    """The best end.

    model, route : at the best θ. value : −log p (or the leave-one-out loss), less the logarithm of the priors, which is
    log_prior. projected : the largest entry of
    the projected gradient of value / N. n_iter : iterations from its start. ends : the value that each start led to
    (inf: no admissible point). notes : sentences on what went wrong or is in doubt.
    """

    model: Model
    route: Route
    value: float
    log_prior: float
    projected: float
    n_iter: int
    ends: tuple[float, ...]
    notes: tuple[str, ...]

    @property
    def doubts(self) -> tuple[str, ...]:
        """The notes but those of a kappa of B at its lower bound: a task without a part of its own is no fault."""
        return doubts(self.notes)


def doubts(notes: tuple[str, ...]) -> tuple[str, ...]:
    """The notes but those of a kappa of B at its lower bound: a task without a part of its own is no fault."""
    return tuple(n for n in notes if not (n.startswith("B") and ".kappa" in n and "lower" in n))


def tell(estimator: Any, projected: float, doubts: tuple[str, ...]) -> None:
    """Warn of a gradient above tol and of doubts, on behalf of a ``fit``."""
    if not projected <= estimator.tol:
        warnings.warn(
            f"the projected gradient must be at most tol = {estimator.tol:.1e}; {type(estimator).__name__} reached "
            f"{projected:.1e}",
            NotConverged,
            stacklevel=3,
        )
    if doubts:
        warnings.warn("; ".join(doubts), FitDoubt, stacklevel=3)


def bounds(model: Model) -> tuple[Array, Array]:
    """Lower and upper bounds of θ; a kernel's own parameters within a factor of 1000 of where they start."""
    low, high = [], []
    for name, start in zip(model.names, model.theta, strict=True):
        part, _, rest = name.partition(".")
        if part.startswith("k"):
            limits = (start - np.log(KERNEL), start + np.log(KERNEL))
        elif rest.startswith("kappa"):
            limits = tuple(np.log(NOISE if part == "noise" else KAPPA))
        else:
            limits = (-LOADING, LOADING)
        low.append(limits[0])
        high.append(limits[1])
    return np.array(low), np.array(high)


def perturbed(model: Model, rng: np.random.Generator) -> Model:
    """Another start: loadings drawn anew at their own size, logarithms of variances and lengths moved by about 1."""
    theta = model.theta.copy()
    for k, name in enumerate(model.names):
        if "beta" in name:
            continue
        theta[k] = 0.7 * rng.standard_normal() if ".A[" in name else theta[k] + rng.standard_normal()
    return model.with_theta(theta)


def fit(
    start: Model,
    cells: Cells,
    *,
    n_restarts: int = 2,
    objective: str = "likelihood",
    route: str | None = None,
    tol: float = 1e-5,
    max_iter: int = 500,
    nested: bool | None = None,
    random_state: int | np.random.Generator | None = 0,
    priors: Attached | None = None,
) -> Fitted:
    """The best of ``start`` and ``n_restarts`` perturbed ones.

    nested : True: the kernel's parameters outside and all others inside, for one kernel on a complete table, before the
    joint descent; None: where the others are at most 200. priors : on parameters; the fit is then never nested.

    Raises IllConditioned where none has an admissible point.
    """
    if objective not in OBJECTIVES:
        raise DataError(f"objective must be one of {', '.join(OBJECTIVES)}; got {objective!r}")
    if objective != "likelihood":
        route = "dense"
    weighed = priors if priors is not None else Attached(())
    plain = objective == "likelihood" and not weighed.terms
    fits_nested = plain and (route or choose(start, cells)) == "kronecker"
    if nested and not fits_nested:
        raise DataError("nested=True needs the likelihood of one kernel on a complete table, without priors")
    inside_out = fits_nested and (fits_inside(start) if nested is None else nested)
    rng = np.random.default_rng(random_state)
    low, high = bounds(start)
    refused = 0

    def evaluate(theta: Array, keep: bool, known: Spectrum | None = None) -> tuple[float, Array, Any]:
        made: Any = condition_on(start.with_theta(theta), cells, route, known)
        if objective != "likelihood":
            value, gradient = leave_out.objective(made, OBJECTIVES[objective])
        else:
            value, gradient = made.value, made.gradient(keep=keep)
        value, gradient = value - weighed.log_density(theta), gradient - weighed.gradient(theta)
        return value / cells.N, gradient / cells.N, made

    def loss(theta: Array) -> tuple[float, Array]:
        nonlocal refused
        try:
            return evaluate(theta, False)[:2]
        except IllConditioned:
            refused += 1
            return REFUSED, np.zeros(len(theta))  # the line search steps back

    best, least, count, last = None, np.inf, 0, None
    ends = []
    for k in range(1 + n_restarts):
        begin = start if k == 0 else perturbed(start, rng)
        theta, done, arrived = np.clip(begin.theta, low, high), 0, None
        if inside_out:
            theta, done, stepped, known = approach(start.with_theta(theta), cells, low, high, tol, max_iter)
            refused += stepped
            with suppress(IllConditioned):
                arrived = evaluate(theta, True, known)
        if arrived is not None and projected(theta, arrived[1], low, high) <= tol:
            value = arrived[0]
        else:
            end = descend(loss, theta, low, high, tol, max(1, max_iter - done))
            theta, value, done, arrived = end.x, float(end.fun), done + int(end.nit), None
        ends.append(value * cells.N if value < REFUSED else np.inf)
        if best is None or value < least:
            best, least, count, last = theta, value, done, arrived
    if best is None or not least < REFUSED:
        raise IllConditioned(
            f"every start must have a covariance that is positive definite; none of {len(ends)} has"
        )
    value, gradient, made = evaluate(best, True) if last is None else last
    return Fitted(
        start.with_theta(best),
        made,
        value * cells.N,
        float(weighed.log_density(best)),
        projected(best, gradient, low, high),
        count,
        tuple(ends),
        notes(start, best, low, high, ends, refused),
    )


def projected(theta: Array, gradient: Array, low: Array, high: Array) -> float:
    """The largest entry of the projected gradient."""
    return float(np.abs(np.clip(theta - gradient, low, high) - theta).max())  # (K)


def descend(loss: Any, theta: Array, low: Array, high: Array, tol: float, max_iter: int) -> Any:
    """L-BFGS-B until (K), its memory emptied up to three times where its line search ends early."""
    left, end = max_iter, None
    for _ in range(4):
        end = minimize(
            loss,
            theta,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={"maxiter": left, "maxfun": 2 * left, "ftol": 1e-14, "gtol": 0.1 * tol, "maxcor": 20},
        )
        theta, left = end.x, left - int(end.nit)
        end.nit = max_iter - left
        if left <= 0 or end.nit == 0 or projected(end.x, end.jac, low, high) <= tol:
            break
    return end


def notes(
    model: Model, theta: Array, low: Array, high: Array, ends: list[float], refused: int
) -> tuple[str, ...]:
    """Sentences on bounds hit, ends that differ and points refused."""
    said = []
    for side, limit in (("lower", low), ("upper", high)):
        at = np.flatnonzero(np.abs(theta - limit) <= 1e-8)
        for k in at:
            size = limit[k] if "A[" in model.names[k] or "beta" in model.names[k] else np.exp(limit[k])
            said.append(f"{model.names[k]} ended at its {side} bound {size:.3g}")
    apart = sum(not end <= min(ends) + DISAGREEMENT for end in ends)
    if apart:
        said.append(
            f"{apart} of {len(ends)} starts ended more than {DISAGREEMENT} above the best (the worst by "
            f"{max(ends) - min(ends):.3g}): there are several optima, and perhaps a better one"
        )
    if refused:
        said.append(
            f"{refused} trial points had a covariance too near to singular, and were stepped back from"
        )
    return tuple(said)
