"""From data and parameters of a neural estimator to what its training starts from."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError, UnknownTask
from mtlref.estimator import Estimator
from mtlref.nn.auxiliary import Auxiliary, AuxiliaryTasks
from mtlref.nn.heads import Head
from mtlref.nn.net import Net, Params
from mtlref.nn.targets import Block, Target, block_of, targets_of, validation_rows
from mtlref.nn.training import Batch
from mtlref.tasks import TaskData

Values = NDArray[Any]


@dataclass(frozen=True)
class Scale:
    """Standardisation of the inputs, and the columns that stay inputs."""

    mean: Values
    sd: Values
    columns: Values

    def standard(self, X: Values) -> Values:
        """(X − mean) / sd, all columns."""
        return np.asarray((X - self.mean) / self.sd)


class Preparing(Estimator):
    """Scales, heads, first parameters and batches; a page gives ``_make(n_in, heads, reverse)``."""

    params_: Params
    net_: Net
    _scale: Scale
    _targets: list[Target]
    _state: Any
    _rng: np.random.Generator

    # The constructor's parameters, the same for every page.
    activation: str
    tower: tuple[int, ...]
    optimizer: Any
    learning_rate: float
    batch_size: int
    max_iter: int
    ridge: float
    task_weights: Any
    balancer: Any
    validation_fraction: float
    patience: int
    standardize: bool
    auxiliary: tuple[Auxiliary, ...]
    start: Any
    frozen: tuple[str, ...]
    dtype: str
    progress: Callable[[int, Values, Values | None], None] | None
    random_state: Any

    def _make(self, n_in: int, heads: list[Head], reverse: dict[int, float]) -> Net:
        raise NotImplementedError

    def _net_options(self, heads: list[Head]) -> dict[str, Any]:
        return {"heads": heads, "tower": self.tower, "activation": self.activation}

    def _begin(
        self, data: TaskData, y: Any, classes: Any
    ) -> tuple[dict[str, Any], Block, np.random.Generator]:
        """Everything that the first rows set: targets, scales, the net, first parameters."""
        rng = np.random.default_rng(self.random_state)
        targets = targets_of(data, self.loss, self.standardize, y, classes)
        block = block_of(data, targets)
        other = self._started()
        removed = {j for extra in self.auxiliary for j in extra.removed(data.p)}
        columns = np.array([j for j in range(data.p) if j not in removed], dtype=np.intp)
        if not len(columns):
            raise DataError("auxiliary outputs must leave a feature to be an input; got none left")
        scale = other._scale if other is not None else self._scale_of(block, columns)
        if other is not None:
            other._check_p(data.p, "X")
            known = {t.name: t for t in other._targets}
            # A tower that is carried over keeps the units that it was trained in.
            targets = [
                known[t.name] if t.name in known and known[t.name].kind == "squared" == t.kind else t
                for t in targets
            ]
            block = block_of(data, targets)
        heads, reverse = self._heads(targets, scale.standard(block.x), block.domain)
        net = self._make(len(scale.columns), heads, reverse)
        params = net.init(rng, np.dtype(self.dtype))
        if other is not None:
            params = _carried(params, net, targets, other)
        learned = self._remember(data)
        aside = {n for extra in self.auxiliary if isinstance(extra, AuxiliaryTasks) for n in extra.names}
        for name in aside:
            if name not in data.names:
                raise UnknownTask(f"AuxiliaryTasks must name tasks of the data; got {name!r}")
        main = tuple(n for n in data.names if n not in aside)
        if not main:
            raise DataError("a task must be left that is not auxiliary; got none")
        if aside and data.form == "single":
            raise DataError("one task cannot be auxiliary to itself")
        learned |= {"tasks_": main, "net_": net, "params_": params}
        learned |= {"_targets": targets, "_scale": scale, "_state": None, "_rng": rng}
        by_task = [t.classes for t in targets if t.name in main]
        if any(c is not None for c in by_task):
            learned["classes_"] = by_task[0] if isinstance(self.loss, str) else by_task
        return learned, block, rng

    def _again(self, data: TaskData) -> tuple[dict[str, Any], Block, np.random.Generator, Any]:
        self._check_p(data.p, "X")
        learned = {n: v for n, v in vars(self).items() if n.endswith("_") and not n.startswith("__")}
        learned |= {n: getattr(self, n) for n in ("_targets", "_scale", "_state", "_rng", "_form")}
        return learned, block_of(data, self._targets), self._rng, self._state

    def _started(self) -> Preparing | None:
        if self.start is None:
            return None
        if not isinstance(self.start, Preparing):
            raise FormError(f"start must be a fitted neural estimator or None; got {self.start!r}")
        self.start._check_fitted()
        return self.start

    def _scale_of(self, block: Block, columns: Values) -> Scale:
        x, w = block.x, block.row_weights
        if not self.standardize:
            return Scale(np.zeros(x.shape[1]), np.ones(x.shape[1]), columns)
        mean = np.average(x, axis=0, weights=w)
        sd = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=w))
        return Scale(
            mean, np.where(sd > 1e-12 * np.abs(mean), sd, 1.0), columns
        )  # a constant's deviation is rounding

    def _heads(
        self, targets: list[Target], x: Values, domain: Values | None
    ) -> tuple[list[Head], dict[int, float]]:
        heads, reverse = [t.head for t in targets], {}
        for extra in self.auxiliary:
            head = extra.head(x, domain, len(targets))
            if head is not None:
                if extra.reverse is not None:
                    reverse[len(heads)] = extra.reverse
                heads.append(head)
        return heads, reverse

    def _held_out(self, block: Block, rng: np.random.Generator) -> Values | None:
        held = validation_rows(block, self.validation_fraction, rng)
        return held if held.any() else None

    def _batch(self, learned: dict[str, Any], block: Block) -> Batch:
        scale: Scale = learned["_scale"]
        standard = scale.standard(block.x)
        ys, masks = list(block.ys), list(block.masks)
        for extra in self.auxiliary:
            if extra.head(standard, block.domain, len(learned["_targets"])) is not None:
                ys.append(extra.target(standard, block.domain))
                masks.append(None)
        return Batch(self._shaped(standard[:, scale.columns]), ys, masks)

    def _shaped(self, x: Values) -> Values:
        """The rows as the net takes them."""
        return x

    def _weights(self, targets: list[Target], K: int) -> Values:
        own = np.ones(len(targets)) if self.task_weights is None else self.task_weights
        weights = inputs.vector(own, "task_weights", len(targets), of="the tasks").copy()
        if (weights < 0).any():
            raise DataError(f"task_weights must be >= 0; got {weights.min()!r}")
        for extra in self.auxiliary:
            if isinstance(extra, AuxiliaryTasks):
                weights[[t.name in extra.names for t in targets]] *= extra.weight
        further = [e.weight for e in self.auxiliary if not isinstance(e, AuxiliaryTasks)]
        return np.concatenate([weights, further])[:K]

    def _watched(self, learned: dict[str, Any], K: int) -> Values | None:
        """The weights of the tasks alone, by which training stops; None where no task has any."""
        targets = learned["_targets"]
        weights = self._weights(targets, K)
        weights[[t.name not in learned["tasks_"] for t in targets] + [True] * (K - len(targets))] = 0.0
        return weights if weights.any() else None

    def _columns(self, targets: list[Target], K: int) -> tuple[Hashable, ...]:
        """What each of the net's losses is: a task's label, or an auxiliary output."""
        further = [type(e).__name__ for e in self.auxiliary if not isinstance(e, AuxiliaryTasks)]
        return tuple([*(t.name for t in targets), *further][:K])


def _carried(params: Params, net: Net, targets: list[Target], other: Preparing) -> Params:
    """First parameters with those of ``other`` where names and shapes agree; a task's parts go by its label."""
    place = {t.name: k for k, t in enumerate(other._targets)}
    where: dict[int, Hashable] = {k: t.name for k, t in enumerate(targets)}
    out = {}
    for name, value in params.items():
        source = net.renamed(name, {k: place[label] for k, label in where.items() if label in place})
        found = None if source is None else other.params_.get(source)
        out[name] = (
            value if found is None or found.shape != value.shape else np.array(found, dtype=value.dtype)
        )
    return out
