"""Runs the jobs of a plan over the cores and keeps what they give; this process alone writes to the store."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mtlref.errors import MtlrefError
from mtlref.study.bench import Bench
from mtlref.study.plan import Plan
from mtlref.study.progress import Progress
from mtlref.study.store import Outcome, Store
from mtlref.study.work import Job, run

# A worker reads the data once and keeps it for all of its jobs.
_BENCHES: dict[str, Bench] = {}


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(bench: Bench, plan: Plan, store: Store, jobs: int, progress: Progress) -> None:
    """Work until the plan has nothing left. Every finished job is in the store before the next is looked at."""
    if jobs == 1:
        while todo := plan.jobs():
            progress.expect(len(todo) + plan.later(todo))
            for job in todo:
                _keep(run(bench, job), plan, store, progress)
        return
    from joblib import Parallel, parallel_config

    with tempfile.TemporaryDirectory(prefix="mtlref-") as folder:
        source = Path(folder) / "bench.pickle"
        source.write_bytes(pickle.dumps(bench, protocol=5))
        # One BLAS thread a worker: the matrices are small, and jobs are what runs side by side.
        with (
            parallel_config(backend="loky", inner_max_num_threads=1),
            Parallel(
                n_jobs=jobs, batch_size=1, pre_dispatch="3*n_jobs", return_as="generator_unordered"
            ) as pool,
        ):
            while todo := plan.jobs():
                progress.expect(len(todo) + plan.later(todo))
                for outcome in _outcomes(pool, str(source), todo):
                    _keep(outcome, plan, store, progress)


def _outcomes(pool: Any, source: str, todo: list[Job]) -> Iterator[Outcome]:
    from joblib import delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        yield from pool(delayed(work)(source, job) for job in todo)
    except BrokenProcessPool as problem:
        raise MtlrefError(
            "a worker process died (out of memory?); what was finished is kept, and --resume goes on from there "
            f"({str(problem).splitlines()[0]})"
        ) from None


def work(source: str, job: Job) -> Outcome:
    """What a worker process does with a job: read the data on the first one, then run it."""
    if source not in _BENCHES:
        _BENCHES.clear()
        _BENCHES[source] = pickle.loads(Path(source).read_bytes())
    return run(_BENCHES[source], job)


def _keep(outcome: Outcome, plan: Plan, store: Store, progress: Progress) -> None:
    store.add(outcome)
    plan.absorb(outcome)
    progress.step(f"{outcome.unit[2]}, split {outcome.unit[1] + 1}")
