"""The estimator face of ``mtlref.nn.SoftSharing``: the equations are in ``mtlref.nn.soft_sharing``."""

from __future__ import annotations

from typing import Any

from mtlref.errors import FormError
from mtlref.nn.auxiliary import Auxiliary
from mtlref.nn.heads import Head
from mtlref.nn.model import NeuralModel
from mtlref.nn.net import Net
from mtlref.nn.soft_sharing import SoftSharing
from mtlref.registry import register


@register(
    family="nn",
    penalty="rep_k = act(net_k(x)), + lam/2 Σ_{s<t} ‖θ_s − θ_t‖²",
    sources=("duong2015",),
    losses=("squared", "logistic"),
    properties=("neural",),
    certificate="complex-step gradient check",
)
class SoftSharingMLP(NeuralModel):
    """A network a task, pulled towards each other.

    Model: rep_k = act(net_k(x)), + lam/2 Σ_{s<t} ‖θ_s − θ_t‖²; every task has its own tower and head.

    Parameters
    ----------
    hidden : widths of each net's layers, default (32,)
    lam : >= 0, of lam/2 Σ_{s<t} ‖θ_s − θ_t‖² over the layers pulled; default 0.01
    layers : places of the layers that are pulled, default all
    tower : widths of each tower's hidden layers, default none
    activation : a name in ``mtlref.nn.ACTIVATIONS``; default "relu"
    loss : "squared", "logistic" (two classes), "softmax" (several) or "rankprop" (an order) for all, or a list or
        dict over tasks; default "squared"
    optimizer : "sgd", "momentum", "adam", or an Optimizer
    learning_rate : > 0, default 0.01
    batch_size : rows of a step, default 32
    max_iter : epochs at most, default 200
    ridge : >= 0, of ridge/2 Σ ‖W‖² over weights (not biases), default 0.0001
    task_weights : (K,) weights of the tasks' losses in the order of the data's tasks, default ones
    balancer : None, or a balancer of ``mtlref.balance`` that sets the step of the shared parameters or the weights
    validation_fraction : in [0, 1), the share of rows that early stopping looks at; default 0.1, 0 for none
    patience : epochs without a better validation loss before the end, default 20
    standardize : standardise inputs and numeric targets, default True
    auxiliary : outputs learned in training only, as ``mtlref.nn.Reconstruction()``
    start : a fitted estimator whose parameters are taken over where name, task label and shape agree
    frozen : parameters that stay as they start, as ("bottom",)
    dtype : "float64" or "float32"; default "float64"
    progress : called after each epoch with (epoch, training losses, validation losses or None)
    random_state : int, Generator or None

    Attributes: params_, net_, tasks_, history_, n_iter_, certificate_, classes_, n_features_in_: see ``NeuralModel``.

    Raises: DataError and FormError for data and parameters outside their ranges; NotConverged is warned where a loss
    was no finite number.

    Stops when the validation loss did not fall for ``patience`` epochs, or after ``max_iter``; the best epoch is kept.
    Certificate: the gradient that was followed is that of the loss, by complex steps; no optimality.
    Cost: a forward and a backward pass of all towers for each row and epoch.
    Departs from the source: early stopping, standardisation and Adam are ours. Source: duong2015.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> X = np.linspace(-1, 1, 60).reshape(20, 3)
    >>> model = mt.nn.SoftSharingMLP(max_iter=5, random_state=0).fit(X, np.column_stack([X[:, 0], -X[:, 0]]))
    >>> model.predict(X[:4]).shape, model.certificate_.error < 1e-13
    ((4, 2), True)
    """

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = (32,),
        lam: float = 0.01,
        layers: Any = None,
        tower: tuple[int, ...] = (),
        activation: str = "relu",
        loss: Any = "squared",
        optimizer: Any = "adam",
        learning_rate: float = 0.01,
        batch_size: int = 32,
        max_iter: int = 200,
        ridge: float = 0.0001,
        task_weights: Any = None,
        balancer: Any = None,
        validation_fraction: float = 0.1,
        patience: int = 20,
        standardize: bool = True,
        auxiliary: tuple[Auxiliary, ...] = (),
        start: Any = None,
        frozen: tuple[str, ...] = (),
        dtype: str = "float64",
        progress: Any = None,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.lam = lam
        self.layers = layers
        self.tower = tower
        self.activation = activation
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.ridge = ridge
        self.task_weights = task_weights
        self.balancer = balancer
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.standardize = standardize
        self.auxiliary = auxiliary
        self.start = start
        self.frozen = frozen
        self.dtype = dtype
        self.progress = progress
        self.random_state = random_state

    def _make(self, n_in: int, heads: list[Head], reverse: dict[int, float]) -> Net:
        if reverse:
            raise FormError("DomainAdversary needs a part that every task passes; SoftSharingMLP has none")
        return SoftSharing(
            n_in, hidden=self.hidden, lam=self.lam, layers=self.layers, **self._net_options(heads)
        )
