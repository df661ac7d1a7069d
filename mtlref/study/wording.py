"""The words and numbers that every form of the table shares: formats, protocol, formulas, claims."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mtlref.metrics import METRICS
from mtlref.registry import method as registered
from mtlref.study.grid import RANGES, TIE
from mtlref.study.statistics import ALPHA, Mean
from mtlref.study.work import ANCHOR, CAPPED_ANCHOR

if TYPE_CHECKING:
    from mtlref.study.comparison import Comparison, Row

# Beyond this a number is told by its exponent; only a fit that went wrong has such scores.
HUGE = 1e7


def number(value: float, decimals: int) -> str:
    """A number with that many decimals; a dash for one that is not there."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.2e}" if abs(value) >= HUGE else f"{value:.{decimals}f}"


def decimals_for(means: list[Mean]) -> int:
    """Decimals that show two digits of the typical standard error, or four of the value where there is none."""
    errors = [m.error for m in means if math.isfinite(m.error) and m.error > 0]
    if errors:
        return min(max(1 - math.floor(math.log10(float(np.median(errors)))), 0), 8)
    values = [abs(m.mean) for m in means if math.isfinite(m.mean) and m.mean != 0]
    return min(max(3 - math.floor(math.log10(max(values))), 0), 8) if values else 3


def score(mean: Mean | None, decimals: int) -> str:
    """'101.62 ± 0.79', without the second part where there is only one split."""
    if mean is None or not math.isfinite(mean.mean):
        return "–"
    text = number(mean.mean, decimals)
    return f"{text} ± {number(mean.error, decimals)}" if math.isfinite(mean.error) else text


def gap(value: float) -> str:
    """A relative gap with two digits."""
    return "unknown" if math.isnan(value) else ("0" if value == 0 else f"{value:.1e}")


def lam(value: float) -> str:
    """A weight with three digits; a dash for a method that has none."""
    return "–" if math.isnan(value) else f"{value:.3g}"


