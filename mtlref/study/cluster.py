"""The dask cluster that a comparison runs on, and what its workers do."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mtlref.errors import DataError
from mtlref.study.bench import Bench
from mtlref.study.store import Outcome
from mtlref.study.work import Job, run

# Warnings are recorded for the whole process, so that a worker with several threads does one job at a time.
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def client(jobs: int) -> Iterator[Any]:
    """The client in force; else one of the scheduler at DASK_SCHEDULER_ADDRESS; else of ``jobs`` local workers.

    What is opened here is closed here. Raises DataError where distributed is not installed.
    """
    need_distributed()
    import distributed

    try:
        known = distributed.get_client()
    except ValueError:  # its way to say that there is none
        known = None
    if known is not None:
        yield known
        return
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    if address:
        with distributed.Client(address) as found:
            yield found
        return
    local = distributed.LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
    with local, distributed.Client(local) as found:
        yield found


def need_distributed() -> None:
    """Say what is missing before the work, not in it."""
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise DataError("backend='dask' needs dask and distributed: pip install 'mtlref[dask]'")


def work(bench: Bench, job: Job) -> Outcome:
    """What a worker does with a job; the bench was sent to it once and lies in its memory."""
    with _ONE_AT_A_TIME:
        return run(bench, job)
