"""Faults put into the balancers one at a time, and the law that must see each.

A mutant whose text no longer occurs fails, so that the table stays true; a law that an unchanged package breaks fails
too, so that it is the fault that is seen. Several of the faults have been published in other libraries.
"""

# A line of the table is a line.
# ruff: noqa: E501

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import mtlref

ROOT = Path(mtlref.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """name: what is wrong. In file, old becomes new; ``law``, an expression, must see it."""

    name: str
    file: str
    old: str
    new: str
    law: str


def laws(balancer: str, *names: str) -> str:
    """check() of the laws named, at the balancer's own degree and factor."""
    words = ", ".join(repr(n) for n in names)
    return f"B.check(B.{balancer}, [{words}], like=B.{balancer}, count=2)"


MUTANTS = [
    # Directions.
    Mutant("mgda: the squared lengths of the hull's rows", "mgda.py", "hull_point(rows, lengths)", "hull_point(rows, lengths**2)", "B.certified(B.MGDA())"),
    Mutant("mgda: losses multiply", "mgda.py", "lengths = lengths / losses", "lengths = lengths * losses", "B.certified(B.MGDA('loss'))"),
    Mutant("mgda: degree of the raw gradients where they are normalised", "mgda.py", 'return 0.0 if self.normalization in ("l2", "loss+")', 'return 1.0 if self.normalization in ("l2", "loss+")', laws("MGDA('l2')", "homogeneous")),
    Mutant("mgda: units of the exponent lost", "mgda.py", "direction = inside if by_length else rows.back(inside)", "direction = inside", laws("MGDA()", "homogeneous")),
    Mutant("short way: tasks left out are not looked at again", "minnorm.py", "if min(slopes) < level * (1 - 1e-13) or", "if", "B.certified(B.MGDA(), kinds=['tiny', 'bad_scale', 'plain'], count=100)"),
    Mutant("short way: weights that do not sum to one", "minnorm.py", "weights = c / total\n", "weights = c + 0 * total\n", "B.certified(B.MGDA(), count=20)"),
    Mutant("short way: two tasks the wrong way round", "minnorm.py", "first = (b - ab) / apart", "first = (a - ab) / apart", "B.certified(B.MGDA(), count=20)"),
    Mutant("hull: uniform weights where a row is zero", "minnorm.py", "w[int(np.argmax(zero))] = 1.0\n        return w", "return np.full(m, 1.0 / m)", laws("MGDA()", "strict", "permutation", "hull") + ", B.certified(B.MGDA())"),
    Mutant("hull: the sum's equation forgotten", "minnorm.py", "A = np.vstack([rows.triangle * ratio, np.ones(m)])", "A = np.vstack([rows.triangle * ratio, np.arange(1.0, m + 1)])", "B.certified(B.MGDA())"),
    Mutant("hull: rows without their lengths", "minnorm.py", "rows.triangle * ratio", "rows.triangle", "B.certified(B.MGDA())"),
    Mutant("hull: tasks left out are not looked at again", "minnorm.py", "if slack.min() < 0:", "if False:", "B.certified(B.MGDA(), kinds=['tiny'], count=100)"),
    Mutant("hull: weights below zero", "minnorm.py", "if c.min() > 0:", "if True:", "B.certified(B.MGDA())"),
    Mutant("stationary: never", "minnorm.py", "return bool(np.linalg.norm(w @ rows.units) <= ROUNDING * np.sqrt(len(w)))", "return False", "B.certified(B.NashMTL())"),
    Mutant("stationary: small gradients taken for none", "minnorm.py", "return bool(np.linalg.norm(w @ rows.units) <= ROUNDING", "return bool(np.linalg.norm(w @ rows.scaled) <= 1e-2 + ROUNDING", laws("NashMTL()", "strict")),
    Mutant("units: lengths below 1e-4 are zero", "jacobian.py", "self.J / np.ldexp(self.norms, self.exponent)[:, None]", "self.J / (np.ldexp(self.norms, self.exponent) + 1e-4)[:, None]", laws("NashMTL()", "row_scale") + ", B.certified(B.MGDA())"),
    Mutant("units: a row's own power of two forgotten", "jacobian.py", "np.ldexp(lengths, own - exponent)", "lengths", "B.certified(B.UPGrad())"),
    Mutant("jacobian: scaled in place", "jacobian.py", "array = as_float(J, \"J\", 2)", "array = as_float(J, \"J\", 2)\n    array *= 2.0", laws("MGDA()", "one_task")),
    Mutant("nnls: least squares, cut at zero", "nonnegative.py", "x = _nnls()(A, b, maxiter=30 * n)[0]", "return np.maximum(np.linalg.lstsq(A, b, rcond=None)[0], 0.0) * target / np.where(size > 0, size, 1.0)", "B.certified(B.DualProj())"),
    Mutant("nnls: columns not scaled back", "nonnegative.py", "return np.asarray(x * target / np.where(size > 0, size, 1.0))", "return np.asarray(x * target)", "B.certified(B.MGDA())"),
    Mutant("dual cone: the projection of the negative", "minnorm.py", "nonnegative_least_squares(R, -b)", "nonnegative_least_squares(R, b)", laws("DualProj()", "non_conflicting")),
    Mutant("dualproj: multipliers with the wrong units", "dual_proj.py", "d = rows.combine(base + v)", "d = rows.combine(base + v * rows.norms)", "B.certified(B.DualProj())"),
    Mutant("dualproj: sum for mean", "dual_proj.py", "1.0 / m if self.convention == \"mean\" else 1.0", "1.0", laws("DualProj()", "copies")),
    Mutant("upgrad: one projection for all", "upgrad.py", "cone_multipliers(R, R[:, i])", "cone_multipliers(R, R[:, 0])", laws("UPGrad()", "permutation")),
    Mutant("upgrad: projections forgotten", "upgrad.py", "coefficients = scale + scale @ V", "coefficients = scale", laws("UPGrad()", "non_conflicting")),
    Mutant("imtlg: weights that do not sum to one", "imtlg.py", "w, d = v / total, x / total", "w, d = v, x", laws("IMTLG()", "homogeneous")),
    Mutant("imtlg: equal inner products in place of equal projections", "imtlg.py", "v[known] = inside / rows.norms[known]\n        return v, inside @ rows.units[known]", "v[known] = inside\n        return v, inside @ rows.scaled[known]", "B.certified(B.IMTLG())"),
    Mutant("config: lengths of the unit rows summed", "config.py", "total = float((rows.scaled @ x).sum()) / length", "total = float((rows.units @ x).sum()) / length", laws("ConFIG()", "homogeneous") + ", B.certified(B.ConFIG())"),
    Mutant("config: gradients themselves in the pseudo-inverse", "config.py", "R = rows.triangle", "R = rows.triangle * rows.norms", "B.certified(B.ConFIG())"),
    Mutant("aligned: the largest singular value", "aligned_mtl.py", "sigma = float(s[-1])", "sigma = float(s[-1]) ** 2", laws("AlignedMTL()", "homogeneous") + ", " + laws("AlignedMTL()", "copies")),
    Mutant("aligned: weights without the singular values", "aligned_mtl.py", "w = U @ (sigma * along / s)", "w = U @ along", "B.certified(B.AlignedMTL())"),
    Mutant("cagrad: radius c², not c", "cagrad.py", "radius = float(self.c) * float(np.linalg.norm(mean))", "radius = float(self.c) * float(np.linalg.norm(mean)) ** 2", laws("CAGrad(0.5)", "homogeneous") + ", " + laws("CAGrad(0.5)", "copies") + ", B.check(B.CAGrad(0.5), ['homogeneous'], kinds=['bad_scale'])"),
    Mutant("cagrad: stops before the last set of tasks", "cagrad.py", "for _ in range(100):", "for _ in range(1):", "B.certified(B.CAGrad(0.5))"),
    Mutant("cagrad: sum for mean", "cagrad.py", "mean = rows.scaled.mean(axis=0)", "mean = rows.scaled.sum(axis=0)", laws("CAGrad(0.5)", "copies")),
    Mutant("nash: shares of the squared gains", "nash.py", "beta = 1 / (rows.units @ d)", "beta = 1 / (rows.units @ d) ** 2", "B.certified(B.NashMTL())"),
    Mutant("nash: weights in the units of the rows' squares", "nash.py", "np.ldexp(beta / rows.norms, -rows.exponent)", "np.ldexp(beta * rows.norms, -rows.exponent)", "B.certified(B.NashMTL())"),
    Mutant("fair: curvature without alpha", "fairness.py", "root = np.sqrt(alpha * beta / tau)", "root = np.sqrt(beta / tau)", "B.certified(B.FairGrad(3.0))"),
    Mutant("fair: the pull without alpha", "fairness.py", "np.sqrt(beta * tau / alpha)", "np.sqrt(beta * tau)", "B.certified(B.FairGrad(0.5))"),
    Mutant("fair: no last digits", "fairness.py", "            return _polished(step, inside, x)\n        scale", "            return x\n        scale", "B.certified(B.FairGrad(2.0), tol=1e-8)"),
    Mutant("fair: alpha and its inverse", "fairgrad.py", "log_kappa = (1 - alpha) * np.log(rows.norms / size)", "log_kappa = (1 - 1 / alpha) * np.log(rows.norms / size)", laws("FairGrad(2.0)", "homogeneous") + ", " + "B.certified(B.FairGrad(2.0))"),
    Mutant("fair: degree of the weights", "fairgrad.py", "return (1.0 - self.alpha) / (1.0 + self.alpha)", "return (self.alpha - 1.0) / (1.0 + self.alpha)", "B.certified(B.FairGrad(2.0))"),
    Mutant("pcgrad: agreeing parts removed too", "pcgrad.py", "if slope < 0:", "if slope != 0:", laws("PCGrad()", "one_task", "span") + ", B.certified(B.PCGrad()), B.check(B.PCGrad(), like=B.GradVac(beta=0.0), properties=['span'])"),
    Mutant("pcgrad: projection on the other's own projection", "pcgrad.py", "own[j] -= slope", "own[j] += slope", "B.certified(B.PCGrad())"),
    Mutant("gradvac: the sine of the target for that of the angle", "gradvac.py", "turn = target * across", "turn = across", "B.check(B.GradVac(), like=B.PCGrad(), properties=['span'])"),
    Mutant("gradvac: zero gradients divided by", "gradvac.py", "if length == 0 or rows.norms[j] == 0:\n                    continue", "if False:\n                    continue", laws("GradVac()", "span") + ", B.check(B.GradVac(), ['rotation'])"),
    Mutant("graddrop: signs swapped", "graddrop.py", "np.where(S > 0, purity > U, purity < U)", "np.where(S > 0, purity > U, purity > U)", "B.certified(B.GradDrop())"),
    Mutant("moco: weights of the last step", "moco.py", "d = Y.T @ lam", "d = Y.T @ state.lam", "B.certified(B.MoCo())"),
    Mutant("moco: projection that leaves the simplex", "moco.py", "w = np.maximum(v - theta, 0.0)\n    return np.asarray(w / w.sum())", "return np.asarray(v - theta)", "B.certified(B.MoCo(gamma=5.0))"),
    # Loss weightings.
    Mutant("uw: one factor for both forms", "uw.py", 'FACTOR = {"regression": 0.5, "classification": 1.0}', 'FACTOR = {"regression": 0.5, "classification": 0.5}', "B.check_weighting(B.UW('classification'))"),
    Mutant("uw: log σ² for log σ", "uw.py", "pull = 0.5 if", "pull = 1.0 if", "B.check_weighting(B.UW())"),
    Mutant("uw: weights of the next step", "uw.py", "np.exp(-state.s)\n        pull", "np.exp(-state.s - self.lr)\n        pull", "B.check_weighting(B.UW())"),
    Mutant("uw: the optimum without its half", "uw.py", "return np.asarray(1 / (2 * L))", "return np.asarray(1 / L)", "B.check_weighting(B.UW())"),
    Mutant("imtll: ascent", "imtll.py", "state.s - self.lr *", "state.s + self.lr *", "B.check_weighting(B.IMTLL())"),
    Mutant("gls: the root forgotten", "gls.py", "np.exp(logs.mean() - logs) / len(L)", "np.exp(logs.sum() - logs) / len(L)", "B.check_weighting(B.GLS())"),
    Mutant("dwa: the ratio upside down", "dwa.py", "softmax(newer / older / self.temperature)", "softmax(older / newer / self.temperature)", "B.check_weighting(B.DWA())"),
    Mutant("dwa: the running window counts", "dwa.py", "newer, older = state.last, state.before", "newer, older = total / steps, state.last", "B.check_weighting(B.DWA(window=2))"),
    Mutant("dwa: weights of sum one", "dwa.py", "weights = state.T * softmax", "weights = softmax", "B.check_weighting(B.DWA())"),
    Mutant("gradnorm: the target moves with the weights", "gradnorm.py", "np.sign(G - target) * lengths", "np.sign(G - target) * (lengths - lengths.mean() / state.T)", "B.check_weighting(B.GradNorm())"),
    Mutant("gradnorm: rates of the raw losses", "gradnorm.py", "ratio = losses / first", "ratio = losses", "B.check_weighting(B.GradNorm())"),
    Mutant("gradnorm: not renormalised", "gradnorm.py", "w = w * (state.T / w.sum())", "w = w * 1.0", "B.check_weighting(B.GradNorm())"),
    Mutant("famo: the softmax's Jacobian forgotten", "famo.py", "slope = z * (fall - z @ fall)", "slope = fall", "B.check_weighting(B.FAMO())"),
    Mutant("famo: losses in place of their logarithms", "famo.py", "return softmax(state.xi - logs)", "return softmax(state.xi)", "B.check_weighting(B.FAMO())"),
    Mutant("famo: decay grows", "famo.py", "slope + self.decay * state.xi", "slope - self.decay * state.xi", "B.check_weighting(B.FAMO(decay=0.1, lr=0.5))"),
    Mutant("rlw: variance of the first task alone", "rlw.py", "return np.asarray(rng.normal(size=T))", "return np.asarray(rng.normal(size=T) + np.eye(T)[0])", "B.check_weighting(B.RLW())"),
    Mutant("rlw: exponentials not normalised", "moco.py", "return np.asarray(e / e.sum())", "return np.asarray(e)", "B.check_weighting(B.RLW())"),
    Mutant("fixed: the caller's own array", "fixed.py", "return np.ones(state.T), state", "return -np.ones(state.T), state", "B.check_weighting(B.Fixed())"),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_law_sees_the_fault(
    mutant: Mutant, package_with: Callable[[str, str, str], Path], sees: Callable[..., None]
) -> None:
    folder = package_with(f"balance/{mutant.file}", mutant.old, mutant.new)
    sees(folder, mutant.law)


@pytest.mark.parametrize("law", sorted({m.law for m in MUTANTS}))
def test_the_law_holds_without_the_fault(law: str, run: Callable[..., None]) -> None:
    run(law)


def test_every_balancer_has_a_fault() -> None:
    pages = {
        Path(sys.modules[e.cls.__module__].__file__ or "").name for e in mtlref.balance.BALANCERS.values()
    }
    assert pages <= {m.file for m in MUTANTS}
