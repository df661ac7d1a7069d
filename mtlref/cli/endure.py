"""``mtlref endure``: our own solvers, put to their laws on thousands of drawn problems."""

from __future__ import annotations

import argparse

from mtlref.cli.arguments import FAILED, OK, names

SUMMARY = "put our own solvers to their laws on thousands of drawn problems"
EXAMPLE = """\
mtlref endure --methods JointFeature,TraceNorm --examples 10000
mtlref endure --folder endurance    # again: goes on where it was stopped"""


def options(p: argparse.ArgumentParser) -> None:
    """Its options."""
    p.add_argument("--methods", metavar="A,B,..", help="methods to try (default: all convex ones)")
    p.add_argument("--examples", type=int, default=10_000, help="problems a method (default 10000)")
    p.add_argument("--folder", default="endurance", metavar="DIR",
                   help="for finished chunks (not run again) and counterexamples (default endurance)")  # fmt: skip
    p.add_argument("--quiet", action="store_true", help="the table at the end alone")


def run(o: argparse.Namespace) -> int:
    """Do it; exit code 1 where a law did not hold."""
    from mtlref.registry import methods
    from mtlref.verify.checking.report import HELD
    from mtlref.verify.endurance import Chunk, endure, table

    def say(c: Chunk) -> None:
        what = f"{c.loss} {c.law} chunk {c.number}: {c.examples} problems {c.status} in {c.seconds:.1f} s"
        print(f"{c.method} {what} {c.message[:200]}".rstrip(), flush=True)

    chosen = names(o.methods) or [m.name for m in methods().values() if "convex" in m.properties]
    chunks = endure(tuple(chosen), o.examples, o.folder, None if o.quiet else say)
    print(table(chunks))
    return OK if all(c.status == HELD for c in chunks) else FAILED
