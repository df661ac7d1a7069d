"""Laws of methods that are not convex: blocks, stages, and relaxations that bound them from below."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import NotConverged
from mtlref.optim.factorpair import Factors
from mtlref.verify.audit import audit
from mtlref.verify.laws.carried import (
    answer_of,
    certified,
    fitted,
    largest_correlation,
    objective_of,
    rounding_of,
    with_rows,
)
from mtlref.verify.laws.check import agree, require
from mtlref.verify.strategies import Case

Array = NDArray[np.float64]


def gap_bounds_what_a_block_gains(case: Case, rng: np.random.Generator) -> None:
    """Where only L, or only S, differs from the answer, gap >= what going back to the answer's gains."""
    model = fitted(case)
    W, b = answer_of(model)
    best, known = objective_of(case, W, b), model.result_.certificate
    for size in (1e-4, 1e-2, 1.0, -2.0):
        noise_L = 1.0 + size * rng.standard_normal(W.L.shape)
        noise_S = 1.0 + size * rng.standard_normal(W.S.shape)
        extra = size * known.scale * (rng.random(W.S.shape) < 0.3)
        for other in (
            Factors(W.L * noise_L, W.S),
            Factors(W.L * (1 + size), W.S),
            Factors(W.L, W.S * noise_S),
            Factors(W.L, W.S + extra / (1.0 + np.abs(largest_correlation(case)))),
        ):
            certificate = audit(case.model(), case.data, other, b)
            worse = certificate.primal - best
            slack = 1e-12 * (abs(certificate.primal) + known.scale)
            slack += rounding_of(case, W, b) + rounding_of(case, other, b)
            require(certificate.gap >= worse - slack, f"gap {certificate.gap!r}, but a block gains {worse!r}")


def codes_are_lassos(case: Case, rng: np.random.Generator) -> None:
    """For any L, the lasso on the rows X_t L gives S and b: the gap is at least what they gain."""
    data = case.data
    L = rng.standard_normal((data.p, 2))
    S = rng.standard_normal((2, data.T))
    from mtlref.linear.single_task_lasso import SingleTaskLasso

    same = {k: case.parameters[k] for k in ("loss", "scaling", "fit_intercept")}
    lasso = SingleTaskLasso(lam=case.parameters["mu"], tol=1e-9, **same)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotConverged)
        lasso.fit(with_rows(data, lambda X: X @ L))
    found = Factors(L, lasso.coef_.T)
    here = audit(case.model(), data, Factors(L, S))
    there = audit(case.model(), data, found, lasso.intercept_)
    slack = 1e-9 * here.scale + rounding_of(case, found, lasso.intercept_) + 1e-12 * here.primal
    require(here.gap >= here.primal - there.primal - slack, "a lasso gains more than the gap allows")


def descent_and_bound_hold(case: Case, rng: np.random.Generator) -> None:
    """The objective never rises, ends at the answer's; no factors lie below lower_bound_."""
    model = fitted(case)
    primal, scale = model.result_.certificate.primal, model.result_.certificate.scale
    W, b = answer_of(model)
    slack = 1e-12 * scale + rounding_of(case, W, b)
    rises = np.diff(model.descent_)
    require((rises <= slack).all(), f"the objective rises by {rises.max(initial=0.0)!r}")
    agree(model.descent_.min(), primal, slack, "the end of the descent and the primal value")
    require(primal <= scale + slack, f"F = {primal!r} > F(0, b0) = {scale!r}")
    floor = model.lower_bound_
    require(0 <= floor <= primal + slack, f"lower bound {floor!r} above F = {primal!r}")
    require((model.restart_objectives_ >= floor - slack).all(), "a start ends below the lower bound")
    for size in (0.1, 1.0):
        other = Factors(size * rng.standard_normal(W.L.shape), size * rng.standard_normal(W.S.shape))
        value = audit(case.model(), case.data, other).primal
        require(value >= floor - slack, f"F = {value!r} at some factors, below the bound {floor!r}")


def weights_matter_by_their_product(case: Case, rng: np.random.Generator) -> None:
    """lam a² and mu / a give the same W, from L / a and a S."""
    a = float(rng.choice([0.01, 3.0]))
    model = fitted(case, lam=case.parameters["lam"] * a**2, mu=case.parameters["mu"] / a)
    W, b = answer_of(model)
    certified(case, case.data, Factors(W.L * a, W.S / a), b, f"the answer of lam {a}² and mu / {a}")


def relaxation_bounds_from_below(case: Case, rng: np.random.Generator) -> None:
    """The objective never rises and ends at the answer's; nothing lies below the bound, of the fit or of any audit."""
    model = fitted(case)
    W, b = answer_of(model)
    certificate = model.result_.certificate
    slack = 1e-12 * certificate.scale + rounding_of(case, W, b)
    rises = np.diff(model.descent_)
    require((rises <= slack).all(), f"the objective rises by {rises.max(initial=0.0)!r}")
    floor = model.lower_bound_
    least = min(certificate.primal, model.restart_objectives_.min())
    require(floor <= least + slack, f"the bound {floor!r} lies above F = {least!r}")
    for size in (0.0, 1e-3, 1.0):
        other = W * (1 + size * rng.standard_normal(W.shape))
        here = audit(case.model(), case.data, other, b)
        require(here.primal >= floor - slack, f"F = {here.primal!r} lies below the bound {floor!r}")
        require(here.bound <= certificate.primal + slack, f"an audit's bound {here.bound!r} lies above F")
        plain = objective_of(case, other, b)
        agree(
            here.primal,
            plain,
            1e-12 * plain + rounding_of(case, other, b),
            "an audit's primal and (P) by loops",
        )


def stages_descend(case: Case, rng: np.random.Generator) -> None:
    """Each stage's convex problem is certified, F falls from stage to stage, and the last one changes nothing.

    F(W_k+1) <= M(W_k+1) <= min M + gap <= F(W_k) + gap, M the majoriser made at W_k, and F(0, b0) before the first.
    """
    model = fitted(case)
    scale = model.result_.certificate.scale
    before = scale
    for k, stage in enumerate(model.stages_):
        gap = stage.certificate.gap
        require(
            stage.certificate.relative_gap <= 10 * model.tol, f"stage {k} is left with {stage.certificate}"
        )
        slack = gap + 1e-12 * scale
        require(
            stage.objective <= stage.certificate.primal + slack,
            f"F = {stage.objective!r} at stage {k} lies above its majoriser's {stage.certificate.primal!r}",
        )
        require(
            stage.certificate.primal <= before + slack,
            f"stage {k} ends at {stage.certificate.primal!r}, above {before!r} where it began",
        )
        before = stage.objective
    require(len(model.result_.history) == len(model.stages_), "the history must have one entry a stage")
    agree(
        before, model.result_.certificate.primal, 1e-13 * abs(before), "F of the last stage and of the answer"
    )
