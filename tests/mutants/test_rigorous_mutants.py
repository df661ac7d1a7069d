"""Faults put into copies of the rigorous bounds one at a time, and the law that must see each.

A mutant whose text no longer occurs fails, so that the table stays true; a law that the package itself breaks fails
too. A copy is a package of its own, next to the real one in one process.
"""

# A line of the table is a line.
# ruff: noqa: E501

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import CertificateError
from mtlref.verify import rigorous

ROOT = Path(rigorous.__file__).parent
Parts = Callable[[str], ModuleType]
F = Fraction


def floats_enclose(part: Parts) -> None:
    """up and down are on their sides of numbers that are no floats."""
    interval = part("interval")
    for x in (F(1, 3), F(-1, 3), F(2, 3), F(1, 5), F(10**30 + 1, 7)):
        assert F(interval.down(x)) < x < F(interval.up(x))
        assert interval.floor_bits(abs(x)) < abs(x)


def functions_enclose(part: Parts) -> None:
    """Logarithms, exponentials, roots and entropies lie on their sides of Decimal's, and within 8 units."""
    elementary = part("elementary")
    one = 1 << elementary.BITS
    with localcontext() as digits:
        digits.prec = 80
        slip = Decimal(10) ** -60
        for k in range(1, 60):
            n = k * one // 31
            x = Decimal(n) / one
            for (low, high), true in ((elementary.log(n), x.ln()), (elementary.exp_minus(n), (-x).exp())):
                assert Decimal(low) / one - slip <= true <= Decimal(high) / one + slip
                assert high - low <= 8
            above = Decimal(elementary.softplus_above(n)) / one
            assert 0 <= above + slip - (1 + x.exp()).ln() <= Decimal(8) / one
            if n < one:
                below = Decimal(elementary.entropy_below(n)) / one
                assert 0 <= slip - x * x.ln() - (1 - x) * (1 - x).ln() - below <= Decimal(8) / one
            assert elementary.sqrt_above(F(k, 31)) ** 2 >= F(k, 31)


def singular_values_are_below(part: Parts) -> None:
    """σ_1 and Σ σ of rank-one matrices, whose values are exact: ‖u‖ ‖v‖."""
    spectral, interval = part("spectral"), part("interval")
    for seed in range(30):
        rng = np.random.default_rng(seed)
        u, v = rng.integers(-9, 10, 4), rng.integers(-9, 10, 3)
        square = F(int(u @ u) * int(v @ v))
        held = interval.Exact.of(np.outer(u, v).astype(float))
        for bound in (spectral.largest_above(held), spectral.nuclear_above(held)):
            assert square <= bound**2 <= square * (1 + F(1, 10**12))


def dual_points_are_feasible(part: Parts) -> None:
    """1'θ_t = 0 and Σ_t X_t'θ_t = 0, exactly."""
    feasible, interval, loss = part("feasible"), part("interval"), part("loss")
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X, y = ([rng.standard_normal(shape) for shape in shapes] for shapes in (((6, 3), (7, 3)), (6, 7)))
        rows = loss.rows_of(mt.TaskData.from_list(X, y), "sum")
        blocks = feasible.blocks_of(np.array([6, 7]), True, False)
        guess = interval.Exact.of(rng.standard_normal(13))
        theta = feasible.dual_point(rows, guess, np.ones(13), blocks, np.zeros(2, dtype=np.intp))
        assert all(th.total() == 0 for th in theta)
        assert (rows[0].X.T @ theta[0] + rows[1].X.T @ theta[1]).largest() == 0


