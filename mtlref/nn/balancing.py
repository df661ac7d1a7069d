"""Gradients whose shared part a balancer sets, from the tasks' Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.nn.net import Net, Params

Values = NDArray[Any]


class Balanced:
    """A balancer with its state: ``init(K)`` and ``update(state, J, losses, rng)``, which returns a direction (d,) for
    the shared parameters or weights (K,) of the tasks, and the next state.
    """

    def __init__(self, net: Net, balancer: Any, weights: Values, rng: np.random.Generator) -> None:
        self.net, self.balancer, self.weights, self.rng = net, balancer, weights, rng
        self.state = balancer.init(net.K)

    def gradient(
        self, params: Params, cache: Any, slopes: list[Values], losses: Values, into: Params | None = None
    ) -> Params:
        """The gradient by name; with a direction, the towers follow the weighted losses. ``into`` : its memory."""
        J = self.net._jacobian(params, cache, slopes)
        answer, self.state = self.balancer.update(self.state, J, losses, self.rng)
        direction, weights = (J.shape[1],), (self.net.K,)
        if np.shape(answer) not in (direction, weights):
            raise DataError(
                f"a balancer must return a direction {direction} or weights {weights}; got shape {np.shape(answer)}"
            )
        # With as many parameters as tasks the shape does not tell: ``gives`` does, where the balancer has it.
        if np.shape(answer) != direction or getattr(self.balancer, "gives", "direction") == "weights":
            return self.net._grad(params, cache, slopes, np.asarray(answer), into)
        grads = self.net._grad(params, cache, slopes, self.weights, into)
        start = 0
        for n in self.net.shared_names:
            size = params[n].size
            part = np.asarray(answer)[start : start + size].reshape(params[n].shape)
            if into is None:
                grads[n] = part
            else:
                grads[n][...] = part
            start += size
        return grads
