"""Gradients whose shared part a balancer sets, from the tasks' Jacobian."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError
from mtlref.nn.net import Net, Params

Values = NDArray[Any]


class Balanced:
    """A balancer with its state: ``init(K)`` and ``update(state, J, losses, rng)``, which returns a direction (d,) for
    the shared parameters or weights (K,) of the tasks, and the next state.

    One whose ``needs`` leaves "J" out is asked without a Jacobian. Where the whole trunk is shared, the Jacobian's pass
    is the only one through it.
    """

    def __init__(self, net: Net, balancer: Any, weights: Values, rng: np.random.Generator) -> None:
        for name in ("init", "update"):
            if not callable(getattr(balancer, name, None)):
                raise FormError(
                    f"balancer must have init(K) and update(state, J, losses, rng); got {balancer!r}"
                )
        self.net, self.balancer, self.weights, self.rng = net, balancer, weights, rng
        self.state = balancer.init(net.K)
        self.needs_jacobian = "J" in getattr(balancer, "needs", ("J",))
        own = [n for n in net.param_names if not n.startswith("tower")]
        self.all_shared = set(own) == set(net.shared_names)

    def gradient(
        self, params: Params, cache: Any, slopes: list[Values], losses: Values, into: Params | None = None
    ) -> Params:
        """The gradient by name; with a direction, the towers follow the weighted losses. ``into`` : its memory."""
        net = self.net
        J = net._jacobian(params, cache, slopes) if self.needs_jacobian else None
        answer, self.state = self.balancer.update(self.state, J, losses, self.rng)
        answer = np.asarray(answer)
        shapes = [(net.K,)] if J is None else [(J.shape[1],), (net.K,)]
        if answer.shape not in shapes:
            wanted = " or ".join(map(str, shapes))
            raise DataError(
                f"a balancer must return a direction or weights, {wanted}; got shape {answer.shape}"
            )
        # With as many parameters as tasks the shape does not tell: ``gives`` does, where the balancer has it.
        gives = getattr(self.balancer, "gives", "direction")
        if J is None or answer.shape != shapes[0] or gives == "weights":
            if J is None or not self.all_shared:
                return net._grad(params, cache, slopes, answer, into)
            weights, direction = answer, answer.astype(J.dtype) @ J
        else:
            weights, direction = self.weights, answer
        if self.all_shared:
            grads: Params = {} if into is None else into
            towers: Params = {}
            weighted = [s.dtype.type(w) * s for w, s in zip(weights, slopes, strict=True)]
            net._towers_backward(params, cache.towers, weighted, towers)
            for n, g in towers.items():
                _put(grads, n, g)
        else:
            grads = net._grad(params, cache, slopes, weights, into)
        start = 0
        for n in net.shared_names:
            size = params[n].size
            _put(grads, n, direction[start : start + size].reshape(params[n].shape))
            start += size
        return grads


def _put(grads: Params, name: str, value: Values) -> None:
    """The value under its name, in the memory that is there."""
    if name in grads:
        grads[name][...] = value
    else:
        grads[name] = value
