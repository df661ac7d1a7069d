"""python -m benchmarks.table results.json ...: the measured ratios as Markdown, or into a page, so that none is typed.

With --write PAGE the tables take the place of what stands between the page's two marks.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import outcome as o
from benchmarks.outcome import Outcome
from benchmarks.report import OURS, ordered, ours_of, ratio, versions_text
from benchmarks.suites.catalogue import problems

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"


def words_of(suite: str) -> dict[str, str]:
    """What each problem is."""
    return {p.name: p.words for quick in (False, True) for p in problems(suite, quick)}


def cell(ours: Outcome | None, other: Outcome) -> str:
    """A peer with its ratio, or why it has none."""
    sign, value = ratio(ours, other)
    if value is not None:
        return f"{other.solver} {sign}{value:.3g}"
    reason = f"gap {other.gap:.0e}" if other.status == o.SHORT and other.gap is not None else other.status
    return f"{other.solver}: {reason}"


def rows(found: list[Outcome], words: str, run: int) -> str:
    """A line of the table."""
    ours = ours_of(found)
    mine = next((r for r in found if r.solver == OURS), None)
    if ours is not None and ours.seconds is not None:
        seconds = f"{ours.seconds:.3g}"
    else:
        seconds = "-" if mine is None else mine.status
    others = [r for r in ordered(found) if r.solver != OURS and r.status not in (o.MISSING, o.OUT)]
    said = "; ".join(cell(ours, r) for r in others)
    if mine is not None and mine.note and not others:
        said = mine.note
    name = found[0].problem
    return f"| {name} | {words} | {seconds} | {said.replace('|', ' ')} | {run} |"


def tables(results: list[dict[str, Any]], environments: Environments) -> list[str]:
    """A table a suite of all runs, then what each run was."""
    out = []
    races = [
        ([Outcome(**r) for r in one], run)
        for run, result in enumerate(results, 1)
        for one in result["races"]
        if one
    ]
    for suite in dict.fromkeys(one[0].suite for one, _ in races):
        words = words_of(suite)
        last = "exponent of the last decade, and as stated" if suite == "growth" else "times longer"
        out += [f"**{suite}**", "", f"| problem | size | mtlref s | {last} | run |", "|:--|:--|--:|:--|--:|"]
        out += [rows(one, words.get(one[0].problem, ""), run) for one, run in races if one[0].suite == suite]
        out.append("")
    for run, result in enumerate(results, 1):
        gap = f"relative gap {result['gap']:.0e}"
        out.append(f"- Run {run}: {_circumstances(result)}, {gap}; {environments.said(result['machine'])}.")
    return [*out, ""]


class Environments:
    """Versions by a letter, so that each set of them is printed once."""

    def __init__(self) -> None:
        self.known: list[str] = []

    def letter(self, versions: dict[str, str]) -> str:
        """Of these versions."""
        text = versions_text(versions)
        if text not in self.known:
            self.known.append(text)
        return chr(ord("a") + self.known.index(text))

    def said(self, machine: dict[str, Any]) -> str:
        """Which environment a run was in, and which solvers were in another."""
        own = self.letter(machine["versions"])
        others: dict[str, list[str]] = {}
        for name, versions in machine.get("elsewhere", {}).items():
            others.setdefault(self.letter(versions), []).append(name)
        parts = [f"{', '.join(names)} in {letter}" for letter, names in others.items() if letter != own]
        return "; ".join([f"environment {own}", *parts])

    def lines(self) -> list[str]:
        """A line an environment."""
        return [f"- Environment {chr(ord('a') + k)}: {text}." for k, text in enumerate(self.known)]


def _circumstances(result: dict[str, Any]) -> str:
    m = result["machine"]
    commit = result["commit"][:7] or "unknown"
    return f"commit {commit}, {m['processor']}, {m['cores']} cores, {m['threads']} thread(s), load {m['load before']}"


def pair(first: dict[str, Any], second: dict[str, Any], environments: Environments) -> list[str]:
    """Our own seconds in two runs, side by side: of one thread and of two, or of two machines."""
    found = [{(r.suite, r.problem): r for r in _ours(run)} for run in (first, second)]
    threads = [run["machine"]["threads"] for run in (first, second)]
    said = [f"{_circumstances(run)}, {environments.said(run['machine'])}" for run in (first, second)]
    out = ["**This library by itself**", "", f"{said[0]}, beside {said[1]}:", ""]
    out += [
        f"| suite | problem | s on {threads[0]} | s on {threads[1]} | times longer |",
        "|:--|:--|--:|--:|--:|",
    ]
    for key in [k for k in found[0] if k in found[1]]:
        one, two = found[0][key].seconds, found[1][key].seconds
        if one and two:
            out.append(f"| {key[0]} | {key[1]} | {one:.3g} | {two:.3g} | {two / one:.2f} |")
    return [*out, ""]


def _ours(result: dict[str, Any]) -> list[Outcome]:
    every = [Outcome(**r) for one in result["races"] for r in one]
    return [r for r in every if r.solver == OURS and r.status == o.REACHED]


def put(page: str, lines: list[str]) -> str:
    """The page with the lines between its marks."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"the page must hold one line {BEGIN!r} and after it one line {END!r}")
    head, rest = page.split(BEGIN)
    return head + BEGIN + "\n" + "\n".join(lines).rstrip() + "\n" + END + rest.split(END)[1]


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Print, or write into the page; exit code 0."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__)
    p.add_argument("results", type=Path, nargs="+", help="results.json of python -m benchmarks --output")
    p.add_argument(
        "--pair",
        type=Path,
        nargs=2,
        metavar="RESULTS",
        help="two more runs: our own seconds in both, side by side",
    )
    p.add_argument("--write", type=Path, metavar="PAGE", help="a page with the two marks")
    a = p.parse_args(arguments)
    environments = Environments()
    lines = tables([_read(file) for file in a.results], environments)
    if a.pair is not None:
        first, second = map(_read, a.pair)
        lines += pair(first, second, environments)
    lines += environments.lines()
    if a.write is None:
        print("\n".join(lines))
    else:
        a.write.write_text(put(a.write.read_text(encoding="utf-8"), lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
