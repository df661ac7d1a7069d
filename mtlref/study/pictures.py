"""Figures as PNG files for a folder, and as SVG that takes its colours from the page it stands in."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from mtlref.study import figures
from mtlref.study.figures import PAPER, Palette
from mtlref.study.relations import Relations, relations

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mtlref.study.comparison import Comparison

# Colours that no plot uses, put in place of the page's own and exchanged for its CSS variables in the SVG text.
THEME = {
    "#010203": "currentColor",
    "#010204": "var(--rule)",
    "#010205": "var(--accent)",
    "#010206": "var(--muted)",
}
PAGE = Palette(ink="#010203", rule="#010204", accent="#010205", muted="#010206")

Draw = Callable[["Axes", Palette], None]


@dataclass(frozen=True)
class Picture:
    """An SVG with the text that stands for it. ``narrow`` is a variant for a phone, or None."""

    name: str
    svg: str
    narrow: str | None
    alt: str


def png_pictures(comparison: Comparison) -> dict[str, bytes]:
    """name -> PNG, on white, for papers and slides."""
    found: dict[str, bytes] = {}
    ranked = [row for row in comparison.rows if row.scores]
    if not ranked:
        return found
    with _style():
        figure, axes = figures.blank(6.4, 0.9 + 0.38 * len(ranked), PAPER)
        figures.scores(comparison, axes[0, 0], PAPER)
        found["scores"] = _png(figure)
        if len(comparison.settings.train_sizes) > 1:
            figure, axes = figures.blank(6.4, 4.6, PAPER)
            figures.learning(comparison, axes[0, 0], PAPER)
            found["learning"] = _png(figure)
        for name, plots in _panels(comparison).items():
            if not plots:
                continue
            columns = min(3, len(plots))
            rows = -(-len(plots) // columns)
            figure, axes = figures.blank(3.1 * columns, 2.7 * rows, PAPER, rows, columns)
            for ax, (_, _, draw) in zip(axes.ravel(), plots, strict=False):
                draw(ax, PAPER)
            for ax in axes.ravel()[len(plots) :]:
                ax.set_axis_off()
            found[name] = _png(figure)
        maps = related(comparison)
        if maps:
            figure, axes = figures.blank(4.6 * len(maps), 4.8, PAPER, 1, len(maps))
            for ax, one in zip(axes.ravel(), maps, strict=True):
                figures.relation_map(one, ax, PAPER)
            found["relations"] = _png(figure)
    return found


def related(comparison: Comparison) -> list[Relations]:
    """What each method learned of the tasks' relations, in the order of the table."""
    found = (relations(comparison, row.method) for row in comparison.rows if row.scores)
    return [one for one in found if one is not None]


def page_pictures(comparison: Comparison) -> dict[str, list[Picture]]:
    """name -> SVG pictures for the report: one each of scores and learning, one a method of the others."""
    found: dict[str, list[Picture]] = {}
    ranked = [row for row in comparison.rows if row.scores]
    if not ranked:
        return found

    def both(name: str, height: float, draw: Draw, alt: str) -> list[Picture]:
        wide = _svg(*figures.blank(7.6, height, PAGE), draw=draw, name=name, alt=alt)
        narrow = _svg(*figures.blank(4.2, height, PAGE), draw=draw, name=f"{name}-narrow", alt=alt)
        return [Picture(name, wide, narrow, alt)]

    with _style():
        said = "; ".join(f"{r.method} {r.scores[comparison.main.name].mean:.4g}" for r in ranked)
        found["scores"] = both(
            "scores",
            0.9 + 0.4 * len(ranked),
            lambda ax, palette: figures.scores(comparison, ax, palette),
            f"Test {comparison.main.title} of each method on every split, means and standard errors. Means: {said}.",
        )
        if len(comparison.settings.train_sizes) > 1:
            found["learning"] = both(
                "learning",
                4.6,
                lambda ax, palette: figures.learning(comparison, ax, palette),
                f"Test {comparison.main.title} of each method over training sizes; the table has the numbers.",
            )
        for name, plots in _panels(comparison).items():
            found[name] = [
                Picture(
                    f"{name}-{method}",
                    _svg(*figures.blank(3.3, 2.7, PAGE), draw=draw, name=f"{name}-{method}", alt=alt),
                    None,
                    alt,
                )
                for method, alt, draw in plots
            ]
        found |= _relation_pictures(related(comparison))
    return found


