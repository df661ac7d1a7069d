"""report.html: one page that holds everything, pictures too, and asks nothing of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtlref.metrics import METRICS
from mtlref.registry import method as registered
from mtlref.study import wording
from mtlref.study.claims import listed
from mtlref.study.pictures import page_pictures, related
from mtlref.study.statistics import ALPHA

if TYPE_CHECKING:
    from mtlref.study.comparison import Comparison


def report(comparison: Comparison, said: dict[str, Any]) -> str:
    """The page as text. ``said`` is what provenance.json holds."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("mtlref.study"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    pictures = page_pictures(comparison)
    return environment.get_template("report.html").render(
        title=wording.title(comparison),
        data_line=wording.data_line(comparison),
        description=comparison.facts.description,
        splits=comparison.facts.splits,
        headline=headline(comparison),
        certified=sum(f.certified for f in comparison.fits),
        fits=len(comparison.fits),
        proof=wording.proof(comparison),
        certified_line=wording.certified_line(comparison),
        columns=[_column(m) for m in comparison.metrics],
        rows=_rows(comparison),
        mark=wording.mark_text(comparison),
        formulas=[(name, *_better(formula)) for name, formula in wording.formulas(comparison)],
        claims=comparison.sentences(),
        pairs=_pairs(comparison),
        certificates=_certificates(comparison),
        notes=wording.row_notes(comparison),
        protocol=wording.protocol(comparison),
        learning=_learning(comparison),
        main=comparison.main.title,
        ordered=comparison.facts.T > 12,
        pictures={
            name: [{"svg": Markup(p.svg), "narrow": Markup(p.narrow or "")} for p in group]
            for name, group in pictures.items()
        },
        relations=_relations(comparison),
        said=said,
        alpha=f"{100 * ALPHA:.0f} %",
        several=comparison.settings.splits > 1,
    )


def headline(comparison: Comparison) -> str:
    """The outcome in one or two sentences, without more than the test allows."""
    ranked = [
        row for row in comparison.rows if row.scores and row.error is None and not row.uncertified_refits
    ]
    if not ranked:
        return "No method could be fitted, certified and scored."
    best, main = ranked[0], comparison.main
    decimals = wording.decimals_for([best.scores[main.name]])
    value = wording.score(best.scores[main.name], decimals)
    text = f"{best.method} has the best {main.title} on the mean over splits, {value}"
    if comparison.settings.splits < 2:
        return f"{best.method} has the best {main.title}, {value}, on a single split, which allows no claim."
    others = [row.method for row in ranked[1:] if row.top]
    beaten = len(ranked) - 1 - len(others)
    if not others:
        return f"{text}, and beats all {beaten} others." if beaten else f"{text}."
    rest = {0: ".", 1: "; the other one is significantly worse."}
    return f"{text}. {listed(others)} cannot be told apart from it" + rest.get(
        beaten, f"; the other {beaten} are significantly worse."
    )


def _column(metric: str) -> dict[str, str]:
    better = "greater is better" if METRICS[metric].greater_is_better else "smaller is better"
    return {"title": METRICS[metric].title, "arrow": wording.arrow(metric), "better": better}


def _better(formula: str) -> tuple[str, str]:
    body, _, better = formula.rpartition(" (")
    return body, better.rstrip(")")


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    decimals = {
        m: wording.decimals_for([r.scores[m] for r in comparison.rows if m in r.scores])
        for m in comparison.metrics
    }
    found = []
    for row in comparison.rows:
        cells = []
        for m in comparison.metrics:
            mean, _, error = wording.score(row.scores.get(m), decimals[m]).partition(" ± ")
            cells.append({"mean": mean, "error": error})
        found.append(
            {
                "method": row.method,
                "penalty": registered(row.method).penalty,
                "top": row.top,
                "error": row.error,
                "cells": cells,
            }
        )
    return found


def _certificates(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "method": r.method,
            "lam": wording.lam(r.lam),
            "fits": f"{r.fits:,}",
            "certified": f"{r.certified:,}",
            "whole": r.fits > 0 and r.certified == r.fits,
            "gap": wording.gap(r.max_relative_gap) if r.fits else "–",
            "seconds": wording.duration(r.seconds),
        }
        for r in comparison.rows
    ]


def _pairs(comparison: Comparison) -> list[dict[str, Any]]:
    if comparison.settings.splits < 2 or not comparison.pairs:
        return []
    decimals = wording.decimals_for([wording.Mean(p.difference, 0.0, p.error) for p in comparison.pairs])
    return [
        {
            "winner": p.winner,
            "loser": p.loser,
            "difference": wording.number(p.difference, decimals),
            "error": wording.number(p.error, decimals),
            "alone": wording.p_value(p.alone).removeprefix("p = ").removeprefix("p "),
            "p": wording.p_value(p.p).removeprefix("p = ").removeprefix("p "),
            "claimed": p.claimed,
        }
        for p in comparison.pairs
    ]


def _relations(comparison: Comparison) -> list[dict[str, Any]]:
    """Beside each map of relations: the pairs that stand out, and the tasks in the order of the picture."""

    def lines(pairs: tuple[tuple[str, str, float], ...]) -> list[dict[str, str]]:
        return [
            {"one": one, "other": other, "value": wording.number(value, 3).replace("-", "−")}
            for one, other, value in pairs
        ]

    return [
        {
            "method": one.method,
            "kind": one.kind,
            "positive": lines(one.positive),
            "negative": lines(one.negative),
            "clusters": len(one.clusters),
            "listed": one.listed,
        }
        for one in related(comparison)
    ]


def _learning(comparison: Comparison) -> dict[str, Any] | None:
    sizes = comparison.settings.train_sizes
    if len(sizes) < 2:
        return None
    by_size = [comparison.means(comparison.main.name, i) for i in range(len(sizes))]
    decimals = wording.decimals_for([m for means in by_size for m in means.values()])
    return {
        "sizes": [f"{100 * s:.3g} %" for s in sizes],
        "rows": [
            (r.method, [wording.score(means.get(r.method), decimals) for means in by_size])
            for r in comparison.rows
        ],
    }
