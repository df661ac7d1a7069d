"""The likelihood of a complete table in B, Σ and β alone, with two derivatives: the kernel's spectrum is at hand.

Rows y_i of the targets and φ_i are along eigenvectors of K with eigenvalues s_i; rows with s_i = 0 are for all others:

(P)  g = ½ Σ_i (log|S_i| + r_i' S_i⁻¹ r_i + T log 2π),   S_i = s_i B + Σ,   r_i = y_i − β' φ_i
(W)  S_i⁻¹ = W diag(D_i) W',   S_i⁻¹ r_i = W u_i,   u_i = D_i ∘ W' r_i
(D)  ∂/∂B, ∂/∂Σ: ½ W (Σ_i s_i^c (diag(D_i) − u_i u_i')) W', c = 1 for B and 0 for Σ;   ∂/∂β = −Σ_i φ_i (W u_i)'
(H)  in directions X, Z (T, T) of B or Σ, of powers c and e, with x = W' X W, z = W' Z W:
     Σ_i s_i^{c + e} ((x u_i)' diag(D_i) (z u_i) − ½ Σ_tu D_it D_iu x_tu z_tu);   and (D) contracted with ∂²B, ∂²Σ
     with β: Σ_i s_i^c φ_i (W diag(D_i) x u_i)';   in β alone: Σ_i φ_i φ_i' ⊗ W diag(D_i) W'

The variables are A and √kappa of B, A and log kappa of Σ, β: √kappa is a loading of one task alone, and may go to 0.

Sums over i are matrices over pairs and triples of tasks, O(r T³) for a Hessian; a gradient takes O(r T²).

Source: Stegle et al. 2011, section 2 (the eigenbasis); Gilmour et al. 1995 (both terms of the second derivatives).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.gp.coregional import Coregional
from mtlref.gp.kronecker import shrinkage, whitened
from mtlref.gp.model import Model
from mtlref.linalg.products import gram, product

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Inner:
    """s (r,), Y (r, T) and basis (r, m) as above. n : places. model : of these ranks and shapes, at any parameters."""

    s: Array
    Y: Array
    basis: Array
    n: int
    model: Model

    @cached_property
    def powers(self) -> Array:
        """s², s and 1, (3, r)."""
        return np.stack([self.s * self.s, self.s, np.ones(len(self.s))])

    def at(self, x: Array) -> Point:
        """Value and derivatives per cell. Raises IllConditioned."""
        return Point(self, x)


class Point:
    """value : −log p(y) / (n T). gradient : (P,)."""

    def __init__(self, inner: Inner, x: Array) -> None:
        self.inner, self.cells = inner, inner.n * inner.Y.shape[1]
        task, noise = inner.model.terms[0][0], inner.model.noise
        cut, first = task.A.size, len(task.theta)
        second = first + len(noise.theta)
        self.root = x[cut:first]
        self.task = task.with_theta(np.concatenate([x[:cut], 2 * np.log(self.root)]))
        self.noise = noise.with_theta(x[first:second])
        beta = x[second:].reshape(inner.model.beta.shape)
        _, lam, self.W, log_noise = whitened(self.task, self.noise)
        ratios, self.D, _ = shrinkage(inner.s, lam)
        rotated = product(inner.Y - inner.basis @ beta if len(beta) else inner.Y, self.W)
        self.u = self.D * rotated
        log_det = inner.n * log_noise + float(np.log1p(ratios).sum())
        fit = float((rotated * self.u).sum())
        self.value = 0.5 * ((fit + log_det) / self.cells + np.log(2 * np.pi))  # (P)
        half, W, u = 0.5 / self.cells, self.W, self.u
        self.outside = inner.n - len(inner.s)  # more places where s = 0; their rows are among those at hand
        total = self.D.sum(axis=0) + self.outside
        self.by_task = half * ((W * (inner.s @ self.D)) @ W.T - W @ product(u.T, inner.s[:, None] * u) @ W.T)
        self.by_noise = half * ((W * total) @ W.T - W @ gram(u) @ W.T)
        by_mean = -(inner.basis.T @ u) @ W.T / self.cells
        self.gradient = np.concatenate(  # (D)
            [
                2 * (self.by_task @ self.task.A).ravel(),
                2 * self.by_task.diagonal() * self.root,
                self.noise.pull(self.by_noise),
                by_mean.ravel(),
            ]
        )

    def hessian(self) -> Array:
        """(P, P)."""
        inner, u, T = self.inner, self.u, len(self.W)
        r, m = inner.basis.shape
        # Sums over i with weights s², s and 1, of pairs and triples of tasks at once.
        left = (inner.powers[:, None] * self.D.T).reshape(3 * T, r)
        pairs = product(left, self.D).reshape(3, T, T)
        pairs[2] += self.outside
        triples = product(left, (u[:, :, None] * u[:, None, :]).reshape(r, T * T)).reshape(3, T, T, T)
        parts = (
            (self.task, self.by_task, 2 * self.root, 2.0),
            (self.noise, self.by_noise, self.noise.kappa, self.noise.kappa),
        )
        x = [self._directions(B, slope) for B, _, slope, _ in parts]
        ends = [0, len(x[0]), len(x[0]) + len(x[1]), len(self.gradient)]
        places = [slice(a, b) for a, b in pairwise(ends)]
        H = np.zeros((ends[-1], ends[-1]))
        for k, (B, G, _, curved) in enumerate(parts):
            for j in range(k, 2):
                turned = np.matmul(x[k].transpose(1, 0, 2), triples[k + j]).transpose(1, 0, 2)
                turned -= 0.5 * pairs[k + j] * x[k]
                H[places[k], places[j]] = product(
                    turned.reshape(len(x[k]), -1), x[j].reshape(len(x[j]), -1).T
                )
            self._own(H[places[k], places[k]], B, self.cells * G, curved)
            if m:
                sums = inner.powers[1 + k] * inner.basis.T  # (m, r)
                mixed = (sums[:, None] * self.D.T) @ u  # Σ_i s_i^c φ_i D_i u_i', (m, T, T)
                mixed = (mixed[:, None] * x[k]).sum(axis=3) @ self.W.T  # (m, P, T)
                H[places[k], places[2]] = mixed.transpose(1, 0, 2).reshape(len(x[k]), -1)
        if m:
            sums = (inner.basis.T[:, None] * inner.basis.T).reshape(m * m, r) @ self.D  # (m m, T)
            blocks = (self.W * sums[:, None]) @ self.W.T  # (m m, T, T)
            H[places[2], places[2]] = blocks.reshape(m, m, T, T).transpose(0, 2, 1, 3).reshape(m * T, m * T)
        for k, j in ((0, 1), (0, 2), (1, 2)):
            H[places[j], places[k]] = H[places[k], places[j]].T
        return H / self.cells

    def _directions(self, B: Coregional, slope: Array) -> Array:
        """x of (H) for all entries of A and of kappa, whose derivatives in the variables are ``slope``: (P, T, T)."""
        W, T = self.W, len(self.W)
        half = (W[:, None, :, None] * (W.T @ B.A).T[:, None]).reshape(-1, T, T)
        own = (W * slope[:, None])[:, :, None] * W[:, None]
        return np.concatenate([half + half.transpose(0, 2, 1), own])

    @staticmethod
    def _own(block: Array, B: Coregional, G: Array, curved: Any) -> None:
        """Add to block, in place, G contracted with ∂²B/∂A² and with that of kappa, ``curved``."""
        T, rank = B.A.shape
        entries = np.arange(T * rank).reshape(T, rank).T  # a column of A each
        block[entries[:, :, None], entries[:, None]] += 2 * G
        own = np.arange(T * rank, len(block))
        block[own, own] += curved * G.diagonal()
