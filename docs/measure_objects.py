"""What the battery of penalties finds on other packages' proximal operators, for docs/verification.md."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.verify import laws

Array = NDArray[np.float64]
CONVEX = ("convex",)
ROWS = ("convex", "row_separable", "task_rotation_invariant")
ENTRIES = ("convex", "row_separable", "entry_separable")
# (class, arguments, degree of homogeneity, properties); without "convex" a prox must only not be beaten. Folded
# penalties are defined for steps below their last argument, which is beyond all that are tried.
FAR = 1e9
SKGLM: tuple[tuple[str, tuple[Any, ...], int | None, tuple[str, ...]], ...] = (
    ("L1", (1.0,), 1, ENTRIES),
    ("L1_plus_L2", (1.0, 0.5), None, ENTRIES),
    ("L2_1", (1.0,), 1, ROWS),
    ("MCPenalty", (1.0, FAR), None, ("row_separable", "entry_separable")),
    ("SCAD", (1.0, FAR), None, ("row_separable", "entry_separable")),
    ("L0_5", (1.0,), None, ("row_separable", "entry_separable")),
    ("L2_3", (1.0,), None, ("row_separable", "entry_separable")),
    ("BlockMCPenalty", (1.0, FAR), None, ("row_separable",)),
    ("BlockSCAD", (1.0, FAR), None, ("row_separable",)),
    ("L2_05", (1.0,), None, ("row_separable",)),
)
PYPROXIMAL: tuple[tuple[str, dict[str, Any], int | None, tuple[str, ...]], ...] = (
    ("L1", {}, 1, ENTRIES),
    ("L2", {}, 2, ENTRIES),
    ("Euclidean", {}, 1, CONVEX),
    ("L21", {"ndim": -1}, 1, CONVEX),
    ("Nuclear", {"dim": -1}, 1, ("convex", "rotation_invariant", "task_rotation_invariant")),
    ("Huber", {"alpha": 0.5}, None, CONVEX),
    ("HuberCircular", {"alpha": 0.5}, None, CONVEX),
    ("L0", {}, None, ()),
    ("SCAD", {"sigma": 1.0, "a": FAR}, None, ()),
    ("Log", {"sigma": 1.0, "gamma": 1.3}, None, ()),
    ("ETP", {"sigma": 1.0, "gamma": 0.5}, None, ()),
    ("Geman", {"sigma": 1.0, "gamma": 1.3}, None, ()),
)


def skglm(
    name: str, arguments: tuple[Any, ...], degree: int | None, properties: tuple[str, ...]
) -> laws.Penalty:
    """One of skglm's, by rows or by entries."""
    own = getattr(import_module("skglm.penalties"), name)(*arguments)

    def rows(V: Array, step: float) -> Array:
        return np.array([own.prox_1feat(row.copy(), step, j) for j, row in enumerate(V)])

    def entries(V: Array, step: float) -> Array:
        return np.array([[own.prox_1d(v, step, 0) for v in row] for row in V])

    if hasattr(own, "prox_1feat"):
        return laws.Penalty(lambda W: float(own.value(W)), rows, degree=degree, properties=properties)
    return laws.Penalty(lambda W: float(own.value(W.ravel())), entries, degree=degree, properties=properties)


def pyproximal(
    name: str, arguments: dict[str, Any], degree: int | None, properties: tuple[str, ...]
) -> laws.Penalty:
    """One of PyProximal's, on the numbers of a matrix one after the other; -1 stands for the shape it asks for."""
    kind = getattr(import_module("pyproximal"), name)

    def operator(W: Array) -> Any:
        asked = dict(arguments)
        if asked.pop("ndim", None):
            asked["ndim"] = W.shape[1]
        if asked.pop("dim", None):
            asked["dim"] = W.shape
        return kind(**asked)

    # Its groups are the columns of (ndim, n), so a row of W is one of (T, p).
    def flat(W: Array) -> Array:
        return np.ascontiguousarray(W.T if name == "L21" else W).ravel()

    def back(x: Any, W: Array) -> Array:
        return np.array(x).reshape(W.T.shape).T if name == "L21" else np.array(x).reshape(W.shape)

    return laws.Penalty(
        lambda W: float(operator(W)(flat(W))),
        lambda V, step: back(operator(V).prox(flat(V), step), V),
        degree=degree,
        properties=properties,
    )


def objects() -> list[dict[str, Any]]:
    """Per operator, how many laws of penalties hold for it and which are broken."""
    found = []
    sources: tuple[tuple[str, Callable[..., laws.Penalty], Any], ...] = (
        ("skglm", skglm, SKGLM),
        ("pyproximal", pyproximal, PYPROXIMAL),
    )
    for package, make, table in sources:
        for entry in table:
            try:
                row = {"package": package, "version": version(package), "name": entry[0]}
                penalty = make(*entry)
            except (ImportError, PackageNotFoundError):
                break
            with np.errstate(all="ignore"):
                outcomes = laws.run_penalty(penalty)
            row["laws"] = len(outcomes)
            row["broken"] = {o.law: o.message[:160] for o in outcomes if not o.held}
            found.append(row)
            print(f"objects {row}", flush=True)
    return found
