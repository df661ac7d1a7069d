"""Hard parameter sharing: one network for all tasks, then a tower for each.

(N)  rep = act(bottom.L(... act(bottom.0(x)))),  out_k = tower_k(rep)
(R)  with reverse={k: s} the values are as above, and the gradient of L_k in rep is multiplied by −s

Source: Caruana 1997; gradient reversal (R): Ganin & Lempitsky 2015.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.nn import dense
from mtlref.nn.heads import Head
from mtlref.nn.net import Cache, Net, Params, Shapes, dense_shapes, widths

Values = NDArray[Any]
# Bytes of one loss's gradient in the representation from which the losses are taken one after another.
LARGE = 1 << 16


class SharedBottom(Net):
    """One bottom for all tasks.

    Parameters
    ----------
    n_in : int, the number of features
    hidden : widths of the bottom's layers
    heads : list of Regression, Binary, Multiclass: one a task
    tower : widths of each tower's hidden layers, default none
    activation : "tanh", "relu", "sigmoid", "elu" ...: a name in ``mtlref.nn.ACTIVATIONS``
    reverse : {task: strength}, gradient reversal between the tower and the bottom (domain-adversarial tasks)

    Parameters by name: bottom.L.W, bottom.L.b, then towerK.L.W, towerK.L.b. Intermediate values: "rep" (B, H).
    Source: caruana1997, ganin2015.

    Examples
    --------
    >>> import numpy as np
    >>> from mtlref.nn import Binary, Regression, SharedBottom
    >>> net = SharedBottom(3, hidden=(4,), heads=[Regression(), Binary()])
    >>> params = net.init(np.random.default_rng(0))
    >>> x, ys = np.eye(3), [np.arange(3.0), np.array([0, 1, 1])]
    >>> losses, J = net.jacobian(params, x, ys)
    >>> J.shape, net.shared_names
    ((2, 16), ('bottom.0.W', 'bottom.0.b'))
    """

    def __init__(
        self,
        n_in: int,
        *,
        hidden: Sequence[int],
        heads: Sequence[Head],
        tower: Sequence[int] = (),
        activation: str = "tanh",
        reverse: Mapping[int, float] | None = None,
    ) -> None:
        self.hidden = widths(hidden, "hidden")
        self._layers: list[tuple[str, ...]] = [(f"bottom.{depth}",) for depth in range(len(self.hidden))]
        super().__init__(n_in, heads=heads, tower=tower, activation=activation, reverse=reverse)

    def _trunk_shapes(self) -> tuple[Shapes, int]:
        sizes = (self.n_in, *self.hidden)
        shapes: Shapes = {}
        for depth in range(len(self.hidden)):
            shapes |= dense_shapes(f"bottom.{depth}", sizes[depth], sizes[depth + 1])
        return shapes, self.hidden[-1]

    def _trunk(self, params: Params, x: Values) -> tuple[Values, Any, dict[str, Values]]:
        rep, steps = dense.forward(params, self._layers, self._act, x)
        return rep, steps, {"rep": rep}

    def _trunk_backward(self, params: Params, saved: Any, d: Values, grads: Params, per_loss: bool) -> None:
        whole = d if per_loss else d[0] if len(d) == 1 else np.add.reduce(d, axis=0)
        dense.backward(saved, self._act, whole, grads, False, own=True)

    def _backward_each(
        self, params: Params, cache: Cache, slopes: list[Values] | Values, grads: Params
    ) -> None:
        if cache["rep"].nbytes < LARGE or not grads:
            super()._backward_each(params, cache, slopes, grads)
            return
        # One loss after another: what passes between the layers then stays in the processor's cache, and nothing as
        # large as the Jacobian itself is made beside it.
        steps: list[dense.Step] = cache.trunk
        known = [self._act.slope(step.z, step.a) for step in steps]
        for k, own in enumerate(self._one_by_one(params, cache.towers, slopes)):
            part = {name: memory[k] for name, memory in grads.items()}
            dense.backward(steps, self._act, own, part, False, slopes=known, own=True)
