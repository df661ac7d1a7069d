"""Moments of dask collections: the same bits by every scheduler, and whole where a worker dies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mtlref as mt

dask = pytest.importorskip("dask", reason="dask is not installed")
da = pytest.importorskip("dask.array", reason="dask.array is not installed")
# What dask and its parts warn of among themselves is not ours to mend.
pytestmark = pytest.mark.filterwarnings("default")

FIELDS = ("mass", "count", "x_mean", "y_mean", "cxx", "cxy", "cyy")


def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((240, 3)) + 1e6
    return X, X @ [1.0, -1.0, 0.5] + rng.standard_normal(240), rng.choice(["north", "south", "west"], 240)


def same(got: mt.Moments, expected: mt.Moments, rtol: float) -> None:
    assert got.names == expected.names
    for field in FIELDS:
        a, b = getattr(got.per_task(), field), getattr(expected.per_task(), field)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max(), err_msg=field)


def test_every_scheduler_gives_the_same_bits() -> None:
    X, y, tasks = rows()
    found = []
    for scheduler in ("synchronous", "threads"):
        with dask.config.set(scheduler=scheduler):
            found.append(
                mt.Moments.from_dask(da.from_array(X, chunks=(37, 2)), da.from_array(y, chunks=50), tasks)
            )
    same(found[0], found[1], 0.0)
    same(found[0], mt.Moments.from_data(mt.TaskData.from_long(X, y, tasks)), 1e-13)


def test_shared_and_single_forms_and_weights() -> None:
    X, y, _ = rows()
    Y, weights = np.column_stack([y, np.where(y > y.mean(), y, np.nan)]), np.arange(1.0, 241.0)
    lazy = da.from_array(X, chunks=(50, 3))
    with dask.config.set(scheduler="synchronous"):
        shared = mt.Moments.from_dask(lazy, da.from_array(Y, chunks=(60, 1)), weights=weights)
        single = mt.Moments.from_dask(lazy, y)
        unknown = mt.Moments.from_dask(lazy[lazy[:, 0] > 0], da.from_array(y, chunks=50)[lazy[:, 0] > 0])
    same(shared, mt.Moments.from_data(mt.TaskData.from_shared(X, Y, weights=weights)), 1e-13)
    same(single, mt.Moments.from_data(mt.TaskData.from_single(X, y)), 1e-13)
    same(unknown, mt.Moments.from_data(mt.TaskData.from_single(X, y)), 1e-13)


def test_a_frame() -> None:
    dd = pytest.importorskip("dask.dataframe", reason="dask.dataframe is not installed")
    pd = pytest.importorskip("pandas")
    X, y, tasks = rows()
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(score=y, town=tasks, weight=1.0)
    with dask.config.set(scheduler="synchronous"):
        lazy = dd.from_pandas(frame, npartitions=5)
        got = mt.Moments.from_dask(lazy, "score", "town", weights="weight")
        two = mt.Moments.from_dask(lazy, "score", "town", features=["c", "a"])
        with pytest.raises(mt.DataError, match=r"must name columns of the frame.*got 'mark'"):
            mt.Moments.from_dask(lazy, "mark")
        # A partition without rows changes nothing.
        some = mt.Moments.from_dask(lazy[lazy["town"] == "north"], "score", "town", features=["a"])
    whole = mt.Moments.from_data(mt.TaskData.from_long(X, y, tasks))
    same(got, whole, 1e-13)
    assert got.feature_names == ("a", "b", "c")
    same(two, mt.Moments.from_data(mt.TaskData.from_long(X[:, [2, 0]], y, tasks)), 1e-13)
    assert mt.JointFeature(lam=0.1).fit(two).feature_names_in_.tolist() == ["c", "a"]
    np.testing.assert_allclose(some.cxx[0], whole.cxx[0][:1, :1], rtol=1e-13)


def test_a_cluster_of_two_workers_one_of_which_is_killed(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    X, y, tasks = rows()

    # Inside the test, so that workers are sent the function: they cannot import the tests.
    def dies_once(X: np.ndarray, marker: str) -> np.ndarray:
        """The block itself, but the first worker that gets as far as this is killed on the spot, and no other."""
        try:
            Path(marker).touch(exist_ok=False)
        except FileExistsError:
            return X
        os._exit(1)

    with dask.config.set({"distributed.comm.retry.count": 1, "logging.distributed": "critical"}):
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50,
            local_directory=str(tmp_path),
        )  # fmt: skip
        with cluster, distributed.Client(cluster, set_as_default=True):
            lazy = da.from_array(X, chunks=(40, 3))
            marker = str(tmp_path / "died")
            broken = lazy.map_blocks(dies_once, marker, dtype=float, meta=np.empty((0, 0)))
            got = mt.Moments.from_dask(broken, da.from_array(y, chunks=40), tasks)
    assert Path(marker).exists()
    with dask.config.set(scheduler="synchronous"):
        same(got, mt.Moments.from_dask(da.from_array(X, chunks=(40, 3)), y, tasks), 0.0)


def bad() -> dict[str, tuple[Any, type[Exception], str]]:
    X, y, tasks = rows()
    lazy = da.from_array(X, chunks=(40, 3))
    return {
        "no collection": (
            (X, y, tasks),
            mt.FormError,
            "must be a dask.array or a dask.dataframe; got a ndarray",
        ),
        "other rows": ((lazy, y[:-1]), mt.DataError, "y must have 240 rows to match X; got 239"),
        "unknown sizes": ((lazy[lazy[:, 0] > 0], y), mt.DataError, "compute_chunk_sizes"),
        "three axes": ((lazy[:, :, None], y), mt.DataError, r"X must be 2-D"),
        "other blocks": ((lazy[lazy[:, 0] > 0], da.from_array(y, chunks=60)), mt.DataError, "blocks of rows"),
        "not finite": ((da.full_like(lazy, np.nan), y), mt.DataError, "X must be finite"),
    }


@pytest.mark.parametrize("what", list(bad()))
def test_bad_collections(what: str) -> None:
    arguments, error, message = bad()[what]
    with dask.config.set(scheduler="synchronous"), pytest.raises(error, match=message):
        mt.Moments.from_dask(*arguments)
