"""What every architecture shares: parameters by name, towers and heads, losses, gradients, and the tasks' Jacobian.

(N)  out_k = tower_k(rep_k),  rep = trunk(x);  a tower is dense layers with activations, then one dense layer
(T)  total = Σ_k w_k L_k + penalty;  L_k = Σ_i m_ki row loss_ki / Σ_i m_ki over the rows' masks m

An architecture gives the trunk: ``_trunk_shapes``, ``_trunk`` and ``_trunk_backward``. The backward pass of the trunk
takes the gradients of all losses in their representations at once, (K, B, H), and either sums over losses or keeps
them as a leading axis: so the Jacobian of K tasks is one batched pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError
from mtlref.nn.activations import Activation
from mtlref.nn.heads import Head
from mtlref.nn.parameters import Parameters
from mtlref.nn.sizes import (
    Shapes,
    activation_of,
    dense_shapes,
    heads_of,
    reversal,
    task_vector,
    widths,
)
from mtlref.nn.task_losses import TaskLosses
from mtlref.nn.towers import Climbed, Towers
from mtlref.nn.wide import Wide

Values = NDArray[Any]
Params = dict[str, Values]

__all__ = ["Cache", "Net", "Params", "Shapes", "dense_shapes", "task_vector", "widths"]


@dataclass(frozen=True)
class Cache:
    """What a forward pass leaves: ``cache[name]`` is an intermediate value; the rest serves the backward pass."""

    values: Mapping[str, Values]
    trunk: Any = field(repr=False)
    towers: Climbed = field(repr=False)

    def __getitem__(self, name: str) -> Values:
        if name not in self.values:
            raise DataError(f"an intermediate value is one of {', '.join(self.values)}; got {name!r}")
        return self.values[name]


class Net(Parameters, Towers, TaskLosses):
    """The parent of the architectures. Holds sizes alone: parameters are passed in and returned.

    Attributes: n_in; heads, one a task; tower, the widths of each tower's hidden layers; K, the number of tasks;
    param_names and shared_names, in the order of the parameters: shared are those that the losses of several tasks
    depend on, whatever the data (with K = 1: the whole trunk).
    """

    def __init__(
        self,
        n_in: int,
        *,
        heads: Sequence[Head],
        tower: Sequence[int] = (),
        activation: str = "tanh",
        reverse: Mapping[int, float] | None = None,
    ) -> None:
        self.n_in = inputs.count(n_in, "n_in")
        self.heads = heads_of(heads)
        self.K = len(self.heads)
        self.tower = widths(tower, "tower", empty=True)
        self.activation = activation
        self.reverse = reversal(reverse, self.K)
        self._act: Activation = activation_of(activation)
        self._tower_layers = [
            tuple(f"tower{k}.{depth}" for k in range(self.K)) for depth in range(len(self.tower))
        ]
        self._wide = Wide.of(self.heads)
        self._head_names = tuple(f"tower{k}.{len(self.tower)}" for k in range(self.K))
        self._head_arrays = tuple(tuple(f"{name}.{part}" for name in self._head_names) for part in "Wb")
        ends = np.cumsum([0, *(head.width for head in self.heads)])
        self._logits = [slice(a, b) for a, b in pairwise(ends.tolist())]
        trunk, rep = self._trunk_shapes()
        self._shapes: Shapes = {**trunk, **self._tower_shapes(rep)}
        self.param_names: tuple[str, ...] = tuple(self._shapes)
        self.shared_names: tuple[str, ...] = self._shared(tuple(trunk))
        self._places = self._columns(self.shared_names)

    # -- what an architecture gives ------------------------------------------------------------------------------------

    def _trunk_shapes(self) -> tuple[Shapes, int]:
        """The trunk's parameters, in order, and the width of a representation."""
        raise NotImplementedError

    def _shared(self, trunk: tuple[str, ...]) -> tuple[str, ...]:
        return trunk

    def _trunk(self, params: Params, x: Values) -> tuple[Values, Any, dict[str, Values]]:
        """(representation (B, H) for all tasks or (K, B, H), what backward needs, intermediate values)."""
        raise NotImplementedError

    def _trunk_backward(self, params: Params, saved: Any, d: Values, grads: Params, per_loss: bool) -> None:
        """Put gradients into ``grads`` from d (K, B, H), d[k] that of loss k in task k's representation.

        Where all tasks have one representation, d may be (1, B, H), the sum, unless ``per_loss``.
        per_loss : with a leading axis K over losses, at least for the shared parameters; else summed over losses.
        """
        raise NotImplementedError

    def penalty(self, params: Params) -> Any:
        """What is added to the weighted losses, apart from the data; zero for most architectures."""
        return 0.0

    def _penalty_backward(self, params: Params, grads: Params) -> None:
        """Add the penalty's gradient."""

    # -- forward and backward ------------------------------------------------------------------------------------------

    def forward(self, params: Params, x: Any) -> tuple[list[Values], Cache]:
        """(logits, a list over tasks of (B, width of the head); cache).

        x : (B, n_in), real or complex. Raises DataError and FormError for x and params of other shapes and for NaN.
        """
        self._check_params(params)
        return self._forward(params, self._check_x(x))

    def _forward(self, params: Params, x: Values) -> tuple[list[Values], Cache]:
        rep, saved, values = self._trunk(params, x)
        outs, towers = self._towers(params, rep)
        return outs, Cache(values, saved, towers)

    def losses(self, params: Params, x: Any, ys: Sequence[Any], masks: Any = None) -> Values:
        """L_k (K,), without a backward pass; arguments as in ``loss_and_grad``."""
        return self._losses(self.forward(params, x)[0], ys, masks)[0]

    def loss_and_grad(
        self, params: Params, x: Any, ys: Sequence[Any], task_weights: Any = None, masks: Any = None
    ) -> tuple[Values, Params]:
        """(L_k (K,), the gradient of (T) as a dict like ``params``).

        Parameters
        ----------
        x : (B, n_in).  ys : a list over tasks of targets as their heads take them.
        task_weights : (K,), or None for ones.
        masks : None, a list over tasks of (B,) row weights >= 0 (None: all ones), or an array (B, K). Targets of rows
            with weight 0 are not read and may be NaN. A task whose weights are all zero has loss 0 and gradient 0.

        Raises DataError and FormError for other shapes, NaN, labels outside a head's range, and negative masks.
        """
        outs, cache = self.forward(params, x)
        weights = task_vector(task_weights, self.K)
        losses, slopes = self._losses_once(outs, cache.towers.wide, ys, masks)
        if not isinstance(slopes, np.ndarray):
            return losses, self._grad(params, cache, slopes, weights)
        if task_weights is not None:
            slopes = slopes * np.repeat(weights, [h.width for h in self.heads]).astype(slopes.real.dtype)
        return losses, self._grad_of(params, cache, slopes)

    def _grad(
        self, params: Params, cache: Cache, slopes: list[Values], weights: Values, into: Params | None = None
    ) -> Params:
        """The gradient of (T) by name, in the memory of ``into`` where given."""
        weighted = [s.real.dtype.type(w) * s for w, s in zip(weights, slopes, strict=True)]
        return self._grad_of(params, cache, weighted, into)

    def _grad_of(
        self, params: Params, cache: Cache, slopes: list[Values] | Values, into: Params | None = None
    ) -> Params:
        """``_grad`` from weighted slopes, a list over tasks or side by side."""
        grads: Params = {} if into is None else dict(into)
        d = self._towers_backward(params, cache.towers, slopes, grads, summed=True)
        self._trunk_backward(params, cache.trunk, d, grads, False)
        self._penalty_backward(params, grads)
        if into is None:
            return {name: grads[name] for name in self.param_names}
        return _settled(grads, into)

    def jacobian(
        self,
        params: Params,
        x: Any,
        ys: Sequence[Any],
        masks: Any = None,
        *,
        names: Sequence[str] | None = None,
    ) -> tuple[Values, Values]:
        """(L_k (K,), J (K, d)): row k is the gradient of L_k in the shared parameters, without weights or penalty.

        Columns are the parameters of ``names``, default ``shared_names``, in that order, each flattened in C order. One
        batched backward pass for all tasks. Gradient reversal applies, as in ``loss_and_grad``. Arguments and errors
        as there; DataError for a name that is not shared.
        """
        chosen = None if names is None else tuple(names)
        for name in chosen or ():
            if name not in self.shared_names:
                raise DataError(f"names must be among {', '.join(self.shared_names) or 'none'}; got {name!r}")
        outs, cache = self.forward(params, x)
        losses, slopes = self._losses_once(outs, cache.towers.wide, ys, masks)
        return losses, self._jacobian(params, cache, slopes, chosen)

    def _jacobian(
        self,
        params: Params,
        cache: Cache,
        slopes: list[Values] | Values,
        names: tuple[str, ...] | None = None,
    ) -> Values:
        width, places = self._places if names is None else self._columns(names)
        J = np.empty(
            (self.K, width), dtype=slopes.dtype if isinstance(slopes, np.ndarray) else np.result_type(*slopes)
        )
        columns = {name: J[:, part].reshape(shape) for name, part, shape in places}
        # With one task a gradient may come without the axis of losses.
        grads = dict(columns) if self.K > 1 else {}
        self._backward_each(params, cache, slopes, grads)
        _settled(grads, columns)
        return J

    def _backward_each(
        self, params: Params, cache: Cache, slopes: list[Values] | Values, grads: Params
    ) -> None:
        """The trunk's gradients of every loss into ``grads``, with a leading axis over losses."""
        d = self._towers_backward(params, cache.towers, slopes, None)
        self._trunk_backward(params, cache.trunk, d, grads, True)

    def _columns(self, names: tuple[str, ...]) -> tuple[int, list[tuple[str, slice, tuple[int, ...]]]]:
        """(columns of a Jacobian, where each parameter's are and the shape that they have with the losses' axis)."""
        ends = [0, *accumulate(math.prod(self._shapes[n]) for n in names)]
        spans = zip(names, pairwise(ends), strict=True)
        return ends[-1], [(n, slice(a, b), (self.K, *self._shapes[n])) for n, (a, b) in spans]

    def predict(self, params: Params, x: Any) -> list[Values]:
        """What the heads make of the logits: numbers, or probabilities; a list over tasks."""
        outs, _ = self.forward(params, x)
        return [head.answer(z) for head, z in zip(self.heads, outs, strict=True)]

    def __repr__(self) -> str:
        sizes = sum(int(np.prod(s)) for s in self._shapes.values())
        heads = ", ".join(map(repr, self.heads))
        return f"{type(self).__name__}(n_in={self.n_in}, heads=[{heads}], {sizes} parameters)"


def _settled(grads: Params, into: Params) -> Params:
    """``into``, with the values of ``grads`` where those were made elsewhere."""
    for name, memory in into.items():
        if grads[name] is not memory:
            memory[...] = grads[name]
    return into
