"""Laws of loss weightings: each has two sides that share no code.

    check_weighting(UW())                  # raises LawViolation with the losses that break one

The learned ones must follow the slope of the function that their page states, taken here by a complex step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mtlref.balance.dwa import DWA
from mtlref.balance.famo import FAMO
from mtlref.balance.fixed import Fixed
from mtlref.balance.gls import GLS
from mtlref.balance.gradnorm import GradNorm
from mtlref.balance.imtll import IMTLL
from mtlref.balance.loss_trial import agree, problem, require, run, slope
from mtlref.balance.rlw import RLW
from mtlref.balance.uw import UW
from mtlref.balance.weighting import LossWeighting


def nonnegative(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """Weights are >= 0, finite, one for each task."""
    state, _, _, weights = run(weighting, rng)
    require(weights.shape == (state.T,), f"weights must have shape ({state.T},); got {weights.shape}")
    require(
        (weights >= 0).all() and np.isfinite(weights).all(), f"weights must be >= 0; got {weights.tolist()}"
    )


def pure(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """The same state, J, losses and draws give the same bits again, and none of them is changed."""
    state, J, losses, weights = run(weighting, rng)
    kept = repr(state), J.copy(), losses.copy()
    again = weighting.update(state, J, losses, np.random.default_rng(0))[0]
    require((again == weights).all(), f"a second update gave {again.tolist()} for {weights.tolist()}")
    require(
        repr(state) == kept[0] and (kept[1] == J).all() and (losses == kept[2]).all(),
        "an argument was changed",
    )


def task_permutation(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """Tasks in another order get the same weights in that order, steps on end."""
    order = rng.permutation(3)
    one, other = weighting.init(3), weighting.init(3)
    for _ in range(4):
        J, losses = problem(rng)
        w, one = weighting.update(one, J, losses)
        v, other = weighting.update(other, J[order], losses[order])
        agree(v, w[order], "weights of permuted tasks and permuted weights")


def uw_follows_its_slope(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """UW: weights are the slope of the stated function in L, s moves along minus its slope in s."""
    assert isinstance(weighting, UW)
    state, J, losses, weights = run(weighting, rng)
    forms = [weighting.form] * 3 if isinstance(weighting.form, str) else list(weighting.form)

    def total(s: Any, L: Any) -> Any:
        # In σ² itself, as the source writes it.
        parts = []
        for form, si, Li in zip(forms, s, L, strict=True):
            variance = np.exp(si)
            fit = Li / (2 * variance) if form == "regression" else Li / variance
            parts.append(
                fit + (np.log(np.sqrt(variance)) if weighting.convention == "paper" else np.log(1 + variance))
            )
        return sum(parts)

    agree(weights, slope(lambda L: total(state.s, L), losses), "weights and the slope in the losses")
    after = weighting.update(state, J, losses)[1]
    agree(
        after.s - state.s, -weighting.lr * slope(lambda s: total(s, losses), state.s), "the step of s", 1e-10
    )
    best = weighting.optimum(losses)
    factor = np.array([0.5 if form == "regression" else 1.0 for form in forms])
    flat = slope(lambda s: total(s, losses), np.log(factor / best))
    require(
        np.abs(flat).max() <= 1e-12 * (1 + losses.max()),
        f"the slope at the optimum must be 0; got {flat.tolist()}",
    )


def imtll_follows_its_slope(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """IMTL-L: the same of Σ e^s L − s."""
    assert isinstance(weighting, IMTLL)
    state, J, losses, weights = run(weighting, rng)

    def total(s: Any, L: Any) -> Any:
        return sum(np.exp(si) * Li - si for si, Li in zip(s, L, strict=True))

    agree(weights, slope(lambda L: total(state.s, L), losses), "weights and the slope in the losses")
    after = weighting.update(state, J, losses)[1]
    agree(
        after.s - state.s, -weighting.lr * slope(lambda s: total(s, losses), state.s), "the step of s", 1e-10
    )
    flat = slope(lambda s: total(s, losses), np.log(weighting.optimum(losses)))
    require(np.abs(flat).max() <= 1e-12, f"the slope at the optimum must be 0; got {flat.tolist()}")


def gls_is_the_slope_of_the_mean(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """GLS: weights are the slope of the geometric mean (or of its logarithm) in the losses."""
    assert isinstance(weighting, GLS)
    _, losses = problem(rng)

    def mean(L: Any) -> Any:
        product = L[0] * L[1] * L[2]
        return np.log(product) if weighting.convention == "log" else product ** (1 / 3)

    agree(weighting(losses), slope(mean, losses), "weights and the slope of the mean")


def one_optimum(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """UW, GLS and IMTL-L agree at the optimum: weights in the ratios of 1 / L."""
    _, losses = problem(rng)
    three = [UW().optimum(losses), GLS()(losses), IMTLL().optimum(losses)]
    for w in three:
        agree(w / w.sum(), three[0] / three[0].sum(), "weights of UW, GLS and IMTL-L at the optimum")
    s = IMTLL(lr=0.5)
    state = s.init(3)
    for _ in range(400):  # the learned one gets there by its own steps
        weights, state = s.update(state, None, losses / losses.mean())
    agree(weights * losses / losses.mean(), np.ones(3), "e^s L after many steps and 1", 1e-9)


def gradnorm_follows_its_slope(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """GradNorm: w moves along minus the slope of Σ |G − target|, target held, and sums to T."""
    assert isinstance(weighting, GradNorm)
    state, J, losses, _ = run(weighting, rng)
    first = losses if state.first is None else state.first
    lengths = np.sqrt((J * J).sum(axis=1))
    rates = losses / first
    target = np.mean(state.w * lengths) * (rates / np.mean(rates)) ** weighting.alpha

    def total(w: Any) -> Any:
        G = w * lengths
        return sum((g - t) if np.real(g) > t else (t - g) for g, t in zip(G, target, strict=True))

    moved = state.w - weighting.lr * slope(total, state.w)
    used, after = weighting.update(state, J, losses)
    agree(after.w, moved * 3 / moved.sum(), "weights of the next step")
    agree(used, state.w if weighting.convention == "paper" else after.w, "weights of this step")


def dwa_is_its_formula(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """DWA: the weights of every step, from all the losses so far."""
    assert isinstance(weighting, DWA)
    state, seen = weighting.init(3), np.zeros((0, 3))
    n = weighting.window
    for k in range(3 * n + 2):
        _, losses = problem(rng)
        weights, state = weighting.update(state, None, losses)
        whole = [seen[n * j : n * (j + 1)].mean(axis=0) for j in range(k // n)]
        seen = np.vstack([seen, losses])
        if weighting.convention == "current":
            whole.append(seen[n * (k // n) :].mean(axis=0))
        expected = np.ones(3)
        if len(whole) >= 2:
            powers = np.exp(whole[-1] / whole[-2] / weighting.temperature)
            expected = 3 * powers / powers.sum()
        agree(weights, expected, f"weights of step {k} and the formula")


def famo_follows_its_slope(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """FAMO: Σ w = 1, w L in the ratios of z; ξ moves along the slope of ⟨z, fall of the log losses⟩ and its decay."""
    assert isinstance(weighting, FAMO)
    state, _, losses, weights = run(weighting, rng)
    settled = weighting.observe(state, losses)
    fall = state.last - np.log(losses - weighting.floor)

    def rate(xi: Any) -> Any:
        e = np.exp(xi)
        return (e * fall).sum() / e.sum()

    expected = state.xi - weighting.lr * (slope(rate, state.xi) + weighting.decay * state.xi)
    agree(settled.xi, expected, "ξ after the losses were seen", 1e-10)
    z = np.exp(settled.xi) / np.exp(settled.xi).sum()
    agree(weights.sum(), 1.0, "the sum of the weights and 1")
    share = weights * (losses - weighting.floor)
    agree(share / share.sum(), z, "w L in ratio and softmax(ξ)")


def rlw_is_on_the_simplex(weighting: LossWeighting, rng: np.random.Generator) -> None:
    """RLW: weights sum to 1 (or T), come from the draw alone, and are 1/T on average."""
    assert isinstance(weighting, RLW)
    total = 1.0 if weighting.convention == "paper" else 3.0
    state = weighting.init(3)
    many = np.stack([weighting.update(state, None, None, rng)[0] for _ in range(2000)])
    agree(many.sum(axis=1), np.full(2000, total), "sums of weights")
    # The mean of 2000 draws lies within five standard errors.
    off = np.abs(many.mean(axis=0) - total / 3) / (many.std(axis=0) / np.sqrt(2000))
    require(off.max() < 5, f"the mean of the weights is {off.max():.1f} standard errors off")
    draw = np.array([1.0, 0.0, 2.0])
    z = np.exp(draw) if weighting.distribution in ("normal", "uniform") else draw
    agree(weighting.update(state, draw=draw)[0], total * z / z.sum(), "weights of a given draw")


LOSS_WEIGHTING_LAWS: Mapping[type[LossWeighting], tuple[Callable[[LossWeighting, np.random.Generator], None], ...]] = {
    Fixed: (), RLW: (rlw_is_on_the_simplex,), UW: (uw_follows_its_slope, one_optimum), DWA: (dwa_is_its_formula,),
    GradNorm: (gradnorm_follows_its_slope,), GLS: (gls_is_the_slope_of_the_mean, one_optimum),
    IMTLL: (imtll_follows_its_slope, one_optimum), FAMO: (famo_follows_its_slope,),
}  # fmt: skip


def check_weighting(weighting: LossWeighting, *, count: int = 3, seed: int = 0) -> tuple[str, ...]:
    """Hold a loss weighting to its laws, ``count`` times; their names. Raises LawViolation."""
    laws = [nonnegative, pure, *LOSS_WEIGHTING_LAWS[type(weighting)]]
    if "task_permutation" in weighting.properties:
        laws.append(task_permutation)
    for law in laws:
        rng = np.random.default_rng([seed, len(law.__name__)])
        for _ in range(count):
            law(weighting, rng)
    return tuple(law.__name__ for law in laws)
