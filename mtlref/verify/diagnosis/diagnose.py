"""The certificate of an answer and, where it does not close, what the answer is instead."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.linear.model import LinearModel
from mtlref.moments import Moments
from mtlref.optim.result import Certificate
from mtlref.registry import method
from mtlref.tasks import TaskData
from mtlref.verify.audit import audit
from mtlref.verify.diagnosis.conditions import support_findings
from mtlref.verify.diagnosis.factors import recognise
from mtlref.verify.diagnosis.neighbours import Reading, readings, terms, transposed_gap

Array = NDArray[np.float64]
# An answer is taken for another problem's where its gap there is this much smaller than for the problem asked.
NEARER = 1e-2
# A factor of lam this little off, which is no plain number, may be an unfinished run.
LITTLE = 0.05
NEAR_LAM = "another lam, nearly the same"
# A factor of lam this near to one is none.
SAME = 1e-4


@dataclass(frozen=True)
class Finding:
    """name : a word for it, the same in every report.  sentence : for people.  relative_gap : under this reading."""

    name: str
    sentence: str
    relative_gap: float


@dataclass(frozen=True)
class Diagnosis:
    """certificate : of the answer, for the problem asked.  tol : what would be optimal.  findings : likeliest first."""

    certificate: Certificate
    tol: float
    findings: tuple[Finding, ...]

    @property
    def optimal(self) -> bool:
        """Whether the certificate closes to tol."""
        return self.certificate.relative_gap <= self.tol

    def __str__(self) -> str:
        head = f"{'optimal' if self.optimal else 'not optimal'}: {self.certificate}"
        return "\n".join([head, *(f"- {f.sentence}" for f in self.findings)])


def diagnose(
    estimator: LinearModel, data: TaskData | Moments, W: Any, b: Any = None, tol: float | None = None
) -> Diagnosis:
    """Audit (W, b) and, where it is not optimal, say what it is, if it is something.

    Parameters
    ----------
    estimator, data, W, b : as in ``mtlref.audit``.
    tol : relative gap that counts as optimal; None: the estimator's own.

    Returns
    -------
    Diagnosis : findings are empty for an optimal answer. Otherwise the optimum for another lam (with the factor), for
    the other scaling, without an intercept or with a penalised one, for the squared or un-squared norm, for the
    transposed penalty; a point that was refitted, capped, or left before the proximal step; or an unfinished run.

    Raises: as ``mtlref.audit``.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> data = mt.TaskData.from_list([np.eye(2)], [[2.0, 4.0]])
    >>> model = mt.SingleTaskRidge(lam=1.0, scaling="sum", fit_intercept=False)
    >>> half = mt.SingleTaskRidge(lam=0.5, scaling="sum", fit_intercept=False).fit(data)
    >>> diagnosis = mt.verify.diagnose(model, data, half.coef_.T)
    >>> diagnosis.findings[0].name
    'loss not halved'
    """
    certificate = audit(estimator, data, W, b)
    tol = estimator.tol if tol is None else inputs.positive(tol, "tol")
    if certificate.relative_gap <= tol:
        return Diagnosis(certificate, tol, ())
    V = inputs.as_float(W, "W", 2)
    at = None if b is None else inputs.vector(b, "b", data.T, of="the tasks")
    enough = max(min(tol, 3 * NEARER * certificate.relative_gap), NEARER * certificate.relative_gap)
    found: list[Finding] = []
    for kind, read in readings(estimator, data, V, at):
        if read.relative_gap <= enough:
            finding = _worded(kind, estimator, read, data)
            if finding is not None:
                found.append(finding)
    if not found and _has_rows(estimator):
        across = transposed_gap(estimator, data, V, at)
        if across is not None and across[0] <= enough:
            sentence = (
                f"optimal for the transposed penalty: tasks, not features, are grouped (lam {across[1]:.6g})"
            )
            found.append(Finding("transposed penalty", sentence, across[0]))
    found.sort(key=lambda f: f.relative_gap > tol)
    if not found or all(f.name == NEAR_LAM for f in found):
        # A lam a little off, of no plain factor, is less likely than a point that missed its proximal step.
        points = [Finding(*f) for f in support_findings(estimator, data, V, at, certificate.relative_gap)]
        found = [f for f in points if not found or f.name == "before the proximal step"] or found
    found = [replace(f, name="another lam") if f.name == NEAR_LAM else f for f in found]
    if not found and not V.any() and "has_lam_max" in method(type(estimator).__name__).properties:
        largest = estimator.lam_max(data)
        sentence = (
            f"all coefficients are zero, which is optimal from lam {largest:.6g} on: "
            f"{largest / estimator._weights()['lam']:.6g} times the lam asked for"
        )
        found = [Finding("all zero", sentence, certificate.relative_gap)]
    if not found or found[0].name == "before the proximal step":
        digits = math.log10(certificate.relative_gap / tol)
        sentence = (
            f"unfinished: no neighbouring problem explains it. Its objective is within {certificate.gap:.3g} of the "
            f"minimum; {digits:.1f} more digits are needed for a relative gap of {tol:g}"
        )
        found.append(Finding("unconverged", sentence, certificate.relative_gap))
    return Diagnosis(certificate, tol, tuple(found))


def _has_rows(model: LinearModel) -> bool:
    return type(model).__name__ == "JointFeature"


def _worded(kind: str, model: LinearModel, read: Reading, data: TaskData | Moments) -> Finding | None:
    """The reading in words; None for one that says no more than the lam asked for, or than another reading."""
    asked = model._weights()["lam"]
    factor = read.weights["lam"] / asked
    gap = read.relative_gap
    n = np.asarray(data.n if isinstance(data, TaskData) else data.count, dtype=float)
    numbers = {"N": float(n.sum()), "T": float(data.T)}
    if (n == n[0]).all():
        numbers = {"n": float(n[0]), **numbers}
    same = abs(factor - 1) <= SAME
    plain = None if same else recognise(factor, numbers)
    # An unfinished run may be a little nearer to another lam; over tasks of equal size means are sums at another lam.
    if (kind == "lam" and same) or (kind == "scaling" and "n" in numbers and not same and plain is None):
        return None
    omega = terms(read.model, read.fit, read.W, read.b, read.weights)["lam"]
    at_lam = (
        "" if same else f" at {plain or f'{factor:.6g}'} times the lam asked for ({read.weights['lam']:.6g})"
    )
    if kind == "lam":
        return _factor_finding(model, factor, plain, omega, gap, read.weights["lam"])
    name = {
        "scaling": f"scaling {read.model.scaling}",
        "no intercept": "no intercept",
        "intercept": "intercept fitted",
        "penalised intercept": "penalised intercept",
    }[kind]
    text = {
        "scaling": f'optimal for scaling="{read.model.scaling}"',
        "no intercept": "optimal for the problem without intercepts",
        "intercept": "optimal for the problem with intercepts, which were left out",
        "penalised intercept": "optimal for the problem whose intercept is penalised like a coefficient",
    }[kind]
    return Finding(name, text + at_lam, gap)


def _factor_finding(
    model: LinearModel, factor: float, plain: str | None, omega: float, gap: float, lam: float
) -> Finding:
    degree = model.degrees["lam"]
    if plain is None:
        # lam Ω and lam Ω²/2 have the same optima at different lam: the first's is the second's times Ω.
        norm = omega if degree == 1 else math.sqrt(2 * omega)
        if degree == 1 and recognise(factor, {"Ω": norm}):
            return Finding(
                "squared norm",
                f"optimal for the square of the penalty: lam is multiplied by {norm:.6g}, its value",
                gap,
            )
        if degree == 2 and recognise(factor, {"Ω": norm}):
            return Finding(
                "norm not squared",
                f"optimal for the norm without its square: lam is divided by {norm:.6g}, the norm",
                gap,
            )
        return Finding(
            NEAR_LAM if abs(factor - 1) <= LITTLE else "another lam",
            f"optimal for lam {lam:.6g}, which is {factor:.6g} times the lam asked for",
            gap,
        )
    words = {
        "1/2": ("loss not halved", "the loss is not halved, or the penalty is"),
        "2": ("loss halved twice", "the loss is halved once more, or the penalty is not halved"),
        "n": ("loss divided by n", "the loss is divided by each task's number of rows n"),
        "1/n": ("loss multiplied by n", "the loss is not divided by each task's number of rows n"),
        "N": ("loss divided by N", "the loss is divided by the number of all rows N"),
        "1/N": ("loss multiplied by N", "the loss is not divided by the number of all rows N"),
        "T": ("loss divided by T", "the loss is divided by the number of tasks T"),
        "1/T": ("loss multiplied by T", "the loss is not divided by the number of tasks T"),
    }
    name, why = words.get(
        plain, (f"lam times {plain}", f"lam is multiplied by {plain}: the loss is divided by that")
    )
    return Finding(name, f"optimal for {plain} times the lam asked for ({lam:.6g}): {why}", gap)
