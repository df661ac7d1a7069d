"""What a Hypothesis strategy really draws."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(scope="session")
def collect() -> Callable[[Any, int], list[Any]]:
    """collect(strategy, count): the same values each time, as many as asked for."""
    hypothesis = pytest.importorskip("hypothesis")

    def values(strategy: Any, count: int) -> list[Any]:
        drawn: list[Any] = []

        @hypothesis.settings(
            max_examples=count,
            database=None,
            derandomize=True,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(strategy)
        def run(value: Any) -> None:
            drawn.append(value)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()
        return drawn

    return values
