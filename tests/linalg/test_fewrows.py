"""Coefficients by their rows that are not zero: what they say is what the whole array says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mtlref.linalg import fewrows
from mtlref.linalg.fewrows import FewRows, rows_in_use


def check_rows(module: Any) -> None:
    """Rows in any order, some twice, inside and outside of those that are not zero; and back to the array."""
    rng = np.random.default_rng(0)
    for p, T, on in ((9, 3, (0, 2, 5)), (9, 3, (3, 8)), (4, 1, ()), (3, 2, (0, 1, 2))):
        W = np.zeros((p, T))
        W[list(on)] = rng.standard_normal((len(on), T))
        few = module.FewRows.of(W)
        assert module.FewRows.of(few) is few
        assert few.shape == W.shape
        assert len(few) == p
        assert (
            few.on.tolist() == list(on) == module.rows_in_use(W).tolist() == module.rows_in_use(few).tolist()
        )
        whole = np.asarray(few)
        np.testing.assert_array_equal(whole, W)
        assert whole is not few.rows
        assert not np.shares_memory(whole, few.rows)
        np.testing.assert_array_equal(few[:], W)
        np.testing.assert_array_equal(few[few.on], W[few.on])
        for features in (np.arange(p), np.arange(p)[::-1], rng.integers(0, p, 20), np.zeros(0, dtype=int)):
            np.testing.assert_array_equal(few[features], W[features])
        assert few.equals(module.FewRows.of(W.copy()))
        if on:
            assert not few.equals(module.FewRows.of(2 * W))
            moved = module.FewRows(p, few.on[::-1] if len(on) > 1 else few.on + 1, few.rows)
            assert not few.equals(moved)


def test_few_rows_are_those_of_the_array() -> None:
    check_rows(fewrows)


@pytest.mark.parametrize(("text", "fault"), [
    ("np.flatnonzero((W != 0).any(axis=1))", "np.flatnonzero((W != 0).all(axis=1) & (W[:, 0] > 0))"),
    ("self.on[place] == features", "self.on[place] <= features"),
    ("self.rows[place[here]]", "self.rows[here]"),
    ("W[self.on] = self.rows", "W[: len(self.rows)] = self.rows"),
    ("and np.array_equal(self.rows, other.rows)", ""),
    ("np.array_equal(self.on, other.on) and ", ""),
    ("if np.array_equal(features, self.on):", "if len(features) == len(self.on):"),
])  # fmt: skip
def test_faults_in_few_rows_are_seen(text: str, fault: str, mutated: Any) -> None:
    mutant = mutated(fewrows, text, fault)
    with pytest.raises((AssertionError, IndexError)):
        check_rows(mutant)


def test_an_array_is_made_of_the_type_that_is_asked_for() -> None:
    few = FewRows(3, np.array([1]), np.array([[1.5, 2.0]]))
    assert np.asarray(few, dtype=np.float32).dtype == np.float32
    assert rows_in_use(few).tolist() == [1]
