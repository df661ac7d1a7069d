"""Moments of rows that are never in memory together are the moments of the rows."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt
from mtlref.verify import naive

FIELDS = ("mass", "count", "x_mean", "y_mean", "cxx", "cxy", "cyy")


def rows(
    N: int = 300, p: int = 4, T: int = 5, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integers, so that a large shift is exact; tasks of very different sizes."""
    rng = np.random.default_rng(0)
    X = rng.integers(-8, 9, (N, p)) + shift
    y = rng.integers(-8, 9, N) - shift
    return X, y, np.minimum(rng.geometric(0.4, N), T) * 10


def same(got: mt.Moments, expected: mt.Moments, rtol: float = 1e-13) -> None:
    got, expected = got.per_task(), expected.per_task()
    assert got.names == expected.names
    for field in FIELDS:
        a, b = getattr(got, field), getattr(expected, field)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max(), err_msg=field)


@pytest.mark.parametrize("chunk_rows", [1, 7, 100, 1000, None])
@pytest.mark.parametrize("shift", [0.0, 1e9])
@pytest.mark.parametrize("weighted", [False, True])
def test_long_rows_in_slices(chunk_rows: int | None, shift: float, weighted: bool) -> None:
    X, y, tasks = rows(shift=shift)
    weights = np.random.default_rng(1).integers(1, 4, len(y)).astype(float) if weighted else None
    got = mt.Moments.from_rows(X, y, tasks, weights=weights, chunk_rows=chunk_rows)
    data = mt.TaskData.from_long(X, y, tasks, weights=weights)
    same(got, mt.Moments.from_data(data))
    near = naive.moments(mt.TaskData.from_long(X - shift, y + shift, tasks, weights=weights))
    for t, plain in enumerate(near):  # what is centred does not depend on the shift
        np.testing.assert_allclose(got.cxx[t], plain["cxx"], rtol=1e-13, atol=1e-11)
        np.testing.assert_allclose(got.cxy[t], plain["cxy"], rtol=1e-13, atol=1e-11)


def test_a_memory_map_on_disk(tmp_path: object) -> None:
    X, y, tasks = rows()
    kept = {}
    for name, a in (("X", X), ("y", y), ("tasks", tasks)):
        np.save(f"{tmp_path}/{name}.npy", a)
        kept[name] = np.load(f"{tmp_path}/{name}.npy", mmap_mode="r")
    got = mt.Moments.from_rows(kept["X"], kept["y"], kept["tasks"], chunk_rows=50)
    same(got, mt.Moments.from_data(mt.TaskData.from_long(X, y, tasks)))
    model = mt.JointFeature(lam=0.1).fit(got)
    assert (
        mt.audit(model, mt.TaskData.from_long(X, y, tasks), model.coef_.T, model.intercept_).relative_gap
        <= 1e-6
    )
    # Pages of a map with changes of its own hold what the disk does not: they are left alone.
    own = np.load(f"{tmp_path}/X.npy", mmap_mode="c")
    own[:] = -X
    same(
        mt.Moments.from_rows(own, y, tasks, chunk_rows=50),
        mt.Moments.from_data(mt.TaskData.from_long(-X, y, tasks)),
    )
    assert (own == -X).all()


def test_shared_design_with_missing_targets() -> None:
    X, y, _ = rows(60)
    Y = np.column_stack([y[:60], 2 * y[:60], -y[:60]])
    for holes in (False, True):
        if holes:
            Y[::3, 1] = np.nan
            Y[:25, 2] = np.nan  # whole chunks without this task
            Y[50:, :] = np.nan  # a chunk without any
        got = mt.Moments.from_rows(X, Y, chunk_rows=10)
        assert got.shared is not holes
        same(got, mt.Moments.from_data(mt.TaskData.from_shared(X, Y)))
    same(mt.Moments.from_rows(X, y, chunk_rows=13), mt.Moments.from_data(mt.TaskData.from_single(X, y)))


def test_rows_of_weight_zero_are_left_out() -> None:
    X, y, tasks = rows(50)
    weights = np.where(np.arange(50) < 20, 0.0, 1.0)
    same(
        mt.Moments.from_rows(X, y, tasks, weights=weights, chunk_rows=9),
        mt.Moments.from_data(mt.TaskData.from_long(X[20:], y[20:], tasks[20:])),
    )


def test_chunks_of_a_few_tasks_each_change_no_chunk_and_no_earlier_moments() -> None:
    X, y, tasks = rows()
    order = np.argsort(tasks, kind="stable")
    chunks = [mt.TaskData.from_long(X[i], y[i], tasks[i]) for i in np.array_split(order, 17)]
    first = mt.Moments.from_data(chunks[0])
    before = first.cxx.copy()
    merged = first
    for chunk in chunks[1:]:
        merged = merged.update(chunk)
    assert (first.cxx == before).all()
    same(mt.Moments.from_chunks(iter(chunks)), merged)
    same(merged, mt.Moments.from_data(mt.TaskData.from_long(X, y, tasks)))


def test_joined_parts_of_extreme_size() -> None:
    X, y, _ = rows(40)
    parts = [
        mt.TaskData.from_list([2.0**e * X[i : i + 10]], [y[i : i + 10]])
        for i, e in ((0, 100), (10, 0), (20, 100))
    ]
    joined = mt.Moments.from_chunks(iter(parts))
    scaled = np.vstack([X[:10], 2.0**-100 * X[10:20], X[20:30]])
    expected = mt.Moments.from_data(mt.TaskData.from_list([scaled], [y[:30]]))
    same(joined.at_exponents(100, 0), expected)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0]], [1.0]), mt.FormError, "X must be a memory map or an array"),
        ((np.ones(3), np.ones(3)), mt.FormError, r"of shape \(N, p\)"),
        ((np.ones((3, 2)), np.ones(4)), mt.DataError, "y must be an array with 3 rows"),
        ((np.ones((3, 2)), np.ones(3), np.ones(2)), mt.DataError, "tasks must be an array with 3 rows"),
        ((np.ones((3, 2)), np.array([0.0, np.nan, 1.0])), mt.DataError, "rows 0 to 2: y must be finite"),
        ((np.ones((3, 2)), np.full((3, 2), np.nan)), mt.DataError, "at least one row"),
        ((np.ones((0, 2)), np.ones(0)), mt.DataError, "at least one row"),
    ],
)
def test_bad_rows(arguments: tuple, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mt.Moments.from_rows(*arguments)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"chunk_rows": 0}, "chunk_rows must be >= 1"),
        ({"weights": -np.ones(3)}, "rows 0 to 2: weights must be >= 0"),
    ],
)
def test_bad_options(more: dict, message: str) -> None:
    with pytest.raises(mt.DataError, match=message):
        mt.Moments.from_rows(np.ones((3, 2)), np.ones(3), **more)
