"""A random sample of all mutants of the numerical code, each put to the tests that come by it.

python tests/mutants/sample.py FOLDER --size 60 --seed 0 --workers 2     # FOLDER: scratch, made where it is missing
python tests/mutants/sample.py FOLDER --again                            # the survivors, put to today's tests
python tests/mutants/sample.py FOLDER --names mtlref.losses.xǁSquaredǁgrad__mutmut_1
python tests/mutants/sample.py FOLDER --names mtlref.losses.none mtlref.balance.mgda.none    # no mutant: must survive

mutmut makes the mutants ([tool.mutmut] in pyproject.toml says of which files). First every test is run once, to see
which functions it comes by and what it costs. A mutant then meets the tests that come by its function, cheapest first,
and the first failure ends it. What none of them refuses within --seconds of processor time has survived.

Left out, because no test should hold them: words of messages (a mutant that only changes text with a space in it), and
what mutmut does not touch (decorated functions other than static and class methods).

Writes FOLDER/sample.json: for each mutant its status (killed, timeout, survived) and the test that ended it; for
survivors the difference, and with --again what became of them. ``docs/survivors.toml`` holds the reason why a survivor
is equivalent.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import importlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import reach  # beside this file

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ("losses", "penalties", "datafit", "linalg", "optim", "linear", "balance")


def tracked(*folders: str) -> list[str]:
    """The files that git knows, in these folders."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy(names: list[str], folder: Path) -> None:
    """These files, into a folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def prepare(folder: Path) -> None:
    """A copy of the tracked files in ``folder``; in ``folder``/mutants the mutants of it and today's tests."""
    if not folder.exists():
        copy(tracked(), folder)
    os.chdir(folder)
    sys.argv[1:] = []
    ready = Path("mutants/ready")
    if not ready.exists():
        shutil.rmtree("mutants", ignore_errors=True)
        Path("mutants").mkdir()
        from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants

        copy_src_dir()
        copy_also_copy_files()
        create_mutants(1)
        ready.touch()
    copy(tracked("tests"), folder / "mutants")
    os.chdir("mutants")


