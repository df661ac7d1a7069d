"""Run the laws of a method on a solver, by Hypothesis, and report the smallest problem that breaks each."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from mtlref import inputs
from mtlref.errors import DataError
from mtlref.registry import Method
from mtlref.registry import method as registered
from mtlref.verify import conventions
from mtlref.verify.checking.outside import Solver, outside
from mtlref.verify.checking.program import Program, ProgramFailed
from mtlref.verify.checking.report import CRASHED, FAILED, HELD, NOT_APPLICABLE, LawReport, Report
from mtlref.verify.diagnosis import Diagnosis, diagnose
from mtlref.verify.laws.estimators import Law, laws_of
from mtlref.verify.search import search
from mtlref.verify.strategies import KINDS, Case, build, cases

EXAMPLES = {"quick": 15, "thorough": 300}
# The certificate of an answer says most, and is put to so many times as many problems as a law that relates answers.
CLOSES = "certificate_closes"
MORE = 4
# lam / lam_scale of the problem on which an answer is explained: some coefficients are zero, some are not.
ROOMY = 0.1
# What these say is said of the certificate, of the data's forms or of the estimator around the solver.
OURS = {
    "primal_is_the_objective": "of the certificate",
    "scale_is_the_objective_at_zero": "of the certificate",
    "gap_bounds_suboptimality": "of the certificate",
    "wrong_answers_are_refused": "of the certificate",
    "predictions_are_linear": "of the estimator",
    "nothing_is_modified": "checked at every call",
    "forms_give_the_same_bits": "a solver is given lists",
    "moments_give_the_answer_of_the_rows": "a solver is given rows",
    "weights_are_repeated_rows": "a solver is given rows without weights",
    "a_path_is_its_fits": "a solver is asked for one lam at a time",
    "extreme_units_do_not_matter": "data are brought to ordinary sizes before a solver is asked",
}
# Weighted rows are not part of what a solver is asked for; columns that differ by 1e4 and means of 1e3 are a matter of
# how far an honest solver gets, not of whether it is right.
GIVEN = tuple(kind for kind in KINDS if kind not in ("zero_weights", "scales", "large_mean"))


def check(
    solver: Solver,
    method: str,
    *,
    loss: str = "squared",
    scaling: str | None = None,
    fit_intercept: bool | None = None,
    convention: str = "paper",
    budget: str = "quick",
    tol: float = 1e-6,
    laws: tuple[str, ...] | None = None,
    progress: Callable[[LawReport], None] | None = None,
) -> Report:
    """Put a solver to every law that ``method`` declares, on awkward data, each answer certified.

    Parameters
    ----------
    solver : called as ``solver(X_list, y_list, **params)`` with X_list[t] (n_t, p), y_list[t] (n_t,) and the penalty's
        weights (lam, ridge, ...) by name. Returns W (p, T), or (W, b) with b (T,); without b the best intercepts for W
        are taken where intercepts are fitted.
    method : a name of the registry: the problem that is solved.
    loss, scaling, fit_intercept : what the problem is, as in the estimator; labels are −1 and +1. None: "sum", False,
        or what the convention says.
    convention : "paper" (weights as in (P)), "malsar", "rmtl", "sklearn" or "spams": the solver is given its weights in
        that package's units, under our names. Weights that the package does not have are zero.
    budget : "quick" (15 problems a law) or "thorough" (300); four times as many for the certificate of the answer
        itself, unless the solver is a ``Program``.
    tol : relative gap that an answer must reach.
    laws : the names of those to try; None for all.
    progress : called with each law's report as it is done.

    Returns
    -------
    Report : each law held, failed, crashed or not applicable, with the smallest counterexample found and a diagnosis.

    Raises
    ------
    UnknownMethod, DataError : a method, loss, scaling, budget or law that does not exist.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> def ridge(X, y, lam):
    ...     eye = np.eye(X[0].shape[1])
    ...     return np.column_stack([np.linalg.solve(x.T @ x + lam * eye, x.T @ v) for x, v in zip(X, y)])
    >>> mt.verify.check(ridge, "SingleTaskRidge").passed
    True
    """
    asked = registered(method)
    if "convex" not in asked.properties:
        raise DataError(
            f"method must be convex, for an answer's gap to prove or refute it; {asked.name} is certified by "
            f"{asked.certificate}: audit its answers one by one"
        )
    inputs.choice(loss, "loss", asked.losses)
    inputs.choice(budget, "budget", tuple(EXAMPLES))
    inputs.positive(tol, "tol")
    units = conventions.convention(convention, asked.name, loss)
    if scaling is None:
        scaling = "sum" if units is None else units.scaling
    if fit_intercept is None:
        fit_intercept = units is not None and units.fit_intercept
    inputs.choice(scaling, "scaling", ("mean", "sum"))
    theirs = outside(asked, solver if units is None else _in_units(solver, units))
    known = {law.name: law for law in laws_of(asked)}
    for name in laws or ():
        inputs.choice(name, "laws", tuple(known))
    fixed: dict[str, Any] = {"scaling": scaling, "fit_intercept": fit_intercept, "tol": tol}
    if units is not None:
        fixed |= {name: 0.0 for name in asked.degrees if name not in units.weights}
    reports: list[LawReport] = []
    for name, law in known.items():
        if laws is not None and name not in laws:
            continue
        if name in OURS:
            reports.append(LawReport(name, NOT_APPLICABLE, 0, OURS[name]))
        elif law.loss not in ("", loss):
            reports.append(LawReport(name, NOT_APPLICABLE, 0, f"of the {law.loss} loss alone"))
        else:
            more = name == CLOSES and not isinstance(
                solver, Program
            )  # a program's start costs more than its work
            count = EXAMPLES[budget] * (MORE if more else 1)
            reports.append(_try(law, theirs, loss, fixed, count))
        if progress is not None:
            progress(reports[-1])
    return Report(asked.name, tuple(reports))


def _in_units(solver: Solver, units: conventions.Convention) -> Solver:
    """The solver with its weights in its own units; what is not a weight, such as a graph, is passed on."""

    def translated(X: Any, y: Any, **given: Any) -> Any:
        numbers = {k: v for k, v in given.items() if isinstance(v, (int, float))}
        rest = {k: v for k, v in given.items() if k not in numbers}
        return solver(X, y, **units.translated(numbers), **rest)

    return translated


def _try(law: Law, theirs: Method, loss: str, fixed: dict[str, Any], count: int) -> LawReport:
    """One law on ``count`` problems, shrunk where it fails."""
    found = search(law, cases(theirs, loss, kinds=GIVEN, attained=loss == "logistic", **fixed), count)
    if found.smallest is None:
        return LawReport(law.name, HELD, found.tried)
    case, failure = found.smallest
    if found.crashed:
        return LawReport(law.name, CRASHED, found.tried, f"{type(failure).__name__}: {failure}", case)
    return LawReport(
        law.name, FAILED, found.tried, str(failure), case, _explain(_roomy(case)) or _explain(case)
    )


def _roomy(case: Case) -> Case:
    """A problem with the counterexample's settings that is large enough to tell one reading of an answer from another.

    With one task, one feature and two rows lam / 2 is lam / n, and any lam is some other penalty's.
    """
    data = build(("ragged",), 3, 5, 12, 0, case.loss)
    parameters = {**case.parameters}
    probe = case.method.cls(
        **{k: v for k, v in parameters.items() if k not in case.method.degrees and k != "graph"}
    )
    if "graph" in case.method.required:
        parameters["graph"] = np.ones((3, 3)) - np.eye(3)
        probe = case.method.cls(**{**probe.get_params(), "graph": parameters["graph"]})
    scale = probe.lam_scale(data)
    parameters["lam"] = ROOMY * scale
    for weight in case.method.degrees:
        if weight != "lam" and parameters.get(weight):
            parameters[weight] = ROOMY * scale / 10
    return Case(case.method, parameters, data)


def _explain(case: Case) -> Diagnosis | None:
    """What the solver's answer to the counterexample is, if it gives one."""
    model = case.model()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(case.data)
        except (ProgramFailed, ValueError, ArithmeticError):
            return None
    ours = registered(case.method.name).cls(**case.parameters)
    found = diagnose(ours, case.data, model.coef_.T, model.intercept_)
    return None if found.optimal else found
