"""Leaving out a cell, or all tasks at one place, in closed form; the parameters stay.

(P)  of a group g of cells: mean y_g − P_gg⁻¹ α_g, covariance P_gg⁻¹ (of the measurement, noise included), P = C⁻¹
(D)  L = −Σ_g log p(y_g | others) = ½ Σ_g (α_g' u_g − log|P_gg| + n_g log 2π),   u_g = P_gg⁻¹ α_g;   with β = P u and
     Ω of the blocks u_g u_g' + P_gg⁻¹:   dL = ½ Σ_ij (P Ω P − β α' − α β')_ij dC_ij,   ∂L/∂β_t = −φ_t' β

Source: Rasmussen & Williams 2006, eq. 5.10 to 5.13; by groups: the inverse of a partitioned matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.gp.cells import Cells
from mtlref.gp.exact import Dense
from mtlref.gp.route import Route
from mtlref.linalg.products import product

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What the others say of each cell, in the order of the cells.

    mean, variance : (N,), of the measurement. log_density : (N,) by cell, or (groups,) by place, joint over its tasks.
    """

    mean: Array
    variance: Array
    log_density: Array


def by_cell(route: Route) -> LeftOut:
    """Each cell from all others."""
    return _left_out(route, singles(route.cells))


def by_place(route: Route) -> LeftOut:
    """All cells of a place from those of the other places; the places with cells in their order."""
    stacks = places(route.cells)
    out = _left_out(route, stacks)
    heads = np.concatenate([groups[:, 0] for groups in stacks])
    heads = heads[np.argsort(route.cells.place[heads])]
    return LeftOut(out.mean, out.variance, out.log_density[heads])


def singles(cells: Cells) -> list[Any]:
    """Each cell by itself: one array (N, 1)."""
    return [np.arange(cells.N)[:, None]]


def places(cells: Cells) -> list[Any]:
    """The cells of each place: an array (G, g) of the G places that have g cells, for each such g."""
    order = np.argsort(cells.place, kind="stable")
    counts = np.bincount(cells.place, minlength=cells.n)
    first = np.cumsum(counts) - counts
    sizes = [size for size in np.unique(counts) if size > 0]
    return [order[first[counts == size][:, None] + np.arange(size)] for size in sizes]


def _left_out(route: Route, stacks: list[Any]) -> LeftOut:
    """Densities stand at the first cell of their group."""
    mean, variance, density = (np.full(route.cells.N, np.nan) for _ in range(3))
    for groups in stacks:
        P, alpha = route.inverse_blocks(groups), route.alpha[groups]
        C = np.linalg.inv(P)
        error = np.einsum("gij,gj->gi", C, alpha)  # (P)
        mean[groups] = route.cells.y[groups] - error
        variance[groups] = np.diagonal(C, axis1=1, axis2=2)
        fit = (error * alpha).sum(axis=1) - np.linalg.slogdet(P)[1]
        density[groups[:, 0]] = -0.5 * (fit + groups.shape[1] * np.log(2 * np.pi))
    return LeftOut(mean, variance, density)


def objective(route: Dense, by: str = "cell") -> tuple[float, Array]:
    """L of (D) and its gradient in the model's θ, by "cell" or "place"."""
    from scipy.sparse import csr_array

    P, alpha, model, c = route.inverse, route.alpha, route.model, route.cells
    stacks = singles(c) if by == "cell" else places(c)
    value, u = 0.5 * c.N * float(np.log(2 * np.pi)), np.empty(c.N)
    rows, columns, entries = [], [], []
    for groups in stacks:
        blocks = P[groups[:, :, None], groups[:, None, :]]
        C = np.linalg.inv(blocks)
        part = np.einsum("gij,gj->gi", C, alpha[groups])
        value += 0.5 * float((part * alpha[groups]).sum() - np.linalg.slogdet(blocks)[1].sum())
        u[groups] = part
        entries.append((part[:, :, None] * part[:, None, :] + C).ravel())
        rows.append(np.repeat(groups, groups.shape[1], axis=1).ravel())
        columns.append(np.tile(groups, (1, groups.shape[1])).ravel())
    where = (np.concatenate(rows), np.concatenate(columns))
    omega = csr_array((np.concatenate(entries), where), shape=(c.N, c.N))
    beta = product(P, u)
    G = product(P, omega @ P) - np.multiply.outer(beta, alpha) - np.multiply.outer(alpha, beta)  # (D)
    by_mean = np.zeros(model.beta.shape)
    for t, span in enumerate(c.spans):
        by_mean[:, t] = -route.basis[span].T @ beta[span]
    return value, np.concatenate([route.contract(G), by_mean.ravel()])
