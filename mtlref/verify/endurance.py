"""Our own solvers put to their own laws on thousands of drawn problems.

    mtlref endure --methods JointFeature,TraceNorm --examples 10000 --folder endurance

Problems come in chunks, each from a seed of its own, so that a run that was stopped goes on where it was: a finished
chunk is a line of ``folder/chunks.jsonl``. A refutation is shrunk and stays beside it, as NPZ, MAT and JSON.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mtlref import inputs
from mtlref.registry import Method, method
from mtlref.verify.checking.report import CRASHED, FAILED, HELD, LawReport, Report
from mtlref.verify.laws.estimators import Law, laws_of
from mtlref.verify.search import search
from mtlref.verify.strategies import KINDS, Case, cases

# Scaling by 2^400 next to columns that differ by 1e4 leaves the range of numbers that the promise is about.
TAME = tuple(k for k in KINDS if k not in ("large_mean", "scales"))
CHUNK = 50


@dataclass(frozen=True)
class Chunk:
    """Some drawn problems put to one law.  status : "held", "failed" or "crashed".  seconds : that it took."""

    method: str
    loss: str
    law: str
    number: int
    examples: int
    status: str
    seconds: float
    message: str = ""


def kinds_for(law: Law, asked: Method) -> tuple[str, ...]:
    """The kinds of data that a law is promised on."""
    # Stages without a penalty on what is large are as badly conditioned as the data, and would take for ever.
    tame = law.name in ("extreme_units_do_not_matter", "shifts_go_into_the_intercept")
    return TAME if tame or "staged" in asked.properties else KINDS


def plan(name: str, examples: int) -> list[tuple[str, Law, int]]:
    """(loss, law, chunk's number) of all chunks of a method, laws and losses in turn."""
    asked = method(name)
    pairs = [(loss, law) for loss in asked.losses for law in laws_of(asked) if law.loss in ("", loss)]
    count = -(-examples // CHUNK)
    return [(*pairs[k % len(pairs)], k // len(pairs)) for k in range(count)]


def run_chunk(name: str, loss: str, law: Law, number: int, count: int = CHUNK) -> tuple[Chunk, Case | None]:
    """``count`` problems from the chunk's own seed; with the smallest counterexample where the law does not hold."""
    asked = method(name)
    problems = cases(name, loss, kinds=kinds_for(law, asked), attained=loss == "logistic")
    began = time.perf_counter()
    found = search(law, problems, count, zlib.crc32(f"{name} {loss} {law.name} {number}".encode()))
    status, message, smallest = HELD, "", None
    if found.smallest is not None:
        smallest, failure = found.smallest
        status = CRASHED if found.crashed else FAILED
        message = f"{type(failure).__name__}: {failure}"
    spent = round(time.perf_counter() - began, 2)
    return Chunk(name, loss, law.name, number, found.tried, status, spent, message), smallest


def endure(
    names: tuple[str, ...],
    examples: int = 10_000,
    folder: str | Path = "endurance",
    progress: Callable[[Chunk], None] | None = None,
) -> list[Chunk]:
    """Put our solvers of the methods to every law that they declare, ``examples`` problems a method.

    Parameters
    ----------
    names : of the registry.  examples : a method, shared among its losses and laws in turn.
    folder : finished chunks are kept there, and not run again; counterexamples too.
    progress : called with each chunk that is done.

    Returns
    -------
    list of Chunk : all of them, also those of earlier runs.

    Raises: UnknownMethod; DataError for a count that is not a whole number >= 1. Needs hypothesis.
    """
    inputs.count(examples, "examples")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    log = target / "chunks.jsonl"
    kept = {(c.method, c.loss, c.law, c.number): c for c in finished(log)}
    chunks = []
    for name in names:
        for loss, law, number in plan(name, examples):
            key = (name, loss, law.name, number)
            if key not in kept:
                kept[key], case = run_chunk(name, loss, law, number)
                if case is not None:
                    found = LawReport(
                        f"{law.name}-{loss}-{number}", kept[key].status, 0, kept[key].message, case
                    )
                    Report(name, (found,)).save(target)
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(kept[key])) + "\n")
                if progress is not None:
                    progress(kept[key])
            chunks.append(kept[key])
    return chunks


def finished(log: Path) -> Iterator[Chunk]:
    """The chunks of earlier runs."""
    if log.is_file():
        for line in log.read_text(encoding="utf-8").splitlines():
            yield Chunk(**json.loads(line))


def table(chunks: list[Chunk]) -> str:
    """A line a method: problems tried, laws refuted, seconds."""
    lines = []
    for name in dict.fromkeys(c.method for c in chunks):
        own = [c for c in chunks if c.method == name]
        bad = [c for c in own if c.status != HELD]
        lines.append(
            f"{name:<18} {sum(c.examples for c in own):>7} problems {len(bad):>3} refuted "
            f"{sum(c.seconds for c in own):>8.0f} s"
        )
        lines += [f"    {c.loss} {c.law} chunk {c.number}: {c.message[:300]}" for c in bad]
    return "\n".join(lines)
