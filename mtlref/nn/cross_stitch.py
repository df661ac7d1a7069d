"""Cross-stitch networks: a net a task, whose activations are mixed after every layer.

(N)  a_k^l = act(net{k}.l(h_k^{l−1})),  h_k^l = Σ_j S^l[k, j] a_j^l     per="scalar",  S^l (K, K)
     h_k^l[:, c] = Σ_j S^l[k, j, c] a_j^l[:, c]                           per="channel", S^l (K, K, width)

Source: Misra et al. 2016, equations 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.nn.heads import Head
from mtlref.nn.net import Net, Params, Shapes, widths
from mtlref.nn.stack import Stack

Values = NDArray[Any]


class CrossStitch(Net):
    """A net a task with cross-stitch units after every layer.

    Parameters
    ----------
    n_in, heads, tower, activation : as in SharedBottom
    hidden : widths of each net's layers
    per : "scalar", one weight for two tasks, or "channel", one for two tasks and a channel
    own : float, the first weight of a task for itself; the rest goes to the others in equal parts; default 0.9

    Every loss depends on every net: all of the trunk is shared. Parameters by name: netK.L.W, netK.L.b, stitchL, then
    towers. Intermediate values: "hL" (B, K, width), the mixed activations. Source: misra2016.

    Examples
    --------
    >>> import numpy as np
    >>> from mtlref.nn import CrossStitch, Regression
    >>> net = CrossStitch(2, hidden=(3, 3), heads=[Regression(), Regression()], per="channel")
    >>> net.init(0)["stitch1"].shape
    (2, 2, 3)
    """

    def __init__(
        self,
        n_in: int,
        *,
        hidden: Sequence[int],
        heads: Sequence[Head],
        tower: Sequence[int] = (),
        activation: str = "tanh",
        per: str = "scalar",
        own: float = 0.9,
    ) -> None:
        self.hidden = widths(hidden, "hidden")
        self.per = inputs.choice(per, "per", ("scalar", "channel"))
        self.own = inputs.nonnegative(own, "own")
        super().__init__(n_in, heads=heads, tower=tower, activation=activation)

    def _trunk_shapes(self) -> tuple[Shapes, int]:
        sizes = (self.n_in, *self.hidden)
        self._nets = Stack(tuple(f"net{k}" for k in range(self.K)), sizes)
        shapes = dict(self._nets.shapes())
        for depth, width in enumerate(self.hidden):
            shapes[f"stitch{depth}"] = (self.K, self.K, width)[: 2 if self.per == "scalar" else 3]
        return shapes, self.hidden[-1]

    def _first(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Values:
        if not name.startswith("stitch"):
            return super()._first(name, shape, rng)
        if self.K == 1:
            return np.ones(shape)
        away = (1.0 - self.own) / (self.K - 1)
        S = np.full((self.K, self.K), away) + (self.own - away) * np.eye(self.K)
        return S if self.per == "scalar" else np.repeat(S[:, :, None], shape[2], axis=2)

    def _trunk(self, params: Params, x: Values) -> tuple[Values, Any, dict[str, Values]]:
        saved, values = [], {}
        h = x
        for depth in range(len(self.hidden)):
            a, steps = self._layer(depth).forward(params, self._act, h)
            S = params[f"stitch{depth}"]
            saved.append((steps, a))
            if self.per == "scalar":
                h = (S @ a.reshape(self.K, -1)).reshape(a.shape)
            else:
                h = np.einsum("kjc,jbc->kbc", S, a)
            values[f"h{depth}"] = np.swapaxes(h, 0, 1)
        return h, saved, values

    def _layer(self, depth: int) -> Stack:
        """One layer of all nets, as a stack of its own."""
        names = tuple(f"net{k}.{depth}" for k in range(self.K))
        sizes = (self.n_in, *self.hidden)
        return Stack(names, sizes[depth : depth + 2], flat=True)

    def _trunk_backward(self, params: Params, saved: Any, d: Values, grads: Params, per_loss: bool) -> None:
        if per_loss:
            # Loss k enters through stream k alone: (losses, streams, B, H) with the rest zero.
            lead = np.zeros((self.K, *d.shape), dtype=d.dtype)
            lead[np.arange(self.K), np.arange(self.K)] = d
            d = lead
        for depth in reversed(range(len(self.hidden))):
            steps, a = saved[depth]
            S = params[f"stitch{depth}"]
            if self.per == "scalar":
                flat, lines = d.reshape(*d.shape[:-2], -1), a.reshape(self.K, -1)
                grads[f"stitch{depth}"] = flat @ lines.T
                da = (S.T @ flat).reshape(d.shape)
            else:
                grads[f"stitch{depth}"] = np.einsum("...kbc,jbc->...kjc", d, a)
                da = np.einsum("kjc,...kbc->...jbc", S, d)
            into = self._layer(depth).backward(steps, self._act, da, grads, depth > 0)
            if into is not None:
                d = into
