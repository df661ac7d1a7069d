"""Tests collected once, and put to one mutant after the other in forks of the process that holds them.

``measured`` finds out which mutated functions each test comes by and what it costs, ``trial`` puts a mutant to the
tests that come by it, cheapest first.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

# Tests of what mutmut mutates.
FOLDERS = ("laws", "methods", "optim", "linalg", "moments", "oracles", "equivalences", "contract", "balance")
# A test whose mutant makes it take so many times as long, and so many seconds more, never ends.
TIMES, MORE = 10, 30
Reach = dict[str, tuple[float, list[str]]]


class Held:
    """A plugin that hands the collected tests over in place of running them."""

    def __init__(self, work: Callable[[list[pytest.Item]], None]) -> None:
        self.work = work
        self.failed = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every test by its name."""
        self.work(session.items)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that something failed."""
        self.failed |= report.failed

    def passes(self, item: pytest.Item) -> bool:
        """Run one test with everything that it sets up."""
        self.failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return not self.failed


def collected(work: Callable[[Held, list[pytest.Item]], None], folders: Iterable[str] = FOLDERS) -> None:
    """Call ``work`` on the tests in these folders of the one where we are."""
    held = Held(lambda items: work(held, items))
    there = [f"tests/{name}" for name in folders if Path("tests", name).exists()]
    code = pytest.main(
        ["-q", "-s", "--tb=short", "-W", "ignore::pytest.PytestAssertRewriteWarning", "--rootdir=.",
         "-p", "no:cacheprovider", "-m", "not slow", "--ignore-glob=*mutants*", *there],
        plugins=[held],
    )  # fmt: skip
    assert code in (0, 5), code


def forked(work: Callable[[int], None], faults: Path) -> tuple[int, int]:
    """A fork that does ``work(report)`` and ends; its process and the file descriptor to read what it reports."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        with open(os.devnull, "w") as nothing, faults.open("a") as said:
            os.dup2(nothing.fileno(), 1)
            os.dup2(said.fileno(), 2)
            try:
                work(writing)
            except BaseException:
                import traceback

                traceback.print_exc()
    finally:
        os._exit(0)


def read_all(reading: int) -> str:
    """What a fork reported, once it has ended."""
    with os.fdopen(reading, encoding="utf-8") as pipe:
        return pipe.read()


def measured(held: Held, items: list[pytest.Item], faults: Path) -> Iterator[tuple[str, Reach]]:
    """A file of tests after the other: its tests that pass, the seconds of each and the functions that it comes by."""
    for file, own in groupby(items, key=lambda item: item.nodeid.partition("::")[0]):
        own = list(own)

        def work(report: int, own: list[pytest.Item] = own) -> None:
            from mutmut.state import state

            os.environ["MUTANT_UNDER_TEST"] = "stats"
            found: Reach = {}
            for item in own:
                state()._stats.clear()
                began = time.process_time()
                if held.passes(item):
                    found[item.nodeid] = round(time.process_time() - began, 2), sorted(state()._stats)
            with os.fdopen(report, "w", encoding="utf-8") as pipe:
                json.dump(found, pipe)

        child, reading = forked(work, faults)
        text = read_all(reading)
        os.waitpid(child, 0)
        yield file, json.loads(text) if text else {}


def order(reach: Reach, function: str, seconds: float) -> list[str]:
    """The tests that come by a function, cheapest first, as many as the seconds last for; the first always."""
    known = sorted((cost, name) for name, (cost, functions) in reach.items() if function in functions)
    spent = 0.0
    chosen = []
    for cost, name in known:
        spent += cost
        if chosen and spent > seconds:
            break
        chosen.append(name)
    return chosen


def trial(
    held: Held, items: dict[str, pytest.Item], name: str, tests: Iterable[tuple[str, float]], report: int
) -> None:
    """Put one mutant to tests with their costs, and write [status, test] to the file descriptor."""
    os.environ["MUTANT_UNDER_TEST"] = name
    status, by = "survived", ""
    for test, cost in tests:
        limit = int(time.process_time() + MORE + TIMES * cost)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        if not held.passes(items[test]):
            status, by = "killed", test
            break
    os.write(report, json.dumps([status, by]).encode())


def outcome(text: str, status: int) -> tuple[str, str] | None:
    """What a trial found: status and test; "timeout" where the limit ended it; None where it broke by itself."""
    if text:
        found, by = json.loads(text)
        return found, by
    if os.WIFSIGNALED(status):
        return ("timeout" if os.WTERMSIG(status) == signal.SIGXCPU else "killed"), ""
    return None


def load(path: Path) -> Reach:
    """A reach that was kept."""
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {name: (cost, functions) for name, (cost, functions) in kept.items()}
