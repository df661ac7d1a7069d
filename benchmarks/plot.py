"""Gap against time, or time against size, a panel a problem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.outcome import Outcome

COLOURS = {"mtlref": "black", "FISTA": "tab:gray"}
FLOOR = 1e-16


def draw(suite: str, races: list[list[Outcome]], gap: float, file: Path) -> bool:
    """Write the figure of a suite; False where no race has a curve."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [found for found in races if any(r.curve for r in found)]
    if not shown:
        return False
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    names = sorted({r.solver for found in shown for r in found})
    palette = [f"C{k}" for k in range(10) if k != 7]
    others = [n for n in names if n not in COLOURS]
    colours = {**COLOURS, **{n: palette[k % len(palette)] for k, n in enumerate(others)}}
    for k, found in enumerate(shown):
        axes = figure.add_subplot(rows, columns, k + 1)
        for r in found:
            if not r.curve:
                continue
            points = np.array(sorted(r.curve))
            if suite == "growth":
                _grown(axes, points, r.note.split(":")[0])
                continue
            axes.plot(
                points[:, 0],
                np.maximum(points[:, 1], FLOOR),
                marker="o" if len(points) < 15 else "",
                markersize=4,
                linewidth=1.6 if r.solver == "mtlref" else 1.0,
                color=colours[r.solver],
                label=r.solver,
            )
        if suite != "growth":
            axes.axhline(gap, color="0.7", linewidth=0.8, linestyle=":")
        axes.set(xscale="log", yscale="log", title=found[0].problem)
        if k % columns == 0:
            axes.set_ylabel("seconds" if suite == "growth" else "relative gap")
        if suite == "growth":
            axes.set_xlabel(found[0].problem.rsplit(": ", 1)[-1])
        elif k >= len(shown) - columns:
            axes.set_xlabel("seconds")
        axes.legend(fontsize=8 if suite == "growth" else 7)
    about = (
        "seconds of a certified fit against size"
        if suite == "growth"
        else "relative duality gap against time"
    )
    figure.suptitle(f"{suite}: {about}")
    figure.savefig(file, dpi=110)
    return True


def power(points: list[tuple[float, float]]) -> tuple[float, float] | None:
    """(a, b) of seconds = a size^b, fitted to the last decade of sizes; None for a single size."""
    sizes, seconds = np.log(np.array(points)).T
    last = sizes >= sizes[-1] - np.log(10.0) - 0.2
    if last.sum() < 2:
        return None
    slope, level = np.polyfit(sizes[last], seconds[last], 1)
    return float(np.exp(level)), float(slope)


def _grown(axes: Any, points: Any, said: str) -> None:
    """Seconds against a size, the power that the last decade fits, and the one that the Cost line states."""
    fitted, _, stated = said.partition(", stated ")
    axes.plot(points[:, 0], points[:, 1], marker="o", linewidth=0, color="black", label="measured")
    found = power([(float(x), float(y)) for x, y in points])
    if found is not None:
        ends = points[[-1, -1], 0] / [10.0, 1.0]
        axes.plot(ends, found[0] * ends ** found[1], color="black", label=f"last decade: {fitted}")
        top = points[-1, 1]
        axes.plot(
            ends,
            top * (ends / ends[1]) ** float(stated),
            color="tab:red",
            linestyle="--",
            label=f"stated: {stated}",
        )
    low, high = points[:, 1].min(), points[:, 1].max()
    # At least two decades, so that a flat curve looks flat.
    axes.set_ylim(min(low, high / 100) / 1.5, 1.5 * high)
