"""What has been measured so far, in results.json from the first measurement on, so that an interrupted run keeps it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.outcome import Outcome

FILE = "results.json"
SAME = ("processor", "cores", "system", "threads", "versions", "elsewhere")


class Ledger:
    """Outcomes by suite and problem, in the order of their coming; ``head`` gives what stands beside them in the file.

    folder : where the file is written after each measurement; None: nowhere
    """

    def __init__(self, folder: Path | None, head: Callable[[list[list[Outcome]]], dict[str, Any]]) -> None:
        self.folder, self.head = folder, head
        self.races: dict[tuple[str, str], list[Outcome]] = {}
        self.further: dict[str, Any] = {}

    @property
    def found(self) -> list[list[Outcome]]:
        """The outcomes, a list a problem."""
        return list(self.races.values())

    def add(self, outcomes: list[Outcome]) -> None:
        """Keep outcomes, each in place of an earlier one of its solver, and write."""
        for r in outcomes:
            there = self.races.setdefault((r.suite, r.problem), [])
            there[:] = [x for x in there if x.solver != r.solver] + [r]
        self.write()

    def write(self) -> None:
        """The whole file anew, in one step."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = {
            **self.head(self.found),
            "races": [[r.to_dict() for r in one] for one in self.found],
            "scale": self.further,
        }
        fresh = self.folder / (FILE + ".new")
        fresh.write_text(json.dumps(whole, indent=1), encoding="utf-8")
        fresh.replace(self.folder / FILE)

    def resume(self) -> None:
        """Take up what the file holds. Raises ValueError where it is of another kind of run."""
        if self.folder is None or not (self.folder / FILE).exists():
            return
        old, now = json.loads((self.folder / FILE).read_text(encoding="utf-8")), self.head([])
        for name in ("gap", "budget", "commit"):
            if old.get(name) != now[name]:
                raise ValueError(f"the results there have another {name}: {old.get(name)}, not {now[name]}")
        for name in SAME:
            if old["machine"].get(name) != json.loads(json.dumps(now["machine"].get(name))):
                raise ValueError(f"the results there have other {name}")
        for r in (Outcome(**r) for one in old["races"] for r in one):
            self.races.setdefault((r.suite, r.problem), []).append(r)
        self.further = old.get("scale", {})
