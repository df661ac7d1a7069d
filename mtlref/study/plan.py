"""Which jobs are left, told from the fits that are there: the same answer after a kill as without one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from mtlref.registry import method as registered
from mtlref.study.grid import Choice, decide, grid_for
from mtlref.study.settings import Settings
from mtlref.study.store import FINAL, Failure, Fit, Outcome
from mtlref.study.work import Job

Unit = tuple[int, int, str]

NO_FINITE_SCORE = "no setting gave a finite score on the inner folds"


class Plan:
    """The state of a comparison. ``absorb`` what is done, then ``jobs()`` until there are none."""

    def __init__(self, settings: Settings, fits: Iterable[Fit], failures: Iterable[Failure]) -> None:
        self.settings = settings
        # They have no weight to tune: one fit on the whole training part is all there is to do.
        self._by_themselves = {
            name for name in settings.methods if "self_tuned" in registered(name).properties
        }
        self._grids = {name: grid_for(registered(name), settings.grid) for name in settings.methods}
        # unit -> fold -> setting -> (criterion, rows it was scored on)
        self._scores: dict[Unit, dict[int, dict[int, tuple[float, int]]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        self._ended: set[Unit] = set()
        for fit in fits:
            self._add(fit)
        for failure in failures:
            self._ended.add(failure.unit)

    def absorb(self, outcome: Outcome) -> None:
        """Take note of a finished job."""
        for fit in outcome.fits:
            self._add(fit)
        if outcome.failure is not None:
            self._ended.add(outcome.failure.unit)

    def _add(self, fit: Fit) -> None:
        if fit.fold == FINAL:
            self._ended.add(fit.unit)
        else:
            self._scores[fit.unit][fit.fold][fit.k] = (fit.criterion, fit.rows)

    def jobs(self) -> list[Job]:
        """Everything that can be done now: paths over settings not yet tried, or the refit of units that chose."""
        found: list[Job] = []
        for unit in self.settings.units():
            if unit in self._ended:
                continue
            if unit[2] in self._by_themselves:
                found.append(Job(*unit, FINAL, (0,)))
                continue
            asked = decide(self._grids[unit[2]], self.curve(unit))
            if isinstance(asked, Choice):
                found.append(Job(*unit, FINAL, (asked.k,), asked.note))
            elif asked is None:
                # Any setting will do: the refit's own failure is what the table then reports.
                found.append(Job(*unit, FINAL, (0,), NO_FINITE_SCORE))
            else:
                for fold in range(self.settings.folds):
                    done = self._scores[unit][fold]
                    left = tuple(k for k in asked if k not in done)
                    if left:
                        found.append(Job(*unit, fold, left))
        return found

    def later(self, todo: list[Job]) -> int:
        """Jobs that must follow those of ``todo`` even if no grid is extended: a refit for every unit still tuning."""
        refits = sum(1 for job in todo if job.fold == FINAL)
        return len(self.settings.units()) - len(self._ended) - refits

    def done(self) -> int:
        """Jobs that are behind us."""
        return len(self._ended) + sum(len(by_fold) for by_fold in self._scores.values())

    def curve(self, unit: Unit) -> dict[int, float]:
        """setting -> criterion over all folds, each held-out row counted once; only settings that every fold has."""
        by_fold = self._scores[unit]
        if len(by_fold) < self.settings.folds:
            return {}
        common = set.intersection(*(set(scores) for scores in by_fold.values()))
        return {k: _average([scores[k] for scores in by_fold.values()]) for k in common}


def _average(scores: list[tuple[float, int]]) -> float:
    values = np.array([v for v, _ in scores])
    rows = np.array([n for _, n in scores], dtype=float)
    if not np.isfinite(values).all():
        return float("inf")
    return float(values @ rows / rows.sum())
