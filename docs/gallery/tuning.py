"""Equal tuning: every balancer, a tuned fixed weighting and single-task nets get the same settings and the same splits.

python docs/gallery/tuning.py                      # digits and landmine, as on the page
python docs/gallery/tuning.py --data digits --settings 2 --splits 1 --epochs 5

A setting is a draw of learning rate and ridge, the same for every method, and of what the method has of its own: task
weights for the fixed weighting, its parameters for a balancer. On each split the setting with the best validation AUC
is chosen, and its test AUC counts. Which epoch counts is decided by the mean validation loss, for all methods alike.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, ttest_rel

import mtlref as mt

Values = NDArray[Any]
Key = tuple[Any, ...]
B = mt.balance
SINGLE, EQUAL, FIXED = "single-task nets", "equal weights", "tuned weights"
WIDTH = 32
FIELDS = ["data", "method", "split", "setting", "epochs", "patience", "rate", "ridge", "own"]
FIELDS += ["validation", "mean", "worst", "epoch", "seconds", "error"]
# What each method has of its own to tune; rng gives one draw.
OWN: dict[str, Callable[[np.random.Generator, int], Any]] = {
    SINGLE: lambda rng, K: B.Fixed(),
    EQUAL: lambda rng, K: B.Fixed(),
    FIXED: lambda rng, K: B.Fixed(np.exp(rng.uniform(0, 1.5) * rng.standard_normal(K))),
    "RLW": lambda rng, K: B.RLW(rng.choice(["normal", "uniform", "dirichlet"])),
    "UW": lambda rng, K: B.UW("classification", lr=10 ** rng.uniform(-3, -1)),
    "DWA": lambda rng, K: B.DWA(rng.choice([1.0, 2.0, 5.0]), int(rng.choice([1, 5, 20]))),
    "GradNorm": lambda rng, K: B.GradNorm(rng.choice([0.5, 1.0, 1.5, 3.0]), 10 ** rng.uniform(-3, -1.5)),
    "GLS": lambda rng, K: B.GLS(),
    "IMTLL": lambda rng, K: B.IMTLL(lr=10 ** rng.uniform(-3, -1)),
    "FAMO": lambda rng, K: B.FAMO(10 ** rng.uniform(-3, -1), 10 ** rng.uniform(-4, -2)),
    "MGDA": lambda rng, K: B.MGDA(rng.choice(["none", "l2", "loss", "loss+"])),
    "PCGrad": lambda rng, K: B.PCGrad(),
    "CAGrad": lambda rng, K: B.CAGrad(rng.uniform(0.1, 0.9)),
    "IMTLG": lambda rng, K: B.IMTLG(),
    "NashMTL": lambda rng, K: B.NashMTL(),
    "FairGrad": lambda rng, K: B.FairGrad(rng.choice([0.5, 1.0, 2.0, 5.0])),
    "AlignedMTL": lambda rng, K: B.AlignedMTL(scale=rng.choice(["min", "median", "rmse"])),
    "ConFIG": lambda rng, K: B.ConFIG(),
    "DualProj": lambda rng, K: B.DualProj(),
    "UPGrad": lambda rng, K: B.UPGrad(),
    "GradDrop": lambda rng, K: B.GradDrop(rng.choice([0.0, 0.25, 0.5])),
    "GradVac": lambda rng, K: B.GradVac(10 ** rng.uniform(-3, -0.5)),
    "MoCo": lambda rng, K: B.MoCo(rng.uniform(0.1, 0.9), gamma=10 ** rng.uniform(-2, 0)),
}


@dataclass(frozen=True)
class Part:
    """Rows of all tasks as a net takes them: x (n, p), ys a list of (n,), masks (n, K)."""

    x: Values
    ys: list[Values]
    masks: Values

    def batch(self) -> Any:
        """For ``mt.nn.train``."""
        return mt.nn.Batch(self.x, self.ys, self.masks)

    def aucs(self, net: Any, params: Any) -> Values:
        """(K,): the area under each task's own curve."""
        outs, _ = net.forward(params, self.x)
        return np.array(
            [auc(y[m > 0], z[m > 0, 0]) for y, z, m in zip(self.ys, outs, self.masks.T, strict=True)]
        )


def auc(y: Values, score: Values) -> float:
    """The share of pairs of a 1 and a 0 that the scores put in order; ties count half."""
    ones = y > 0
    ranks = rankdata(score)[ones].sum()
    return float((ranks - ones.sum() * (ones.sum() + 1) / 2) / (ones.sum() * (~ones).sum()))


