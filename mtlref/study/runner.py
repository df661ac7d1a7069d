"""Runs the jobs of a plan over the cores and keeps what they give; this process alone writes to the store."""

from __future__ import annotations

import os
import pickle
import tempfile
import warnings
from collections.abc import Callable, Generator
from contextlib import closing
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


def run_all(
    bench: Bench, plan: Plan, store: Store, jobs: int, progress: Progress, backend: str = "loky"
) -> None:
    """Work until the plan has nothing left. Every finished job is in the store before the next is looked at.

    A worker that dies on a cluster has its jobs done again by another; an outcome comes back once all the same.
    """
    if backend == "dask":
        _on_cluster(bench, plan, store, jobs, progress)
        return
    if jobs == 1:
        while todo := plan.jobs():
            progress.expect(len(todo) + plan.later(todo))
            for job in todo:
                _keep(run(bench, job), plan, store, progress)
        return
    from joblib import Parallel, delayed, parallel_config

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
            _work_off(lambda job: delayed(work)(str(source), job), pool, plan, store, progress)


def _on_cluster(bench: Bench, plan: Plan, store: Store, jobs: int, progress: Progress) -> None:
    """The same on the workers of a dask cluster, to which the data are sent once."""
    from joblib import Parallel, delayed, parallel_config

    from mtlref.study import cluster

    if not plan.jobs():
        return
    with (
        cluster.client(jobs),
        parallel_config(backend="dask", scatter=[bench], wait_for_workers_timeout=60),
        Parallel(n_jobs=-1, batch_size=1, pre_dispatch="3*n_jobs", return_as="generator_unordered") as pool,
    ):
        _work_off(lambda job: delayed(cluster.work)(bench, job), pool, plan, store, progress)


def _work_off(task: Callable[[Job], Any], pool: Any, plan: Plan, store: Store, progress: Progress) -> None:
    while todo := plan.jobs():
        progress.expect(len(todo) + plan.later(todo))
        with closing(_outcomes(pool, [task(job) for job in todo])) as outcomes:
            for outcome in outcomes:
                _keep(outcome, plan, store, progress)


def _outcomes(pool: Any, tasks: list[Any]) -> Generator[Outcome, None, None]:
    from joblib.externals.loky.process_executor import BrokenProcessPool

    found = pool(tasks)
    try:
        for outcome in found:  # noqa: UP028 (that would close it before warnings are held back)
            yield outcome
    except BrokenProcessPool as problem:
        raise MtlrefError(
            "a worker process died (out of memory?); what was finished is kept, and --resume goes on from there "
            f"({str(problem).splitlines()[0]})"
        ) from None
    except Exception as problem:
        # A job raises nothing: what a method raises comes back as a Failure. What is left is the cluster's.
        if isinstance(problem, MtlrefError) or not type(problem).__module__.startswith("distributed"):
            raise
        raise MtlrefError(
            "the cluster lost a job for good (its workers died, or went away); what was finished is kept, and --resume "
            f"goes on from there ({type(problem).__name__}: {str(problem).splitlines()[0]})"
        ) from None
    finally:
        with warnings.catch_warnings():
            # Who interrupts a run knows that jobs are cut off, and need not be told by joblib.
            warnings.filterwarnings("ignore", category=UserWarning, module="joblib")
            found.close()


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
