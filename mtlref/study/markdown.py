"""table.md: the table and everything that is needed to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtlref.metrics import METRICS
from mtlref.study import wording

if TYPE_CHECKING:
    from mtlref.study.comparison import Comparison


def render(comparison: Comparison) -> str:
    """Markdown with the scores, the claims, tuning and certification, the protocol and the formulas."""
    parts = [
        f"# {wording.title(comparison)}",
        f"{_sentence(wording.data_line(comparison))} {_sentence(comparison.facts.splits)}",
        table(comparison),
    ]
    if any(row.top for row in comparison.rows):
        parts.append(f"Bold: {wording.mark_text(comparison)}.")
    parts.append("\n".join(f"- {name} = {_code(formula)}" for name, formula in wording.formulas(comparison)))
    claims = comparison.sentences()
    if claims:
        parts.append("## What may be claimed\n\n" + "\n".join(f"- {c}" for c in claims))
    if len(comparison.settings.train_sizes) > 1:
        parts.append(f"## {comparison.main.title} by training size\n\n" + learning_table(comparison))
    parts.append(
        "## Tuning and certificates\n\n"
        + certificates(comparison)
        + "\n\n"
        + wording.certified_line(comparison)
    )
    notes = wording.row_notes(comparison)
    if notes:
        parts.append("\n".join(f"- {method}: {_safe(note)}" for method, note in notes))
    parts.append("## Protocol\n\n" + "\n".join(f"- {line}" for line in wording.protocol(comparison)))
    return "\n\n".join(parts) + "\n"


def table(comparison: Comparison) -> str:
    """The scores, best first."""
    metrics = comparison.metrics
    decimals = {
        m: wording.decimals_for([r.scores[m] for r in comparison.rows if m in r.scores]) for m in metrics
    }
    lines = [
        "| method | " + " | ".join(f"{METRICS[m].title} {wording.arrow(m)}" for m in metrics) + " |",
        "|:--|" + "--:|" * len(metrics),
    ]
    for row in comparison.rows:
        cells = [wording.score(row.scores.get(m), decimals[m]) for m in metrics]
        if row.error is not None:
            cells = [f"failed: {_safe(row.error)}", *["–"] * (len(metrics) - 1)]
        elif row.top:
            cells[0] = f"**{cells[0]}**"
        lines.append(f"| {row.method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def learning_table(comparison: Comparison) -> str:
    """The main metric at every training size."""
    sizes = comparison.settings.train_sizes
    by_size = [comparison.means(comparison.main.name, i) for i in range(len(sizes))]
    decimals = wording.decimals_for([m for means in by_size for m in means.values()])
    lines = [
        "| method | " + " | ".join(f"{100 * s:.3g} %" for s in sizes) + " |",
        "|:--|" + "--:|" * len(sizes),
    ]
    for row in comparison.rows:
        cells = [wording.score(means.get(row.method), decimals) for means in by_size]
        lines.append(f"| {row.method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def certificates(comparison: Comparison) -> str:
    """What was chosen, what was certified, how long it took."""
    lines = [
        "| method | lam (median) | fits | certified | largest relative gap | time |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    lines.extend(
        f"| {r.method} | {wording.lam(r.lam)} | {r.fits:,} | {r.certified:,} | {wording.gap(r.max_relative_gap)} | "
        f"{wording.duration(r.seconds)} |"
        for r in comparison.rows
    )
    return "\n".join(lines)


def _code(formula: str) -> str:
    body, _, better = formula.rpartition(" (")
    return f"`{body}` ({better}"


def _safe(text: str) -> str:
    """Text that cannot break out of its cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
