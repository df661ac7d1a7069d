"""Seven torques of a robot arm: one Gaussian process over all of them against one for each, by training size.

python docs/gallery/sarcos_gp.py [--sizes 50,100,200,400] [--repeats 5] [--own] [--results FILE] [--write PAGE]

Prints a table in Markdown, or writes it between the marks of a page. Every row has all seven torques; with --own each
torque is seen at rows of its own instead, size of them, so that what one torque tells of a place the others do not.
Every repeat draws other training rows; the 1500 rows of the test are those of its own draw. With --results each fit is
kept in a file of JSON lines and a run that was cut short goes on from there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import marked

import mtlref as mt

TEST = 1500
# Name, and the options of MultiTaskGP for all torques together; None: a process for each torque by itself.
MODELS: dict[str, dict[str, Any] | None] = {"together": {"rank": 2}, "apart": None, "no tie": {"rank": 0}}


def split(X: Any, Y: Any, size: int, repeat: int, own: bool = False) -> tuple[Any, ...]:
    """Training and test rows of one draw, columns scaled by the training rows; own: NaN but for one torque a row."""
    order = np.random.default_rng(repeat).permutation(len(X))
    rows = size * Y.shape[1] if own else size
    train, test = order[TEST : TEST + rows], order[:TEST]
    center, width = X[train].mean(axis=0), X[train].std(axis=0)
    width[width == 0] = 1.0
    scaled = (X - center) / width
    seen = Y[train]
    if own:
        seen = np.where(np.arange(rows)[:, None] // size == np.arange(Y.shape[1]), seen, np.nan)
    return scaled[train], seen, scaled[test], Y[test]


def errors(model: str, size: int, repeat: int, X: Any, Y: Any, own: bool) -> dict[str, Any]:
    """Mean squared error over the variance of the test rows, a number a torque, and the mean log density."""
    x, y, new, truth = split(X, Y, size, repeat, own)
    options, began = MODELS[model], time.process_time()
    parts = [list(range(y.shape[1]))] if options is not None else [[t] for t in range(y.shape[1])]
    smse, density, converged = np.empty(y.shape[1]), np.empty(y.shape[1]), True
    for torques in parts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is in doubt is told by the flag below
            rows = ~np.isnan(y[:, torques]).all(axis=1)
            fitted = mt.MultiTaskGP(n_restarts=0, **(options or {"rank": 0})).fit(
                x[rows], y[rows][:, torques]
            )
        converged &= bool(fitted.result_.converged)
        wrong = fitted.predict(new) - truth[:, torques]
        smse[torques] = (wrong**2).mean(axis=0) / truth[:, torques].var(axis=0)
        density[torques] = fitted.log_predictive_density(new, truth[:, torques]).mean(axis=0)
    return {
        "model": model,
        "size": size,
        "repeat": repeat,
        "smse": smse.tolist(),
        "density": float(density.mean()),
        "converged": converged,
        "seconds": round(time.process_time() - began, 1),
    }


def table(found: dict[tuple[str, int, int], dict[str, Any]], sizes: list[int]) -> str:
    """Mean and standard error over repeats; differences are paired."""
    lines = [f"| rows | draws | {' | '.join(MODELS)} | together − apart | together − no tie |"]
    lines.append("|--:|--:|" + "--:|" * (len(MODELS) + 2))
    for size in sizes:
        repeats = sorted({r for m, s, r in found if s == size})
        repeats = [r for r in repeats if all((m, size, r) in found for m in MODELS)]
        if not repeats:
            continue
        by = {m: np.array([np.mean(found[m, size, r]["smse"]) for r in repeats]) for m in MODELS}
        cells = [said(by[m]) for m in MODELS]
        cells += [said(by["together"] - by[other], sign=True) for other in ("apart", "no tie")]
        lines.append(f"| {size} | {len(repeats)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def said(values: Any, sign: bool = False) -> str:
    """Mean ± standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():{'+' if sign else ''}.4f} ± {error:.4f}".replace("-", "−")


def main() -> None:
    """Fit what is missing, then print."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--sizes", default="50,100,200,400")
    reader.add_argument("--repeats", type=int, default=5)
    reader.add_argument("--own", action="store_true")
    reader.add_argument("--results", type=Path)
    reader.add_argument("--write", type=Path, metavar="PAGE", help="a page with the marks")
    asked = reader.parse_args()
    X, Y = mt.data.load("sarcos").tasks.to_shared()
    sizes = [int(part) for part in asked.sizes.split(",")]
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    if asked.results is not None and asked.results.exists():
        kept = (json.loads(line) for line in asked.results.read_text(encoding="utf-8").splitlines())
        found = {(r["model"], r["size"], r["repeat"]): r for r in kept}
    for size in sizes:
        for repeat in range(asked.repeats):
            for model in MODELS:
                if (model, size, repeat) in found:
                    continue
                found[model, size, repeat] = result = errors(model, size, repeat, X, Y, asked.own)
                if asked.results is not None:
                    with asked.results.open("a", encoding="utf-8") as stream:
                        stream.write(json.dumps(result) + "\n")
    missed = [key for key, result in found.items() if not result["converged"]]
    said = f"{table(found, sizes)}\n\nNot converged: {', '.join(map(str, missed)) or 'none'}."
    if asked.write is None:
        print(said)
    else:
        marked.put(asked.write, "sarcos own rows" if asked.own else "sarcos", said)


if __name__ == "__main__":
    main()
