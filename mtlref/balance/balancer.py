"""What every gradient balancer offers: a call, ``solve`` with its certificate, the pure protocol of a training loop.

    direction = balancer(J)                                        # J (m, d) -> (d,)
    solution = balancer.solve(J)                                   # direction, weights, certificate
    state = balancer.init(m)
    direction, state = balancer.update(state, J, losses, rng)      # nothing else is changed

A training step is θ ← θ − rate · direction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.balance.answer import Solution, certify
from mtlref.balance.jacobian import Rows, as_jacobian, as_losses, rows_of
from mtlref.errors import DataError, FormError
from mtlref.inputs import count

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stateless:
    """The state of a balancer that keeps nothing: the number of tasks."""

    T: int


@dataclass(frozen=True)
class Found:
    """A direction before its certificate.

    direction (d,); weights (m,) or None; residual : computes the certificate's number; state : the one that follows.
    """

    direction: Array
    weights: Array | None
    residual: Callable[[], float]
    state: Any = None


class GradientBalancer(ABC):
    """A function of the task gradients; the subclasses are frozen dataclasses whose fields are its parameters.

    gives : "direction".  sources : keys of the bibliography.  kind : what the certificate's residual measures.
    properties : names of laws that the direction obeys.  random : what ``draw`` holds where the method draws, else "".
    """

    gives: ClassVar[str] = "direction"
    sources: ClassVar[tuple[str, ...]] = ()
    formula: ClassVar[str] = ""
    kind: ClassVar[str] = ""
    properties: ClassVar[tuple[str, ...]] = ()
    random: ClassVar[str] = ""

    @property
    def degree(self) -> float:
        """k in f(a J) = a^k f(J), a > 0."""
        return 1.0

    @property
    def copies(self) -> float:
        """k in f([J; J]) = k f(J)."""
        return 1.0

    @abstractmethod
    def _find(self, J: Array, rows: Rows, losses: Any, state: Any, rng: Any, draw: Any) -> Found:
        """The answer for a checked J."""

    def _quick(self, J: Any) -> Array | None:
        """The direction by a short way; None where there is none, or where J is not what it takes."""
        return None

    def _drawn(self, rng: Any, draw: Any) -> None:
        if not self.random and draw is not None:
            raise FormError(
                f"{type(self).__name__} draws nothing: draw must be None; got {type(draw).__name__}"
            )
        check_rng(rng)

    def __call__(self, J: Any, losses: Any = None, *, rng: Any = None, draw: Any = None) -> Array:
        """The direction (d,) for task gradients J (m, d). Raises DataError, FormError for bad input."""
        if losses is None and rng is None and draw is None:
            quick = self._quick(J)
            if quick is not None:
                return quick
        J = as_jacobian(J)
        return self._from(self.init(len(J)), J, losses, rng, draw).direction

    def solve(self, J: Any, losses: Any = None, *, rng: Any = None, draw: Any = None) -> Solution:
        """Direction, weights and certificate for task gradients J (m, d). Raises DataError, FormError for bad input."""
        J = as_jacobian(J)
        found = self._from(self.init(len(J)), J, losses, rng, draw)
        certificate = certify(J, rows_of(J), found.direction, self.kind, found.residual())
        return Solution(found.direction, found.weights, certificate)

    def init(self, T: int) -> Any:
        """The state before the first step with T tasks."""
        return Stateless(count(T, "T"))

    def update(
        self, state: Any, J: Any, losses: Any = None, rng: Any = None, *, draw: Any = None
    ) -> tuple[Array, Any]:
        """The direction (d,) for J (T, d) and the state after it; arguments stay as they are, but for rng's own."""
        J = as_jacobian(J)
        if len(J) != state.T:
            raise DataError(
                f"J must have a row for each of the {state.T} tasks of the state; got shape {J.shape}"
            )
        found = self._from(state, J, losses, rng, draw)
        return found.direction, state if found.state is None else found.state

    def _from(self, state: Any, J: Array, losses: Any, rng: Any, draw: Any) -> Found:
        self._drawn(rng, draw)
        if losses is not None:
            losses = as_losses(losses, len(J))
        return self._find(J, rows_of(J), losses, state, rng, draw)


def check_rng(rng: Any) -> None:
    """Raise FormError unless rng is None or something that draws like a numpy Generator."""
    if rng is not None and not all(hasattr(rng, name) for name in ("random", "permutation", "normal")):
        raise FormError(f"rng must be a numpy.random.Generator or None; got {type(rng).__name__}")
