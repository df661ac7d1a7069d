"""MultiTaskGPClassifier: labels from a Gaussian process over tasks and inputs, approximately, by Laplace's method.

(P)  P(y_ti = +1) = σ(f_t(x_i)),   mean_t(x) the mean of f and cov(f_t(x), f_u(z)) = Σ_q B_q[t, u] k_q(x, z)
     θ = (B_q, k_q, β) minimises −log q(y; θ), Laplace's approximation of −log p(y; θ)
(K)  certified: the projected gradient of −log q / N, and the mode of f by the bound on what is left of its height

Source: Rasmussen & Williams 2006, chapter 3 and algorithm 5.1; Bonilla et al. 2008.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import FormError, IllConditioned
from mtlref.estimator import Estimator
from mtlref.gp import hyper
from mtlref.gp.cells import Cells
from mtlref.gp.coregional import correlation
from mtlref.gp.forms import ask
from mtlref.gp.kernels import Kernel
from mtlref.gp.laplace import Laplace
from mtlref.gp.model import Model
from mtlref.gp.starts import check_options, first_model
from mtlref.optim.result import Certificate, Result, Status
from mtlref.registry import register
from mtlref.tasks import TaskData

Array = NDArray[Any]


@register(
    family="gp",
    penalty="none: −log q(y) of Laplace's approximation",
    sources=("rasmussen2006", "bonilla2008"),
    losses=("logistic",),
    properties=("self_tuned",),
    certificate="projected gradient of an approximation",
)
class MultiTaskGPClassifier(Estimator):
    """Multi-task Gaussian process classification of two labels, by Laplace's approximation.

    P(y_ti = +1) = σ(f_t(x_i)),   cov(f_t(x), f_u(z)) = Σ_q B_q[t, u] k_q(x, z)   (P)

    Parameters
    ----------
    kernel : a kernel of ``mtlref.gp``, a list of them, or None (default): RBF with a length for each feature.
    rank : int >= 0, default 1. Columns of A_q in B_q = A_q A_q' + diag(kappa_q); 0: tasks without a tie.
    mean : "zero", "constant" (default) or "linear": of each task's f by itself.
    n_restarts : int >= 0, default 2. Further starts, drawn from random_state.
    tol : float > 0, default 1e-5. Converged when the projected gradient of −log q / N is at most tol.
    max_iter : int >= 1, default 500. Iterations of each start.
    random_state : int, Generator or None, default 0.

    Attributes: model_ (a Model; its noise is not used), posterior_ (the mode and what goes with it), mode_gap_, notes_,
    classes_, result_, n_iter_, tasks_, task_covariance_, task_correlation_ (T, T).

    Raises: DataError, FormError for data or parameters out of range. Warns: NotConverged; FitDoubt with bounds hit
    (labels that f separates ask for an unbounded one) and starts that ended elsewhere.

    Certificate: the projected gradient of the approximate evidence (a stationary point of an approximation, which is
    no bound), and for the mode of f a bound on what is left of its height, in nats.
    Cost: an evaluation O(N³) on N cells, some five matrices of N × N. Departs from the source: a mean a task;
    probabilities average σ over f by quadrature. Source: rasmussen2006; bonilla2008.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> x = np.linspace(0, 1, 20)[:, None]
    >>> model = mt.MultiTaskGPClassifier(mt.gp.RBF(0.3), n_restarts=0, max_iter=60)
    >>> y = np.where(np.sin(9 * x[:, 0]) + 0.8 * np.cos(61 * x[:, 0]) > 0, 1, -1)
    >>> model.fit(x, y).predict_proba(x[:2]).shape
    (2, 2)
    """

    loss = "logistic"
    _learned = "model_"
    comparison_rows: ClassVar[int] = 1000

    def __init__(
        self,
        kernel: Kernel | list[Kernel] | None = None,
        *,
        rank: int = 1,
        mean: str = "constant",
        n_restarts: int = 2,
        tol: float = 1e-5,
        max_iter: int = 500,
        random_state: int | np.random.Generator | None = 0,
    ) -> None:
        self.kernel = kernel
        self.rank = rank
        self.mean = mean
        self.n_restarts = n_restarts
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    model_: Model
    posterior_: Laplace
    mode_gap_: float
    notes_: tuple[str, ...]
    result_: Result

    def fit(self, X: Any, y: Any = None, tasks: Any = None) -> Self:
        """Fit to data in any form of the contract, labels of two values; row weights are refused."""
        data = self._read(X, y, tasks, None)
        if not isinstance(data, TaskData):
            raise FormError("a Gaussian process needs the rows; got Moments")
        check_options(self)
        learned = self._remember(data)
        data, learned["classes_"] = self._encode(data, y)
        cells = Cells.from_tasks(data)
        start, _, _ = first_model(self, cells)
        last: list[Laplace] = []

        def loss(theta: Array) -> tuple[float, Array]:
            try:
                made = Laplace(start.with_theta(theta), cells, last[-1].f if last else None)
            except IllConditioned:
                return hyper.REFUSED, np.zeros(len(theta))
            last[:] = [made]
            return made.value / cells.N, made.gradient() / cells.N

        low, high = hyper.bounds(start)
        fixed = np.array([name.startswith("noise") for name in start.names])
        low, high = np.where(fixed, start.theta, low), np.where(fixed, start.theta, high)
        rng, ends = np.random.default_rng(self.random_state), []
        for k in range(1 + self.n_restarts):
            begin = start if k == 0 else hyper.perturbed(start, rng)
            theta = np.clip(begin.theta, low, high)
            ends.append(hyper.descend(loss, theta, low, high, self.tol, self.max_iter))
        best = min(ends, key=lambda end: float(end.fun))
        if not best.fun < hyper.REFUSED:
            raise IllConditioned(f"every start must have a finite covariance; none of {len(ends)} has")
        model = start.with_theta(best.x)
        made = Laplace(model, cells)
        projected = hyper.projected(best.x, made.gradient() / cells.N, low, high)
        values = [float(end.fun) * cells.N for end in ends]
        notes = hyper.notes(
            model, best.x, np.where(fixed, -np.inf, low), high + np.where(fixed, np.inf, 0), values, 0
        )
        converged = projected <= self.tol
        certificate = Certificate(
            f"projected gradient of an approximate evidence (mode within {made.gap:.1e} nats)",
            primal=made.value,
            dual=-np.inf,
            gap=projected * cells.N,
            relative_gap=projected,
            scale=float(cells.N),
        )
        status = Status.CONVERGED if converged else Status.MAX_ITER
        learned |= {
            "model_": model,
            "posterior_": made,
            "mode_gap_": made.gap,
            "notes_": notes,
            "n_iter_": max(1, int(best.nit)),
            "result_": Result(self.get_params(), status, certificate, int(best.nit)),
            "task_covariance_": sum(B.matrix() for B, _ in model.terms),
        }
        learned["task_correlation_"] = correlation(learned["task_covariance_"])
        self._adopt(learned)
        hyper.tell(self, projected, hyper.doubts(notes))
        return self

    def _scores(self, X: Any, tasks: Any) -> list[Array] | Array:
        """log P(+1) / P(−1), averaged over f: σ of it is the probability, and its sign that of f's mean."""
        asked = ask(self, X, tasks)
        p = self.posterior_.probability(asked.X)
        out: list[Array] | Array = asked.answer(np.log(p) - np.log1p(-p))
        return out

    def latent(self, X: Any, tasks: Any = None) -> tuple[Any, Any]:
        """Mean and standard deviation of f, in the form of the data that ``fit`` took."""
        asked = ask(self, X, tasks)
        mean, variance = self.posterior_.latent(asked.X)
        return asked.answer(mean), asked.answer(np.sqrt(variance))
