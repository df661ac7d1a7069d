"""Races as lines of text, ratios first."""

from __future__ import annotations

from typing import Any

from benchmarks import outcome as o
from benchmarks.outcome import Outcome

OURS = "mtlref"


def ours_of(found: list[Outcome]) -> Outcome | None:
    """Our outcome of a problem, where the gap was reached."""
    return next((r for r in found if r.solver == OURS and r.status == o.REACHED), None)


def ratio(ours: Outcome | None, other: Outcome) -> tuple[str, float | None]:
    """(sign, value): how many times longer the other takes; ">" where its time was up before it had the gap."""
    if ours is None or not ours.seconds or not other.seconds:
        return "", None
    if other.status == o.REACHED:
        return "", other.seconds / ours.seconds
    if other.status == o.TIME:
        return ">", other.seconds / ours.seconds
    return "", None


def ordered(found: list[Outcome]) -> list[Outcome]:
    """Ours, then the others: those that have the gap by time, then those whose time was up, then the rest."""
    place = {o.REACHED: 0, o.TIME: 1}
    return sorted(found, key=lambda r: (r.solver != OURS, place.get(r.status, 2), r.seconds or 0.0))


def lines(found: list[Outcome], words: str) -> list[str]:
    """The problem and its solvers."""
    ours = ours_of(found)
    name = found[0].problem if found else ""
    out = [f"{name}: {words}"]
    for r in ordered(found):
        sign, value = ratio(ours, r)
        first = "1" if r is ours else f"{sign}{value:.3g}" if value is not None else "-"
        seconds = f"{r.seconds:10.4g}" if r.seconds is not None else f"{'-':>10s}"
        gap = f"{r.gap:9.1e}" if r.gap is not None else f"{'-':>9s}"
        said = [] if r.status == o.REACHED else [r.status]
        if r.lams > 1 and r.finished < r.lams and r.status not in (o.MISSING, o.OUT):
            said.append(f"{r.finished} of {r.lams} lams")
        if r.note:
            said.append(r.note)
        out.append(f"  {first:>8s}  {r.solver:<22s} {seconds} s  {gap}  {'; '.join(said)}".rstrip())
    return out


def heading(machine: dict[str, Any]) -> list[str]:
    """Machine and versions, and those of solvers that ran elsewhere."""
    out = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} thread(s), load before "
        f"{machine['load before']}",
        versions_text(machine["versions"]),
    ]
    elsewhere = machine.get("elsewhere", {})
    return out + [f"{name} with {versions_text(found)}" for name, found in elsewhere.items()]


def versions_text(found: dict[str, str]) -> str:
    """Names and versions in a line."""
    return ", ".join(f"{name} {value}" for name, value in found.items())
