"""Overlapping groups of tasks that come one at a time: what is learned of a task is kept as a quadratic, not as rows.

(P)  min over L (p, k):   F = 1/T Σ_t min over s of {½ (θ_t − L s)' D_t (θ_t − L s) + mu ‖s‖_1} + lam ‖L‖_F²,
     θ_t (p,): task t's own coefficients, θ_t = argmin over w of min_b L_t(w, b) + ridge/2 ‖w‖²,
     D_t (p, p): the Hessian of L_t at θ_t, the intercept eliminated;   L_t(w, b) = c_t Σ_i s_ti l(y_ti, x_ti'w + b)
(D)  With r_t = θ_t − L s_t, D(α) = 1/T Σ_t (α_t r_t' D_t θ_t − α_t²/2 r_t' D_t r_t) and G = [D_t r_t / T]_t (p, T):
     for a given L, D(α) + lam ‖L‖_F² where α_t max abs(L' D_t r_t) <= mu;
     for a given S, D(1) − ‖G S'‖_F² / (4 lam) + mu/T ‖S‖_1
(K)  L' D_t r_t = mu sign(s_t) where s_t is not zero, else at most mu;   G S' = 2 lam L
(U)  Task t comes, or comes again:  s_t by its lasso for the L at hand;  A = Σ_t D_t ⊗ s_t s_t' and B = Σ_t D_t θ_t s_t'
     change by its own terms alone;  (A / T + 2 lam I) vec L = vec B / T

The cost of (U) does not depend on the number of tasks before. With the squared loss and ridge = 0, T F is GOMTL's
objective with T lam in place of lam, less the tasks' own least losses.

Source: Ruvolo & Eaton 2013 (algorithm 1; equations 3 to 5).
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.datafit import data_fit
from mtlref.errors import DataError, FormError, NotConverged, UnknownTask
from mtlref.estimator import Estimator
from mtlref.forms import as_tasks
from mtlref.moments import Moments
from mtlref.optim.lifelong import Known, Memory, joined, summary
from mtlref.optim.problem import Problem
from mtlref.optim.result import Certificate, Result, Status
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


def objective(tasks: list[Known], L: Array, *, lam: float, mu: float) -> float:
    """F at L and the codes at hand, in place of the best ones."""
    total = 0.0
    for task in tasks:
        r = task.theta - L @ task.s
        total += float(r @ task.D @ r) / 2 + mu * float(np.abs(task.s).sum())  # (P)
    return total / len(tasks) + lam * float(np.vdot(L, L))


def certificate(tasks: list[Known], L: Array, *, lam: float, mu: float) -> Certificate:
    """Block optimality: what the codes could gain for this L, plus what L could gain for these codes, at most."""
    T = len(tasks)
    primal = objective(tasks, L, lam=lam, mu=mu)
    codes, basis, scale, rounding = lam * float(np.vdot(L, L)), 0.0, 0.0, 0.0
    pull = np.zeros_like(L)
    for task in tasks:
        r = task.theta - L @ task.s
        slope = task.D @ r
        up, down = float(slope @ task.theta), float(slope @ r)
        polar = float(np.abs(L.T @ slope).max())
        limit = mu / polar if polar > 0 else np.inf
        alpha = min(up / down if down > 0 else 0.0, limit)
        codes += (alpha * up - alpha**2 / 2 * down) / T  # (D)
        basis += (up - down / 2 + mu * float(np.abs(task.s).sum())) / T  # (D)
        pull += np.outer(slope, task.s) / T
        own = float(task.theta @ task.D @ task.theta)
        scale += own / (2 * T)
        rounding += 16 * float(np.finfo(float).eps) * (own + abs(down)) / T
    basis -= float(np.vdot(pull, pull)) / (4 * lam)
    parts = [Certificate.from_values(primal, dual, scale, rounding) for dual in (codes, basis)]
    gap, relative = parts[0].gap + parts[1].gap, parts[0].relative_gap + parts[1].relative_gap
    return Certificate("block optimality", primal, primal - gap, gap, relative, scale)


class ELLA(Estimator):
    """Lifelong learning: GOMTL's model, told one task at a time.

    Minimises 1/T Σ_t min_s {½ ‖θ_t − L s‖²_{D_t} + mu ‖s‖_1} + lam ‖L‖_F² over L (p, n_components)   (P).

    Parameters
    ----------
    lam : float > 0, default 0.1. Multiplies the squared entries of L, once for the mean over tasks.
    mu : float > 0, default 0.1. Multiplies the absolute entries of a task's code; unit: loss.
    n_components : int >= 1, default 4. One that is zero becomes what a new task's code leaves over.
    ridge : float >= 0, default 0.001. Of a task's own coefficients θ_t; with the logistic loss > 0.
    loss : "squared" (default) or "logistic".
    scaling : "mean" (default; each task's loss divided by the sum of its weights) or "sum".
    fit_intercept : bool, default True.
    tol : float > 0, default 1e-6. ``fit`` stops when the sum of both blocks' gaps <= tol * F(0).
    max_iter : int >= 1, default 1000. Sweeps of ``fit`` over all tasks.

    Attributes: coef_ (T, p), intercept_ (T,), tasks_ in the order in which they came, components_ (n_components, p):
    L', membership_ (T, n_components): the codes, after ``fit`` result_, with the logistic loss classes_.

    Raises: DataError, FormError for data or parameters out of range. Warns: NotConverged (``fit``).

    Certificate: block optimality of (P), from the θ_t and D_t. Cost: a task O(n p² + (p k)³), whatever came before.
    Departs from the source: intercepts; a component of zeros takes what is left over, not random numbers; L by one
    factorisation, not by rank-one updates. Source: ruvolo2013.

    Examples
    --------
    >>> import mtlref as mt
    >>> data, W, b, (L, S) = mt.data.make_overlapping_groups(T=6, p=5, n=40, n_components=2, random_state=0)
    >>> model = mt.ELLA(lam=1e-4, mu=0.01, n_components=2)
    >>> for name, X, y in zip(data.names, data.X, data.y):
    ...     model = model.partial_fit(X, y, task=name)
    >>> model.coef_.shape, model.tasks_
    ((6, 5), (0, 1, 2, 3, 4, 5))
    """

    def __init__(
        self,
        lam: float = 0.1,
        *,
        mu: float = 0.1,
        n_components: int = 4,
        ridge: float = 1e-3,
        loss: str = "squared",
        scaling: str = "mean",
        fit_intercept: bool = True,
        tol: float = 1e-6,
        max_iter: int = 1000,
    ) -> None:
        self.lam = lam
        self.mu = mu
        self.n_components = n_components
        self.ridge = ridge
        self.loss = loss
        self.scaling = scaling
        self.fit_intercept = fit_intercept
        self.tol = tol
        self.max_iter = max_iter

    # -- one task ----------------------------------------------------------------------------------------------------

    def partial_fit(self, X: Any, y: Any, task: Hashable, sample_weight: Any = None) -> Self:
        """Learn a task from its rows X (n, p) and targets y (n,), or from more rows of a task that came before.

        Raises DataError for other features than before or labels that no task had, FormError for data of other forms.
        """
        self._check()
        data = as_tasks(X, y, None, sample_weight)
        if data.T != 1:
            raise FormError(f"partial_fit takes the rows of one task, y (n,); got targets of {data.T} tasks")
        data = replace(data, names=(task,))
        memory: Memory | None = getattr(self, "_memory", None)
        if memory is not None:
            self._check_p(data.p, "X")
        classes = None
        if self.loss == "logistic":
            data, classes = self._signed(data, y)
        rows: TaskData | Moments = data if self.loss == "logistic" else Moments.from_data(data)
        old = None if memory is None else memory.tasks.get(task)
        known = self._summary(rows if old is None else joined(old.rows, rows))
        if memory is None:
            memory = Memory(data.p, self.n_components)
            self._form, self.n_features_in_ = "list", data.p
        memory.learn(task, known if old is None else replace(known, s=old.s), self.lam, self.mu)
        self._memory = memory
        vars(self).pop("result_", None)  # which was about other tasks
        if classes is not None:
            self.classes_ = classes
        return self

    def revisit(self, task: Hashable) -> Self:
        """Bring a task's code, and L with it, up to date with what came since. Raises UnknownTask."""
        self._check()
        if not hasattr(self, "_memory"):  # coef_ would look at every task
            self._check_fitted()
        if task not in self._memory.tasks:
            raise UnknownTask(f"task must be one that came before; got {task!r}")
        self._memory.learn(task, self._memory.tasks[task], self.lam, self.mu)
        vars(self).pop("result_", None)
        return self

    def certificate(self) -> Certificate:
        """How far L and the codes are from block optimality of (P), at most."""
        self._check_fitted()
        return certificate(list(self._memory.tasks.values()), self._memory.L, lam=self.lam, mu=self.mu)

    def fit(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> Self:
        """Start anew: every task once, in order, and then all again until the certificate closes. Data as in GOMTL."""
        self._check()
        data = self._read(X, y, tasks, sample_weight)
        if isinstance(data, Moments):
            raise FormError("ELLA learns from rows; got Moments")
        learned = self._remember(data)
        if self.loss == "logistic":
            data, learned["classes_"] = self._encode(data, y)
        memory = Memory(data.p, self.n_components)
        for name in data.names:
            memory.learn(name, self._summary(data.select([name])), self.lam, self.mu)
        history: list[tuple[int, float]] = []
        while True:
            found = certificate(list(memory.tasks.values()), memory.L, lam=self.lam, mu=self.mu)
            history.append((len(history) + 1, found.relative_gap))
            if found.relative_gap <= self.tol or len(history) >= self.max_iter:
                break
            for name in data.names:
                memory.learn(name, memory.tasks[name], self.lam, self.mu)
        status = Status.CONVERGED if found.relative_gap <= self.tol else Status.MAX_ITER
        del learned["tasks_"]
        self._adopt(learned)
        self.result_ = Result(self.get_params(), status, found, len(history), tuple(history))
        self._memory = memory
        if status is Status.MAX_ITER:
            said = f"ELLA: {status.value} = {self.tol:g}: relative gap {found.relative_gap:.3e}"
            warnings.warn(f"{said} after {len(history)} sweeps", NotConverged, stacklevel=2)
        return self

    @property
    def tasks_(self) -> tuple[Hashable, ...]:  # type: ignore[override]
        """The tasks in the order in which they came."""
        return tuple(self._memory.tasks)

    @property
    def components_(self) -> Array:
        """(n_components, p): L'."""
        return np.array(self._memory.L.T)

    @property
    def membership_(self) -> Array:
        """(T, n_components): the codes."""
        return np.array([task.s for task in self._memory.tasks.values()])

    @property
    def coef_(self) -> Array:  # type: ignore[override]
        """(T, p): L s_t, with the newest L."""
        return self.membership_ @ self._memory.L.T

    @property
    def intercept_(self) -> Array:  # type: ignore[override]
        """(T,): the best intercepts for coef_; with the logistic loss to first order around θ_t."""
        L = self._memory.L
        return np.array([k.b0 - float(k.mean @ (L @ k.s - k.theta)) for k in self._memory.tasks.values()])

    def _check(self) -> None:
        inputs.choice(self.loss, "loss", ("squared", "logistic"))
        inputs.choice(self.scaling, "scaling", ("mean", "sum"))
        inputs.flag(self.fit_intercept, "fit_intercept")
        for name in ("lam", "mu", "tol"):
            inputs.positive(getattr(self, name), name)
        for name in ("n_components", "max_iter"):
            inputs.count(getattr(self, name), name)
        (inputs.positive if self.loss == "logistic" else inputs.nonnegative)(self.ridge, "ridge")

    def _signed(self, data: TaskData, y: Any) -> tuple[TaskData, NDArray[Any]]:
        classes: NDArray[Any] | None = getattr(self, "classes_", None)
        if classes is None:
            return self._encode(data, y)
        foreign = ~np.isin(data.y[0], classes)
        if foreign.any():
            raise DataError(
                f"labels must be {classes.tolist()}, as before; got {data.y[0][foreign].tolist()[0]!r}"
            )
        return replace(data, y=(np.where(data.y[0] == classes[1], 1.0, -1.0),)), classes

    def _summary(self, rows: TaskData | Moments) -> Known:
        c = data_fit(rows, self.loss, self.scaling, self.fit_intercept).c
        return summary(Problem(rows, self.loss, c, self.fit_intercept), self.ridge, self.n_components)
