"""What methods with W = L S share: several starts, of which the lowest answer is kept, and results in users' units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import DataFit
from mtlref.errors import DataError, FormError
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Prepared, Solved, Start
from mtlref.optim.factorpair import Factors
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate, Result
from mtlref.optim.run import Iterate, Outcome, run

Array = NDArray[np.float64]


class FactoredModel(LinearModel):
    """A LinearModel whose objective is a function of the factors L (p, k) and S (k, T), not of W = L S alone.

    A page gives ``starts(problem, size)``, the factors to begin at, and ``bound(fit, W, b, ...)``, a lower bound of the
    objective over all factors. In ``objective`` and ``certificate`` W is a ``Factors``.
    """

    starts: Callable[[Problem, float], list[Factors]]
    bound: ClassVar[Callable[..., float]]

    components_: Array
    membership_: Array

    def _prepare(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Prepared:
        ready = super()._prepare(X, y, tasks, sample_weight)
        return PreparedFactors(*(getattr(ready, f.name) for f in fields(ready)))

    @staticmethod
    def factors(W: Any, p: int, T: int) -> Factors:
        """The pair (L, S), checked. Raises DataError for shapes that do not fit, FormError for one matrix."""
        if not isinstance(W, (tuple, list)) or len(W) != 2:
            raise FormError(
                "the objective is a function of the factors: give W as the pair (L, S), L (p, k) and S (k, T)"
            )
        L, S = inputs.as_float(W[0], "L", 2), inputs.as_float(W[1], "S", 2)
        if L.shape[0] != p or S.shape[1] != T or L.shape[1] != S.shape[0]:
            raise DataError(
                f"L must have shape ({p}, k) and S (k, {T}), with one k; got {L.shape} and {S.shape}"
            )
        inputs.check_finite(L, "L")
        inputs.check_finite(S, "S")
        return Factors(L, S)

    @property
    def subspace_(self) -> Array:
        """(p, rank): an orthonormal basis of the span of the components that some task uses."""
        self._check_fitted()
        used = self.components_[self.membership_.any(axis=0)]
        if not used.any():
            return np.zeros((self.n_features_in_, 0))
        U, sigma, _ = np.linalg.svd(used.T, full_matrices=False)
        return np.asarray(U[:, sigma > 1e-10 * sigma[0]])


class PreparedFactors(Prepared):
    """Data ready for a FactoredModel."""

    def certify(self, model: LinearModel, W: Any, b: Array, weights: dict[str, Any]) -> Certificate:
        """The certificate of the factors W and b, in the user's units, from the data."""
        shift = self.ey - self.ex
        certificate = model.certificate(
            self.fit,
            Factors(np.ldexp(W.L, -shift), W.S),
            np.ldexp(b, -self.ey),
            **self.scaled(model, weights),
        )
        return certificate.rescaled(2 * self.ey, shift)

    def solve(self, model: LinearModel, weights: dict[str, Any], start: Start | None) -> Solved:
        """Run the solver from every start, and keep the answer with the lowest objective; W = 0 is one of them."""
        assert isinstance(model, FactoredModel)
        here = self.scaled(model, weights)
        quick, certify = self._by(model, self.quick, here), self._by(model, self.fit, here)
        first: list[Any] = [] if start is None else [start]
        begins = first + [(W, None) for W in model.starts(self.problem, self.largest_curvature())]
        outcomes: list[Outcome] = []
        descents: list[list[float]] = []
        for begin in begins:
            descents.append([])
            watched = self._watch(model.iterates(self.problem, begin, **here), descents[-1], model, here)
            outcomes.append(run(watched, quick, certify, model.tol, model.max_iter))
        k = len(begins[0][0].S)
        zero: Any = Factors(np.zeros((self.data.p, k)), np.zeros((k, self.data.T)))
        outcomes.append(run(iter([(zero, None)]), quick, certify, model.tol, model.max_iter))
        descents.append([outcomes[-1].certificate.primal])
        # The first of equals, so that rounding alone does not choose zero or another start.
        values = np.array([o.certificate.primal for o in outcomes])
        best = int(np.flatnonzero(values <= values.min() + 1e-12 * outcomes[0].certificate.scale)[0])
        return self._learned(model, outcomes, best, descents[best], here)

    def _by(self, model: LinearModel, fit: DataFit, here: dict[str, Any]) -> Any:
        def certify(W: Any, b: Array | None) -> tuple[Certificate, Array]:
            b = fit.best_intercept(W.W) if b is None else b
            return model.certificate(fit, W, b, **here), b

        return certify

    def _watch(
        self, iterates: Iterator[Iterate], descent: list[float], model: LinearModel, here: dict[str, Any]
    ) -> Iterator[Iterate]:
        """The same iterates; their objectives go into ``descent``."""
        for iterate in iterates:
            if iterate is not None:
                W: Any = iterate[0]
                b = self.quick.best_intercept(W.W) if iterate[1] is None else iterate[1]
                descent.append(model.objective(self.quick, W, b, **here))
            yield iterate

    def _learned(
        self,
        model: FactoredModel,
        outcomes: list[Outcome],
        best: int,
        descent: list[float],
        here: dict[str, Any],
    ) -> Solved:
        outcome = outcomes[best]
        found: Any = outcome.W
        up = 2 * self.ey
        result = Result(
            model.get_params(),
            outcome.status,
            outcome.certificate.rescaled(up, self.ey - self.ex),
            outcome.n_iter,
            outcome.history,
        )
        shown = in_order(found)
        with np.errstate(over="ignore", under="ignore"):
            L = np.ldexp(shown.L, self.ey - self.ex)
            learned = self.remembered(model) | {
                "coef_": np.ascontiguousarray((L @ shown.S).T),
                "intercept_": np.ldexp(outcome.b, self.ey),
                "components_": np.ascontiguousarray(L.T),
                "membership_": np.ascontiguousarray(shown.S.T),
                "descent_": np.ldexp(np.array(descent), up),
                "restart_objectives_": np.ldexp(np.array([o.certificate.primal for o in outcomes[:-1]]), up),
                "lower_bound_": float(np.ldexp(model.bound(self.fit, found, outcome.b, **here), up)),
                "result_": result,
                "n_iter_": outcome.n_iter,
            }
        if self.classes is not None:
            learned["classes_"] = self.classes
        return Solved(learned, result, (found, outcome.b))


def in_order(W: Factors) -> Factors:
    """The components by falling ‖l_j‖ ‖s_j‖_1, each with the sign that makes the sum of s_j >= 0."""
    size = np.linalg.norm(W.L, axis=0) * np.abs(W.S).sum(axis=1)
    order = np.argsort(-size, kind="stable")
    sign = np.where(W.S[order].sum(axis=1) < 0, -1.0, 1.0)
    return Factors(W.L[:, order] * sign, W.S[order] * sign[:, None])
