"""Correct digits of least squares on NIST's reference problems, beside numpy.linalg.lstsq and scikit-learn.

python -m mtlref.verify.nist          # the tables
python -m mtlref.verify.nist --json   # the same as JSON

The five problems of Wampler are made from their formulas. Longley, Pontius, Filip, Norris and the two without an
intercept are read from ``nist/nist_strd.npz`` in the folder that MTLREF_DATA names, and left out where it is not there.

Digits are −log10 of the largest relative error of a coefficient, between 0 and 15, as NIST counts them: once against
the certified values, which belong to the decimals as printed, and once against the exact solution, in rational
arithmetic, of the numbers that are in memory. The two differ where a condition number multiplies what decimals lose.

Source: NIST StRD, linear least squares, https://www.itl.nist.gov/div898/strd/lls/lls.shtml; Wampler 1970; Longley 1967.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from mtlref.verify.rigorous.elimination import solve
from mtlref.verify.rigorous.interval import Exact

Array = NDArray[np.float64]
MOST = 15.0
FROM_FILE = ("norris", "pontius", "noint1", "noint2", "longley", "filip")
# What Wampler's third to fifth problem add to the first, once, 100 and 10,000 times: orthogonal to all the columns.
NOISE = [
    *[759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048],
    *[-2048, 1838, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 759],
]


@dataclass(frozen=True)
class Reference:
    """X (n, p) without the intercept's column, Y (n, T), certified B (1 + p, T) or (p, T)."""

    name: str
    X: Array
    Y: Array
    certified: Array
    intercept: bool

    @property
    def columns(self) -> Array:
        """X with the intercept's column, if there is one."""
        return np.column_stack([np.ones(len(self.X)), self.X]) if self.intercept else self.X

    @property
    def condition(self) -> float:
        """The condition number of ``columns``, each divided by its length."""
        A = self.columns / np.linalg.norm(self.columns, axis=0)
        sigma = np.linalg.svd(A, compute_uv=False)
        return float(sigma[0] / sigma[-1])

    def exact(self) -> Array:
        """The least-squares solution of the numbers in memory, rounded once at its end."""
        A, Y = Exact.of(self.columns), Exact.of(self.Y)
        return solve(A.T @ A, A.T @ Y).floats()


def wampler() -> list[Reference]:
    """The five problems of Wampler, and all five as tasks of one design."""
    x = np.arange(21.0)
    powers = np.column_stack([x**k for k in range(1, 6)])
    # Tenths to the fifth decimal, rounded once: the printed values.
    tenths = np.array([float(sum(Fraction(int(v), 10) ** k for k in range(6))) for v in x])
    first, e = 1.0 + powers.sum(axis=1), np.array(NOISE, dtype=float)
    Y = np.column_stack([first, tenths, first + e, first + 100 * e, first + 10_000 * e])
    B = np.ones((6, 5))
    B[:, 1] = [1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5]
    one = [Reference(f"Wampler {t + 1}", powers, Y[:, [t]], B[:, [t]], True) for t in range(5)]
    return [*one, Reference("Wampler 1 to 5, five tasks", powers, Y, B, True)]


def references() -> list[Reference]:
    """Every problem that is within reach."""
    path = Path(os.environ.get("MTLREF_DATA", "")) / "nist" / "nist_strd.npz"
    found = []
    if os.environ.get("MTLREF_DATA") and path.is_file():
        with np.load(path) as arrays:
            for name in FROM_FILE:
                X, y, beta = (arrays[f"{name}_{k}"] for k in ("X", "y", "beta"))
                intercept = not name.startswith("noint")
                one = (X[:, 1:] if intercept else X, y[:, None], beta[:, None], intercept)
                found.append(Reference(name.capitalize(), *one))
    return found + wampler()


def digits(B: Array, truth: Array, printed: bool = False) -> float:
    """−log10 of the largest relative error, between 0 and 15; 15 where there is none, 0 for anything not finite.

    printed : the truth is rounded to 15 digits, and what rounds to the same 15 has no error.
    """
    off = np.abs(B - truth)
    if printed:
        unit = 10.0 ** (np.floor(np.log10(np.abs(truth))) - 14)
        off = np.where(off <= 0.5000001 * unit, 0.0, off)
    error = float(np.max(off / np.abs(truth)))
    return float(np.clip(-np.log10(max(error, 1e-300)), 0.0, MOST)) if np.isfinite(error) else 0.0


Solver = Callable[[Reference], Array]