def _relation_pictures(maps: list[Relations]) -> dict[str, list[Picture]]:
    """A large map for each method that learned relations, and one of its components where it has them."""
    found: dict[str, list[Picture]] = {}

    def both(
        name: str, wide: tuple[float, float], narrow: tuple[float, float], draw: Draw, alt: str
    ) -> Picture:
        # A phone shrinks a wide picture, and its letters with it: the narrow one is drawn smaller to begin with.
        svg = _svg(*figures.blank(*wide, PAGE), draw=draw, name=name, alt=alt)
        return Picture(
            name, svg, _svg(*figures.blank(*narrow, PAGE), draw=draw, name=f"{name}-narrow", alt=alt), alt
        )

    for one in maps:
        T, m = len(one.order), one.method
        top = f" The most alike are {one.positive[0][0]} and {one.positive[0][1]}." if one.positive else ""
        parts = f" in {len(one.clusters)} clusters" if one.clusters else ""
        alt = f"Relations of {T} tasks{parts} by {m} on the first split, {one.kind} from −1 to 1.{top}"
        draw: Draw = lambda ax, p, one=one: figures.relation_map(one, ax, p)  # type: ignore[misc]  # noqa: E731
        found[f"relations-{m}"] = [both(f"relations-{m}", (5.4, 5.6), (3.5, 3.9), draw, alt)]
        if one.membership is not None:
            used = int((one.membership != 0).any(axis=0).sum())
            alt = (
                f"Components that {T} tasks are made of by {m}: {used} of {one.membership.shape[1]} are used."
            )
            draw = lambda ax, p, one=one: figures.membership_map(one, ax, p)  # type: ignore[misc]  # noqa: E731
            found[f"relations-{m}"].append(both(f"membership-{m}", (5.4, 4.2), (3.5, 3.2), draw, alt))
    return found


def _panels(comparison: Comparison) -> dict[str, list[tuple[str, str, Draw]]]:
    """name -> (method, alt text, drawing) of the plots that every method has one of."""
    order = figures.task_order(comparison)
    found: dict[str, list[tuple[str, str, Draw]]] = {"tuning": [], "coefficients": [], "similarity": []}
    for row in comparison.rows:
        m = row.method
        ks, _, picks = comparison.tuning(m)
        if len(ks) and np.isfinite(picks).any():
            alt = f"Inner criterion of {m} over the grid of lam, a line a split; median chosen lam {row.lam:.3g}."
            found["tuning"].append((m, alt, lambda ax, p, m=m: figures.tuning(comparison, m, ax, p)))  # type: ignore[misc]
        W = figures.shown(comparison, m, "coef_")
        if W is not None:
            alt = (
                f"Coefficients of {m} on the first split, {W.shape[0]} tasks by {W.shape[1]} features; "
                f"{100 * float((W == 0).mean()):.0f} % are zero."
            )
            found["coefficients"].append(
                (m, alt, lambda ax, p, m=m: figures.coefficients(comparison, m, ax, p, order))  # type: ignore[misc]
            )
        S = figures.shown(comparison, m, "task_similarity_")
        if S is not None and len(S) > 1:
            mean = float(S[~np.eye(len(S), dtype=bool)].mean())
            alt = f"Cosines between the tasks' coefficients of {m} on the first split; on average {mean:.2f}."
            found["similarity"].append(
                (m, alt, lambda ax, p, m=m: figures.similarity(comparison, m, ax, p, order))  # type: ignore[misc]
            )
    return found


@contextmanager
def _style() -> Iterator[None]:
    """Settings of Matplotlib that hold while a picture is made, and no warnings about glyphs of exotic names."""
    from matplotlib import rc_context

    settings = {
        "svg.fonttype": "none",
        "svg.hashsalt": "mtlref",
        "text.parse_math": False,
        "axes.unicode_minus": True,
        "font.family": "DejaVu Sans",
    }
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        yield


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # savefig would draw everything once more, unseen, before it draws: to place what drawing places anyway.
    buffer = io.BytesIO()
    figure.set_dpi(180)
    figure.set_facecolor("white")
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _svg(figure: Figure, axes: np.ndarray, *, draw: Draw, name: str, alt: str) -> str:
    """The SVG element alone, as wide as its place, its ids its own."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    draw(axes[0, 0], PAGE)
    buffer = io.StringIO()
    figure.patch.set_alpha(0)
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Several pictures share one page, so their clip paths and markers must not share names.
    text = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{re.sub('[^A-Za-z0-9]', '', name)}-", text)
    for placeholder, value in THEME.items():
        text = text.replace(placeholder, value)
    start, _, rest = text.partition(">")
    start = re.sub(r'\s(width|height)="[^"]*"', "", start)
    return f'{start} role="img" aria-label="{escape(alt)}"><title>{escape(alt)}</title>{rest}'
