"""Puts a law to a package with a fault in it: ``fork_server.py SCRIPT`` answers requests, each in a fork of its own.

SCRIPT has ``run(*request)``, which raises one of ``breaks()`` where the law is broken, and loads what forks share.
Reads lines of JSON, [folder, *request], and answers each with [exit code, message] of the mtlref in that folder: 0
where the law holds, 3 where it is broken, 1 for anything else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

KILLED = 3
SECONDS = 60


def loaded(script: Path) -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("kill", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(script: ModuleType, folder: str, request: list[Any]) -> tuple[int, str]:
    """What the law says of the folder's mtlref, imported here for the first time."""
    sys.path.insert(0, folder)
    warnings.simplefilter("ignore")
    import mtlref

    assert os.path.samefile(os.path.dirname(os.path.dirname(mtlref.__file__)), folder)
    try:
        script.run(*request)
    except script.breaks() as broken:
        return KILLED, f"{type(broken).__name__}: {broken}"
    return 0, "the law holds"


def in_a_fork(script: ModuleType, folder: str, request: list[Any]) -> tuple[int, str]:
    """``answer`` in a child process, which takes its mtlref with it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        # LAPACK prints its complaints there, between the answers.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            said = answer(script, folder, request)
        except BaseException as problem:
            said = (1, f"{type(problem).__name__}: {problem}")
        os.write(writing, json.dumps([said[0], said[1][:2000]]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    code, message = json.loads(text) if text else (1, f"no answer within {SECONDS} seconds")
    return code, message


if __name__ == "__main__":
    said_by = loaded(Path(sys.argv[1]))
    for line in sys.stdin:
        where, *asked = json.loads(line)
        sys.stdout.write(json.dumps(in_a_fork(said_by, where, asked)) + "\n")
        sys.stdout.flush()