def ours(estimator: Any) -> Solver:
    """Coefficients by one of our methods."""

    def solve_it(problem: Reference) -> Array:
        data = (
            mt.TaskData.from_shared(problem.X, problem.Y)
            if estimator is mt.SingleTaskRidge
            else mt.TaskData.from_list([problem.X], [problem.Y[:, 0]])
        )
        model = estimator(lam=0.0, fit_intercept=problem.intercept).fit(data)
        return np.vstack([model.intercept_, model.coef_.T]) if problem.intercept else model.coef_.T

    return solve_it


def lstsq(problem: Reference) -> Array:
    """numpy.linalg.lstsq on the columns with the intercept's."""
    return np.asarray(np.linalg.lstsq(problem.columns, problem.Y, rcond=None)[0])


def lstsq_scaled(problem: Reference) -> Array:
    """The same on columns of length one, which it does not see by itself."""
    size = np.linalg.norm(problem.columns, axis=0)[:, None]
    return np.asarray(np.linalg.lstsq(problem.columns / size.T, problem.Y, rcond=None)[0]) / size


def sklearn(problem: Reference) -> Array:
    """scikit-learn's LinearRegression."""
    from sklearn.linear_model import LinearRegression

    model = LinearRegression(fit_intercept=problem.intercept).fit(problem.X, problem.Y)
    return np.vstack([model.intercept_, model.coef_.T]) if problem.intercept else np.asarray(model.coef_.T)


def sklearn_ridge(problem: Reference) -> Array:
    """scikit-learn's Ridge by singular values, its most accurate solver, in the same limit."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=0.0, solver="svd", fit_intercept=problem.intercept).fit(problem.X, problem.Y)
    coef = np.atleast_2d(model.coef_)
    return np.vstack([np.atleast_1d(model.intercept_), coef.T]) if problem.intercept else coef.T


SOLVERS: dict[str, Solver] = {
    "SingleTaskRidge": ours(mt.SingleTaskRidge),
    "Pooled": ours(mt.Pooled),
    "lstsq": lstsq,
    "lstsq, scaled": lstsq_scaled,
    "LinearRegression": sklearn,
    "Ridge(svd)": sklearn_ridge,
}


def measure() -> list[dict[str, Any]]:
    """A row a problem: its size and condition, and for each solver its digits [certified, exact], None where absent."""
    rows = []
    for problem in references():
        exact = problem.exact()
        row: dict[str, Any] = {
            "problem": problem.name,
            "n": len(problem.X),
            "columns": problem.columns.shape[1],
            "condition": problem.condition,
            "decimals": digits(exact, problem.certified, printed=True),
            "digits": {},
        }
        for name, solver in SOLVERS.items():
            if name == "Pooled" and problem.Y.shape[1] > 1:
                continue  # one w for five different targets is another problem
            try:
                B = solver(problem)
            except ImportError:
                continue
            row["digits"][name] = [digits(B, problem.certified, printed=True), digits(B, exact)]
        rows.append(row)
    return rows


def table(rows: list[dict[str, Any]], which: int) -> str:
    """Markdown; which = 0: against the certified values, 1: against the exact solution of what is in memory."""
    present = [n for n in SOLVERS if any(n in r["digits"] for r in rows)]
    lines = [
        "| problem | rows | columns | condition | " + " | ".join(present) + " |",
        "|:--|--:|--:|--:|" + "--:|" * len(present),
    ]
    for r in rows:
        cells = [f"{r['digits'][n][which]:.1f}" if n in r["digits"] else "" for n in present]
        lines.append(
            f"| {r['problem']} | {r['n']} | {r['columns']} | {r['condition']:.0e} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; the exit code is 1 where another solver has more digits on any problem."""
    parser = argparse.ArgumentParser(description="Correct digits on NIST's linear least-squares problems.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    rows = measure()
    if options.json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        text = [
            "Digits against the exact solution of the numbers in memory",
            table(rows, 1),
            "Digits against the certified values",
            table(rows, 0),
        ]
        sys.stdout.write("\n\n".join(text) + "\n")
    return int(any(beaten(r) for r in rows))


def beaten(row: dict[str, Any]) -> list[str]:
    """The solvers with more digits than SingleTaskRidge against the exact solution, by more than a hundredth."""
    mine = row["digits"]["SingleTaskRidge"][1]
    return [name for name, (_, got) in row["digits"].items() if got > mine + 0.01]


if __name__ == "__main__":
    sys.exit(main())
