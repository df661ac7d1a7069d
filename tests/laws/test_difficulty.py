"""What strategies of chosen difficulty really draw: each kind is what it says, and sizes and numbers have width."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mtlref.verify import strategies
from mtlref.verify.strategies import CONDITION, DIFFICULTIES, PATTERNS, difficult, missing

pytest.importorskip("hypothesis")

Collect = Callable[[Any, int], list[Any]]


@pytest.mark.parametrize("shape", [(5, 3), (3, 6), (4, 4)])
@pytest.mark.parametrize("kind", DIFFICULTIES)
def test_a_difficulty_is_what_it_says(kind: str, shape: tuple[int, int]) -> None:
    A = difficult(kind, *shape, np.random.default_rng(0))
    assert A.shape == shape
    sigma = np.linalg.svd(A, compute_uv=False)
    rank = int((sigma > 1e-12 * sigma[0]).sum())
    least = min(shape)
    if kind == "rank":
        assert rank == (least + 1) // 2
    elif kind == "condition":
        assert sigma[0] / sigma[-1] == pytest.approx(CONDITION, rel=1e-9)
    elif kind == "ties":
        assert np.array_equal(A, np.round(A))
    elif kind == "duplicates":
        assert np.array_equal(A[0], A[-1])
    elif kind == "scales":
        norms = np.linalg.norm(A, axis=1)
        assert CONDITION / 100 < norms[-1] / norms[0] < CONDITION * 100
    elif kind == "zeros":
        assert (~A.any(axis=1)).sum() == 1
    else:
        assert rank == least


def test_jacobians_have_every_size_and_kind(collect: Collect) -> None:
    drawn = collect(strategies.jacobians(), 60)
    assert {J.shape[0] for J in drawn} == {1, 2, 3, 4, 5}
    assert {J.shape[1] for J in drawn} >= {1, 2, 4, 8}
    sizes = [float(np.abs(J).max()) for J in drawn]
    assert max(sizes) > 1e3 * np.median(sizes)
    assert any(np.array_equal(J, np.round(J)) for J in drawn)
    assert len({J.tobytes() for J in drawn}) > 30


def test_inputs_of_kernels_share_their_features(collect: Collect) -> None:
    drawn = collect(strategies.kernel_inputs(), 60)
    assert all(X.shape[1] == Z.shape[1] for X, Z in drawn)
    assert {X.shape[1] for X, _ in drawn} == {1, 2, 3, 4}
    assert len({len(X) for X, _ in drawn}) > 4
    assert any(len(X) > 1 and np.array_equal(X[0], X[-1]) for X, _ in drawn)
    ((X, Y, Z),) = collect(strategies.kernel_inputs(("plain",), sets=3), 1)
    assert X.shape[1] == Y.shape[1] == Z.shape[1]


def test_chosen_kinds_alone_are_drawn(collect: Collect) -> None:
    assert all(np.array_equal(J, np.round(J)) for J in collect(strategies.jacobians(("ties",)), 20))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_of_what_is_missing(pattern: str, collect: Collect) -> None:
    hidden = missing(pattern, 9, 3, np.random.default_rng(0))
    assert hidden.shape == (9, 3)
    assert not hidden[:2].any()
    assert hidden.any()
    if pattern == "monotone":
        assert (np.diff(hidden.astype(int), axis=0) >= 0).all()
        assert (np.diff(hidden.sum(axis=0)) > 0).all()
    elif pattern == "blocks":
        assert (hidden[2:].sum(axis=1) == 2).all()
    elif pattern == "one_task":
        assert sorted(hidden.sum(axis=0)) == [0, 0, 7]
    masks = collect(strategies.missing_patterns(9, 3, (pattern,)), 20)
    assert pattern in ("blocks", "monotone") or len({m.tobytes() for m in masks}) > 1
