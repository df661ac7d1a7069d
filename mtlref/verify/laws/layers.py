"""Laws of layers: any pair forward(x, params) -> y and backward(x, params, dy) -> (dx, dparams).

x (n, p) and y (n, q) are arrays, params and dparams lists of arrays. The forward pass is the truth; the backward pass
is held to derivatives of it by complex steps, or by extrapolated differences where it does not take complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.verify.laws.check import agree, require

Values = NDArray[Any]
Params = Sequence[Values]
STEP = 1e-30


@dataclass(frozen=True)
class Layer:
    """forward, backward : as above.  params : at which it is tried."""

    forward: Callable[[Values, Params], Values]
    backward: Callable[[Values, Params, Values], tuple[Values, Params]]
    params: tuple[Values, ...] = ()


def _pushed(layer: Layer, x: Values, v: Values, vs: Params) -> tuple[Values, float]:
    """(the derivative of y along (v, vs), how far it is to be trusted relative to its size)."""
    try:
        moved = np.asarray(
            layer.forward(
                x + 1j * STEP * v, [a + 1j * STEP * d for a, d in zip(layer.params, vs, strict=True)]
            )
        )
        if np.iscomplexobj(moved):
            return moved.imag / STEP, 1e-12
    except (TypeError, ValueError):
        pass

    def at(h: float) -> Values:
        return np.asarray(
            layer.forward(x + h * v, [a + h * d for a, d in zip(layer.params, vs, strict=True)])
        )

    table: list[Values] = [(at(h) - at(-h)) / (2 * h) for h in (2e-3, 1e-3, 5e-4)]
    first = [(4 * b - a) / 3 for a, b in pairwise(table)]
    return (16 * first[1] - first[0]) / 15, 1e-8


def backward_is_adjoint(layer: Layer, x: Values, rng: np.random.Generator) -> None:
    """⟨dy, D y [v]⟩ = ⟨D y* [dy], v⟩ for random v in the inputs and in each parameter by itself."""
    dy = rng.standard_normal(np.shape(layer.forward(x, layer.params)))
    dx, dparams = layer.backward(x, layer.params, dy)
    require(np.shape(dx) == np.shape(x), f"dx must have the shape of x {np.shape(x)}; got {np.shape(dx)}")
    require(len(dparams) == len(layer.params), "dparams must have an array for each of params")
    for k in range(-1, len(layer.params)):
        v = rng.standard_normal(np.shape(x)) * (k < 0)
        vs = [rng.standard_normal(np.shape(a)) * (i == k) for i, a in enumerate(layer.params)]
        slope, accuracy = _pushed(layer, x, v, vs)
        forward = float((dy * slope).sum())
        back = float((dx * v).sum()) + sum(float((d * u).sum()) for d, u in zip(dparams, vs, strict=True))
        size = float(np.abs(dy * slope).sum()) + float(np.abs(dx * v).sum()) + 1e-3
        what = "the inputs" if k < 0 else f"parameter {k}"
        agree(back, forward, accuracy * size, f"the two sides of the adjoint identity in {what}")


def backward_is_linear(layer: Layer, x: Values, rng: np.random.Generator) -> None:
    """backward at 2 dy − 3 dz is 2 of the one less 3 of the other."""
    shape = np.shape(layer.forward(x, layer.params))
    dy, dz = rng.standard_normal(shape), rng.standard_normal(shape)
    one, other = layer.backward(x, layer.params, dy), layer.backward(x, layer.params, dz)
    both = layer.backward(x, layer.params, 2 * dy - 3 * dz)
    for a, b, c in zip([one[0], *one[1]], [other[0], *other[1]], [both[0], *both[1]], strict=True):
        size = float(np.abs(a).max(initial=0.0) + np.abs(b).max(initial=0.0))
        agree(c, 2 * a - 3 * b, 1e-12 * (size + 1e-300), "backward of a sum and the sum of backwards")


def rows_are_separate(layer: Layer, x: Values, rng: np.random.Generator) -> None:
    """Each row's output by itself: a batch is its rows. (Not for a normalisation over the batch.)"""
    y = np.asarray(layer.forward(x, layer.params))
    single = np.concatenate([layer.forward(row[None], layer.params) for row in x])
    agree(y, single, 1e-12 * (1 + float(np.abs(y).max(initial=0.0))), "the batch and its rows")


def arguments_are_left_alone(layer: Layer, x: Values, rng: np.random.Generator) -> None:
    """Neither pass changes x, the parameters or dy."""
    kept = [x.copy(), *(np.array(a) for a in layer.params)]
    dy = rng.standard_normal(np.shape(layer.forward(x, layer.params)))
    given = dy.copy()
    layer.backward(x, layer.params, dy)
    same = all(np.array_equal(a, b) for a, b in zip(kept, [x, *layer.params], strict=True))
    require(same and np.array_equal(dy, given), "a pass changed its arguments")


# The property that a layer must have for the law to apply; "" for all.
LAYER_LAWS: dict[Callable[[Layer, Values, np.random.Generator], None], str] = {
    backward_is_adjoint: "",
    backward_is_linear: "",
    arguments_are_left_alone: "",
    rows_are_separate: "row_separable",
}
