"""Soft parameter sharing: a network a task, with a pull between chosen layers.

(N)  rep_k = act(net{k}.L(... act(net{k}.0(x)))),  out_k = tower_k(rep_k)
(S)  penalty = lam/2 Σ_{s<t} Σ_{l in layers} ‖θ_{s,l} − θ_{t,l}‖², θ_{k,l} = (W, b) of layer l of net k

Source: Duong et al. 2015; the penalty between every two tasks as in Evgeniou et al. 2005.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError
from mtlref.nn.heads import Head
from mtlref.nn.net import Net, Params, Shapes, widths
from mtlref.nn.stack import Stack

Values = NDArray[Any]


class SoftSharing(Net):
    """A net a task, with squared distances between the tasks' layers as a penalty.

    Parameters
    ----------
    n_in, heads, tower, activation : as in SharedBottom
    hidden : widths of each net's layers
    lam : float >= 0, as in (S); default 0.01
    layers : the layers that are pulled together, default all of ``hidden``

    ``losses`` are the data's alone; the gradient of ``loss_and_grad`` is that of Σ w_k L_k + ``penalty(params)``.
    No loss depends on another task's parameters: ``shared_names`` is empty, and the Jacobian has no columns.
    Parameters by name: netK.L.W, netK.L.b, then towers. Intermediate values: "rep" (B, K, H). Source: duong2015.

    Examples
    --------
    >>> import numpy as np
    >>> from mtlref.nn import Regression, SoftSharing
    >>> net = SoftSharing(2, hidden=(3,), heads=[Regression(), Regression()], lam=2.0)
    >>> params = {name: np.full(shape, 1.0 * ("net1" in name)) for name, shape in net._shapes.items()}
    >>> float(net.penalty(params))  # 9 entries that differ by one
    9.0
    """

    def __init__(
        self,
        n_in: int,
        *,
        hidden: Sequence[int],
        heads: Sequence[Head],
        tower: Sequence[int] = (),
        activation: str = "tanh",
        lam: float = 0.01,
        layers: Sequence[int] | None = None,
    ) -> None:
        self.hidden = widths(hidden, "hidden")
        self.lam = inputs.nonnegative(lam, "lam")
        depth = len(self.hidden)
        self.layers = tuple(range(depth)) if layers is None else tuple(layers)
        for layer in self.layers:
            if not isinstance(layer, (int, np.integer)) or not 0 <= layer < depth:
                raise DataError(f"layers must be among 0 .. {depth - 1}; got {layer!r}")
        if len(set(self.layers)) != len(self.layers):
            raise DataError(f"layers must differ; got {self.layers}")
        super().__init__(n_in, heads=heads, tower=tower, activation=activation)

    def _trunk_shapes(self) -> tuple[Shapes, int]:
        self._nets = Stack(tuple(f"net{k}" for k in range(self.K)), (self.n_in, *self.hidden))
        return dict(self._nets.shapes()), self.hidden[-1]

    def _shared(self, trunk: tuple[str, ...]) -> tuple[str, ...]:
        return trunk if self.K == 1 else ()

    def _trunk(self, params: Params, x: Values) -> tuple[Values, Any, dict[str, Values]]:
        rep, steps = self._nets.forward(params, self._act, x)
        return rep, steps, {"rep": np.swapaxes(rep, 0, 1)}

    def _trunk_backward(self, params: Params, saved: Any, d: Values, grads: Params, per_loss: bool) -> None:
        if not per_loss or self.K == 1:
            self._nets.backward(saved, self._act, d, grads, False)

    def _apart(self, params: Params) -> list[tuple[tuple[str, ...], str, Values]]:
        """θ_k − θ̄ of every pulled array, (K, ...); Σ_{s<t} ‖θ_s − θ_t‖² is K times their square."""
        if self.K == 1:
            return []
        out = []
        for layer in self.layers:
            names = self._nets.layers[layer]
            for kind in ("W", "b"):
                both = np.stack([params[f"{name}.{kind}"] for name in names])
                out.append((names, kind, both - both.mean(axis=0)))
        return out

    def penalty(self, params: Params) -> Any:
        """(S)."""
        return self.lam * self.K / 2 * sum((a * a).sum() for _, _, a in self._apart(params))

    def _penalty_backward(self, params: Params, grads: Params) -> None:
        for names, kind, apart in self._apart(params):
            for name, away in zip(names, apart, strict=True):
                grads[f"{name}.{kind}"] = grads[f"{name}.{kind}"] + self.lam * self.K * away