def parts(name: str, split: int) -> tuple[Part, Part, Part]:
    """(training, validation, test) rows, standardised by the training rows, labels in shares of both classes."""
    data = mt.data.load(name)
    rng = np.random.default_rng([split, 7])
    if data.splits is not None:
        train, test = data.splits[split]
    else:
        train, test = _halves(data.tasks, [np.arange(len(y)) for y in data.tasks.y], 0.25, rng)
    train, check = _halves(data.tasks, list(train), 0.7, rng)
    rows = np.vstack([X[r] for X, r in zip(data.tasks.X, train, strict=True)])
    mean, sd = rows.mean(axis=0), rows.std(axis=0)
    sd[sd == 0] = 1.0
    out = []
    for chosen in (train, check, test):
        x = (np.vstack([X[r] for X, r in zip(data.tasks.X, chosen, strict=True)]) - mean) / sd
        y = np.concatenate([t[r] > 0 for t, r in zip(data.tasks.y, chosen, strict=True)]).astype(float)
        task = np.repeat(np.arange(data.tasks.T), [len(r) for r in chosen])
        masks = (task[:, None] == np.arange(data.tasks.T)).astype(float)
        out.append(Part(x, [y] * data.tasks.T, masks))
    return out[0], out[1], out[2]


def _halves(
    tasks: Any, rows: list[Values], share: float, rng: np.random.Generator
) -> tuple[list[Values], list[Values]]:
    """``share`` of each task's rows of each label, and the rest."""
    first, second = [], []
    for y, r in zip(tasks.y, rows, strict=True):
        sides = [rng.permutation(r[(y[r] > 0) == label]) for label in (False, True)]
        cuts = [max(1, min(len(s) - 1, round(share * len(s)))) for s in sides]
        first.append(np.sort(np.concatenate([s[:c] for s, c in zip(sides, cuts, strict=True)])))
        second.append(np.sort(np.concatenate([s[c:] for s, c in zip(sides, cuts, strict=True)])))
    return first, second


def trained(
    method: str, name: str, split: int, setting: int, epochs: int, patience: int | None = None
) -> dict[str, Any]:
    """One training: the row of the results."""
    train, check, test = parts(name, split)
    K, p = len(train.ys), train.x.shape[1]
    common = np.random.default_rng([setting, 11])  # the same for every method
    rate, ridge = 10 ** common.uniform(-3, -1.5), 10 ** common.uniform(-5, -2)
    own = OWN[method](np.random.default_rng([setting, 13]), K)
    heads = [mt.nn.Binary()] * K
    if method == SINGLE:
        net: Any = mt.nn.SoftSharing(p, hidden=(WIDTH,), heads=heads, activation="relu", lam=0.0)
    else:
        net = mt.nn.SharedBottom(p, hidden=(WIDTH,), heads=heads, activation="relu")
    rng = np.random.default_rng([split, setting, 17])
    start = time.perf_counter()
    row = {"data": name, "method": method, "split": split, "setting": setting, "rate": rate, "ridge": ridge}
    row |= {"epochs": epochs, "patience": patience or epochs}
    row["own"] = "" if own is None else repr(own).replace("\n", " ")
    try:
        out = mt.nn.train(
            net, net.init(rng), train.batch(), rng=rng, optimizer=mt.nn.Adam(rate), epochs=epochs,
            batch_size=512 if name == "landmine" else 128, validation=check.batch(), patience=patience or epochs,
            ridge=ridge, balancer=own,
        )  # fmt: skip
    except mt.DataError as problem:  # a weighting whose step was too long for its weights
        return row | {"validation": np.nan, "mean": np.nan, "worst": np.nan, "error": str(problem)[:80]}
    seen = test.aucs(net, out.params)
    row |= {"validation": check.aucs(net, out.params).mean(), "mean": seen.mean(), "worst": seen.min()}
    return row | {"epoch": out.best_epoch, "seconds": round(time.perf_counter() - start, 2), "error": ""}


def study(
    names: list[str],
    methods: list[str],
    settings: int,
    splits: int,
    epochs: int,
    patience: int | None,
    done: set[Key],
) -> Iterator[dict[str, Any]]:
    """Every training that is not done, data set by data set, split by split, setting by setting."""
    for name in names:
        for split in range(splits):
            for setting in range(settings):
                for method in methods:
                    if (name, method, split, setting, epochs, patience or epochs) not in done:
                        yield trained(method, name, split, setting, epochs, patience)


def key(row: dict[str, Any]) -> Key:
    """What a training is known by."""
    numbers = [int(row[field]) for field in ("split", "setting", "epochs", "patience")]
    return (row["data"], row["method"], *numbers)


def chosen(rows: list[dict[str, Any]], name: str, method: str) -> list[dict[str, Any]]:
    """The row with the best validation AUC of each split."""
    mine = [
        r for r in rows if r["data"] == name and r["method"] == method and np.isfinite(float(r["validation"]))
    ]
    splits = sorted({int(r["split"]) for r in mine})
    return [
        max((r for r in mine if int(r["split"]) == s), key=lambda r: float(r["validation"])) for s in splits
    ]


