"""The training loop: minibatches, early stopping on a validation part, frozen parameters, learning curves.

An epoch is one pass over shuffled rows; under a balancer, rows that count for some tasks alone are dealt to the batches
so that each has its share of every task. The loop ends after ``epochs``, or when the weighted validation loss (without
validation rows: no such end) did not fall for ``patience`` epochs, or when a loss is no finite number; what is returned
are the parameters of the best validation loss, of the last epoch without validation rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.nn.net import Net, Params, task_vector
from mtlref.nn.optimizers import Optimizer, State
from mtlref.nn.stepping import Stepper, views

Values = NDArray[Any]
Progress = Callable[[int, Values, "Values | None"], None]


class Ending(Enum):
    """How a training ended; the values are the messages."""

    EPOCHS = "all epochs were run"
    PATIENCE = "the validation loss did not fall any more"
    NOT_FINITE = "a loss was not a finite number"


@dataclass(frozen=True)
class Batch:
    """Rows to learn from: x (n, ...), ys a list over tasks, masks as ``loss_and_grad`` takes them."""

    x: Any
    ys: Sequence[Any]
    masks: Any = None


@dataclass(frozen=True)
class Trained:
    """params; ending; best_epoch, from 0; train (epochs, K) and validation (epochs, K) or None: the losses by epoch,
    the first the means over the epoch's batches as they were met; state, that of the optimizer.
    """

    params: Params = field(repr=False)
    ending: Ending
    best_epoch: int
    train: Values = field(repr=False)
    validation: Values | None = field(repr=False)
    state: State = field(repr=False)


def train(
    net: Net,
    params: Params,
    data: Batch,
    *,
    rng: np.random.Generator,
    optimizer: Optimizer | None = None,
    task_weights: Any = None,
    watch: Any = None,
    epochs: int = 100,
    batch_size: int = 64,
    validation: Batch | None = None,
    patience: int = 20,
    ridge: float = 0.0,
    frozen: Sequence[str] = (),
    balancer: Any = None,
    state: State | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Minimise Σ w_k L_k + penalty + ridge/2 Σ ‖W‖² over weights W (not biases), by minibatches.

    Parameters
    ----------
    params : where to start; left as they are
    data, validation : Batch, the rows to learn from and those to stop by
    rng : Generator, shuffles the rows
    optimizer : default Adam()
    task_weights : (K,), default ones
    watch : (K,) weights of the losses that early stopping looks at, default task_weights
    epochs, batch_size, patience : whole numbers >= 1
    frozen : names of parameters that stay, or parts of them: "bottom" for all of bottom.*, "expert*.W"
    balancer : None, or an object with ``init(K)`` and ``update(state, J, losses, rng)`` that returns a direction (d,)
        for the shared parameters, or weights (K,) of the tasks, and its next state; towers follow Σ w_k L_k
    state : the optimizer's, from an earlier ``Trained`` with the same ``frozen``
    progress : called after each epoch with (epoch, training losses, validation losses or None)

    Raises DataError for data that do not fit the net and for a name in ``frozen`` that no parameter has.

    Examples
    --------
    >>> from mtlref.nn import Adam, Regression, SharedBottom
    >>> net = SharedBottom(1, hidden=(8,), heads=[Regression()])
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> out = train(net, net.init(0), Batch(x, [x**2]), rng=np.random.default_rng(0), optimizer=Adam(0.02))
    >>> bool(out.train[-1, 0] < 0.1 * out.train[0, 0])
    True
    """
    for value, name in ((epochs, "epochs"), (batch_size, "batch_size"), (patience, "patience")):
        inputs.count(value, name)
    stepper = Stepper(
        net,
        params,
        optimizer=optimizer,
        task_weights=task_weights,
        ridge=ridge,
        frozen=frozen,
        balancer=balancer,
        rng=rng,
        state=state,
    )
    weights, vector, here = stepper.weights, stepper.vector, stepper.params
    watched = weights if watch is None else task_vector(watch, net.K)
    x = net._check_x(data.x).astype(vector.dtype, copy=False)
    targets, masks = net._targets(data.ys, data.masks, len(x), x.dtype)
    check = None if validation is None else _Check(net, validation, vector.dtype)

    counts = None  # each row's weight for each task (n, K), None where all are one
    if any(m is not None for m in masks):
        counts = np.column_stack([np.ones(len(x)) if m is None else m for m in masks])
    ends = None
    if balancer is not None and counts is not None:
        # A balancer looks at every task in every batch: batches of one size, each with its share of every task.
        ends = np.linspace(0, len(x), -(-len(x) // batch_size) + 1).astype(int).tolist()
    best, best_at, kept = np.inf, 0, vector.copy()
    curve, checked = [], []
    ending = Ending.EPOCHS
    for epoch in range(epochs):
        order = rng.permutation(len(x)) if ends is None else _dealt(counts, rng)
        now = _epoch_targets(net, here, x, targets, masks, epoch)
        shuffled = stepper.checked(x, now, masks).take(order)
        total, seen = np.zeros(net.K), np.zeros(net.K)
        for start, end in pairwise(range(0, len(x) + batch_size, batch_size) if ends is None else ends):
            rows = slice(start, end)
            losses = stepper.step(shuffled.take(rows))
            part = order[rows]
            count: Any = len(part) if counts is None else np.add.reduce(counts[part])
            total += count * losses
            seen += count
        curve.append(np.divide(total, seen, out=np.zeros(net.K), where=seen > 0))
        if check is not None:
            checked.append(check.losses(here))
        if progress is not None:
            progress(epoch, curve[-1], checked[-1] if checked else None)
        score = float(watched @ (checked or curve)[-1])
        # What is not finite once stays so; the last good parameters are kept.
        if not np.isfinite((checked or curve)[-1]).all() or not np.isfinite(vector).all():
            ending = Ending.NOT_FINITE
            break
        if check is None or score < best:
            best, best_at = score, epoch
            kept[:] = vector
        elif epoch - best_at >= patience:
            ending = Ending.PATIENCE
            break
    return Trained(
        {n: np.array(a) for n, a in views(kept, params, stepper.free).items()},
        ending,
        best_at,
        np.array(curve),
        np.array(checked) if checked else None,
        stepper.state,
    )


def _dealt(counts: Any, rng: np.random.Generator) -> Values:
    """An order of the rows in which each task's rows, in an order of their own, are spread evenly."""
    group = np.argmax(counts > 0, axis=1)
    place = np.empty(len(group))
    for k in np.unique(group):
        rows = np.flatnonzero(group == k)
        place[rows] = (rng.permutation(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place)


def _epoch_targets(
    net: Net, params: Params, x: Values, targets: list[Values], masks: list[Values | None], epoch: int
) -> list[Values]:
    """The targets, set anew from the current outputs for heads that ask for it (Rankprop)."""
    if not any(hasattr(head, "epoch_target") for head in net.heads):
        return targets
    outs, _ = net._forward(params, x)
    out = []
    for head, z, y, m in zip(net.heads, outs, targets, masks, strict=True):
        seen = np.ones(len(x), dtype=bool) if m is None else m > 0
        out.append(head.epoch_target(z, y, seen, epoch) if hasattr(head, "epoch_target") else y)
    return out


class _Check:
    """Losses on the validation rows."""

    def __init__(self, net: Net, batch: Batch, dtype: Any) -> None:
        self.net = net
        self.x = net._check_x(batch.x).astype(dtype, copy=False)
        self.targets, self.masks = net._targets(batch.ys, batch.masks, len(self.x), dtype)

    def losses(self, params: Params) -> Values:
        now = _epoch_targets(self.net, params, self.x, self.targets, self.masks, 10**6)
        return self.net._loss_slopes(self.net._forward(params, self.x)[0], now, self.masks)[0]
