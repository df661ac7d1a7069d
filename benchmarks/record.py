"""Our own figures by commit: a line of JSON a run, and what changed since the last like run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import outcome as o
from benchmarks.machine import commit
from benchmarks.outcome import Outcome
from benchmarks.report import OURS

SAME = ("processor", "cores", "system", "threads")


def figures(races: list[list[Outcome]]) -> dict[str, float]:
    """ "suite/problem" -> our seconds, where the answer was certified."""
    return {
        f"{r.suite}/{r.problem}": r.seconds
        for found in races
        for r in found
        if r.solver == OURS and r.status == o.REACHED and r.seconds is not None
    }


def entry(races: list[list[Outcome]], machine: dict[str, Any], gap: float) -> dict[str, Any]:
    """One line of the history."""
    return {
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "gap": gap,
        "machine": machine,
        "seconds": figures(races),
    }


def append(file: Path, line: dict[str, Any]) -> None:
    """Add a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line, sort_keys=True) + "\n")


def history(file: Path) -> list[dict[str, Any]]:
    """All lines of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether figures of the two runs may be compared: same machine, threads and gap."""
    same = all(one["machine"].get(k) == other["machine"].get(k) for k in SAME)
    return bool(same and one["gap"] == other["gap"])


def changes(now: dict[str, Any], before: list[dict[str, Any]], threshold: float = 1.1) -> list[str]:
    """A line a figure: seconds now, in the last like run that has it, their ratio; marked beyond the threshold."""
    like = [line for line in before if alike(now, line)]
    if not like:
        return ["no run of this machine, with these threads and this gap, is in the record"]
    out = [f"{'now / then':>10s}  {'now s':>10s}  {'then s':>10s}  {'then':<14s} figure"]
    for name, seconds in now["seconds"].items():
        then = next((line for line in reversed(like) if name in line["seconds"]), None)
        if then is None:
            out.append(f"{'-':>10s}  {seconds:10.4f}  {'-':>10s}  {'':<14s} {name} (new)")
            continue
        r = seconds / then["seconds"][name]
        mark = "  slower" if r > threshold else "  faster" if r < 1 / threshold else ""
        out.append(
            f"{r:10.2f}  {seconds:10.4f}  {then['seconds'][name]:10.4f}  {then['commit']:<14s} {name}{mark}"
        )
    gone = [n for n in like[-1]["seconds"] if n not in now["seconds"] and _entered(n, now)]
    return out + [f"{'-':>10s}  not certified now: {n}" for n in gone]


def _entered(name: str, now: dict[str, Any]) -> bool:
    """Whether the suite of the figure was run at all."""
    return any(n.split("/")[0] == name.split("/")[0] for n in now["seconds"])