def certificates_hold(part: Parts, loss: str = "squared") -> None:
    """primal and dual are on their sides of F at other coefficients, and of F at the optimum by the float audit."""
    certify = part("certificate").certify
    rng = np.random.default_rng(1)
    X = [rng.standard_normal((n, 3)) for n in (7, 5)]
    y = [x @ rng.standard_normal(3) + 0.5 * rng.standard_normal(len(x)) for x in X]
    y = [np.where(v > np.median(v), 1.0, -1.0) for v in y] if loss == "logistic" else y
    data = mt.TaskData.from_list(X, y, weights=[rng.random(len(v)) + 0.5 for v in y])
    for name, kind in mt.methods().items():
        if kind.cls not in part("penalties").PENALTIES:
            continue
        for ridge, sparse in ((0.0, 0.0), (0.02, 0.0), (0.02, 0.02)):
            more: dict[str, Any] = {"graph": 1.0} if kind.required else {}
            more |= {"ridge": ridge} if "ridge" in kind.degrees else {}
            more |= {"lam_sparse": sparse} if "lam_sparse" in kind.degrees else {}
            model = kind.cls(lam=0.05, loss=loss, tol=1e-12, **more).fit(data)
            ready = model._prepare(data)
            optimum = model.result_.certificate.primal
            for factor in (1.0, 0.6, 2.0):
                W, b = model.coef_.T * factor, model.intercept_
                plain = mt.audit(model, data, W, b)
                found = certify(model, data, ready, W, b)
                slack = 1e-11 * plain.scale  # that the optimum is not met exactly
                assert found.dual <= optimum + slack, f"{name}: a dual value above the optimum"
                assert abs(found.primal - plain.primal) <= slack, f"{name}: another objective"
                assert abs(found.scale - plain.scale) <= slack, f"{name}: another scale"
                assert F(found.primal) - F(found.dual) >= F(found.gap) * (1 - F(1, 2**50))
                assert found.gap >= plain.primal - optimum - slack, f"{name}: a gap that is too small"
                if factor == 1.0:
                    assert found.gap <= 1e-10 * plain.scale, f"{name}: a gap that is too large"
                if found.distance < np.inf:
                    apart = float(np.linalg.norm(W - model.coef_.T))
                    assert found.distance >= apart * (1 - 1e-6) - 1e-5  # sqrt(2 slack / modulus)


def logistic_certificates_hold(part: Parts) -> None:
    """The same for the logistic loss."""
    certificates_hold(part, "logistic")


@dataclass(frozen=True)
class Mutant:
    """name: what is wrong. In file, old becomes new; the law must see it."""

    name: str
    file: str
    old: str
    new: str
    law: Callable[[Parts], None]


def squares_obey_fenchel(part: Parts) -> None:
    """<G, W> <= penalty(W) + conjugate(G), and nearly equal at the best multiple of some W."""
    squared, norms, exact = part("squared"), part("norms"), part("interval").Exact
    omega = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 1.0]])
    made = {
        "nuclear": squared.SquaredNuclearNorm({"lam": 0.3}, 3),
        "ridge": squared.SquaredNuclearNorm({"lam": 0.3, "ridge": 0.2}, 3),
        "rows": squared.SquaredRowNorms({"lam": 0.3}, 3),
        "given": squared.GivenRelation({"lam": 0.3, "ridge": 0.2, "omega": omega}, 3),
        "box": squared.SquaredBoxNorm({"lam": 0.3, "eta": 0.1, "n_clusters": 1}, 3),
        "maxima": norms.RowMaxima({"lam": 0.3, "ridge": 0.2}, 3),
    }
    slopes = {
        "nuclear": lambda U, s, Vt, W: 0.3 * s.sum() * U @ Vt,
        "ridge": lambda U, s, Vt, W: 0.3 * s.sum() * U @ Vt + 0.2 * W,
        "rows": lambda U, s, Vt, W: 0.3 * (n := np.linalg.norm(W, axis=1, keepdims=True)).sum() * W / n,
        "given": lambda U, s, Vt, W: 0.3 * W @ np.linalg.inv(omega) + 0.2 * W,
        "box": lambda U, s, Vt, W: mt.penalties.BoxNorm(0.1, 1).gradient(W) * 0.3,
        "maxima": lambda U, s, Vt, W: (
            0.3 * np.sign(W) * (np.abs(W) == np.abs(W).max(axis=1, keepdims=True)) + 0.2 * W
        ),
    }
    for seed in range(3):
        W = np.random.default_rng(seed).standard_normal((4, 3))
        for name, penalty in made.items():
            G = slopes[name](*np.linalg.svd(W, full_matrices=False), W)
            inner = F(float(np.vdot(G, W)))
            total = penalty.above(exact.of(W)) + min(
                bound for _, bound in penalty.conjugates(exact.of(G), exact.of(W))
            )
            assert abs(total - inner) <= F(1, 10**9) * inner, name


