"""A server that runs one test of this folder against the mtlref of a given folder, each in a fork of its own.

Reads lines of JSON, [folder, file, test, arguments], and answers each with [exit code, message]: 0 where the test
passes, 3 where an assertion or the arithmetic fails, 1 for anything else. NumPy, SciPy and pytest are loaded once,
before the forks.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.sparse
import scipy.special
import scipy.stats

KILLED = 3
SECONDS = 60


def answer(folder: str, file: str, test: str, arguments: list[Any]) -> tuple[int, str]:
    """What the test says of the folder's mtlref."""
    sys.path.insert(0, folder)
    warnings.simplefilter("ignore")
    import mtlref

    assert os.path.samefile(os.path.dirname(os.path.dirname(mtlref.__file__)), folder)
    spec = importlib.util.spec_from_file_location("law", Path(__file__).with_name(file))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from mtlref.errors import IllConditioned

    try:
        getattr(module, test)(*arguments)
    except (AssertionError, pytest.fail.Exception, IllConditioned, np.linalg.LinAlgError) as broken:
        return KILLED, f"{type(broken).__name__}: {broken}"
    return 0, "the test passes"


def in_a_fork(request: list[Any]) -> tuple[int, str]:
    """``answer`` in a child process, which takes its mtlref with it."""
    import signal

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        try:
            said = answer(*request)
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
    assert scipy.linalg is not None
    assert scipy.optimize is not None
    assert pytest is not None
    for line in sys.stdin:
        sys.stdout.write(json.dumps(in_a_fork(json.loads(line))) + "\n")
        sys.stdout.flush()
