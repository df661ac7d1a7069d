"""L2,1: one design, paths, a design for each task, two classes; the sizes that published solvers race on."""

from __future__ import annotations

from benchmarks.case import Case, Problem, at_ratio, path
from benchmarks.datasets import joint_rows, public

SHARED = ("mtlref", "scikit-learn", "celer", "skglm", "adelie")
# Proximal gradient steps take a minute and more where coordinates take a second: they enter twice.
WIDE = (*SHARED, "spams", "FISTA")
RAGGED = ("mtlref", "celer group", "skglm group", "adelie group", "FISTA")
# The zeros of the block diagonal fit in memory where it is small.
SMALL_RAGGED = (*RAGGED, "adelie group dense")
LABELS = ("mtlref", "adelie group", "FISTA")


def a() -> Case:
    """Problem A."""
    return Case(joint_rows.shared(500, 5000, 20, 50), "rows", ())


def b() -> Case:
    """Problem B."""
    return Case(joint_rows.shared(300, 20000, 50, 50), "rows", ())


def c() -> Case:
    """Problem C."""
    return Case(joint_rows.shared(20000, 500, 30, 50), "rows", ())


def e(*, labels: bool = False) -> Case:
    """Problem E."""
    table = joint_rows.ragged(30, 1000, 200, 30, labels=labels)
    return at_ratio(Case(table, "rows", (), loss="logistic" if labels else "squared"), 20.0)


def f(*, labels: bool = False) -> Case:
    """Problem F."""
    table = joint_rows.ragged(30, 100, 500, 20, labels=labels)
    return at_ratio(Case(table, "rows", (), loss="logistic" if labels else "squared"), 5.0)


def school(*, raw: bool) -> Case:
    """School from Moments; raw: the constant is a penalised feature, as papers fit it."""
    table = public.school(constant=raw)
    return path(Case(table, "rows", (), scaling="sum", fit_intercept=not raw, moments=True), 30, 100.0)


def landmine() -> Case:
    """Landmine, with intercepts."""
    return path(
        Case(public.landmine(), "rows", (), loss="logistic", scaling="sum", fit_intercept=True), 30, 100.0
    )


PROBLEMS = (
    Problem("A", "500 × 5000, 20 tasks, lam_max/10", lambda: at_ratio(a(), 10.0), WIDE),
    Problem("B5", "300 × 20000, 50 tasks, lam_max/5", lambda: at_ratio(b(), 5.0), SHARED),
    Problem("B", "300 × 20000, 50 tasks, lam_max/20", lambda: at_ratio(b(), 20.0), SHARED),
    Problem("C", "20000 × 500, 30 tasks, lam_max/100", lambda: at_ratio(c(), 100.0), WIDE),
    Problem(
        "D",
        "digits, products of degree 2, 10 tasks, lam_max/100",
        lambda: at_ratio(Case(public.digits(), "rows", ()), 100.0),
        SHARED,
    ),
    Problem("path A", "A, 50 lams to lam_max/10", lambda: path(a(), 50, 10.0), SHARED),
    Problem("path A long", "A, 50 lams to lam_max/100", lambda: path(a(), 50, 100.0), SHARED),
    Problem("path C", "C, 30 lams to lam_max/100", lambda: path(c(), 30, 100.0), SHARED, 2.0),
    Problem("E", "30 tasks of 1000 × 200, lam_max/20", e, RAGGED),
    Problem("F", "30 tasks of 100 × 500, lam_max/5", f, SMALL_RAGGED),
    Problem("logistic E", "E with labels", lambda: e(labels=True), LABELS),
    Problem("logistic F", "F with labels", lambda: f(labels=True), LABELS),
    Problem(
        "School",
        "139 tasks, intercepts, 30 lams to lam_max/100, from Moments",
        lambda: school(raw=False),
        ("mtlref", "FISTA"),
    ),
    Problem(
        "School raw",
        "the constant penalised, 30 lams to lam_max/100, from Moments",
        lambda: school(raw=True),
        ("mtlref", "FISTA"),
    ),
    Problem("landmine", "29 tasks, logistic, 30 lams to lam_max/100", landmine, ("mtlref", "FISTA")),
)
QUICK = (
    Problem(
        "small shared",
        "40 × 60, 4 tasks, lam_max/5",
        lambda: at_ratio(Case(joint_rows.shared(40, 60, 4, 5), "rows", ()), 5.0),
        WIDE,
    ),
    Problem(
        "small path",
        "40 × 20, 4 tasks, 4 lams",
        lambda: path(Case(joint_rows.shared(40, 20, 4, 5), "rows", ()), 4, 10.0),
        WIDE,
    ),
    Problem(
        "small ragged",
        "4 tasks of 30 × 10, lam_max/5",
        lambda: at_ratio(Case(joint_rows.ragged(4, 30, 10, 4), "rows", ()), 5.0),
        RAGGED,
    ),
    Problem(
        "small labels",
        "4 tasks of 30 × 10 with labels, lam_max/5",
        lambda: at_ratio(
            Case(joint_rows.ragged(4, 30, 10, 4, labels=True), "rows", (), loss="logistic"), 5.0
        ),
        LABELS,
    ),
)
