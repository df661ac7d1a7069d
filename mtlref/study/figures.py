"""The plots of a comparison, drawn on Matplotlib figures without any global state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtlref.study import wording
from mtlref.study.grid import grid_for
from mtlref.study.relations import Relations, like_beside_like

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mtlref.study.comparison import Comparison

Array = NDArray[np.float64]

# Labels of single tasks and features are drawn up to this many.
LABELS = 12


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for. ``series`` stay apart for colour-blind readers, on white and on black."""

    ink: str = "#1f2933"
    rule: str = "#d5dbe1"
    accent: str = "#0b6e99"
    muted: str = "#8a97a5"
    series: tuple[str, ...] = (
        *("#2b7bba", "#d9722b", "#2f9e6e", "#b8559a", "#8d7a2f", "#5e6ad2", "#c9443f", "#4d9fa8", "#7d7d7d"),
    )


PAPER = Palette()


def blank(
    width: float, height: float, palette: Palette, rows: int = 1, columns: int = 1
) -> tuple[Figure, Any]:
    """A figure of that size in inches with a grid of axes (rows, columns), quiet frames and grid lines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.ravel():
        _quiet(ax, palette)
    return figure, axes


def _quiet(ax: Axes, palette: Palette) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(palette.rule)
    ax.tick_params(colors=palette.ink, length=3, width=0.8, labelsize=9)
    ax.xaxis.label.set_color(palette.ink)
    ax.yaxis.label.set_color(palette.ink)
    ax.title.set_color(palette.ink)
    ax.patch.set_alpha(0)


def scores(comparison: Comparison, ax: Axes, palette: Palette) -> None:
    """The main metric: a dot a split, the mean with its standard error, best method on top."""
    values = comparison.scores(comparison.main.name)
    rows = [row for row in comparison.rows if row.method in values]
    for place, row in enumerate(rows):
        colour = palette.accent if row.top else palette.muted
        points = values[row.method]
        # Dots are moved apart by a fixed pattern, so that the picture is the same each time.
        shift = 0.16 * np.sin(2.4 * np.arange(len(points)))
        ax.plot(points, place + shift, "o", color=colour, alpha=0.35, markersize=4.5, markeredgewidth=0)
        mean = row.scores[comparison.main.name]
        if np.isfinite(mean.error):
            ax.plot(
                [mean.mean - mean.error, mean.mean + mean.error], [place, place], color=colour, linewidth=2.2
            )
        ax.plot([mean.mean], [place], "D", color=colour, markersize=6.5, markeredgewidth=0)
    ax.set_yticks(range(len(rows)), [row.method for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    _keep_in_sight(ax, [values[row.method] for row in rows if not row.uncertified_refits])
    ax.tick_params(axis="y", length=0, labelsize=10)
    ax.grid(axis="x", color=palette.rule, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(
        f"test {comparison.main.title} ({'greater' if comparison.main.greater_is_better else 'smaller'} is better)"
    )


def _keep_in_sight(ax: Axes, sound: list[Array]) -> None:
    """A method whose fits went wrong may score anything; the others keep the axis."""
    if sound:
        low, high = float(np.min(sound)), float(np.max(sound))
        margin = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
        ax.set_xlim(low - margin, high + margin)


def tuning_range(comparison: Comparison) -> tuple[float, float]:
    """The common y range of the tuning curves: around what was chosen, so that the minima are seen."""
    chosen = []
    for row in comparison.rows:
        ks, curves, picks = comparison.tuning(row.method)
        chosen += [curves[j, np.searchsorted(ks, k)] for j, k in enumerate(picks) if k in ks]
    values = np.array(chosen)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    span = (high - low) or abs(high) or 1.0
    return low - 0.15 * span, high + 0.9 * span


def tuning(comparison: Comparison, method: str, ax: Axes, palette: Palette) -> None:
    """The inner criterion over the grid: a thin line a split, their mean, and a dot at each split's choice."""
    from mtlref.registry import method as registered

    ks, curves, picks = comparison.tuning(method)
    grid = grid_for(registered(method), comparison.settings.grid)
    lams = np.array([grid.lam(int(k), 1.0) for k in ks])
    for curve in curves:
        ax.plot(lams, curve, color=palette.muted, linewidth=0.7, alpha=0.5)
    common = np.isfinite(curves).all(axis=0) if len(curves) else np.zeros(0, dtype=bool)
    if common.any():
        ax.plot(lams[common], curves[:, common].mean(axis=0), color=palette.accent, linewidth=2)
    for j, k in enumerate(picks):
        if np.isfinite(k) and k in ks:
            at = int(np.searchsorted(ks, k))
            ax.plot(
                [lams[at]],
                [curves[j, at]],
                "o",
                color=palette.accent,
                markersize=4,
                alpha=0.7,
                markeredgewidth=0,
            )
    ax.set_xscale("log")
    _plain_log_ticks(ax)
    ax.set_ylim(*tuning_range(comparison))
    ax.grid(color=palette.rule, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel("lam / natural scale", fontsize=9)
    ax.set_ylabel(f"inner {wording.criterion_text(comparison)}", fontsize=9)
    ax.set_title(method, fontsize=10.5, loc="left", color=palette.ink)


def learning(comparison: Comparison, ax: Axes, palette: Palette) -> None:
    """The main metric over training sizes, with standard errors."""
    sizes = np.array(comparison.settings.train_sizes)
    by_size = [comparison.means(comparison.main.name, i) for i in range(len(sizes))]
    for place, row in enumerate(r for r in comparison.rows if r.scores):
        points = [
            (s, means[row.method]) for s, means in zip(sizes, by_size, strict=True) if row.method in means
        ]
        x = np.array([s for s, _ in points]) * 100
        y = np.array([m.mean for _, m in points])
        error = np.nan_to_num(np.array([m.error for _, m in points]))
        colour = palette.series[place % len(palette.series)]
        style = ("-", "--", ":")[place // len(palette.series) % 3]
        ax.errorbar(
            x, y, yerr=error, color=colour, linestyle=style, marker="o", markersize=4.5, linewidth=1.6, elinewidth=0.9,
            capsize=0, label=row.method, alpha=0.9,
        )  # fmt: skip
    ax.set_xlabel("training size, % of rows")
    ax.set_ylabel(f"test {comparison.main.title}")
    ax.grid(color=palette.rule, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.legend(
        frameon=False,
        fontsize=8.5,
        labelcolor=palette.ink,
        ncols=2,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.18),
    )


def coefficients(
    comparison: Comparison, method: str, ax: Axes, palette: Palette, order: NDArray[np.intp]
) -> None:
    """coef_ of the first split: tasks down, features across, zero blank."""
    W = shown(comparison, method, "coef_")
    assert W is not None
    limit = coefficient_limit(comparison)
    _heat(ax, W[order], limit, palette)
    _labels(ax.yaxis, [comparison.facts.task_names[t] for t in order], "tasks")
    _labels(ax.xaxis, list(comparison.facts.feature_names), "features", rotate=True)
    ax.set_title(method, fontsize=10.5, loc="left", color=palette.ink)


def similarity(
    comparison: Comparison, method: str, ax: Axes, palette: Palette, order: NDArray[np.intp]
) -> None:
    """task_similarity_ of the first split, from -1 to 1, zero blank."""
    S = shown(comparison, method, "task_similarity_")
    assert S is not None
    _heat(ax, S[np.ix_(order, order)], 1.0, palette)
    names = [comparison.facts.task_names[t] for t in order]
    _labels(ax.yaxis, names, "tasks")
    _labels(ax.xaxis, names, "tasks", rotate=True)
    ax.set_title(method, fontsize=10.5, loc="left", color=palette.ink)


def relation_map(found: Relations, ax: Axes, palette: Palette) -> None:
    """The tasks' relations in the order that shows them, lines between clusters, and what a colour means."""
    T = len(found.order)
    _heat(ax, found.shown, 1.0, palette)
    ax.set_aspect("equal")
    for cluster in found.clusters[1:]:
        ax.axhline(cluster.start - 0.5, color=palette.ink, linewidth=0.7)
        ax.axvline(cluster.start - 0.5, color=palette.ink, linewidth=0.7)
    names = [found.names[t] for t in found.order]
    if T > LABELS and found.clusters:
        _cluster_labels(ax, found)
    else:
        _labels(ax.yaxis, names, "tasks, like beside like")
        if T <= LABELS:
            _labels(ax.xaxis, names, "tasks", rotate=True)
        else:
            ax.set_xticks([])
    bar = ax.figure.colorbar(
        ax.images[0], ax=ax, orientation="horizontal", fraction=0.035, pad=0.03, shrink=0.6, ticks=[-1, 0, 1]
    )
    bar.outline.set_edgecolor(palette.rule)
    bar.ax.patch.set_alpha(0)
    bar.ax.tick_params(colors=palette.ink, labelsize=8, length=0)
    bar.ax.set_xticklabels(["−1", "0", "1"])
    ax.set_title(found.method, fontsize=10.5, loc="left", color=palette.ink)


def _cluster_labels(ax: Axes, found: Relations) -> None:
    """Names of the clusters that are tall enough for a line of text; the others are told by their lines."""
    T = len(found.order)
    tall = [c for c in found.clusters if c.stop - c.start >= T / 28][: 2 * LABELS]
    middle = [(c.start + c.stop - 1) / 2 for c in tall]
    ax.set_yticks(middle, [f"{c.name} ({c.stop - c.start})" for c in tall], fontsize=8)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)


def membership_map(found: Relations, ax: Axes, palette: Palette) -> None:
    """membership_ of the tasks in the same order, each component scaled to its largest entry."""
    assert found.membership is not None
    largest = np.abs(found.membership).max(axis=0)
    scaled = found.membership / np.where(largest > 0, largest, 1.0)
    _heat(ax, scaled[found.order], 1.0, palette)
    for cluster in found.clusters[1:]:
        ax.axhline(cluster.start - 0.5, color=palette.ink, linewidth=0.7)
    _labels(ax.yaxis, [found.names[t] for t in found.order], "tasks, same order")
    k = scaled.shape[1]
    _labels(ax.xaxis, [str(j + 1) for j in range(k)], "components")
    ax.set_title(f"{found.method}: what tasks are made of", fontsize=10.5, loc="left", color=palette.ink)


def shown(comparison: Comparison, method: str, name: str) -> Array | None:
    """An array that was kept of the first split's refit."""
    return comparison.answers.get((comparison.largest, 0, method), {}).get(name)


def coefficient_limit(comparison: Comparison) -> float:
    """The common end of the colour scale of the coefficients: all but the largest few percent lie within it."""
    found = [shown(comparison, row.method, "coef_") for row in comparison.rows]
    values = np.abs(np.concatenate([w.ravel() for w in found if w is not None] or [np.zeros(1)]))
    values = values[values > 0]
    return float(np.quantile(values, 0.97)) if len(values) else 1.0


def task_order(comparison: Comparison) -> NDArray[np.intp]:
    """The tasks as given where they are few, else like beside like, by the best method that tells them apart."""
    T = comparison.facts.T
    for row in comparison.rows:
        S = shown(comparison, row.method, "task_similarity_")
        # Tasks that are all alike to a method have no order by it.
        if T <= LABELS or S is None or not np.isfinite(S).all() or np.quantile(S, 0.05) > 0.95:
            continue
        return like_beside_like(S)
    return np.arange(T)


def colours() -> Any:
    """From blue through nothing to orange: zero is transparent, so that the page's own ground shows."""
    from matplotlib.colors import ListedColormap

    ramp = np.linspace(-1, 1, 255)
    blue, orange = np.array([0.13, 0.42, 0.72]), np.array([0.84, 0.37, 0.10])
    table = np.empty((255, 4))
    table[:, :3] = np.where(ramp[:, None] < 0, blue, orange)
    table[:, 3] = np.abs(ramp) ** 0.8
    return ListedColormap(table)


def _heat(ax: Axes, matrix: Array, limit: float, palette: Palette) -> None:
    ax.imshow(matrix, cmap=colours(), vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(True)
        ax.spines[side].set_color(palette.rule)


def _labels(axis: Any, names: list[str], what: str, rotate: bool = False) -> None:
    if names and len(names) <= LABELS:
        short = [n if len(n) <= 14 else n[:13] + "…" for n in names]
        axis.set_ticks(
            range(len(names)), short, fontsize=8, rotation=90 if rotate and max(map(len, short)) > 3 else 0
        )
    else:
        axis.set_ticks([])
        axis.set_label_text(f"{what} ({len(names)})" if names else what, fontsize=9)


def _plain_log_ticks(ax: Axes) -> None:
    """10⁻² in plain characters: formulas are switched off, since names of users' columns may hold a dollar sign."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    superscripts = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

    def power(value: float, _: int) -> str:
        return "10" + str(round(np.log10(value))).translate(superscripts) if value > 0 else ""

    ax.xaxis.set_major_locator(LogLocator(numticks=6))
    ax.xaxis.set_major_formatter(FuncFormatter(power))
    ax.xaxis.set_minor_formatter(NullFormatter())