MUTANTS = [
    Mutant("squares: tr P without the kept level", "spectral", "(k * Fraction(z) + B.squared_norm()", "(B.squared_norm()", squares_obey_fenchel),
    Mutant("squares: the trace norm is not squared", "squared", "nuclear_above(W) ** 2", "nuclear_above(W)", squares_obey_fenchel),
    Mutant("squares: the split's own share is free", "squared", "R.squared_norm() / (2 * self.ridge) if self.ridge else ZERO", "ZERO", squares_obey_fenchel),
    Mutant("squares: Ω for its inverse", "squared", "(solve(self.omega, W.T) * W.T)", "(self.omega @ W.T * W.T)", squares_obey_fenchel),
    Mutant("box: an M that leaves its set", "squared", "size = max(ONE, largest, trace / self.k)", "size = ONE / 2", squares_obey_fenchel),
    Mutant("box: the cross term once", "squared", "value = 2 * (Y * V).total() -", "value = (Y * V).total() -", squares_obey_fenchel),
    Mutant("maxima: a level too low", "norms", "(sums - self.lam) / k", "(sums - 2 * self.lam) / k", squares_obey_fenchel),
    Mutant("floats: the nearest passes for one above", "interval", "if nearest < math.inf and Fraction(nearest) < x:", "if False:", floats_enclose),
    Mutant("floats: down rounds up", "interval", "return -up(-x)", "return up(x)", floats_enclose),
    Mutant("dyadic: rounded up", "interval", "return (x / unit).__floor__() * unit", "return (x / unit).__ceil__() * unit", floats_enclose),
    Mutant("arrays: columns of other scales stacked as they are", "interval", "c.ints * int(c.scale / scale) for c in columns", "c.ints for c in columns", certificates_hold),
    Mutant("root: rounded down", "elementary", "n if n * n == shifted else n + 1", "n", functions_enclose),
    Mutant("exp: the series' rest is forgotten", "elementary", "while term_high > 1:\n        k += 1\n        term_low", "while k < 9:\n        k += 1\n        term_low", functions_enclose),
    Mutant("exp: squared once too often", "elementary", "for _ in range(j):", "for _ in range(j + 1):", functions_enclose),
    Mutant("log, exp: guard digits cut off", "elementary", "return low >> GUARD, ceiling(high, 1 << GUARD)", "return low >> GUARD, high >> GUARD", functions_enclose),
    Mutant("entropy: the logarithm from below", "elementary", "-log(v, bits)[1] * v", "-log(v, bits)[0] * v", functions_enclose),
    Mutant("softplus: the tail from below", "elementary", "return max(m, 0) + log((1 << bits) + tail, bits)[1]", "return max(m, 0) + log((1 << bits) + tail, bits)[0] - 8", functions_enclose),
    Mutant("σ_1: the rest of the factorisation is forgotten", "spectral", "(Fraction(guess) + error) * unit", "Fraction(float(level[-1])) * unit", singular_values_are_below),
    Mutant("nuclear norm: the rest is forgotten", "spectral", "total += sqrt_above(len(sigma) * rest.squared_norm())", "total += 0", singular_values_are_below),
    Mutant("feasible: 1'θ left at its rounding", "feasible", "ints[pivot[block[0]]] -= ints[block].sum()", "pass", dual_points_are_feasible),
    Mutant("feasible: the row that pays is forgotten", "feasible", "ints[pivot[i]] -= ints[i]", "pass", dual_points_are_feasible),
    Mutant("feasible: balanced to rounding alone", "feasible", "    if not np.any(rest.ints):\n        return theta\n", "    return theta\n", dual_points_are_feasible),
    Mutant("elimination: a sign is lost", "elimination", "sign = 1 if last > 0 else -1", "sign = -1", dual_points_are_feasible),
    Mutant("ball: a dual point that is not feasible", "penalty", "return ONE if polar <= limit else floor_bits(limit / polar)", "return ONE if polar <= limit else floor_bits(2 * limit / polar)", certificates_hold),
    Mutant("ball: no multiple at all", "penalty", "return ONE if polar <= limit else floor_bits(limit / polar)", "return ONE", logistic_certificates_hold),
    Mutant("ridge: the excess without its half", "norms", "return [(self.whole, sum((v**2 for v in over if v > 0), ZERO) / (2 * self.ridge))]", "return [(self.whole, sum((v**2 for v in over if v > 0), ZERO) / (4 * self.ridge))]", certificates_hold),
    Mutant("ridge: the split's own share is free", "norms", "return alpha, spent / (2 * self.ridge)", "return alpha, ZERO", certificates_hold),
    Mutant("mean: the dual without the mean's part", "quadratic", "value + mean / (2 * self.ridge)", "value", certificates_hold),
    Mutant("graph: the parts' first task is left out with a ridge", "quadratic", "            if not self.ridge:\n", "            if True:\n", certificates_hold),
    Mutant("graph: no G is balanced", "quadratic", "return None if self.ridge or self.sparse else self.parts", "return None", certificates_hold),
    Mutant("graph: the l1 term is left out", "quadratic", "+ self.sparse * W.sum_of_sizes()", "", certificates_hold),
    Mutant("pooled: one task's G alone", "quadratic", "Exact(G.ints.sum(axis=1), G.scale).squared_norm() / (2 * self.lam)", "G[:, 0].squared_norm() / (2 * self.lam)", certificates_hold),
    Mutant("pooled: distance as if W were free", "quadratic", "self.modulus = self.lam / T", "self.modulus = self.lam * 100", certificates_hold),
    Mutant("loss: the conjugate without weights", "loss", "spent / (2 * task.c)", "spent / 4", certificates_hold),
    Mutant("loss: intercepts are forgotten", "loss", "z = task.X @ W[:, t] + b[t : t + 1]", "z = task.X @ W[:, t]", certificates_hold),
    Mutant("loss: softplus of the wrong sign", "loss", "v = (task.y * z).times(Fraction(-1))", "v = task.y * z", logistic_certificates_hold),
    Mutant("loss: entropy of the wrong end", "loss", "share = (first / mass + 1) / 2", "share = abs(first / mass)", logistic_certificates_hold),
    Mutant("certificate: the distance without its root", "certificate", "up(sqrt_above(2 * gap / penalty.modulus))", "up(gap / penalty.modulus / 100)", certificates_hold),
    Mutant("certificate: primal for dual", "certificate", "Certificate(KIND, up(primal), down(dual), up(gap)", "Certificate(KIND, up(primal), down(primal), up(gap)", certificates_hold),
]  # fmt: skip


