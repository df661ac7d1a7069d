"""Means over splits, and what may be said about their differences.

The test parts of repeated splits overlap in their training rows, so the scores are not independent and the usual
standard error is too small. Nadeau & Bengio (2003, section 3) replace the factor 1/J of the variance of a mean over J
splits by 1/J + n_test/n_train; the t-test with J - 1 degrees of freedom and that variance is the corrected resampled
t-test. Holm's (1979) step-down rule then keeps the chance of one false claim among all pairs at alpha.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError

ALPHA = 0.05

# A difference below this fraction of the scores is rounding (two methods that are the same model), not evidence.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Mean:
    """Mean over splits, deviation between splits, corrected standard error of the mean (NaN for a single split)."""

    mean: float
    deviation: float
    error: float


@dataclass(frozen=True)
class Pair:
    """``winner`` scored better than ``loser`` by ``difference`` > 0 on the mean over splits.

    ``error`` is the corrected standard error of the difference, ``alone`` the two-sided p-value of this pair by
    itself, ``p`` that after Holm's correction over its family, ``claimed`` whether p < alpha.
    """

    winner: str
    loser: str
    difference: float
    error: float
    alone: float
    p: float
    claimed: bool


def correction(n_train: float, n_test: float, J: int) -> float:
    """The factor of the sample variance: 1/J + n_test/n_train (Nadeau & Bengio 2003)."""
    if n_train <= 0 or n_test <= 0 or J < 1:
        raise DataError(f"n_train, n_test and J must be positive; got {n_train}, {n_test}, {J}")
    return 1 / J + n_test / n_train


def mean(scores: NDArray[np.float64], n_train: float, n_test: float) -> Mean:
    """The mean of the scores (J,) of J splits with its corrected standard error."""
    J = len(scores)
    if J < 2:
        return Mean(float(np.mean(scores)), float("nan"), float("nan"))
    deviation = float(np.std(scores, ddof=1))
    return Mean(float(np.mean(scores)), deviation, deviation * correction(n_train, n_test, J) ** 0.5)


def compare_pairs(
    scores: dict[str, NDArray[np.float64]],
    n_train: float,
    n_test: float,
    greater_is_better: bool,
    alpha: float = ALPHA,
) -> list[Pair]:
    """All pairs of methods by the corrected resampled t-test on their scores (J,), paired by split.

    Ordered by p. With one split nothing can be said: p is NaN and no pair is claimed.
    """
    names = list(scores)
    raw: list[tuple[str, str, float, float, float]] = []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            gain = (scores[a] - scores[b]) * (1 if greater_is_better else -1)
            winner, loser = (a, b) if gain.mean() >= 0 else (b, a)
            size = float(np.abs(scores[a]).mean() + np.abs(scores[b]).mean()) / 2
            error, p = _t_test(gain, n_train, n_test, size)
            raw.append((winner, loser, float(abs(gain.mean())), error, p))
    pairs = [Pair(winner, loser, gain, e, p, p, False) for winner, loser, gain, e, p in raw]
    return family(pairs, alpha)


def family(pairs: list[Pair], alpha: float = ALPHA) -> list[Pair]:
    """The same pairs as one family: Holm's correction over them and no others, ordered by p."""
    adjusted = holm(np.array([pair.alone for pair in pairs]))
    found = [
        replace(pair, p=float(q), claimed=bool(q < alpha)) for pair, q in zip(pairs, adjusted, strict=True)
    ]
    return sorted(found, key=lambda pair: (np.nan_to_num(pair.p, nan=2.0), -pair.difference))


def _t_test(gain: NDArray[np.float64], n_train: float, n_test: float, size: float) -> tuple[float, float]:
    """Corrected standard error and two-sided p of the mean of ``gain`` (J,)."""
    from scipy.special import stdtr

    J = len(gain)
    if J < 2:
        return float("nan"), float("nan")
    error = mean(gain, n_train, n_test).error
    average = abs(float(gain.mean()))
    if average <= ROUNDING * size:
        return error, 1.0
    if error == 0:
        return error, 0.0
    return error, float(2 * stdtr(J - 1, -average / error))


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down adjustment of p-values; NaN stays NaN and all others count."""
    adjusted = np.array(p, dtype=float)
    known = np.flatnonzero(~np.isnan(adjusted))
    order = known[np.argsort(adjusted[known], kind="stable")]
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * adjusted[i]))
        adjusted[i] = running
    return adjusted


def not_worse(best: str, names: list[str], pairs: list[Pair]) -> set[str]:
    """``best`` and every method that it is not claimed to beat."""
    beaten = {pair.loser for pair in pairs if pair.winner == best and pair.claimed}
    return {name for name in names if name not in beaten}
