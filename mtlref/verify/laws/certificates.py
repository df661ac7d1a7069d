"""What a certificate promises."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtlref.optim.factorpair import Factors
from mtlref.verify import naive
from mtlref.verify.audit import audit
from mtlref.verify.laws.carried import (
    answer_of,
    fitted,
    matrix_of,
    objective_of,
    rounding_of,
    signed,
    zero_of,
)
from mtlref.verify.laws.check import agree, aim, require
from mtlref.verify.strategies import Case

Array = NDArray[np.float64]


def certificate_closes(case: Case, rng: np.random.Generator) -> None:
    """relative_gap <= tol, as a fit says; an audit of the answer says the same."""
    model = fitted(case)
    result = model.result_
    aim(result.certificate.relative_gap / model.tol, "relative gap")
    require(
        result.certificate.relative_gap <= model.tol, f"{result.certificate} but converged at {model.tol}"
    )
    W, b = answer_of(model)
    require(np.isfinite(matrix_of(W)).all() and np.isfinite(b).all(), "coefficients must be finite")
    again = audit(case.model(), case.data, W, b)
    agree(
        again.primal,
        result.certificate.primal,
        1e-13 * abs(again.primal) + 1e-300 + (rounding_of(case, W, b) if isinstance(W, Factors) else 0.0),
        "primal in fit and in audit",
    )
    require(again.relative_gap <= 2 * model.tol, f"the audit says {again}, the fit {result.certificate}")


def primal_is_the_objective(case: Case, rng: np.random.Generator) -> None:
    """certificate.primal is (P) at the returned coefficients, by loops over rows."""
    model = fitted(case)
    W, b = answer_of(model)
    plain = objective_of(case, W, b)
    agree(
        model.result_.certificate.primal,
        plain,
        1e-12 * abs(plain) + rounding_of(case, W, b),
        "primal and (P) by loops",
    )


def scale_is_the_objective_at_zero(case: Case, rng: np.random.Generator) -> None:
    """certificate.scale is F(0, b0), b0 found by bisection."""
    data = signed(case)
    W = np.zeros((data.p, data.T))
    b = np.zeros(data.T)
    if case.parameters["fit_intercept"]:
        b = naive.best_intercepts(
            data, W, case.loss, case.parameters["scaling"], pooled="pooled" in case.method.properties
        )
    plain = objective_of(case, zero_of(case), b)
    agree(
        audit(case.model(), case.data, zero_of(case)).scale,
        plain,
        1e-12 * plain + rounding_of(case, W, b),
        "scale and F(0, b0)",
    )


def gap_bounds_suboptimality(case: Case, rng: np.random.Generator) -> None:
    """At any W: gap >= F(W) − min F, and distance >= ‖W − W*‖."""
    model = fitted(case)
    W, b = answer_of(model)
    best = objective_of(case, W, b)
    known = model.result_.certificate
    for size in (0.0, 1e-4, 1e-2, 1.0, 100.0):
        noise = rng.standard_normal(W.shape)
        if "pooled" in case.method.properties:
            noise[:] = noise[:, :1]
        other = W + size * noise * (float(np.abs(W).max()) or 1.0)
        intercept: Array | None = b
        if case.parameters["fit_intercept"]:
            # With the best intercepts for this W, and with some others.
            intercept = (
                None
                if size == 1e-2
                else b + size * (1.0 if "pooled" in case.method.properties else rng.standard_normal(len(b)))
            )
        certificate = audit(case.model(), case.data, other, intercept)
        worse = certificate.primal - best
        slack = 1e-12 * (abs(certificate.primal) + known.scale) + rounding_of(case, W, b)
        slack += rounding_of(case, other, b if intercept is None else intercept)
        require(
            certificate.gap >= worse - known.gap - slack, f"gap {certificate.gap!r} < F(W) − F* = {worse!r}"
        )
        if np.isfinite(certificate.distance) and intercept is not None:
            far = float(np.linalg.norm(other - W))
            reach = certificate.distance + known.distance
            small = 1e-9 * far + np.sqrt(2 * slack / (certificate_modulus(case)))
            require(reach >= far - small, f"distance {reach!r} < ‖W − W*‖ = {far!r}")


def certificate_modulus(case: Case) -> float:
    """The modulus of strong convexity in W that the penalty gives: its ridge."""
    get = case.parameters.get
    if "strongly_convex" in case.method.properties:
        return float(get("lam", 0.0)) / (case.data.T if "pooled" in case.method.properties else 1)
    return float(get("ridge", 0.0))


def wrong_answers_are_refused(case: Case, rng: np.random.Generator) -> None:
    """An answer that is worse than the fit's by much more than tol is not certified."""
    model = fitted(case)
    W, b = answer_of(model)
    for other in (np.zeros_like(W), 1.1 * W, -W):
        certificate = audit(case.model(), case.data, other, b)
        worse = certificate.primal - model.result_.certificate.primal
        # Where only rounding is left to explain, a gap of its size is none.
        if worse > 1e-3 * certificate.scale + rounding_of(case, other, b):
            require(
                certificate.relative_gap > 0.9e-3,
                f"{certificate} certifies an answer that is {worse!r} worse",
            )
