"""Activations: the value and the slope of each, entry by entry, for real and for complex arguments.

A complex argument is read as a real one with a small imaginary part: the branch is chosen by the real part, and the
value is the branch's analytic continuation, so that complex-step derivatives are exact. At a kink the slope is the
one from the left: relu'(0) = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs

Values = NDArray[Any]


@dataclass(frozen=True)
class Activation:
    """name; value(z); slope(z, a): the derivative at z, with a = value(z) at hand; gain: of the first weights."""

    name: str
    value: Callable[[Values], Values]
    slope: Callable[[Values, Values], Values]
    gain: float = 1.0

    def __reduce__(self) -> tuple[Callable[[str], Activation], tuple[str]]:
        return activation, (self.name,)  # the formulae are not data


def sigmoid(z: Values) -> Values:
    """1 / (1 + exp(−z)), without overflow; for complex z too.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.asarray(0.5 * np.tanh(0.5 * z) + 0.5)


def softplus(z: Values) -> Values:
    """log(1 + exp(z)), without overflow; for complex z too.

    Examples
    --------
    >>> softplus(np.array([-1000.0, 1000.0])).tolist()
    [0.0, 1000.0]
    """
    up = z.real > 0
    return np.asarray(np.where(up, z, 0) + np.log1p(np.exp(np.where(up, -z, z))))


def _relu(z: Values) -> Values:
    if z.dtype.kind != "f":
        return np.where(z.real > 0, z, 0)
    # NumPy's maximum of two arrays takes half the time of that with one number.
    out: Values = np.maximum(z, np.zeros(z.shape[-1:], dtype=z.dtype))
    return out


def _step(z: Values) -> Values:
    return (z.real > 0).astype(z.real.dtype)


def _elu(z: Values) -> Values:
    down = np.expm1(np.where(z.real > 0, 0, z))
    return np.asarray(np.where(z.real > 0, z, down))


def _one(z: Values) -> Any:
    return z.real.dtype.type(1)


# The exact constants of Klambauer et al. 2017, to double precision.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934, 1.6732632423543772848
_LEAK = 0.01

ACTIVATIONS: dict[str, Activation] = {
    a.name: a
    for a in (
        Activation("identity", lambda z: z, lambda z, a: np.ones_like(z)),
        Activation("tanh", np.tanh, lambda z, a: 1 - a * a),
        Activation("sigmoid", sigmoid, lambda z, a: a * (1 - a)),
        Activation("relu", _relu, lambda z, a: _step(z), gain=2.0**0.5),
        Activation(
            "leaky_relu",
            lambda z: np.where(z.real > 0, z, _LEAK * z),
            lambda z, a: np.where(z.real > 0, _one(z), _one(z) * _LEAK),
            gain=2.0**0.5,
        ),
        Activation("elu", _elu, lambda z, a: np.where(z.real > 0, 1, a + 1), gain=2.0**0.5),
        Activation(
            "selu",
            lambda z: _SELU_SCALE * np.where(z.real > 0, z, _SELU_ALPHA * _elu(np.where(z.real > 0, 0, z))),
            lambda z, a: np.where(z.real > 0, _one(z) * _SELU_SCALE, a + _SELU_SCALE * _SELU_ALPHA),
        ),
        Activation("softplus", softplus, lambda z, a: sigmoid(z), gain=2.0**0.5),
        Activation(
            "silu",
            lambda z: z * sigmoid(z),
            lambda z, a: sigmoid(z) + a * (1 - sigmoid(z)),
            gain=2.0**0.5,
        ),
    )
}


def activation(name: str) -> Activation:
    """The activation of that name. Raises DataError for an unknown one.

    Examples
    --------
    >>> activation("relu").value(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    return ACTIVATIONS[inputs.choice(name, "activation", tuple(ACTIVATIONS))]
