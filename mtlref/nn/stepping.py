"""One step of training after another, in memory that is set up once.

θ ← θ + optimizer's change for the gradient of Σ_k w_k L_k + penalty + ridge/2 Σ ‖W‖². All free parameters are one
vector, so is their gradient; the arrays by name are views of it. Losses of heads of one kind are one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import FormError
from mtlref.nn.balancing import Balanced
from mtlref.nn.frozen import are_weights, free_names
from mtlref.nn.net import Net, Params, task_vector
from mtlref.nn.optimizers import Adam, Optimizer, State

Values = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """Checked rows of a batch as ``Stepper.rows`` makes them and ``take`` cuts them."""

    x: Values
    targets: list[Values]
    masks: list[Values | None]
    wide: tuple[Values, Values | None] | None

    def take(self, rows: Any) -> Rows:
        """These rows: a slice or an array of places."""
        if self.wide is not None:
            y, m = self.wide
            return Rows(self.x[rows], [], [], (y[rows], None if m is None else m[rows]))
        return Rows(
            self.x[rows],
            [y[rows] for y in self.targets],
            [None if m is None else m[rows] for m in self.masks],
            None,
        )


class Stepper:
    """A net with parameters of its own and an optimizer's state; ``step(rows)`` moves them.

    params (dict): the parameters now, views that every step changes.  vector (d,): the free ones in a row.  state.

    Examples
    --------
    >>> import numpy as np
    >>> from mtlref.nn import Adam, Regression, SharedBottom, Stepper
    >>> net = SharedBottom(1, hidden=(8,), heads=[Regression(), Regression()])
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> stepper = Stepper(net, net.init(0), optimizer=Adam(0.02))
    >>> rows = stepper.rows(x, [x**2, -x])
    >>> losses = [stepper.step(rows).sum() for _ in range(200)]
    >>> bool(losses[-1] < 0.1 * losses[0])
    True
    """

    def __init__(
        self,
        net: Net,
        params: Params,
        *,
        optimizer: Optimizer | None = None,
        task_weights: Any = None,
        ridge: float = 0.0,
        frozen: Sequence[str] = (),
        balancer: Any = None,
        rng: np.random.Generator | None = None,
        state: State | None = None,
    ) -> None:
        net._check_params(params)
        self.net = net
        self.optimizer = Adam() if optimizer is None else optimizer
        self.weights = task_vector(task_weights, net.K)
        self.free = free_names(net, frozen)
        self.vector = np.concatenate([np.ravel(params[n]) for n in self.free])
        self.params = views(self.vector, params, self.free)
        self.dtype = self.vector.dtype
        self.ridge = inputs.nonnegative(ridge, "ridge")
        self._decay = (self.ridge * are_weights(net, self.free)).astype(self.dtype) if self.ridge else None
        self._gradient = np.empty_like(self.vector)
        self._scratch = np.empty_like(self.vector)
        # Frozen parameters have gradients too; they get memory of their own.
        self._into = views(self._gradient, {n: np.empty_like(params[n]) for n in net.param_names}, self.free)
        self.state = self.optimizer.start(len(self.vector), self.dtype) if state is None else kept(state)
        rng = np.random.default_rng(0) if rng is None else rng
        self._balanced = None if balancer is None else Balanced(net, balancer, self.weights, rng)
        self._wide = net._wide
        self._by_column = np.repeat(self.weights, [h.width for h in net.heads]).astype(self.dtype)
        self._weighted = bool((self.weights != 1).any())

    def rows(self, x: Any, ys: Any, masks: Any = None) -> Rows:
        """Rows checked once, to be used in many steps; arguments and errors as ``loss_and_grad``.

        FormError for a head whose targets every epoch sets anew (Rankprop): that is what ``train`` does.
        """
        for k, head in enumerate(self.net.heads):
            if hasattr(head, "epoch_target"):
                raise FormError(
                    f"heads of a Stepper must have fixed targets; got {head!r} for task {k}: use mtlref.nn.train, "
                    "or Regression(1) with mtlref.nn.rankprop_targets"
                )
        x = self.net._check_x(x).astype(self.dtype, copy=False)
        return self.checked(x, *self.net._targets(ys, masks, len(x), self.dtype))

    def checked(self, x: Values, targets: list[Values], masks: list[Values | None]) -> Rows:
        """Rows from what ``_targets`` gave."""
        wide = None if self._wide is None or self._balanced is not None else self._wide.rows(targets, masks)
        return Rows(x, targets, masks, wide)

    def step(self, rows: Rows) -> Values:
        """L_k (K,) before the step, and θ moves."""
        outs, cache = self.net._forward(self.params, rows.x)
        if rows.wide is not None:
            assert self._wide is not None
            logits = cache.towers.wide
            losses, slopes = self._wide(
                np.concatenate(outs, axis=1) if logits is None else logits, *rows.wide
            )
            if self._weighted:
                slopes *= self._by_column
            self.net._grad_of(self.params, cache, slopes, self._into)
        else:
            losses, parts = self.net._loss_slopes(outs, rows.targets, rows.masks)
            if self._balanced is None:
                self.net._grad(self.params, cache, parts, self.weights, self._into)
            else:
                self._balanced.gradient(self.params, cache, parts, losses, self._into)
        if self._decay is not None:
            self._gradient += np.multiply(self._decay, self.vector, out=self._scratch)
        self.state = self.optimizer.move(self.vector, self._gradient, self.state, self._scratch)
        return losses


def views(vector: Values, params: Params, free: tuple[str, ...]) -> Params:
    """All parameters by name, the free ones as views of the vector."""
    here = dict(params)
    start = 0
    for n in free:
        size = params[n].size
        here[n] = vector[start : start + size].reshape(params[n].shape)
        start += size
    return here


def kept(state: State) -> State:
    """A state of its own: steps change the arrays."""
    return tuple(np.array(a) if isinstance(a, np.ndarray) else a for a in state)