def names() -> list[str]:
    """Every mutant, in a fixed order."""
    found = []
    for path in sorted(Path("mtlref").rglob("*.meta")):
        found += list(json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"])
    return found


@cache
def text_of(module: str) -> str:
    """A mutated module, which holds every function once for each of its mutants."""
    return Path(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")


def body(text: str, name: str) -> list[str]:
    """The lines of a function after its first."""
    start = re.search(rf"^( *)def {name}\(", text, flags=re.MULTILINE)
    assert start is not None, name
    end = re.compile(rf"^{start[1]}(?:def |class |@|mutants_)", flags=re.MULTILINE).search(text, start.end())
    return [line.strip() for line in text[start.end() : end.start() if end else len(text)].splitlines()]


def difference(name: str) -> tuple[str, str]:
    """The lines that a mutant takes away and puts in their place."""
    module, _, own = name.rpartition(".")
    text = text_of(module)
    before, after = body(text, own.rpartition("__mutmut_")[0] + "__mutmut_orig"), body(text, own)
    lines = [line for line in difflib.ndiff(before, after) if line[:2] in ("- ", "+ ")]
    return tuple("\n".join(x[2:] for x in lines if x[0] == sign) for sign in "-+")  # type: ignore[return-value]


def is_wording(before: str, after: str) -> bool:
    """Whether only words of a message differ: text in quotes with a space in it."""
    quoted = re.compile(r"""(["'])(?:(?!\1).)* (?:(?!\1).)*\1""")
    return before != after and quoted.sub('""', before) == quoted.sub('""', after)


def run_all(
    held: reach.Held,
    items: dict[str, Any],
    known: reach.Reach,
    chosen: list[str],
    options: argparse.Namespace,
    faults: Path,
) -> Iterator[dict[str, Any]]:
    """Each mutant in a fork of its own, some at a time; those begun in time are seen to the end."""
    until = time.time() + 60 * options.minutes
    live: dict[int, tuple[str, int, float]] = {}
    waiting = list(chosen)
    while live or (waiting and time.time() < until):
        while waiting and len(live) < options.workers and time.time() < until:
            name = waiting.pop(0)
            first = reach.order(known, name.partition("__mutmut_")[0], options.seconds)
            tests = [(test, known[test][0]) for test in first if test in items]

            def work(report: int, name: str = name, tests: list[tuple[str, float]] = tests) -> None:
                reach.trial(held, items, name, tests, report)

            child, reading = reach.forked(work, faults)
            live[child] = (name, reading, time.time())
        child, status = os.wait()
        name, reading, start = live.pop(child)
        found = reach.outcome(reach.read_all(reading), status)
        if found is None:
            raise AssertionError(f"the run of {name} ended without a word: {faults.read_text()[-2000:]}")
        yield {"name": name, "status": found[0], "by": found[1], "seconds": round(time.time() - start, 1)}


def say(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def learn(held: reach.Held, items: list[Any], kept: Path, faults: Path) -> reach.Reach:
    """What every test comes by; files of tests that have not changed are not run again."""
    files: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    digests = {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in
               dict.fromkeys(item.nodeid.partition("::")[0] for item in items)}  # fmt: skip
    new = [
        item for item in items if files.get(f := item.nodeid.partition("::")[0], {}).get("of") != digests[f]
    ]
    for file, found in reach.measured(held, new, faults):
        files[file] = {"of": digests[file], "tests": found}
        kept.write_text(json.dumps(files), encoding="utf-8")
        say(f"{file}: {len(found)} tests, {sum(cost for cost, _ in found.values()):.0f} s")
    return {k: (v[0], v[1]) for file in digests for k, v in files[file]["tests"].items()}


def draw(options: argparse.Namespace) -> tuple[list[str], dict[str, int]]:
    """The mutants to try, --size of each family, in turn; and how many there are."""
    every: dict[str, list[str]] = {family: [] for family in options.families}
    for name in names():
        every.get(name.split(".")[1], []).append(name)
    columns = []
    for family in options.families:
        order = list(every[family])
        random.Random(f"{family} {options.seed}").shuffle(order)
        column: list[str] = []
        for name in order:
            if len(column) == options.size:
                break
            if not is_wording(*difference(name)):
                column.append(name)
        columns.append(column)
    longest = max(map(len, columns))
    turns = [column[k] for k in range(longest) for column in columns if k < len(column)]
    return turns, {family: len(own) for family, own in every.items()}


def main() -> int:
    """The exit code is 1 where a mutant survived that docs/survivors.toml does not explain."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=60, help="mutants of each family (default 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=90.0, help="of processor time for a mutant's tests")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no mutant after that")
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--names", nargs="+", help="these mutants in place of a sample; writes no record")
    parser.add_argument("--tests", nargs="+", default=list(reach.FOLDERS), help="folders or files in tests/")
    parser.add_argument("--again", action="store_true", help="the survivors of an earlier run of this folder")
    options = parser.parse_args()
    folder = options.folder.resolve()
    record_path, faults = folder / "sample.json", folder / "sample.err"
    os.environ.setdefault("MTLREF_PROFILE", "mutants")
    os.environ.pop("MTLREF_DATA", None)
    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != ROOT]
    prepare(folder)
    sys.path.insert(0, str(folder / "mutants"))
    mtlref = importlib.import_module("mtlref")
    assert Path(mtlref.__file__ or "").is_relative_to(folder / "mutants"), mtlref.__file__
    if options.again:
        record = json.loads(record_path.read_text(encoding="utf-8"))
        chosen = [r["name"] for r in record["results"] if r["status"] == "survived"]
    else:
        drawn, counts = draw(options) if not options.names else (options.names, {})
        chosen = drawn
        record = {"seed": options.seed, "mutants": counts, "size": options.size, "results": []}

    def keep(result: dict[str, Any]) -> None:
        """Write down what became of a mutant."""
        if options.again:
            entry = next(r for r in record["results"] if r["name"] == result["name"])
            entry["later"] = {k: result[k] for k in ("status", "by")}
        else:
            if result["status"] == "survived" and "__mutmut" in result["name"]:
                result["before"], result["after"] = difference(result["name"])
            record["results"].append(result)
        if not options.names:
            record_path.write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")

    left: list[str] = []

    def work(held: reach.Held, tests: list[Any]) -> None:
        """Every mutant to the tests that come by it."""
        known = learn(held, tests, folder / "reach.json", faults)
        items = {item.nodeid: item for item in tests}
        for done, result in enumerate(run_all(held, items, known, chosen, options, faults), 1):
            keep(result)
            if result["status"] == "survived":
                left.append(result["name"])
            say(
                f"{done}/{len(chosen)} {result['seconds']:6.1f} s {result['status']:8} {result['name']} {result['by']}"
            )

    reach.collected(work, options.tests)
    explained = tomllib.loads((ROOT / "docs" / "survivors.toml").read_text(encoding="utf-8"))
    left = [name for name in left if name not in explained]
    say("\n".join(["not explained:", *left]) if left else "every survivor is explained")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