def p_value(p: float) -> str:
    """'p = 0.012', 'p < 0.0001'."""
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def duration(seconds: float) -> str:
    """'0.4 s', '12 s', '3 min 20 s'."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def title(comparison: Comparison) -> str:
    """'school: 7 methods compared'."""
    n = len(comparison.settings.methods)
    return f"{comparison.settings.data}: {n} method{'s' if n != 1 else ''} compared"


def data_line(comparison: Comparison) -> str:
    """Sizes and loss in one line."""
    f = comparison.facts
    tasks, features = "task" if f.T == 1 else "tasks", "feature" if f.p == 1 else "features"
    return f"{f.T:,} {tasks}, {f.N:,} rows, {f.p:,} {features}, {comparison.settings.loss} loss"


def criterion_text(comparison: Comparison) -> str:
    """What the inner folds were scored with."""
    s = comparison.settings
    if s.criterion != "loss":
        return METRICS[s.criterion].title
    return "mean squared error" if s.loss == "squared" else "mean logistic loss"


def protocol(comparison: Comparison) -> list[str]:
    """How it was done, a sentence or two a line."""
    s, f = comparison.settings, comparison.facts
    (hi, lo), (quad_hi, quad_lo) = RANGES[True], RANGES[False]
    counts = "each row" if s.scaling == "sum" else "each task"
    intercept = "an unpenalised intercept" if s.fit_intercept else "no intercept"
    columns = "standardised on the training part" if s.standardize else "as they are"
    lines = [
        f"Splits: {f.splits}; on average {f.n_train[-1]:,.0f} training and {f.n_test:,.0f} test rows.",
        f"Tuning: every method by the same {s.folds}-fold cross-validation, stratified by task, on the training part "
        f"alone, over {s.grid} values of lam spaced geometrically ({hi:g} to {lo:g} times lam_max; for quadratic "
        f"penalties, which have none, {quad_hi:g} to {quad_lo:g} times the curvature of the data). "
        f"Inner criterion: {criterion_text(comparison)} over held-out rows; scores within {TIE:g} of the best, "
        "relatively, are ties, which go to the larger lam. A grid whose edge was chosen is extended. "
        "Then one refit on the whole training part, scored on the test part."
        + "".join(f" {name} has no lam and is fitted once." for name in s.methods if _self_tuned(name)),
        f"Fits: scaling={s.scaling!r} ({counts} counts the same), {intercept}, columns {columns}. Certified means: a "
        f"duality gap, computed by code that the solver does not share, of at most {s.tol:g} of the objective of the "
        "model without features.",
    ]
    if s.splits > 1:
        lines.append(
            "± is the standard error of the mean over splits, corrected for overlapping training parts: deviation "
            "times sqrt(1/J + n_test/n_train) (Nadeau & Bengio 2003). Differences are tested pairwise across splits "
            f"by the t-test with the same correction, at {100 * ALPHA:.0f} %. Three questions are asked, each a family "
            "of its own within which Holm's rule limits the chance of any false claim: single-task against pooled "
            "ridge; every other method against single-task ridge; all pairs, which the marks in the table follow. "
            "Nothing is claimed of a method with a refit that is not certified."
        )
    else:
        lines.append("One split has no spread: no standard error is given, and no difference is claimed.")
    return lines + list(f.remarks)


def _self_tuned(name: str) -> bool:
    return "self_tuned" in registered(name).properties


def mark_text(comparison: Comparison) -> str:
    """What the mark beside a method means."""
    return (
        f"best, or not significantly worse than the best, on {comparison.main.title} "
        f"({100 * ALPHA:.0f} %, corrected t-test, Holm)"
    )


def formulas(comparison: Comparison) -> list[tuple[str, str]]:
    """(title, formula) of every metric shown."""
    found = []
    for name in comparison.metrics:
        metric = METRICS[name]
        better = "greater is better" if metric.greater_is_better else "smaller is better"
        found.append((metric.title, f"{metric.formula} ({better})"))
    return found


def arrow(metric: str) -> str:
    """Which way is better."""
    return "↑" if METRICS[metric].greater_is_better else "↓"


def certified_line(comparison: Comparison) -> str:
    """How many fits were certified, in one sentence."""
    total = len(comparison.fits)
    certified = sum(f.certified for f in comparison.fits)
    tol = comparison.settings.tol
    if total == 0:
        return "No fit was finished."
    gaps = [f.relative_gap for f in comparison.fits]
    worst = "unknown for some" if any(math.isnan(g) for g in gaps) else gap(max(gaps))
    if certified == total:
        return f"All {total:,} fits are certified to a relative gap of {tol:g}; the largest gap is {worst}."
    missed = ", ".join(
        f"{r.method} {r.fits - r.certified:,} of {r.fits:,}" for r in comparison.rows if r.certified < r.fits
    )
    return (
        f"{certified:,} of {total:,} fits are certified to a relative gap of {tol:g}; NOT certified: {missed} "
        f"(largest gap {worst})."
    )


def row_notes(comparison: Comparison) -> list[tuple[str, str]]:
    """(method, note) of every method that has something to say: failures, tuning, warnings."""
    found = []
    for row in comparison.rows:
        said = _said(row, comparison.settings.loss)
        if said:
            found.append((row.method, said))
    return found


def proof(comparison: Comparison) -> str:
    """What the fits of these methods are certified by."""
    kinds = dict.fromkeys(registered(name).certificate for name in comparison.settings.methods)
    return "a " + " or ".join(kinds)


def _said(row: Row, loss: str) -> str:
    parts = [f"failed: {row.error}"] if row.error is not None else []
    parts += row.notes
    if row.certified < row.fits:
        refits = (
            f", {row.uncertified_refits} of them refits, so nothing is claimed of it"
            if row.uncertified_refits
            else ""
        )
        parts.append(f"{row.fits - row.certified:,} of {row.fits:,} fits not certified{refits}")
    kind = registered(row.method).certificate
    if "neural" in registered(row.method).properties:
        parts.append(
            f"each fit has a {kind}, which is no certificate of a minimum: the objective is not convex"
        )
    elif kind != "duality gap":
        parts.append(f"certified by {kind}: the objective is not convex, and a lower one may exist elsewhere")
    if "self_tuned" in registered(row.method).properties:
        parts.append("no lam: it fits its own parameters, on the whole training part, from one start")
    if "graph" in registered(row.method).required:
        parts.append("graph: the 5 nearest tasks by ridge coefficients, of the rows that are fitted only")
    if "staged" in registered(row.method).properties:
        parts.append(
            f"ridge: {CAPPED_ANCHOR:g} of a task's largest curvature, so that what is above the cap stays finite"
        )
    elif loss == "logistic" and "free_mean" in registered(row.method).properties:
        parts.append(
            f"ridge: {ANCHOR:g} of lam's natural size, so that separating features get finite coefficients"
        )
    return "; ".join(parts)
