"""Matrices, Jacobians, inputs of kernels and masks of chosen difficulty; ``mtlref.verify.strategies`` has them too.

What is drawn is structure and a seed, as there. Hypothesis is imported inside the functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# What can be asked of a matrix, and what it is then.
DIFFICULTIES = ("plain", "rank", "condition", "ties", "duplicates", "scales", "zeros")
CONDITION = 1e6


def difficult(kind: str, rows: int, columns: int, rng: np.random.Generator) -> Array:
    """A matrix (rows, columns) of one of ``DIFFICULTIES``.

    "rank" : of rank (least side + 1) // 2.  "condition" : singular values evenly from 1 to 1 / CONDITION on the
    logarithmic axis.  "ties" : whole numbers.  "duplicates" : the last row is the first.  "scales" : rows from 1 to
    CONDITION.  "zeros" : a row of zeros.

    Examples
    --------
    >>> import numpy as np
    >>> round(np.log10(np.linalg.cond(difficult("condition", 4, 3, np.random.default_rng(0)))))
    6
    """
    A = rng.standard_normal((rows, columns))
    least = min(rows, columns)
    if kind == "rank":
        k = (least + 1) // 2
        A = A[:, :k] @ rng.standard_normal((k, columns))
    elif kind == "condition":
        U, _, Vt = np.linalg.svd(A, full_matrices=False)
        A = (U * CONDITION ** -np.linspace(0.0, 1.0, least)) @ Vt
    elif kind == "ties":
        A = np.round(A)
    elif kind == "duplicates":
        A[-1] = A[0]
    elif kind == "scales":
        A *= (CONDITION ** np.linspace(0.0, 1.0, rows))[:, None]
    elif kind == "zeros":
        A[rng.integers(rows)] = 0.0
    return np.asarray(A)


def jacobians(kinds: tuple[str, ...] = DIFFICULTIES, *, max_tasks: int = 5, max_parameters: int = 8) -> Any:
    """A strategy for Jacobians (m, d), a row a task's gradient, of the difficulties named.

    "duplicates" and "scales" are of tasks. For Jacobians at which balancers have broken: ``mtlref.balance.hard``.
    """
    from hypothesis import strategies as st

    return st.builds(
        lambda kind, m, d, seed: difficult(kind, m, d, np.random.default_rng(seed)),
        st.sampled_from(kinds),
        st.integers(1, max_tasks),
        st.integers(1, max_parameters),
        st.integers(0, 2**31),
    )


def kernel_inputs(
    kinds: tuple[str, ...] = DIFFICULTIES, *, max_rows: int = 8, max_features: int = 4, sets: int = 2
) -> Any:
    """A strategy for ``sets`` arrays of inputs (n, p) with one p, of the difficulties named: places of a kernel.

    "duplicates" : places that occur twice, "scales" : places from near to far.
    """
    from hypothesis import strategies as st

    @st.composite
    def draw_inputs(draw: Any) -> tuple[Array, ...]:
        p = draw(st.integers(1, max_features))
        rng = np.random.default_rng(draw(st.integers(0, 2**31)))
        sizes = [draw(st.integers(1, max_rows)) for _ in range(sets)]
        return tuple(difficult(draw(st.sampled_from(kinds)), n, p, rng) for n in sizes)

    return draw_inputs()


def missing(pattern: str, n: int, T: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(n, T), True where a target is not observed; two rows of each task always are.

    pattern : "random" (a third of all), "blocks" (each task its own rows), "monotone" (later tasks see fewer rows) or
    "one_task" (nothing but two rows of one task).
    """
    hidden = np.zeros((n, T), dtype=bool)
    if pattern == "random":
        hidden = rng.random((n, T)) < 1 / 3
    elif pattern == "blocks":
        hidden = np.arange(n)[:, None] * T // n != np.arange(T)
    elif pattern == "monotone":
        hidden = np.arange(n)[:, None] >= n - n * np.arange(T) // (T + 1)
    elif pattern == "one_task":
        hidden[2:, rng.integers(T)] = True
    hidden[:2] = False
    return np.asarray(hidden)


PATTERNS = ("random", "blocks", "monotone", "one_task")


def missing_patterns(n: int, T: int, patterns: tuple[str, ...] = PATTERNS) -> Any:
    """A strategy for masks (n, T) of what is not observed."""
    from hypothesis import strategies as st

    return st.builds(
        lambda pattern, seed: missing(pattern, n, T, np.random.default_rng(seed)),
        st.sampled_from(patterns),
        st.integers(0, 2**31),
    )
