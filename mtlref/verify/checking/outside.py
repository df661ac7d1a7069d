"""A method of the registry whose solver is somebody else's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, NotConverged
from mtlref.optim.problem import Problem
from mtlref.optim.result import Result, Status
from mtlref.optim.run import Iterate
from mtlref.registry import Method
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
# solver(X_list, y_list, **params) -> W (p, T), or (W, b).
Solver = Callable[..., Any]


class SolverChangedItsInput(DataError):
    """A solver wrote into the arrays that it was given."""


def outside(method: Method, solver: Solver) -> Method:
    """``method`` with ``solver`` in the place of ours: everything else, the certificate above all, stays."""

    def iterates(problem: Problem, start: Any, **weights: Any) -> Iterator[Iterate]:
        yield answer(solver, problem.data, weights, problem.fit_intercept)

    def warn(model: Any, result: Result, stacklevel: int) -> None:
        if result.status is not Status.CONVERGED:
            gap = result.certificate.relative_gap
            said = f"the answer's relative gap is {gap:.3e}, more than tol = {model.tol:g}"
            warnings.warn(said, NotConverged, stacklevel=stacklevel)

    own = {"iterates": staticmethod(iterates), "_warn": warn, "__doc__": method.cls.__doc__}
    return replace(method, cls=type(method.name, (method.cls,), own))


def answer(solver: Solver, data: Any, weights: dict[str, Any], fit_intercept: bool) -> Iterate:
    """(W, b) of one call, its shapes and values checked. Raises DataError for what is not an answer."""
    assert isinstance(data, TaskData)
    X, y = [x.copy() for x in data.X], [v.copy() for v in data.y]
    out = solver(X, y, **weights)
    if not all(map(np.array_equal, (*X, *y), (*data.X, *data.y))):
        raise SolverChangedItsInput("the solver must not change X and y; it wrote into them")
    W, b = out if isinstance(out, tuple) and len(out) == 2 else (out, None)
    W = inputs.as_float(W, "W", 2)
    if W.shape != (data.p, data.T):
        hint = ": a column of W is a task" if W.shape == (data.T, data.p) else ""
        raise DataError(
            f"the solver must return W of shape (p, T) = ({data.p}, {data.T}); got {W.shape}{hint}"
        )
    inputs.check_finite(W, "W")
    if b is not None:
        b = inputs.vector(b, "b", data.T, of="the tasks")
        if not fit_intercept and b.any():
            raise DataError("the solver must return b = 0, or W alone, where no intercept is fitted")
    return W, b
