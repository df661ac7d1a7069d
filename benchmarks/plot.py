"""Gap against time, or time against size, a panel a problem."""

from __future__ import annotations

from pathlib import Path

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
                axes.plot(points[:, 0], points[:, 1], marker="o", color="black", label=r.note.split(":")[0])
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
        if k >= len(shown) - columns:
            axes.set_xlabel("size" if suite == "growth" else "seconds")
        axes.legend(fontsize=7)
    about = (
        "seconds of a certified fit against size"
        if suite == "growth"
        else "relative duality gap against time"
    )
    figure.suptitle(f"{suite}: {about}")
    figure.savefig(file, dpi=110)
    return True
