"""Draw docs/_static/school.svg from the folder of a run of ``mtlref compare school``.

mtlref compare school --out school-run
python docs/draw_school.py school-run
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

PICTURE = Path(__file__).resolve().parent / "_static" / "school.svg"
WIDTH, LEFT, RIGHT, TOP, ROW = 760, 150, 150, 64, 34
INK, SOFT, BAND, DOT, MEAN = "#1f2430", "#6b7280", "#eef1f6", "#7aa2d6", "#b3261e"


def final_scores(folder: Path) -> dict[str, list[float]]:
    """Test MSE of each method, a number a split, from the fits that were scored on the test part."""
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    with (folder / "results.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["stage"] == "refit" and row.get("mse"):
                scores[row["method"]][row["split"]] = float(row["mse"])
    return {method: list(by_split.values()) for method, by_split in scores.items()}


def draw(scores: dict[str, list[float]]) -> str:
    """The picture: a line a method, a dot a split, a bar at the mean."""
    order = sorted(scores, key=lambda m: sum(scores[m]) / len(scores[m]))
    everything = [v for values in scores.values() for v in values]
    low, high = min(everything) - 1.0, max(everything) + 1.0
    span = WIDTH - LEFT - RIGHT

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * span

    height = TOP + ROW * len(order) + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="14">',
        "<title>Test error of methods on School, ten splits</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="28" font-size="17" font-weight="600" fill="{INK}">School: 139 schools, test mean squared '
        "error on ten published splits</text>",
        f'<text x="16" y="48" fill="{SOFT}">a dot for each split, a bar at the mean; right: mean ± standard deviation '
        "over splits</text>",
    ]
    for k, method in enumerate(order):
        y = TOP + ROW * k + ROW / 2
        values = scores[method]
        mean = sum(values) / len(values)
        spread = (sum((v - mean) ** 2 for v in values) / max(len(values) - 1, 1)) ** 0.5
        if k % 2 == 0:
            parts.append(f'<rect x="0" y="{y - ROW / 2}" width="{WIDTH}" height="{ROW}" fill="{BAND}"/>')
        parts.append(f'<text x="16" y="{y + 5}" fill="{INK}">{method}</text>')
        parts += [
            f'<circle cx="{x(v):.1f}" cy="{y}" r="4.5" fill="{DOT}" fill-opacity="0.75"/>' for v in values
        ]
        parts.append(f'<rect x="{x(mean) - 1.5:.1f}" y="{y - 11}" width="3" height="22" fill="{MEAN}"/>')
        parts.append(
            f'<text x="{WIDTH - 16}" y="{y + 5}" text-anchor="end" fill="{INK}">{mean:.1f} ± {spread:.1f}</text>'
        )
    base = TOP + ROW * len(order)
    ticks = range(int(low // 5 + 1) * 5, int(high) + 1, 5)
    for value in ticks:
        parts.append(
            f'<text x="{x(value):.1f}" y="{base + 20}" text-anchor="middle" fill="{SOFT}">{value}</text>'
            f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{base}" y2="{base + 6}" stroke="{SOFT}"/>'
        )
    parts.append(
        f'<text x="{LEFT + span / 2}" y="{base + 40}" text-anchor="middle" fill="{SOFT}">test MSE</text>'
    )
    parts.append("</svg>\n")
    return "\n".join(parts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER, the --out of mtlref compare school")
    PICTURE.write_text(draw(final_scores(Path(sys.argv[1]))), encoding="utf-8")
    print(f"wrote {PICTURE}")
