"""The outcome of a comparison as an object: rows, pairs, every fit, and the table in its forms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mtlref.metrics import METRICS, Metric
from mtlref.study import statistics
from mtlref.study.settings import Settings
from mtlref.study.statistics import Mean, Pair
from mtlref.study.store import FINAL, Failure, Fit


@dataclass(frozen=True)
class Facts:
    """What the text around a table says of the data: sizes, splits in words, remarks."""

    T: int
    p: int
    N: int
    n_train: tuple[float, ...]
    n_test: float
    splits: str
    remarks: tuple[str, ...] = ()
    task_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    description: str = ""
    citation: str = ""


@dataclass(frozen=True)
class Row:
    """One method in the table.

    Attributes
    ----------
    method : name in the registry
    scores : metric -> Mean over the splits; empty where the method failed
    top : whether it is the best on the main metric, or not significantly worse than the best
    lam : median over splits of the chosen lam
    fits, certified : how many fits were made (inner ones too), how many closed their certificate to tol
    uncertified_refits : how many of the fits that were scored did not; of such a method nothing is claimed
    max_relative_gap : the largest relative gap of any of them
    seconds : time of all its fits
    notes : about tuning and warnings
    error : why it failed, or None
    """

    method: str
    scores: dict[str, Mean]
    top: bool
    lam: float
    fits: int
    certified: int
    uncertified_refits: int
    max_relative_gap: float
    seconds: float
    notes: tuple[str, ...]
    error: str | None


@dataclass(frozen=True)
class Comparison:
    """A finished comparison. ``str()`` is the table for a terminal.

    Attributes
    ----------
    settings, facts : the protocol and the data
    metrics : names of the metrics shown; the first one ranks the methods and is tested
    fits, failures : every fit and every error
    answers : (size, split, method) -> name -> array, of the first split at the largest training size
    """

    settings: Settings
    facts: Facts
    metrics: tuple[str, ...]
    fits: tuple[Fit, ...]
    failures: tuple[Failure, ...]
    answers: dict[tuple[int, int, str], dict[str, np.ndarray]]

    @property
    def main(self) -> Metric:
        """The metric that ranks the methods."""
        return METRICS[self.metrics[0]]

    @cached_property
    def _by_method(self) -> dict[str, list[Fit]]:
        found: dict[str, list[Fit]] = defaultdict(list)
        for fit in self.fits:
            found[fit.method].append(fit)
        return found

    @property
    def largest(self) -> int:
        """The index of the largest training size, the one that the table is about."""
        return len(self.settings.train_sizes) - 1

    def scores(self, metric: str, size: int | None = None) -> dict[str, np.ndarray]:
        """method -> the metric on the test part of each split, (J,); methods that failed somewhere are left out."""
        size = self.largest if size is None else size
        found = {}
        for method in self.settings.methods:
            finals = {
                f.split: f.metrics.get(metric, float("nan"))
                for f in self._by_method[method]
                if f.fold == FINAL and f.size == size
            }
            if len(finals) == self.settings.splits:
                found[method] = np.array([finals[k] for k in sorted(finals)])
        return found

    def pairs_at(self, size: int) -> list[Pair]:
        """All pairs on the main metric at one training size, tested."""
        usable = {
            m: s
            for m, s in self.scores(self.main.name, size).items()
            if np.isfinite(s).all() and self._refits_certified(m, size)
        }
        return statistics.compare_pairs(
            usable, self.facts.n_train[size], self.facts.n_test, self.main.greater_is_better
        )

    def _refits_certified(self, method: str, size: int) -> bool:
        return all(f.certified for f in self._by_method[method] if f.fold == FINAL and f.size == size)

    @cached_property
    def pairs(self) -> list[Pair]:
        """All pairs of methods that did not fail and whose refits are certified, tested on the main metric."""
        return self.pairs_at(self.largest)

    def means(self, metric: str, size: int | None = None) -> dict[str, Mean]:
        """method -> mean of the metric over splits with its corrected standard error."""
        n_train = self.facts.n_train[self.largest if size is None else size]
        return {
            m: statistics.mean(s, n_train, self.facts.n_test) for m, s in self.scores(metric, size).items()
        }

    @cached_property
    def rows(self) -> list[Row]:
        """The table, best first; methods that failed come last, with their errors."""
        means = {metric: self.means(metric) for metric in METRICS if METRICS[metric].kind == self.main.kind}
        ranked = {m: v.mean for m, v in means[self.main.name].items() if np.isfinite(v.mean)}
        order = sorted(ranked, key=lambda m: -ranked[m] if self.main.greater_is_better else ranked[m])
        sound = [m for m in order if self._refits_certified(m, self.largest)]
        top = (
            statistics.not_worse(sound[0], sound, self.pairs) if sound and self.settings.splits > 1 else set()
        )
        rest = [m for m in self.settings.methods if m not in ranked]
        return [self._row(m, means, m in top) for m in [*order, *rest]]

    def _row(self, method: str, means: dict[str, dict[str, Mean]], top: bool) -> Row:
        fits = self._by_method[method]
        finals = [f for f in fits if f.fold == FINAL and f.size == self.largest]
        gaps = np.array([f.relative_gap for f in fits])
        # A gap that is NaN is not a small one.
        worst = float("nan") if len(gaps) == 0 or np.isnan(gaps).any() else float(gaps.max())
        return Row(
            method=method,
            scores={metric: by[method] for metric, by in means.items() if method in by},
            top=top,
            lam=float(np.median([f.lam for f in finals])) if finals else float("nan"),
            fits=len(fits),
            certified=sum(f.certified for f in fits),
            uncertified_refits=sum(not f.certified for f in finals),
            max_relative_gap=worst,
            seconds=float(sum(f.seconds for f in fits)),
            notes=tuple(_notes(finals, self.settings.splits) + _warned(fits)),
            error=self._error(method, finals),
        )

    def _error(self, method: str, finals: list[Fit]) -> str | None:
        failures = [f for f in self.failures if f.method == method]
        if failures:
            splits = {(f.size, f.split) for f in failures}
            total = self.settings.splits * len(self.settings.train_sizes)
            where = "" if len(splits) == total else f" (in {len(splits)} of {total} splits)"
            return failures[0].error + where
        if any(not np.isfinite(f.metrics.get(self.main.name, np.nan)) for f in finals):
            return f"{self.main.title} is not finite"
        return None

    @property
    def results(self) -> list[dict[str, Any]]:
        """Every fit as a flat dictionary, a line of results.csv; metrics not measured on it are left out."""
        lines = []
        for fit in self.fits:
            line = asdict(fit)
            line.update(line.pop("metrics"))
            line["train_size"] = self.settings.train_sizes[line.pop("size")]
            line["stage"] = "refit" if fit.fold == FINAL else "tuning"
            line["fold"] = None if fit.fold == FINAL else fit.fold
            lines.append(line)
        return lines

    def tuning(self, method: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(setting k (m,), inner criterion by split (J, m) with NaN where not tried, chosen k by split (J,))."""
        sums: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
        chosen: dict[int, float] = {}
        for f in self._by_method[method]:
            if f.size != self.largest:
                continue
            if f.fold == FINAL:
                chosen[f.split] = f.k
            else:
                cell = sums[f.split, f.k]
                cell[0] += f.criterion * f.rows
                cell[1] += f.rows
        ks = np.array(sorted({k for _, k in sums}), dtype=int)
        curves = np.full((self.settings.splits, len(ks)), np.nan)
        place = {int(k): i for i, k in enumerate(ks)}
        for (split, k), (total, rows) in sums.items():
            curves[split, place[k]] = total / rows
        return ks, curves, np.array([chosen.get(j, np.nan) for j in range(self.settings.splits)])

    def sentences(self) -> list[str]:
        """What may be claimed, in words."""
        from mtlref.study.claims import sentences

        return sentences(self)

    def to_markdown(self) -> str:
        """The table and all that is needed to read it, in Markdown."""
        from mtlref.study.markdown import render

        return render(self)

    def to_latex(self) -> str:
        """The table for a paper, with booktabs."""
        from mtlref.study.latex import render

        return render(self)

    def __str__(self) -> str:
        from mtlref.study.terminal import render

        return render(self)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.settings.methods)} methods on {self.settings.data}>"


def _notes(finals: list[Fit], splits: int) -> list[str]:
    """Notes of the refits, each with the number of splits that have it."""
    counts: dict[str, int] = defaultdict(int)
    for fit in finals:
        for note in filter(None, fit.note.partition("warned:")[0].split("; ")):
            counts[note] += 1
    return [f"{note} ({n} of {splits} splits)" for note, n in counts.items()]


def _warned(fits: list[Fit]) -> list[str]:
    said = {fit.note[fit.note.index("warned:") :] for fit in fits if "warned:" in fit.note}
    return sorted(said)
