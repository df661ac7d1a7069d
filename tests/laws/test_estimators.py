"""Every law of every method, both losses, on awkward data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from mtlref.verify.endurance import kinds_for
from mtlref.verify.laws import ESTIMATOR_LAWS, Law, laws_of
from mtlref.verify.strategies import cases

LAWS = [
    pytest.param(method.name, loss, law, id=f"{method.name}-{loss}-{law.name}")
    for method in mt.methods().values()
    for loss in method.losses
    for law in laws_of(method)
    if law.loss in ("", loss)
]


@pytest.mark.parametrize(("name", "loss", "law"), LAWS)
def test_law(name: str, loss: str, law: Law) -> None:
    kinds = kinds_for(law, mt.methods()[name])

    # Methods that are not convex search from several starts, so that a fit takes many times as long.
    convex = "convex" in mt.methods()[name].properties

    @settings(max_examples=max(4, settings().max_examples // (3 if convex else 12)))
    @given(case=cases(name, loss, kinds=kinds, attained=loss == "logistic"), seed=st.integers(0, 1000))
    def holds(case: Any, seed: int) -> None:
        law.check(case, np.random.default_rng(seed))

    holds()


def test_every_law_applies_to_some_method() -> None:
    applied = {law.name for method in mt.methods().values() for law in laws_of(method)}
    assert applied == {law.name for law in ESTIMATOR_LAWS}
