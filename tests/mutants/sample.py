"""A random sample of all mutants of the numerical code, each put to the tests that import it.

python tests/mutants/sample.py FOLDER --size 300 --seed 0 --workers 2      # FOLDER: scratch, made where it is missing
python tests/mutants/sample.py FOLDER --names mtlref.losses.xǁSquaredǁgrad__mutmut_1
python tests/mutants/sample.py FOLDER --names mtlref.losses.none mtlref.balance.mgda.none    # no mutant: must survive

mutmut makes the mutants ([tool.mutmut] in pyproject.toml says of which files); it would then run every test that comes
by a mutated line, which for the shared solvers is nearly the whole suite. Here a mutant meets first the tests of its
own file and of the methods that import it, smallest first, then their laws, and the first failure ends it. What no
test refuses within --seconds of processor time has survived.

Left out, because no test should hold them: words of messages (a mutant that only changes text with a space in it), and
what mutmut does not touch (decorated functions other than static and class methods).

Writes FOLDER/sample.json: for each mutant its status (killed, timeout, survived) and the file of tests that ended it;
for survivors the difference. ``docs/survivors.toml`` holds the reason why a survivor is equivalent.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ("losses", "penalties", "linalg", "optim", "linear", "balance")
# One file alone may take so much processor time before its mutant counts as one that never ends.
ENDLESS = 120


def prepare(folder: Path) -> None:
    """A copy of the tracked files in ``folder``, and the mutants that mutmut makes of it in ``folder``/mutants."""
    if not folder.exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for name in filter(None, listed.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    os.chdir(folder)
    sys.argv[1:] = []
    ready = Path("mutants/ready")
    if ready.exists():
        return
    shutil.rmtree("mutants", ignore_errors=True)
    Path("mutants").mkdir()
    from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants

    copy_src_dir()
    copy_also_copy_files()
    create_mutants(1)
    ready.touch()


def names() -> list[str]:
    """Every mutant but those of messages, in a fixed order."""
    found = []
    for path in sorted(Path("mutants/mtlref").rglob("*.meta")):
        found += list(json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"])
    return found


@cache
def text_of(module: str) -> str:
    """A mutated module, which holds every function once for each of its mutants."""
    return Path("mutants", *module.split(".")).with_suffix(".py").read_text(encoding="utf-8")


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


@cache
def users_of_modules() -> dict[str, set[str]]:
    """Module -> the modules of mtlref that import it or a name of it."""
    users: dict[str, set[str]] = {}
    for path in Path("mtlref").rglob("*.py"):
        own = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    users.setdefault(f"{node.module}.{alias.name}", set()).add(own)
                users.setdefault(node.module, set()).add(own)
    return users


def imported_by(module: str) -> set[str]:
    """The modules of mtlref that import ``module``, directly or through others."""
    users = users_of_modules()
    found, new = {module}, {module}
    while new:
        new = {u for m in new for u in users.get(m, ())} - found
        # What a package's front page exports is not what a module needs.
        new = {m for m in new if (Path(*m.split(".")).with_suffix(".py")).is_file()}
        found |= new
    return found


def tests_for(module: str) -> list[list[str]]:
    """Arguments for one run of pytest after the other."""
    family, stem = module.split(".")[1], module.split(".")[-1]
    if family == "balance":
        # test_catalogue measures the pages' own text, which mutmut has made longer.
        others = ("test_mutants", "test_benchmark", "test_catalogue")
        own = [p for p in Path("tests/balance").glob("test_*.py") if p.stem not in others]
        return [[str(p)] for p in sorted(own, key=lambda p: (p.stem != f"test_{stem}", p.stat().st_size))]
    pages = {m.split(".")[-1] for m in imported_by(module) if m.split(".")[1] == "linear"}
    files = [p for p in Path("tests/methods").glob("test_*.py") if p.stem.removeprefix("test_") in pages]
    files = sorted(files, key=lambda p: (p.stem != f"test_{stem}", p.stat().st_size))
    runs = [[str(p)] for p in (Path(f"tests/laws/test_{family}.py"), Path(f"tests/{family}")) if p.exists()]
    runs += [[str(p)] for p in files]
    classes = " or ".join("".join(w.capitalize() for w in p.split("_")) for p in sorted(pages))
    classes = (
        classes.replace("Mtl", "MTL").replace("Mtrl", "MTRL").replace("Mtfl", "MTFL").replace("Aso", "ASO")
    )
    if classes:
        runs += [
            [p, "-k", classes]
            for p in ("tests/oracles", "tests/equivalences", "tests/laws/test_estimators.py")
        ]
    if family == "linear":
        runs.append(["tests/contract/test_bad_inputs.py"])
    return runs


def trial(name: str, runs: list[list[str]], seconds: float, report: int) -> None:
    """Run the tests on one mutant in this process, and write [status, tests] to the file descriptor."""
    import pytest

    os.environ["MUTANT_UNDER_TEST"] = name
    os.chdir("mutants")
    status, by = "survived", ""
    for arguments in runs:
        spent = int(time.process_time())
        if spent > seconds:
            by = "the time was up"
            break
        resource.setrlimit(resource.RLIMIT_CPU, (spent + ENDLESS, resource.RLIM_INFINITY))
        code = pytest.main(
            [
                "-x",
                "-q",
                "--tb=no",
                "-W",
                "ignore::pytest.PytestAssertRewriteWarning",
                "--rootdir=.",
                "-p",
                "no:cacheprovider",
                "-m",
                "not slow",
                "--ignore-glob=*mutants*",
                *arguments,
            ]
        )
        if code not in (0, 5):
            status, by = "killed", arguments[0]
            break
    os.write(report, json.dumps([status, by]).encode())


def fault_file() -> Path:
    """Where children say what went wrong with the run itself."""
    return Path.cwd() / "sample.err"


def run_all(
    chosen: list[str], seconds: float, workers: int, until: float, tell: Callable[[dict[str, Any]], None]
) -> Iterator[None]:
    """Each mutant in a fork of its own, ``workers`` at a time; those begun by ``until`` are seen to the end."""
    live: dict[int, tuple[str, int, float]] = {}
    waiting = list(chosen)
    while live or (waiting and time.time() < until):
        while waiting and len(live) < workers and time.time() < until:
            name = waiting.pop(0)
            runs = tests_for(name.rpartition(".")[0])
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                with open(os.devnull, "w") as nothing, fault_file().open("a") as faults:
                    os.dup2(nothing.fileno(), 1)
                    os.dup2(faults.fileno(), 2)
                try:
                    trial(name, runs, seconds, writing)
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(0)
            os.close(writing)
            live[child] = (name, reading, time.time())
        child, status = os.wait()
        name, reading, start = live.pop(child)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        # A child that a limit ended, or that died, wrote nothing.
        if not text and not os.WIFSIGNALED(status):
            raise AssertionError(
                f"the run of {name} ended without a word: {fault_file().read_text()[-2000:]}"
            )
        found, by = json.loads(text) if text else ("timeout", "")
        tell({"name": name, "status": found, "by": by, "seconds": round(time.time() - start, 1)})
        yield


def say(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """The exit code is 1 where a mutant survived that docs/survivors.toml does not explain."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no mutant after that")
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--names", nargs="+", help="these mutants in place of a sample")
    options = parser.parse_args()
    folder = options.folder.resolve()
    os.environ.setdefault("MTLREF_PROFILE", "smoke")
    os.environ.pop("MTLREF_DATA", None)
    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != ROOT]
    prepare(folder)
    sys.path.insert(0, str(folder / "mutants"))
    # What every child would load again.
    for module in (
        "pytest",
        "scipy.linalg",
        "scipy.special",
        "hypothesis.strategies",
        "mtlref.verify.strategies",
    ):
        importlib.import_module(module)
    import mtlref

    assert Path(mtlref.__file__).is_relative_to(folder / "mutants"), mtlref.__file__
    every = [n for n in names() if n.split(".")[1] in options.families]
    order = list(every)
    random.Random(options.seed).shuffle(order)
    chosen: list[str] = []
    for name in options.names or order:
        if len(chosen) == options.size:
            break
        if options.names or not is_wording(*difference(name)):
            chosen.append(name)
    results: list[dict[str, Any]] = []
    until = time.time() + 60 * options.minutes

    def tell(result: dict[str, Any]) -> None:
        if result["status"] == "survived" and "__mutmut" in result["name"]:
            result["before"], result["after"] = difference(result["name"])
        results.append(result)
        done = sum(r["status"] != "survived" for r in results)
        say(
            f"{len(results)}/{len(chosen)}  {done} killed  {result['status']}  {result['name']}  {result['by']}"
        )
        record = {"seed": options.seed, "mutants": len(every), "size": len(chosen), "results": results}
        (folder / "sample.json").write_text(
            json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8"
        )

    for _ in run_all(chosen, options.seconds, options.workers, until, tell):
        pass
    import tomllib

    explained = tomllib.loads((ROOT / "docs" / "survivors.toml").read_text(encoding="utf-8"))
    left = [r["name"] for r in results if r["status"] == "survived" and r["name"] not in explained]
    say("\n".join(["not explained:", *left]) if left else "every survivor is explained")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
