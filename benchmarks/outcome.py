"""What a race tells of one solver on one problem."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

REACHED = "reached"
SHORT = "gap not reached"
TIME = "time was up"
MISSING = "not installed"
OUT = "does not enter"
FAILED = "failed"


@dataclass
class Outcome:
    """One solver on one problem.

    status : REACHED, or why not
    seconds : the least time of a whole solve whose answers were certified; without the gap, the time spent
    gap : the largest relative gap over the lams by ``mtlref.audit``; where nothing was certified, the best one seen
    curve : (seconds, relative gap) of every answer that was looked at, by the objective of the race
    lams, finished : of a path; seconds are for all of them if REACHED
    """

    suite: str
    problem: str
    solver: str
    status: str
    version: str = ""
    seconds: float | None = None
    gap: float | None = None
    curve: list[tuple[float, float]] = field(default_factory=list)
    lams: int = 1
    finished: int = 0
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
