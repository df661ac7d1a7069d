"""The losses of heads of one kind in one pass over all logits side by side: what ``Head.loss`` gives head by head.

(T)  L_k = Σ_i m_ki row loss_ki / Σ_i m_ki;  slope of column c of task k: m_ki / Σ_i m_ki times the row loss's

The plain twin is ``TaskLosses._loss_slopes``, a loop over heads.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtlref.nn.activations import sigmoid, softplus
from mtlref.nn.heads import Binary, Head, Regression

Values = NDArray[Any]


class Wide:
    """Losses of all tasks at once, of heads that are all Regression or all Binary.

    widths : columns of each task; starts : the first column of each, None where each has one; task : each column's
    task; share : one over its task's number of columns.
    """

    def __init__(self, heads: tuple[Head, ...]) -> None:
        self.binary = type(heads[0]) is Binary
        self.widths = widths = [head.width for head in heads]
        ends = np.cumsum([0, *widths]).tolist()
        self.starts: list[int] | None = None if max(widths) == 1 else ends[:-1]
        self.task = np.repeat(np.arange(len(heads)), widths)
        self.share = np.repeat(1.0 / np.array(widths), widths)
        self.columns = [slice(a, b) for a, b in pairwise(ends)]

    @classmethod
    def of(cls, heads: tuple[Head, ...]) -> Self | None:
        """The pass for these heads; None where their kinds differ or have no such pass."""
        kinds = {type(head) for head in heads}
        return cls(heads) if kinds in ({Regression}, {Binary}) else None

    def rows(self, targets: list[Values], masks: list[Values | None]) -> tuple[Values, Values | None]:
        """(targets side by side (n, columns), masks (n, K) or None), to be cut into batches."""
        wide = np.concatenate(targets, axis=1)
        if all(m is None for m in masks):
            return wide, None
        ones = np.ones(len(wide), dtype=wide.dtype)
        return wide, np.column_stack([ones if m is None else m.astype(wide.dtype) for m in masks])

    def plain(self, ys: Any, rows: int, dtype: Any) -> Values | None:
        """Targets side by side where there is nothing to ask or to turn; None where the heads have to look at them."""
        if not isinstance(ys, (list, tuple)) or len(ys) != len(self.widths):
            return None
        for y, width in zip(ys, self.widths, strict=True):
            if type(y) is not np.ndarray or y.shape != (rows, width):
                return None
        wide = np.concatenate(ys, axis=1)
        if wide.dtype != dtype:
            return None
        flat = wide.ravel()
        if not math.isfinite(np.vdot(flat, flat)) or (self.binary and (wide.min() < 0 or wide.max() > 1)):
            return None
        return wide

    def __call__(self, z: Values, y: Values, m: Values | None) -> tuple[Values, Values]:
        """(L_k (K,), their gradients in the logits (B, columns)), overwriting nothing; arguments as ``rows`` cut."""
        if self.binary:
            d = sigmoid(z) - y
            row = softplus(z) - z * y
        else:
            d = z - y
            row = d * d
        sums: Values
        number = z.real.dtype.type
        if m is None:
            sums = np.add.reduce(row, axis=0)
            if self.starts is None:
                sums *= 1 / len(z)
                d *= (1 if self.binary else 2) / len(z)
                return sums, d
            factor: Any = number(1 / len(z))
            sums *= factor
        else:
            total = np.add.reduce(m, axis=0)
            # Without a row the task is not in this batch: its loss and its gradient are zero.
            factor = m / np.where(total > 0, total, number(1))
            if self.starts is not None:
                factor = factor[:, self.task]
            sums = np.add.reduce(row * factor, axis=0)
        if self.starts is not None:
            sums = np.add.reduceat(sums * self.share.astype(number), self.starts)
            factor = factor * self.share.astype(number)
        if not self.binary:
            factor = factor * number(2)
        d *= factor
        return sums, d
