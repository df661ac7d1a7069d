"""The towers and heads on the representations: forward, and backward to each loss's gradient in them.

(N)  out_k = tower_k(rep_k): dense layers with activations, then one dense layer of the head's width

Hidden layers of all towers run side by side. Where all heads read one input they are one wide layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtlref.nn import dense
from mtlref.nn.activations import Activation
from mtlref.nn.heads import Head
from mtlref.nn.sizes import Shapes, dense_shapes

Values = NDArray[Any]
Params = dict[str, Values]


class Climbed(NamedTuple):
    """What the backward pass needs. one_rep : all tasks have one representation; steps : the hidden layers; hidden :
    the heads' input; joint : the heads' weights side by side, wide : their logits, where they read one input.
    """

    one_rep: bool
    steps: list[dense.Step]
    hidden: Values
    joint: Values | None
    wide: Values | None


class Towers:
    """A tower and a head a task. Mixed into a Net, which sets what is declared here."""

    heads: tuple[Head, ...]
    K: int
    tower: tuple[int, ...]
    reverse: dict[int, float]
    _act: Activation
    _tower_layers: list[tuple[str, ...]]
    _head_names: tuple[str, ...]
    _head_arrays: tuple[tuple[str, ...], ...]
    _logits: list[slice]

    def _tower_shapes(self, rep: int) -> Shapes:
        shapes: Shapes = {}
        for k, head in enumerate(self.heads):
            sizes = (rep, *self.tower, head.width)
            for depth in range(len(sizes) - 1):
                shapes |= dense_shapes(f"tower{k}.{depth}", sizes[depth], sizes[depth + 1])
        return shapes

    def _towers(self, params: Params, rep: Values) -> tuple[list[Values], Climbed]:
        """(logits, a list over tasks; what backward needs) from rep (B, H) for all tasks or (K, B, H)."""
        if self.K == 1 and rep.ndim == 3:
            rep = rep[0]
        hidden, steps = (
            dense.forward(params, self._tower_layers, self._act, rep) if self._tower_layers else (rep, [])
        )
        wide: Values | None
        joint: Values | None
        if hidden.ndim == 2:
            wide, joint = self._joint_heads(params, hidden)
            outs = [wide[:, part] for part in self._logits]
        else:
            joint = wide = None
            outs = [
                dense.affine(params, (name,), h)[0] for name, h in zip(self._head_names, hidden, strict=True)
            ]
        return outs, Climbed(rep.ndim == 2, steps, hidden, joint, wide)

    def _joint_heads(self, params: Params, hidden: Values) -> tuple[Values, Values]:
        """(logits of all tasks side by side, the heads' weights side by side), of one input for all."""
        weights, biases = self._head_arrays
        W = np.concatenate([params[name] for name in weights], axis=1)
        b = np.concatenate([params[name] for name in biases])
        return dense.plus(hidden @ W, b), W

    def _towers_backward(
        self,
        params: Params,
        passed: Climbed,
        slopes: list[Values] | Values,
        grads: Params | None,
        summed: bool = False,
    ) -> Values:
        """(K, B, H): each loss's gradient in its task's representation; towers' gradients go into ``grads``.

        slopes : the losses' gradients in the logits, a list over tasks, or all side by side (may be overwritten).
        summed : allows (1, B, H), their sum, where all tasks have one representation.
        """
        summed = summed and passed.one_rep
        if passed.joint is not None:
            return self._heads_backward(passed, slopes, grads, summed)
        if isinstance(slopes, np.ndarray):
            slopes = [slopes[:, part] for part in self._logits]
        back = []
        for name, h, slope in zip(self._head_names, passed.hidden, slopes, strict=True):
            if grads is not None:
                dense.affine_gradients(grads, (name,), h, slope)
            back.append(slope @ params[f"{name}.W"].T)
        d = np.stack(back)
        if not self.reverse or not summed:
            into = dense.backward(passed.steps, self._act, d, grads, True, each=not summed)
            assert into is not None
            return self._reversed(into) if not summed else into[None]
        # The gradient is linear: what goes into the trunk is turned at the logits, what the towers get is not.
        dense.backward(passed.steps, self._act, d, grads, False)
        into = dense.backward(passed.steps, self._act, self._reversed(d), None, True, each=False)
        assert into is not None
        return into[None]

    def _heads_backward(
        self, passed: Climbed, slopes: list[Values] | Values, grads: Params | None, summed: bool
    ) -> Values:
        """``_towers_backward`` where all heads read one input."""
        h, W = passed.hidden, passed.joint
        assert W is not None
        wide = slopes if isinstance(slopes, np.ndarray) else np.concatenate(slopes, axis=1)
        if grads is not None:
            weight, bias = h.T @ wide, np.add.reduce(wide, axis=0)
            for name, part in zip(self._head_names, self._logits, strict=True):
                grads[f"{name}.W"], grads[f"{name}.b"] = weight[:, part], bias[part]
        if self.K == 1:
            into = dense.backward(passed.steps, self._act, wide @ W.T, grads, True)
            assert into is not None
            return self._reversed(into.reshape(1, *into.shape[-2:]))
        if summed:
            for k, strength in self.reverse.items():
                wide[:, self._logits[k]] *= -strength
            return (wide @ W.T)[None]
        if wide.shape[1] == self.K:
            # Outer products, all at once; a loss's must lie together, or the products to come would copy them.
            rows, columns = np.ascontiguousarray(wide.T), np.ascontiguousarray(W.T)
            return self._reversed(np.einsum("kb,kh->kbh", rows, columns))
        d = np.empty((self.K, *h.shape), dtype=np.result_type(wide, W))
        for k, part in enumerate(self._logits):
            # An outer product is faster as a product of entries than as a matrix product.
            (np.multiply if self.heads[k].width == 1 else np.matmul)(wide[:, part], W[:, part].T, out=d[k])
        return self._reversed(d)

    def _one_by_one(self, params: Params, passed: Climbed, slopes: list[Values] | Values) -> Iterator[Values]:
        """(B, H), K times: the rows of ``_towers_backward``, made one after another where the heads read one input."""
        if passed.joint is None:
            yield from self._towers_backward(params, passed, slopes, None)
            return
        for k, part in enumerate(self._logits):
            slope = slopes[:, part] if isinstance(slopes, np.ndarray) else slopes[k]
            weights = passed.joint[:, part].T * slope.real.dtype.type(-self.reverse.get(k, -1.0))
            yield np.multiply(slope, weights) if slope.shape[1] == 1 else slope @ weights

    def _reversed(self, d: Values) -> Values:
        """d (K, ...) with what gradient reversal makes of it."""
        if not self.reverse:
            return d
        d = d.copy()
        for k, strength in self.reverse.items():
            d[k] *= -strength
        return d
