"""The estimator face of the nets: fit, partial_fit, fine_tune and predict in every form of data.

A row of a ragged task counts for its task alone (a mask); rows of one design count for every task that observed them.
Inputs, and the targets of "squared" tasks, are standardised with the training rows' means and deviations.
"""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError, NotConverged
from mtlref.moments import Moments
from mtlref.nn.auxiliary import Auxiliary
from mtlref.nn.frozen import frozen_names
from mtlref.nn.gradient_check import GradientCheck, check_gradient
from mtlref.nn.net import Net
from mtlref.nn.optimizers import optimizer
from mtlref.nn.predicting import Predicting
from mtlref.nn.preparing import Preparing
from mtlref.nn.targets import Block
from mtlref.nn.training import Ending, Trained, train
from mtlref.tasks import TaskData

Values = NDArray[Any]


class NeuralModel(Predicting, Preparing):
    """The parent of the neural estimators; a page gives ``_make(n_in, heads, reverse)``.

    Attributes: params_ (dict), net_, tasks_, history_ ("train" (epochs, K), "validation" (epochs, K) or None,
    "columns": the tasks' labels and auxiliary outputs that the K are, "best_epoch", "ending"), n_iter_ (epochs run),
    certificate_ (GradientCheck at the answer), classes_ (labels: one array where ``loss`` is a word, else a list over
    tasks with None for numbers), n_features_in_, feature_names_in_.
    """

    certificate_: GradientCheck
    history_: dict[str, Any]

    # -- fitting -------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Self:
        """Train from fresh parameters (or those of ``start``) on data in any form of the contract.

        Ends as ``mtlref.nn.train`` does; warns NotConverged where a loss was no finite number. Raises DataError and
        FormError for data and parameters outside their ranges.
        """
        data = self._taskdata(X, y, tasks, sample_weight)
        learned, block, rng = self._begin(data, y, None)
        held = self._held_out(block, rng)
        outcome = self._train(learned, block, held, rng, self.max_iter, self.frozen)
        self._finish(learned, block, outcome, self.frozen)
        return self

    def partial_fit(
        self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None, classes: Any = None
    ) -> Self:
        """One more epoch on these rows, without a validation part. The first call sets tasks, classes and scales.

        classes : the labels, where the first rows may lack some (``loss`` a word). Later rows may have some of the
        tasks. Raises UnknownTask for a task that the first call did not have.
        """
        data = self._taskdata(X, y, tasks, sample_weight)
        if not hasattr(self, "params_"):
            learned, block, rng = self._begin(data, y, classes)
            state = None
        else:
            learned, block, rng, state = self._again(data)
        outcome = self._train(learned, block, None, rng, 1, self.frozen, state)
        self._finish(learned, block, outcome, self.frozen, earlier=getattr(self, "history_", None))
        return self

    def fine_tune(
        self,
        X: Any,
        y: Any = None,
        tasks: Any = None,
        sample_weight: Any = None,
        *,
        frozen: tuple[str, ...] = (),
        epochs: int | None = None,
        learning_rate: float | None = None,
    ) -> Self:
        """Go on from the fitted parameters, on all of the fitted tasks or some; towers of the others stay.

        frozen : parameters that stay too, as "bottom".  epochs, learning_rate : in place of the constructor's.
        """
        self._check_fitted()
        data = self._taskdata(X, y, tasks, sample_weight)
        learned, block, rng, _ = self._again(data)
        held = self._held_out(block, rng)
        absent = [k for k, t in enumerate(self._targets) if t.name not in set(data.names)]
        still = (*frozen, *(f"tower{k}" for k in absent))
        outcome = self._train(
            learned, block, held, rng, self.max_iter if epochs is None else epochs, still, None, learning_rate
        )
        self._finish(learned, block, outcome, still, earlier=self.history_)
        return self

    def _taskdata(self, X: Any, y: Any, tasks: Any, sample_weight: Any) -> TaskData:
        inputs.count(self.max_iter, "max_iter")
        inputs.flag(self.standardize, "standardize")
        inputs.choice(self.dtype, "dtype", ("float32", "float64"))
        if not inputs.nonnegative(self.validation_fraction, "validation_fraction") < 1:
            raise DataError(f"validation_fraction must be below 1; got {self.validation_fraction!r}")
        if not isinstance(self.auxiliary, (tuple, list)):
            raise FormError(
                f"auxiliary must be a tuple of auxiliary outputs, as (Reconstruction(),); got {self.auxiliary!r}"
            )
        for extra in self.auxiliary:
            if not isinstance(extra, Auxiliary):
                raise FormError(f"auxiliary must hold auxiliary outputs, as Reconstruction(); got {extra!r}")
        data = self._read(X, y, tasks, sample_weight)
        if isinstance(data, Moments):
            raise FormError("a net needs the rows: Moments do not hold them")
        return data

    def _train(
        self,
        learned: dict[str, Any],
        block: Block,
        held: Values | None,
        rng: np.random.Generator,
        epochs: int,
        frozen: tuple[str, ...],
        state: Any = None,
        learning_rate: float | None = None,
    ) -> Trained:
        net: Net = learned["net_"]
        return train(
            net,
            learned["params_"],
            self._batch(learned, block if held is None else block.take(~held)),
            rng=rng,
            optimizer=optimizer(
                self.optimizer, self.learning_rate if learning_rate is None else learning_rate
            ),
            task_weights=self._weights(learned["_targets"], net.K),
            watch=self._watched(learned, net.K),
            epochs=epochs,
            batch_size=self.batch_size,
            validation=None if held is None else self._batch(learned, block.take(held)),
            patience=self.patience,
            ridge=self.ridge,
            balancer=self.balancer,
            frozen=frozen,
            state=state,
            progress=self.progress,
        )

    def _finish(
        self,
        learned: dict[str, Any],
        block: Block,
        outcome: Trained,
        frozen: tuple[str, ...],
        earlier: dict[str, Any] | None = None,
    ) -> None:
        """Keep what was learned, with a check of the gradient on the first rows."""
        net: Net = learned["net_"]
        if outcome.ending is Ending.NOT_FINITE:
            warnings.warn(
                f"{type(self).__name__}: {outcome.ending.value} in epoch {len(outcome.train) - 1}; the parameters are "
                f"those of epoch {outcome.best_epoch}. A smaller learning_rate may help.",
                NotConverged,
                stacklevel=3,
            )
        batch = self._batch(learned, block.take(np.arange(min(len(block.x), 64))))
        learned |= {
            "params_": outcome.params,
            "_state": outcome.state,
            "n_iter_": len(outcome.train) + (len(earlier["train"]) if earlier else 0),
            "history_": {
                "train": _joined(earlier, "train", outcome.train),
                "validation": outcome.validation,
                "columns": self._columns(learned["_targets"], net.K),
                "best_epoch": outcome.best_epoch,
                "ending": outcome.ending.value,
            },
            "certificate_": check_gradient(
                net,
                outcome.params,
                batch.x,
                batch.ys,
                batch.masks,
                self._weights(learned["_targets"], net.K),
                without=frozen_names(net, frozen),
            ),
        }
        self._adopt(learned)


def _joined(earlier: dict[str, Any] | None, name: str, now: Values) -> Values:
    return now if earlier is None else np.concatenate([earlier[name], now])
