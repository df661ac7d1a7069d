"""What the loss term over rows and over moments have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.datafit.dual import DualPoint
from mtlref.moments import Moments
from mtlref.tasks import TaskData

Array = NDArray[np.float64]
Times = Callable[[Array, Array], Array]
EPS = float(np.finfo(float).eps)
# Below this share of F(0, b0) a gap needs no second lower bound.
NEGLIGIBLE = 1e-9
# A penalty below this share of the gap may have drowned in rounding.
FAINT = 1e-3
# A sum that must be zero is zero to rounding below this share of what it could be.
FREE = 1e-8


@dataclass(frozen=True, eq=False)
class DataFit(ABC):
    """The loss term L(W, b).

    ``pooled_intercept`` : one intercept for all tasks.  ``times`` : products of matrices on one design, by the BLAS of
    the loop whose answers are certified.
    """

    loss: str
    scaling: str
    fit_intercept: bool
    pooled_intercept: bool
    data: TaskData | Moments
    times: Times = np.matmul
    # Whether W may be FewRows where a certificate of row norms asks.
    takes_few_rows: ClassVar[bool] = False

    # -- what rows and moments answer each in their way --------------------------------------------------------------

    @property
    @abstractmethod
    def mass(self) -> Array:
        """(T,): the sum of each task's weights."""

    @property
    @abstractmethod
    def target_squares(self) -> Array:
        """(T,): Σ_i s_ti y_ti²."""

    @abstractmethod
    def total(self, W: Array, b: Array) -> float:
        """L(W, b); W (p, T), b (T,)."""

    @abstractmethod
    def best_intercept(self, W: Array) -> Array:
        """(T,): argmin_b L(W, b), zeros where no intercept is fitted."""

    @abstractmethod
    def dual_point(self, W: Array) -> DualPoint:
        """θ and G at W with the best intercepts."""

    def long_rows_point(self, W: Array, least: float) -> tuple[NDArray[np.intp] | slice, DualPoint]:
        """(rows, ``dual_point(W)`` with these rows of G alone): all others are shorter than ``least`` and the longest.

        Rows of W that are not zero are among them.
        """
        return slice(None), self.dual_point(W)

    @abstractmethod
    def free_point(self, W: Array) -> DualPoint:
        """A dual point near that of W with G = 0 to rounding (Σ_t G_t = 0 for one w): what no penalty at all asks for.

        Squared loss. ``free_charge`` says what that rounding costs.
        """

    @property
    @abstractmethod
    def row_basis(self) -> Any:
        """(p, k): an orthonormal basis of the span of the rows where they are known and fewer than the features."""

    @property
    @abstractmethod
    def column_energy(self) -> Array:
        """(T, p): c_t Σ_i s_ti x_tij², centred where an intercept is fitted: bounds the loss's second derivatives."""

    @abstractmethod
    def curvature(self, t: int, w: Array, b: float) -> Array:
        """c_t X_t' diag(s_ti l'') X_t, centred where an intercept is fitted; in ``row_basis``."""

    @abstractmethod
    def pooled_curvature(self) -> Array:
        """Σ_t c_t X_t' diag(s_t) X_t about the mean of all rows; in ``row_basis``."""

    @abstractmethod
    def moved(self, point: DualPoint, W: Array, b: Array, V: Array) -> DualPoint:
        """The point at θ_t − D_t X_t v_t, D_t = diag(c_t s_ti l''), rows centred by it; V in ``row_basis``."""

    # -- what follows from that --------------------------------------------------------------------------------------

    @cached_property
    def c(self) -> Array:
        """(T,): the factor of each task's sum."""
        return np.ones(self.data.T) if self.scaling == "sum" else 1.0 / self.mass

    @cached_property
    def null(self) -> float:
        """F(0, b0) = L(0, b0), b0 the best intercepts."""
        W = np.broadcast_to(0.0, (self.data.p, self.data.T))
        return self.total(W, self.best_intercept(W))

    @cached_property
    def speck(self) -> float:
        """The loss of targets that differ from a constant by their own rounding alone."""
        if self.loss != "squared":
            return 0.0
        return 64 * EPS**2 * float(self.c @ self.target_squares)

    def balanced_point(self, W: Array, groups: NDArray[np.intp]) -> DualPoint:
        """A dual point near that of W with Σ_t G_t = 0 over each group of tasks, to rounding; groups (T,).

        What directions without a penalty ask of θ. Squared loss: the point of W + [v_g(t)]_t with the v_g (p,) that
        minimise L. Logistic: θ_t − D_t X_t v_g(t), D_t = diag(c_t s_ti l''), one linear system a group; where that
        leaves the conjugate's domain, which it does not near an answer, the dual value is −inf.
        """
        point = self.dual_point(W)
        number = int(groups.max()) + 1
        left = np.column_stack([point.G[:, groups == g].sum(axis=1) for g in range(number)])
        # |left_j| <= sqrt(2 curvature_jj F(0, b0)): squared, 1e-29 of that is what rounding leaves of it.
        energy = np.column_stack([self.column_energy[groups == g].sum(axis=0) for g in range(number)])
        if (np.square(left) <= 1e-29 * self.null * energy).all():
            return point
        basis = self.row_basis
        b = self.best_intercept(W)
        shift = np.zeros((left.shape[0] if basis is None else basis.shape[1], number))
        for g in range(number):
            curvature = self._curvatures(np.flatnonzero(groups == g), W, b)
            slope = left[:, g] if basis is None else basis.T @ left[:, g]
            # In coordinates with a unit diagonal, so that a column of small numbers counts as much as any other.
            size = np.sqrt(np.diag(curvature))
            unit = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
            flat = curvature * (unit[:, None] * unit)
            e, V = np.linalg.eigh(flat)  # of such a matrix its singular values, at a fifth of their cost
            V, e = V[:, e > 1e-13 * e[-1]], e[e > 1e-13 * e[-1]]
            shift[:, g] = unit * (V @ ((V.T @ (unit * slope)) / e))
        if self.loss == "squared":
            return self.dual_point(W + (shift if basis is None else basis @ shift)[:, groups])
        return self.moved(point, W, b, shift[:, groups])

    def pushed_point(self, W: Array, push: Array, features: NDArray[np.bool_] | None = None) -> DualPoint:
        """A dual point near that of W with G − push in place of G on ``features`` (all: None), where the rows allow it.

        push (p, T). Squared loss: the point of W + V, with curvature times V_t = push_t on the features and V zero off
        them. Logistic: θ_t − D_t X_t v_t, D_t = diag(c_t s_ti l''); −inf where that leaves the conjugate's domain.
        """
        basis, b = self.row_basis, self.best_intercept(W)
        frame = np.eye(self.data.p) if basis is None else basis
        frame = frame if features is None else frame[features]
        wanted = push if features is None else push[features]
        shift = np.zeros((frame.shape[1], self.data.T))
        alike = self.data.shared and self.loss == "squared" and bool((self.c == self.c[0]).all())
        for group in [np.arange(self.data.T)] if alike else np.arange(self.data.T)[:, None]:
            curvature = self.curvature(group[0], W[:, group[0]], b[group[0]])
            if features is None:
                shift[:, group] = np.linalg.lstsq(curvature, frame.T @ wanted[:, group], rcond=1e-13)[0]
            else:
                inner = frame @ curvature @ frame.T
                shift[:, group] = frame.T @ np.linalg.lstsq(inner, wanted[:, group], rcond=1e-13)[0]
        if self.loss == "squared":
            return self.dual_point(W + (shift if basis is None else basis @ shift))
        return self.moved(self.dual_point(W), W, b, shift)

    def vanishes(self, G: Array, share: float = 3e-15) -> bool:
        """Whether G (p, T) is zero to rounding, or to another share of its bound sqrt(2 curvature_jj F(0, b0))."""
        return bool((np.square(G) <= share**2 * self.null * self.column_energy.T).all())

    def free_charge(self, G: Array, W: Array, groups: NDArray[np.intp]) -> float:
        """What rounding left of Σ_t G_t over each group costs the dual value; infinite where it is more than rounding.

        It meets coefficients that no penalty bounds: those of W, or as large as a column alone could make use of.
        """
        cost = 0.0
        for g in range(int(groups.max()) + 1):
            own = groups == g
            left, size = np.abs(G[:, own].sum(axis=1)), np.abs(W[:, own].mean(axis=1))
            energy = np.sqrt(self.column_energy[own].sum(axis=0))
            root = np.sqrt(2 * self.null)
            if (left > FREE * root * energy).any():
                return np.inf
            cost += float(left @ np.maximum(size, np.divide(root, energy, out=size.copy(), where=energy > 0)))
        return cost

    def _curvatures(self, members: NDArray[np.intp], W: Array, b: Array) -> Array:
        """Σ over the tasks of their ``curvature``."""
        if self.data.shared and self.loss == "squared":
            return float(self.c[members].sum() / self.c[0]) * self.curvature(0, W[:, 0], b[0])
        return np.asarray(sum(self.curvature(t, W[:, t], b[t]) for t in members))

    def raised(self, dual: float, primal: float, W: Array, b: Array) -> float:
        """``dual``, or min L where that is larger: what no penalty >= 0 can undercut, however small its weight.

        Looked at only where the penalty is so small beside the gap that its own dual has drowned in rounding.
        """
        gap = primal - dual
        if not gap > NEGLIGIBLE * self.null or primal - self.total(W, b) > FAINT * gap:
            return dual
        return max(dual, self.least(W))

    def least(self, W: Array) -> float:
        """A lower bound of min L.

        Squared loss: L is quadratic, so that min L = L(W) − Σ_t g_t' C_t⁻¹ g_t / 2 with g_t = X_t' θ_t and the
        curvature C_t; −inf where g_t has more than rounding in a direction that C_t does not see. Logistic: 0.
        """
        if self.loss != "squared":
            return 0.0
        W = np.asarray(W)
        G = self.dual_point(W).G
        value = self.total(W, self.best_intercept(W))
        basis = self.row_basis
        G = G if basis is None else basis.T @ G
        # With one w the tasks' gradients and curvatures add up.
        slopes = [G.sum(axis=1)] if self.pooled_intercept else list(G.T)
        for t, slope in enumerate(slopes):
            C = self.pooled_curvature() if self.pooled_intercept else self.curvature(t, W[:, t], 0.0)
            e, U = np.linalg.eigh(C)
            g = U.T @ slope
            seen = e > 1e-13 * e[-1]
            if (np.abs(g[~seen]) > 1e-12 * np.sqrt(max(e[-1], 0.0) * (self.null + self.speck))).any():
                return -np.inf
            value -= float(g[seen] @ (g[seen] / e[seen])) / 2
        return value


def means_times(means: Array, W: Array) -> Array:
    """(T,): x̄_t' w_t; means (T, p), or (1, p) for all tasks."""
    return np.asarray(means[0] @ W if len(means) == 1 else np.einsum("tj,jt->t", means, W))
