"""The search for a problem that breaks a law, by Hypothesis: draw, and shrink what breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mtlref.verify.laws.check import LawViolation
from mtlref.verify.laws.estimators import Law
from mtlref.verify.strategies import Case

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True)
class Found:
    """What a search came to.  tried : problems until the first that broke the law, or all.

    smallest : the smallest problem found that breaks it, with how it does; None where the law held.
    """

    tried: int
    smallest: tuple[Case, Exception] | None

    @property
    def crashed(self) -> bool:
        """Whether the law was not refuted, but could not be put."""
        return self.smallest is not None and not isinstance(self.smallest[1], LawViolation)


def search(law: Law, problems: SearchStrategy[Case], count: int, start: int | None = None) -> Found:
    """Put a law to ``count`` drawn problems; the same ones every time.

    Parameters
    ----------
    law : of ``laws_of``.  problems : what to draw from.  count : how many at the most.
    start : the seed of the draws; None for those that Hypothesis derives from this file.

    Returns: Found. Raises what Hypothesis itself raises. Needs hypothesis.
    """
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    tried = 0
    last: tuple[Case, Exception] | None = None

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=start is None,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.target, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=problems, at=st.integers(0, 1000))
    def holds(case: Case, at: int) -> None:
        nonlocal tried, last
        tried += last is None
        try:
            law.check(case, np.random.default_rng(at))
        except Exception as failure:
            last = case, failure
            raise

    draws: Any = holds if start is None else seed(start)(holds)
    try:
        draws()
    except Exception:
        if last is None:
            raise
    return Found(tried, last)
