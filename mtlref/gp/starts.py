"""Where a fit starts, what its options must be, and the way back from targets of variance 1 to the user's units."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import FormError
from mtlref.gp.cells import Cells
from mtlref.gp.coregional import Coregional
from mtlref.gp.kernels import Kernel
from mtlref.gp.model import MEANS, Model
from mtlref.gp.stationary import RBF

Array = NDArray[Any]


def check_options(options: Any) -> None:
    """Raise DataError or FormError for parameters of an estimator that are out of range."""
    for name in ("rank", "noise_rank", "n_restarts"):
        inputs.count(getattr(options, name, 0) + 1, f"{name} + 1")
    inputs.count(options.max_iter, "max_iter")
    inputs.positive(options.tol, "tol")
    inputs.choice(options.mean, "mean", MEANS)
    given = options.kernel
    kernels = given if isinstance(given, (list, tuple)) else [given]
    if not kernels or not all(isinstance(k, Kernel) or (k is None and k is given) for k in kernels):
        raise FormError(f"kernel must be a kernel, a list of kernels, or None; got {given!r}")


def first_model(options: Any, cells: Cells) -> tuple[Model, Array, Array]:
    """(start, center (T,), scale (T,)): the model that the options ask for, for targets (y − center) / scale.

    Loadings along the leading eigenvectors of the targets' correlations where tasks share places, and a little that
    tells columns apart; a fifth of the variance in kappa and in the noise each; lengths the features' standard
    deviations.
    """
    T, rank, noise_rank = cells.T, int(options.rank), int(getattr(options, "noise_rank", 0))
    kernels = options.kernel if isinstance(options.kernel, (list, tuple)) else [options.kernel]
    spread = cells.X.std(axis=0)
    kernels = [RBF(np.where(spread > 0, spread, 1.0)) if k is None else k for k in kernels]
    center, scale = np.zeros(T), np.ones(T)
    for t, span in enumerate(cells.spans):
        y = cells.y[span]
        center[t] = y.mean() if options.mean != "zero" else 0.0
        size = float(np.sqrt(((y - center[t]) ** 2).mean()))
        scale[t] = size if size > 0 else 1.0
    rng = np.random.default_rng(0)
    leading = _leading(cells, center, scale, rank)
    share = 1 / len(kernels)
    terms = []
    for kernel in kernels:
        A = np.sqrt(share) * (leading[:, :rank] + 0.1 * rng.standard_normal((T, rank)))
        terms.append((Coregional(A, np.full(T, 0.2 * share if rank else 0.8 * share)), kernel))
    noise = Coregional(0.1 * rng.standard_normal((T, noise_rank)), np.full(T, 0.2))
    return Model.make(terms, noise, mean=options.mean, p=cells.X.shape[1]), center, scale


def _leading(cells: Cells, center: Array, scale: Array, rank: int) -> Array:
    """Loadings (T, rank) of the targets' correlations; 1/2 between tasks that share fewer than three places."""
    T = cells.T
    table = np.full((cells.n, T), np.nan)
    table[cells.place, cells.task] = ((cells.y - center[cells.task]) / scale[cells.task]).ravel()
    seen = ~np.isnan(table)
    filled = np.where(seen, table, 0.0)
    together = seen.T.astype(float) @ seen
    R = np.where(together >= 3, filled.T @ filled / np.maximum(together, 1), 0.5)
    np.fill_diagonal(R, 1.0)
    values, vectors = np.linalg.eigh(R)
    top = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    return np.hstack([top, np.zeros((T, max(0, rank - T)))])[:, :rank] * np.sqrt(0.6)


def in_units(model: Model, center: Array, scale: Array) -> Model:
    """The model of y from that of (y − center) / scale."""

    def times(B: Coregional) -> Coregional:
        return Coregional(B.A * scale[:, None], B.kappa * scale**2)

    beta = model.beta * scale
    if len(beta):
        beta[0] += center
    return replace(
        model,
        terms=tuple((times(B), kernel) for B, kernel in model.terms),
        noise=times(model.noise),
        beta=beta,
    )
