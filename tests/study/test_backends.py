"""A comparison on a dask cluster: the fits of a comparison here, each once, also where a worker is killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import mtlref as mt
from mtlref.study import compare
from mtlref.study.comparison import Comparison
from mtlref.study.store import Outcome, Store

from .conftest import make_regression

pytest.importorskip("joblib", reason="joblib is not installed")
distributed = pytest.importorskip("distributed", reason="distributed is not installed")
# What dask and its parts warn of among themselves is not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")

FAST: dict[str, Any] = {
    "methods": ["SingleTaskRidge", "Pooled"],
    "splits": 3,
    "grid": 3,
    "folds": 2,
    "name": "small",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=50,
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as found:
        yield found


def without_times(result: Comparison) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "seconds" and v == v} for line in result.results]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_killed_worker_and_an_interrupted_run_change_nothing(
    cluster: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    here = compare(make_regression(), **FAST, jobs=1)
    added = 0
    plain = Store.add

    class Stop(Exception):
        pass

    def add(store: Store, outcome: Outcome) -> None:
        nonlocal added
        plain(store, outcome)
        added += 1
        if added == 1:
            os.kill(next(iter(pids.values())), signal.SIGKILL)
        if added == 9:
            raise Stop

    out = tmp_path / "out"
    with distributed.Client(cluster) as client:
        pids = client.run(os.getpid)
        with monkeypatch.context() as patch:
            patch.setattr(Store, "add", add)
            with pytest.raises(Stop):
                compare(make_regression(), **FAST, backend="dask", out=out, progress=False)
        with Store(out / "study.sqlite") as store:
            kept = len(store.fits())
        assert 0 < kept < len(here.fits)
        there = compare(make_regression(), **FAST, backend="dask", out=out, resume=True, progress=False)
    # A fit that came back twice would have been refused by the store, and one that was lost would be missing.
    assert without_times(there) == without_times(here)


def test_a_scheduler_found_by_its_address(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
    few = FAST | {"methods": ["Pooled"], "splits": 2}
    assert without_times(compare(make_regression(), **few, backend="dask")) == without_times(
        compare(make_regression(), **few, jobs=1)
    )


def test_an_unknown_backend() -> None:
    with pytest.raises(mt.DataError, match="backend must be one of 'loky', 'dask'; got 'mpi'"):
        compare(make_regression(), **FAST, backend="mpi")


def test_what_is_missing_is_said_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(mt.DataError, match=r"pip install 'mtlref\[dask\]'"):
        compare(make_regression(), **FAST, backend="dask")
    assert "distributed" in sys.modules  # and nothing was imported for it, or taken away
