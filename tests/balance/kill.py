"""Ask a law whether it sees a fault: JSON lines [folder, law] in, lines [exit code, message] out.

The exit code is 3 where the law is broken. One process answers all; a fork of it loads the folder's mtlref each time.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special
import scipy.stats

KILLED = 3
SECONDS = 60


def answer(folder: str, law: str) -> tuple[int, str]:
    """What the law, an expression in ``B`` and ``np``, says of the folder's mtlref."""
    sys.path.insert(0, folder)
    warnings.simplefilter("ignore")
    import mtlref

    assert os.path.samefile(os.path.dirname(os.path.dirname(mtlref.__file__)), folder)
    try:
        eval(law, {"B": mtlref.balance, "np": np})
    except mtlref.errors.LawViolation as broken:
        return KILLED, f"{type(broken).__name__}: {broken}"
    return 0, "the law holds"


def in_a_fork(request: list[str]) -> tuple[int, str]:
    """``answer`` in a child process, which takes its mtlref with it."""
    import signal

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), 1
        )  # LAPACK prints its complaints there, between the answers
        try:
            said = answer(*request)
        except BaseException as problem:
            said = (1, f"{type(problem).__name__}: {problem}")
        os.write(writing, json.dumps([said[0], said[1][:1500]]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    code, message = json.loads(text) if text else (1, f"no answer within {SECONDS} seconds")
    return code, message


if __name__ == "__main__":
    assert scipy.optimize is not None
    for line in sys.stdin:
        sys.stdout.write(json.dumps(in_a_fork(json.loads(line))) + "\n")
        sys.stdout.flush()
