"""Cadmium in the Jura by Gaussian processes: which model the training data alone choose, and how far each one errs.

python docs/gallery/jura_models.py [--means constant,linear] [--changes] [--results FILE] [--write PAGE]

Nickel and zinc are known at all 359 places, cadmium at the 259 prediction places. Every model is fitted by maximum
likelihood from one start; then it is judged, still without the cadmium of the 100 validation places, by the likelihood,
by the likelihood less half the logarithm of the number of cells for each parameter (BIC), and by the log density of
each cadmium value at the prediction places given all other values. The mean absolute error at the validation places
comes last and chooses nothing. With --changes another list is run: the model whose figures are known from elsewhere,
and what happens when one thing about it is changed. With --results a run that was cut short goes on from a file of JSON
lines. With --write the table goes between the marks of a page.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import marked

import mtlref as mt
from mtlref.gp import RBF, Matern12, Matern32, RationalQuadratic

KNOWN = 259
# Kernels with their rank.
KERNELS: dict[str, tuple[Any, int]] = {
    "RBF": (RBF(1.0), 2),
    "Matern12": (Matern12(1.0), 2),
    "Matern32": (Matern32(1.0), 2),
    "RationalQuadratic": (RationalQuadratic(1.0), 2),
    # Two structures, as geostatistics has them: a short and a long range, km, beside the noise.
    "RBF + RBF": ([RBF(0.2), RBF(1.3)], 1),
    "Matern32 + Matern32": ([Matern32(0.2), Matern32(1.3)], 1),
    "Matern12 + Matern12": ([Matern12(0.2), Matern12(1.3)], 1),
}

# Changes of one thing about RBF with two lengths, rank 2, no mean, targets less their averages where they are known:
# (kernel, rank, mean, averages).
CHANGES: dict[str, tuple[Any, int, str, str]] = {
    "none": (RBF([1.0, 1.0]), 2, "zero", "known"),
    "one length for both coordinates": (RBF(1.0), 2, "zero", "known"),
    "rank 1": (RBF([1.0, 1.0]), 1, "zero", "known"),
    "averages over the 259 prediction places": (RBF([1.0, 1.0]), 2, "zero", "prediction"),
    "a constant mean, fitted": (RBF([1.0, 1.0]), 2, "constant", "known"),
    "Matérn 3/2": (Matern32([1.0, 1.0]), 2, "zero", "known"),
    "Matérn 1/2": (Matern12([1.0, 1.0]), 2, "zero", "known"),
    "targets as they are, no mean": (RBF([1.0, 1.0]), 2, "zero", "none"),
}


def candidates(means: list[str]) -> Iterator[tuple[str, Any, int, str, bool]]:
    """(name, kernel, rank, mean, log): every model that is tried."""
    for mean in means:
        for log in (False, True):
            for name, (kernel, rank) in KERNELS.items():
                yield name, kernel, rank, mean, log


def places() -> tuple[Any, Any]:
    """x and y in km (359, 2) and cadmium, nickel, zinc in mg/kg (359, 3); the last 100 are for validation."""
    tasks = mt.data.load("jura").tasks
    X, Y = tasks.to_shared()
    return X[:, :2], Y[:, [tasks.names.index(metal) for metal in ("Cd", "Ni", "Zn")]]


def fitted(kernel: Any, rank: int, mean: str, log: bool, X: Any, Y: Any) -> Any:
    """The model on what is known."""
    Z = np.log(Y) if log else Y.copy()
    Z[KNOWN:, 0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the flag of convergence is in the table
        return mt.MultiTaskGP(kernel, rank=rank, mean=mean, n_restarts=0).fit(X, Z)


def judged(model: Any, log: bool, X: Any, Y: Any) -> dict[str, Any]:
    """The three criteria in the units of the metals, and the error at the validation places."""
    # The density of y is that of log y over y.
    units = np.log(Y[:, 0][:KNOWN]).sum() + np.log(Y[:, 1:]).sum() if log else 0.0
    likelihood = -model.result_.certificate.primal - units
    cells = model.route_.cells
    free = len(model.model_.theta)
    left_out = model.leave_one_out().log_density[:KNOWN]  # cadmium is the first task
    cadmium = left_out.mean() - (np.log(Y[:KNOWN, 0]).mean() if log else 0.0)
    predicted = model.predict(X[KNOWN:])[:, 0]
    wrong = np.abs((np.exp(predicted) if log else predicted) - Y[KNOWN:, 0])
    return {
        "likelihood": float(likelihood),
        "bic": float(likelihood - 0.5 * np.log(cells.N) * free),
        "left out": float(cadmium),
        "error": float(wrong.mean()),
        "converged": bool(model.result_.converged),
    }


CRITERIA = {"likelihood": "the likelihood", "bic": "BIC", "left out": "cadmium left out"}


def table(found: list[dict[str, Any]]) -> str:
    """A line a model, and what each criterion chooses, in each form of the targets and over both."""
    lines = ["| targets | kernel | rank | mean | log likelihood | BIC | cadmium left out | error |"]
    lines.append("|:--|:--|--:|:--|--:|--:|--:|--:|")
    for r in found:
        numbers = [f"{r['likelihood']:.1f}", f"{r['bic']:.1f}", f"{r['left out']:.4f}", f"{r['error']:.4f}"]
        cells = [
            r["targets"],
            r["kernel"],
            str(r["rank"]),
            r["mean"],
            *(n.replace("-", "−") for n in numbers),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    for form in ("raw", "log", "either"):
        some = [r for r in found if form in ("either", r["targets"])]
        for key, words in CRITERIA.items():
            best = max(some, key=lambda r: r[key], default=None)
            if best is not None:
                model = f"{best['targets']}, {best['kernel']}, rank {best['rank']}, {best['mean']} mean"
                lines.append(f"- {form}, chosen by {words}: {model}: error {best['error']:.4f}")
    for form in ("raw", "log"):
        errors = np.array([r["error"] for r in found if r["targets"] == form])
        if len(errors):
            lines.append(
                f"- {form}: error of all {len(errors)} models from {errors.min():.4f} to {errors.max():.4f}, "
                f"median {np.median(errors):.4f}"
            )
    return "\n".join(lines)


def changed(kernel: Any, rank: int, mean: str, averages: str, log: bool, X: Any, Y: Any) -> dict[str, Any]:
    """The log likelihood, and the error, of a model on targets less their averages."""
    Z = np.log(Y) if log else Y.copy()
    Z[KNOWN:, 0] = np.nan
    rows = {"known": slice(None), "prediction": slice(KNOWN), "none": slice(0)}[averages]
    center = np.nanmean(Z[rows], axis=0) if averages != "none" else np.zeros(Z.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = mt.MultiTaskGP(kernel, rank=rank, mean=mean, n_restarts=0).fit(X, Z - center)
    predicted = model.predict(X[KNOWN:])[:, 0] + center[0]
    wrong = np.abs((np.exp(predicted) if log else predicted) - Y[KNOWN:, 0])
    return {
        "likelihood": float(-model.result_.certificate.primal),
        "error": float(wrong.mean()),
        "converged": bool(model.result_.converged),
    }


def changes(found: list[dict[str, Any]]) -> str:
    """A line a change: errors, and likelihoods above that of the model unchanged."""
    by = {(r["kernel"], r["targets"]): r for r in found}
    lines = ["| change | raw: error | likelihood | log: error | likelihood |", "|:--|--:|--:|--:|--:|"]
    for name in CHANGES:
        cells = []
        for form in ("raw", "log"):
            above = by[name, form]["likelihood"] - by["none", form]["likelihood"]
            cells += [
                f"{by[name, form]['error']:.4f}",
                f"{above:+.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0"),
            ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Fit what is missing, then print."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--results", type=Path)
    reader.add_argument("--means", default="constant")
    reader.add_argument("--changes", action="store_true")
    reader.add_argument("--write", type=Path, metavar="PAGE", help="a page with the marks")
    asked = reader.parse_args()
    X, Y = places()
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    keys = ("targets", "kernel", "rank", "mean")
    if asked.results is not None and asked.results.exists():
        kept = (json.loads(line) for line in asked.results.read_text(encoding="utf-8").splitlines())
        found = {tuple(r[key] for key in keys): r for r in kept}

    def keep(key: tuple[Any, ...], result: dict[str, Any]) -> None:
        found[key] = dict(zip(keys, key, strict=True)) | result
        if asked.results is not None:
            with asked.results.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(found[key]) + "\n")

    if asked.changes:
        for name, (kernel, rank, mean, averages) in CHANGES.items():
            for log in (False, True):
                key = ("log" if log else "raw", name, rank, mean)
                if key not in found:
                    keep(key, changed(kernel, rank, mean, averages, log, X, Y))
    else:
        for name, kernel, rank, mean, log in candidates(asked.means.split(",")):
            key = ("log" if log else "raw", name, rank, mean)
            if key not in found:
                keep(key, judged(fitted(kernel, rank, mean, log, X, Y), log, X, Y))
    missed = [key for key, result in found.items() if not result["converged"]]
    said = (changes if asked.changes else table)(list(found.values()))
    said += f"\n\nNot converged: {', '.join(map(str, missed)) or 'none'}."
    if asked.write is None:
        print(said)
    else:
        marked.put(asked.write, "jura changes" if asked.changes else "jura", said)


if __name__ == "__main__":
    main()
