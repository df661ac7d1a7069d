"""The tasks' losses from their logits, with the gradients in them: what a net does with targets and masks.

(T)  L_k = Σ_i m_ki row loss_ki / Σ_i m_ki over the rows' masks m;  slope of the logits: m_ki / Σ_i m_ki times theirs

Heads of one kind that read one input are taken in one pass (``mtlref.nn.wide``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.nn.heads import Head
from mtlref.nn.masks import task_masks
from mtlref.nn.sizes import counted
from mtlref.nn.wide import Wide

Values = NDArray[Any]


class TaskLosses:
    """Mixed into a Net, which sets what is declared here."""

    heads: tuple[Head, ...]
    K: int
    _wide: Wide | None

    def _losses(self, outs: list[Values], ys: Any, masks: Any) -> tuple[Values, list[Values]]:
        """(losses (K,), their gradients in the logits), with everything checked."""
        return self._loss_slopes(outs, *self._targets(ys, masks, len(outs[0]), outs[0].real.dtype))

    def _losses_once(
        self, outs: list[Values], z: Values | None, ys: Any, masks: Any
    ) -> tuple[Values, list[Values] | Values]:
        """``_losses``, with the slopes side by side where the heads are of one kind and read one input.

        z : the logits side by side (B, columns), where they are.
        """
        if self._wide is not None and z is not None and masks is None:
            y = self._wide.plain(ys, len(z), z.real.dtype)
            if y is not None:
                return self._wide(z, y, None)
        targets, weights = self._targets(ys, masks, len(outs[0]), outs[0].real.dtype)
        if self._wide is None or z is None:
            return self._loss_slopes(outs, targets, weights)
        return self._wide(z, *self._wide.rows(targets, weights))

    def _targets(
        self, ys: Any, masks: Any, rows: int, dtype: Any
    ) -> tuple[list[Values], list[Values | None]]:
        """(targets as the heads' losses take them, row weights), checked."""
        if not isinstance(ys, (list, tuple)) or len(ys) != self.K:
            raise DataError(f"ys must be a list of {self.K} targets, one a task; got {counted(ys)}")
        weights = task_masks(masks, self.K, rows)
        targets = [
            head.target(y, rows, None if m is None else m > 0, f"ys[{k}]", dtype)
            for k, (head, y, m) in enumerate(zip(self.heads, ys, weights, strict=True))
        ]
        return targets, weights

    def _loss_slopes(
        self, outs: list[Values], targets: list[Values], weights: list[Values | None]
    ) -> tuple[Values, list[Values]]:
        losses, slopes = [], []
        for head, z, y, m in zip(self.heads, outs, targets, weights, strict=True):
            row, d = head.loss(z, y)
            if m is None:
                losses.append(np.add.reduce(row) / row.real.dtype.type(len(z)))
                d *= d.real.dtype.type(1 / len(z))
                slopes.append(d)
                continue
            total = m.sum()
            # Without a row the task is not in this batch: its loss and its gradient are zero.
            share = (m / total if total > 0 else m).astype(d.real.dtype)
            losses.append(share @ row)
            slopes.append(share[:, None] * d)
        return np.array(losses), slopes