def real(name: str) -> ModuleType:
    return importlib.import_module(f"{rigorous.__name__}.{name}")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mutant], Parts]:
    """A copy of the package with a fault in it, under a name of its own."""

    def copied(mutant: Mutant) -> Parts:
        name = f"mutant_{abs(hash(mutant.name))}"
        shutil.copytree(ROOT, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (tmp_path / name).glob("*.py"):
            text = path.read_text(encoding="utf-8")
            if path.stem == mutant.file:
                assert mutant.old in text, (
                    f"{mutant.file} no longer holds {mutant.old!r}: bring the table up to date"
                )
                text = text.replace(mutant.old, mutant.new)
            path.write_text(text.replace(rigorous.__name__, name), encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        return lambda part: importlib.import_module(f"{name}.{part}")

    yield copied
    for loaded in [m for m in sys.modules if m.startswith("mutant_")]:
        del sys.modules[loaded]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_law_sees_the_fault(mutant: Mutant, parts: Callable[[Mutant], Parts]) -> None:
    part = parts(mutant)
    with pytest.raises((AssertionError, CertificateError)):
        mutant.law(part)


@pytest.mark.parametrize(
    "law", sorted({m.law for m in MUTANTS}, key=lambda law: law.__name__), ids=lambda law: law.__name__
)
def test_the_law_holds_without_the_fault(law: Callable[[Parts], None]) -> None:
    law(real)
