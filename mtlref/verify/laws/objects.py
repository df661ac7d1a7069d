"""Batteries on other people's objects: every law that applies, held or broken, with the numbers of the first break.

    run_penalty(Penalty(value, prox, properties={"convex", "norm"}))
    run_kernel(k, properties={"stationary"})
    run_layer(Layer(forward, backward, params))
    run_iteration(steps, properties={"accelerated"})

Directions that balance gradients have ``mtlref.balance.laws.check``, also as ``mtlref.verify.laws.balancers.check``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, LawViolation
from mtlref.verify.laws.iterations import ITERATION_LAWS, Steps
from mtlref.verify.laws.kernels import KERNEL_LAWS
from mtlref.verify.laws.layers import LAYER_LAWS, Layer
from mtlref.verify.laws.penalties import PENALTY_LAWS, value_is_homogeneous

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """law : its name.  held : whether it did.  message : what was broken, with numbers, or the error raised."""

    law: str
    held: bool
    message: str = ""


class Penalty:
    """Somebody's regulariser as the laws of penalties see one; W, V (p, T).

    value(W), prox(V, step); polar(G), attains_polar(G), project_polar(V, radius), gradient(W), conjugate(G) where they
    exist. degree : of homogeneity, None for none. properties : of "convex", "norm" (needs the polar's three),
    "quadratic" (a gradient), "rotation_invariant", "task_rotation_invariant", "row_separable", "entry_separable".
    """

    def __init__(
        self,
        value: Callable[[Array], float],
        prox: Callable[[Array, float], Array],
        *,
        degree: int | None = 1,
        properties: Iterable[str] = ("convex",),
        **further: Callable[..., Any],
    ) -> None:
        known = {"polar", "attains_polar", "project_polar", "gradient", "conjugate"}
        if not set(further) <= known:
            raise DataError(f"a penalty may have {', '.join(sorted(known))}; got {', '.join(further)}")
        self.degree, self.properties = degree, frozenset(properties)
        for name, function in {"value": value, "prox": prox, **further}.items():
            setattr(self, name, function)


def matrices(seed: int = 0) -> list[tuple[Array, Array, float]]:
    """(W, V, step) on which penalties have broken: zero rows, ties, low rank, tiny and large, from 1 × 1 up."""
    rng = np.random.default_rng(seed)
    found = []
    for p, T in ((1, 1), (1, 3), (3, 1), (3, 2), (3, 3)):
        W, V = rng.standard_normal((p, T)), rng.standard_normal((p, T))
        sparse, tied = V.copy(), np.sign(V)
        sparse[rng.integers(p)] = 0.0
        low = np.outer(V[:, 0], V[0])
        for step in (1e-3, 0.3, 20.0):
            found += [(W, A, step) for A in (V, sparse, tied, low, np.zeros((p, T)))]
            found += [(scale * W, scale * V, step * scale) for scale in (1e-6, 1e6)]
    return found


def run_penalty(penalty: Any, seed: int = 0) -> tuple[Outcome, ...]:
    """Every law of penalties that ``penalty.properties`` names."""
    declared = {
        *penalty.properties,
        *(f"has_{name}" for name in ("conjugate", "prox") if hasattr(penalty, name)),
    }
    if not isinstance(penalty, Penalty):  # our own declare what no law of proxes reads
        declared &= set(PENALTY_LAWS.values())
    named = {
        law: needs for law, needs in PENALTY_LAWS.items() if penalty.degree or law is not value_is_homogeneous
    }
    return _run(named, declared, [(penalty, *case) for case in matrices(seed)])


def run_kernel(kernel: Any, properties: Iterable[str] = (), seed: int = 0, p: int = 3) -> tuple[Outcome, ...]:
    """Every law of kernels, on inputs (n, p): few, many, equal, near and far ones."""
    rng = np.random.default_rng(seed)
    cases = []
    for n, m in ((1, 1), (2, 5), (6, 4)):
        X, Z = rng.standard_normal((n, p)), rng.standard_normal((m, p))
        cases += [
            (kernel, X, Z),
            (kernel, X, np.repeat(X[:1], m, axis=0)),
            (kernel, 1e-4 * X, 1e-4 * Z),
            (kernel, 30 * X, Z),
        ]
    return _run(KERNEL_LAWS, set(properties), cases)


def run_layer(
    layer: Layer, x: Array, properties: Iterable[str] = ("row_separable",), seed: int = 0
) -> tuple[Outcome, ...]:
    """Every law of layers at the inputs x (n, p) and at others of that shape."""
    rng = np.random.default_rng(seed)
    cases = [
        (layer, a, np.random.default_rng(seed)) for a in (x, x + 0.1 * rng.standard_normal(x.shape), -2 * x)
    ]
    return _run(LAYER_LAWS, set(properties), cases)


def run_iteration(steps: Steps, properties: Iterable[str] = ()) -> tuple[Outcome, ...]:
    """Every law of iterations, for what is claimed: "accelerated", "monotone"."""
    return _run(ITERATION_LAWS, set(properties), [(steps,)])


def _run(
    laws: Mapping[Any, str], declared: set[str], cases: Sequence[tuple[Any, ...]]
) -> tuple[Outcome, ...]:
    unknown = {name for name in declared - set(laws.values()) if not name.startswith("has_")}
    if unknown:
        known = sorted(name for name in {*laws.values()} if name and not name.startswith("has_"))
        raise DataError(f"properties must be among {', '.join(known)}; got {', '.join(sorted(unknown))}")
    return tuple(_outcome(law, cases) for law, needs in laws.items() if not needs or needs in declared)


def _outcome(law: Any, cases: Sequence[tuple[Any, ...]]) -> Outcome:
    for case in cases:
        try:
            law(*case)
        except LawViolation as broken:
            return Outcome(law.__name__, False, str(broken))
        except Exception as problem:  # somebody's code, which may raise anything
            return Outcome(law.__name__, False, f"{type(problem).__name__}: {problem}")
    return Outcome(law.__name__, True)
