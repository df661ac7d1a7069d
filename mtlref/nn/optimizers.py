"""Steps of gradient descent: plain, with momentum, and Adam; pure functions of a gradient and a state.

``state = optimizer.start(d, dtype)``, then ``change, state = optimizer.step(gradient, state)``: the parameters become
θ + change. All parameters are one flat vector (d,). ``move`` is the same step in place, its fast twin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError

Vector = NDArray[Any]
State = tuple[Any, ...]


@dataclass(frozen=True)
class Optimizer:
    """The parent. learning_rate : the step's length η."""

    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        inputs.positive(self.learning_rate, "learning_rate")

    def start(self, d: int, dtype: Any = np.float64) -> State:
        """The state before the first step."""
        return ()

    def step(self, gradient: Vector, state: State) -> tuple[Vector, State]:
        """(what is added to the parameters, the next state)."""
        raise NotImplementedError

    def move(self, vector: Vector, gradient: Vector, state: State, scratch: Vector) -> State:
        """The step in place: ``vector`` becomes θ + change; all four arguments are overwritten."""
        change, state = self.step(gradient, state)
        vector += change
        return state


@dataclass(frozen=True)
class SGD(Optimizer):
    """θ ← θ − η g.

    Examples
    --------
    >>> SGD(0.5).step(np.array([2.0]), ())[0].tolist()
    [-1.0]
    """

    def step(self, gradient: Vector, state: State) -> tuple[Vector, State]:
        """−η g."""
        return -self.learning_rate * gradient, state


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v ← μ v + g,  θ ← θ − η v;  with ``nesterov`` θ ← θ − η (g + μ v). Source: Polyak 1964; Sutskever et al. 2013."""

    momentum: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not inputs.nonnegative(self.momentum, "momentum") < 1:
            raise DataError(f"momentum must be below 1; got {self.momentum!r}")
        inputs.flag(self.nesterov, "nesterov")

    def start(self, d: int, dtype: Any = np.float64) -> State:
        """v = 0."""
        return (np.zeros(d, dtype=dtype),)

    def step(self, gradient: Vector, state: State) -> tuple[Vector, State]:
        """−η v, or −η (g + μ v)."""
        v = self.momentum * state[0] + gradient
        way = gradient + self.momentum * v if self.nesterov else v
        return -self.learning_rate * way, (v,)


@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← β1 m + (1 − β1) g,  v ← β2 v + (1 − β2) g²,  θ ← θ − η m̂ / (√v̂ + ε), m̂ = m / (1 − β1^t), v̂ likewise.

    Source: kingma2015, algorithm 1.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("beta1", "beta2"):
            if not inputs.nonnegative(getattr(self, name), name) < 1:
                raise DataError(f"{name} must be below 1; got {getattr(self, name)!r}")
        inputs.positive(self.eps, "eps")

    def start(self, d: int, dtype: Any = np.float64) -> State:
        """m = v = 0, t = 0."""
        return np.zeros(d, dtype=dtype), np.zeros(d, dtype=dtype), 0

    def step(self, gradient: Vector, state: State) -> tuple[Vector, State]:
        """−η m̂ / (√v̂ + ε)."""
        m, v, t = state
        t += 1
        m = self.beta1 * m + (1 - self.beta1) * gradient
        v = self.beta2 * v + (1 - self.beta2) * (gradient * gradient)
        # The two corrections as one factor and one shift of ε keep the vector passes few.
        root = (1 - self.beta2**t) ** 0.5
        change = m / (np.sqrt(v) + self.eps * root)
        change *= -self.learning_rate * root / (1 - self.beta1**t)
        return change, (m, v, t)

    def move(self, vector: Vector, gradient: Vector, state: State, scratch: Vector) -> State:
        """The step in place."""
        m, v, t = state
        t += 1
        m *= self.beta1
        m += np.multiply(gradient, 1 - self.beta1, out=scratch)
        v *= self.beta2
        gradient *= gradient
        v += np.multiply(gradient, 1 - self.beta2, out=gradient)
        root = (1 - self.beta2**t) ** 0.5
        np.sqrt(v, out=scratch)
        scratch += self.eps * root
        np.divide(m, scratch, out=scratch)
        scratch *= -self.learning_rate * root / (1 - self.beta1**t)
        vector += scratch
        return m, v, t


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adam": Adam}


def optimizer(which: Any, learning_rate: float) -> Optimizer:
    """An Optimizer as it is, or the one of that name with the learning rate."""
    if isinstance(which, Optimizer):
        return which
    if not isinstance(which, str):
        raise FormError(f"optimizer must be a name or an Optimizer; got {which!r}")
    return OPTIMIZERS[inputs.choice(which, "optimizer", tuple(OPTIMIZERS))](learning_rate)
