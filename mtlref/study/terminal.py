"""The table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtlref.metrics import METRICS
from mtlref.study import wording

if TYPE_CHECKING:
    from mtlref.study.comparison import Comparison


def render(comparison: Comparison) -> str:
    """Aligned text: the table, the claims, notes."""
    lines = [
        wording.title(comparison),
        f"{wording.data_line(comparison)}; {comparison.facts.splits}",
        "",
        *_table(comparison),
        "",
    ]
    if any(row.top for row in comparison.rows):
        lines.append(f"* {wording.mark_text(comparison)}")
    lines += [f"{name} = {formula}" for name, formula in wording.formulas(comparison)]
    lines.append(wording.certified_line(comparison))
    notes = wording.row_notes(comparison)
    if notes:
        lines += ["", *(f"{method}: {note}" for method, note in notes)]
    claims = comparison.sentences()
    if claims:
        lines += ["", *claims]
    if comparison.facts.remarks:
        lines += ["", *comparison.facts.remarks]
    return "\n".join(lines)


def _table(comparison: Comparison) -> list[str]:
    decimals = {
        m: wording.decimals_for([r.scores[m] for r in comparison.rows if m in r.scores])
        for m in comparison.metrics
    }
    head = [
        "",
        "method",
        *(f"{METRICS[m].title} {wording.arrow(m)}" for m in comparison.metrics),
        "certified",
        "time",
    ]
    body = []
    for row in comparison.rows:
        scores = [wording.score(row.scores.get(m), decimals[m]) for m in comparison.metrics]
        if row.error is not None:
            scores = ["failed", *["–"] * (len(scores) - 1)]
        body.append(
            [
                "*" if row.top else "",
                row.method,
                *scores,
                f"{row.certified:,}/{row.fits:,}",
                wording.duration(row.seconds),
            ]
        )
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]

    def joined(cells: list[str]) -> str:
        left = [c.ljust(w) for c, w in zip(cells[:2], widths[:2], strict=True)]
        right = [c.rjust(w) for c, w in zip(cells[2:], widths[2:], strict=True)]
        return "  ".join([" ".join(left), *right]).rstrip()

    return [joined(head), *(joined(b) for b in body)]