def table(rows: list[dict[str, Any]], name: str) -> list[str]:
    """Markdown: mean and worst test AUC of what was chosen, and the paired difference to the tuned fixed weighting."""
    methods = list(dict.fromkeys(r["method"] for r in rows if r["data"] == name))
    picked = {m: chosen(rows, name, m) for m in methods}
    scores = {m: np.array([[float(r["mean"]), float(r["worst"])] for r in p]) for m, p in picked.items() if p}
    lines = [f"| {name} | mean AUC | worst task | minus tuned weights | p |", "|:--|--:|--:|--:|--:|"]
    for m in sorted(scores, key=lambda m: -scores[m][:, 0].mean()):
        s = scores[m]
        line = f"| {m} | {s[:, 0].mean():.4f} | {s[:, 1].mean():.3f} |"
        if FIXED in scores and m != FIXED and len(s) == len(scores[FIXED]) > 1:
            apart = s[:, 0] - scores[FIXED][:, 0]
            line += f" {apart.mean():+.4f} ± {apart.std(ddof=1) / len(apart) ** 0.5:.4f} |"
            line += f" {ttest_rel(s[:, 0], scores[FIXED][:, 0]).pvalue:.2f} |"
        else:
            line += " | |"
        lines.append(line)
    failed = sum(r["error"] != "" for r in rows if r["data"] == name)
    return [*lines, "", f"{sum(r['data'] == name for r in rows)} trainings, {failed} failed."]


def frontier(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points that no other beats in both coordinates."""
    best = [p for p in points if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in points)]
    return sorted(set(best))


def picture(rows: list[dict[str, Any]], name: str) -> str:
    """SVG: every setting of every method, mean AUC across and the worst task's up; the frontiers of two groups."""
    groups: dict[str, list[tuple[float, float]]] = {"balancers": [], "weightings": [], SINGLE: []}
    keys = {(r["method"], int(r["setting"])) for r in rows if r["data"] == name}
    for method, setting in sorted(keys):
        some = [
            r
            for r in rows
            if (r["data"], r["method"], int(r["setting"])) == (name, method, setting) and not r["error"]
        ]
        if not some:
            continue
        at = (np.mean([float(r["mean"]) for r in some]), np.mean([float(r["worst"]) for r in some]))
        group = SINGLE if method == SINGLE else "weightings" if method in (EQUAL, FIXED) else "balancers"
        groups[group].append((float(at[0]), float(at[1])))
    everything = np.array([p for g in groups.values() for p in g])
    # The worst settings would squeeze the rest into a corner.
    low, high = np.quantile(everything, 0.1, axis=0), everything.max(axis=0)
    span = np.maximum(high - low, 1e-6)
    colours = {"balancers": "#7aa2d6", "weightings": "#b3261e", SINGLE: "#3c7d3c"}
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 460" role="img" '
        'font-family="system-ui, sans-serif" font-size="14">',
        f"<title>Equal tuning on {name}</title>",
        '<rect width="760" height="460" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="17" font-weight="600">{name}: test AUC, a dot a setting</text>',
        f'<text x="380" y="448" text-anchor="middle">mean over tasks ({low[0]:.3f} to {high[0]:.3f})</text>',
        '<text transform="translate(24 230) rotate(-90)" text-anchor="middle">'
        f"worst task ({low[1]:.3f} to {high[1]:.3f})</text>",
        '<rect x="50" y="60" width="680" height="360" fill="none" stroke="#6b7280"/>',
    ]

    def place(p: tuple[float, float]) -> str:
        at = (np.array(p) - low) / span
        return f"{60 + 660 * at[0]:.1f},{410 - 340 * at[1]:.1f}"

    for k, (group, points) in enumerate(groups.items()):
        colour = colours[group]
        for p in points:
            if p[0] >= low[0] and p[1] >= low[1]:
                x, y = place(p).split(",")
                out.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}" fill-opacity="0.65"/>')
        edge = " ".join(place(p) for p in frontier(points) if p[0] >= low[0] and p[1] >= low[1])
        out.append(f'<polyline points="{edge}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        out.append(f'<text x="{330 + 130 * k}" y="50" fill="{colour}">● {group}</text>')
    return "\n".join([*out, "</svg>", ""])


def main(arguments: list[str] | None = None) -> int:
    """Train what results.csv does not hold yet, write it and pictures, print the tables."""
    parser = argparse.ArgumentParser(prog="python docs/gallery/tuning.py", description=__doc__)
    parser.add_argument("--data", default="digits,landmine")
    parser.add_argument("--methods", default=",".join(OWN), help="names, as in the table")
    parser.add_argument("--settings", type=int, default=6)
    parser.add_argument("--splits", type=int, default=5, help="at most 5 on digits")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--patience", type=int, help="epochs without a better validation loss (default: all)")
    parser.add_argument("--out", default="tuning-run", help="folder for results.csv and the pictures")
    parser.add_argument(
        "--read", action="store_true", help="train nothing: tables of the folder's results.csv"
    )
    o = parser.parse_args(arguments)
    folder = Path(o.out)
    folder.mkdir(parents=True, exist_ok=True)
    names = o.data.split(",")
    methods = o.methods.split(",")
    path = folder / "results.csv"
    rows: list[dict[str, Any]] = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    if not o.read:
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, FIELDS, restval="")
            if not rows:
                writer.writeheader()
            done = {key(r) for r in rows}
            for row in study(names, methods, o.settings, o.splits, o.epochs, o.patience, done):
                writer.writerow(row)
                stream.flush()
                rows.append(row)
    for name in names:
        (folder / f"tuning-{name}.svg").write_text(picture(rows, name), encoding="utf-8")
        print("\n".join(table(rows, name)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
