"""What the laws are read from: the entries, the hard Jacobians and the trial that a law is put to."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.balance.catalogue import _entry
from mtlref.balance.hard import make
from mtlref.balance.trial import Trial
from mtlref.errors import DataError

B = mt.balance
CLASSES = [entry.cls for entry in B.BALANCERS.values()]


@pytest.mark.parametrize("cls", CLASSES)
def test_an_entry_says_what_its_class_says(cls: Any) -> None:
    entry = _entry(cls)
    assert entry == B.BALANCERS[cls.__name__]
    assert (entry.name, entry.cls, entry.gives) == (cls.__name__, cls, cls.gives)
    assert (entry.formula, entry.sources, entry.random) == (cls.formula, cls.sources, cls.random)
    assert entry.properties == frozenset(cls.properties)
    assert entry.certificate == (cls.kind if hasattr(cls, "kind") else "")
    assert cls.__doc__.startswith(entry.summary)


@pytest.mark.parametrize("cls", [c for c in CLASSES if "convention" in {f.name for f in fields(c)}])
def test_a_convention_that_does_not_exist_is_named(cls: Any) -> None:
    with pytest.raises(DataError, match="convention must be one of"):
        cls(convention="mine")


@pytest.mark.parametrize("losses", [[1.0, 0.0], [1.0, -2.0]])
@pytest.mark.parametrize("convention", ["mean", "log"])
def test_geometric_means_are_of_positive_losses(losses: Any, convention: str) -> None:
    with pytest.raises(DataError, match="losses must be > 0"):
        B.GLS(convention)(losses)


def test_badly_scaled_rows_are_a_million_apart() -> None:
    rng = np.random.default_rng(0)
    logs = [np.log10(np.linalg.norm(J, axis=1)) for J in (make("bad_scale", rng) for _ in range(60))]
    # Rows of some eight random numbers about a common one: their lengths differ by a third from one to the next.
    assert np.mean([v[-1] - v[0] for v in logs]) == pytest.approx(6.0, abs=0.1)
    assert np.mean([v[0] for v in logs]) == pytest.approx(np.log10(np.sqrt(5 * 7.5)), abs=0.1)


@pytest.mark.parametrize(("kind", "size"), [("tiny", 1e-8), ("huge", 1e8)])
def test_rows_of_odd_units(kind: str, size: float) -> None:
    J, plain = make(kind, np.random.default_rng(1)), make("aligned", np.random.default_rng(1))
    np.testing.assert_allclose(J, size * plain, rtol=1e-15)


def test_a_trial_turns_answers_into_doubles() -> None:
    J = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]])
    for given in ([1, 2, 3], np.array([1, 2, 3], dtype=np.float32), np.array([1, 2, 3])):
        trial = Trial(lambda J, given=given: given, J, np.random.default_rng(0), 1e-9, 1.0, 0.0)
        d = trial.at(J)
        assert d.dtype == np.float64
        assert d.tolist() == [1.0, 2.0, 3.0]
