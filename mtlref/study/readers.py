"""The user's own files: CSV, TSV and Parquet tables in long or wide form, NPZ and MAT arrays."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.tasks import TaskData

TABLES = (".csv", ".tsv", ".parquet", ".pq")
ARRAYS = (".npz", ".mat")
MISSING = {"", "na", "nan", "n/a", "null", "none", "?"}

Column = NDArray[Any]


def read(
    path: str | Path,
    *,
    task: str | None = None,
    target: str | None = None,
    targets: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
) -> TaskData:
    """TaskData from a file, by its suffix.

    Tables need either ``task`` and ``target`` (long: a row an observation) or ``targets`` (wide: a column a task, an
    empty cell not observed); ``features`` default to all other columns. Arrays hold X and Y (one design), or X, y and
    tasks (long), or X0, y0, X1, y1, ... (a design a task), or, in MAT files, cell arrays X and Y.

    Raises DataError, naming the column or key and what to do.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in TABLES + ARRAYS:
        raise DataError(f"{path.name}: a data file must end in one of {', '.join(TABLES + ARRAYS)}")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if kind in ARRAYS:
        given = [n for n, v in (("task", task), ("target", target), ("targets", targets)) if v]
        if given:
            raise DataError(
                f"--{given[0]} names a column of a table; {path.name} holds arrays, which need none"
            )
        return from_arrays(read_arrays(path), path.name)
    columns = (
        _read_parquet(path)
        if kind in (".parquet", ".pq")
        else _read_csv(path, "\t" if kind == ".tsv" else None)
    )
    if targets:
        if task or target:
            raise DataError("give either --task and --target (long form) or --targets (wide form), not both")
        return _wide(columns, list(targets), features, path.name)
    if not (task and target):
        raise DataError(
            f"{path.name} is a table with columns {_few(columns)}: say --task COLUMN --target COLUMN where each row is "
            "an observation of one task, or --targets A,B,C where each task is a column"
        )
    return _long(columns, task, target, features, path.name)


def _read_csv(path: Path, delimiter: str | None) -> dict[str, Column]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            if delimiter is None:
                first = file.readline()
                file.seek(0)
                # Semicolons are what spreadsheets write where the comma is the decimal sign.
                delimiter = ";" if first.count(";") > first.count(",") else ","
            rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
        except (UnicodeDecodeError, csv.Error) as problem:
            raise DataError(f"{path.name} is not a CSV file in UTF-8: {problem}") from None
    if len(rows) < 2:
        raise DataError(
            f"{path.name} must have a line of column names and at least one row; got {len(rows)} lines"
        )
    names = [name.strip() for name in rows[0]]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise DataError(
            f"{path.name}: column names must differ; {doubled[0]!r} is there {names.count(doubled[0])} times"
        )
    for i, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            raise DataError(
                f"{path.name}, row {i}: must have {len(names)} cells, as the first row; got {len(row)}"
            )
    cells = list(zip(*rows[1:], strict=True))
    return {
        name: np.array([c.strip() for c in column], dtype=object)
        for name, column in zip(names, cells, strict=True)
    }


def _read_parquet(path: Path) -> dict[str, Column]:
    try:
        import pandas
    except ImportError:
        raise DataError("reading Parquet needs pandas and pyarrow: pip install 'mtlref[study]'") from None
    try:
        frame = pandas.read_parquet(path)
    except ImportError:
        raise DataError("reading Parquet needs pyarrow: pip install 'mtlref[study]'") from None
    except Exception as problem:  # pyarrow has its own family of errors
        raise DataError(f"{path.name} is not a Parquet file: {problem}") from None
    return {str(name): frame[name].to_numpy() for name in frame.columns}


def _numbers(column: Column) -> tuple[NDArray[np.float64], int | None]:
    """(values with NaN for missing cells, the place of the first cell that is no number or None)."""
    if column.dtype.kind in "fiub":
        return column.astype(float), None
    if column.dtype.kind in "mM":
        return np.full(len(column), np.nan), 0
    values = np.empty(len(column))
    for i, cell in enumerate(column):
        if cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING):
            values[i] = np.nan
            continue
        try:
            values[i] = float(cell)
        except (TypeError, ValueError):
            return values, i
    return values, None


def _design(
    columns: dict[str, Column], features: Sequence[str] | None, used: list[str], name: str
) -> tuple[NDArray[np.float64], list[str]]:
    chosen = list(features) if features else [c for c in columns if c not in used]
    for c in chosen:
        _must_have(columns, c, name)
        if c in used:
            raise DataError(f"{name}: column {c!r} cannot be a feature and a task or target at once")
    if not chosen:
        raise DataError(f"{name}: no column is left for features")
    X = np.empty((len(columns[chosen[0]]), len(chosen)))
    for j, c in enumerate(chosen):
        values, bad = _numbers(columns[c])
        if bad is not None:
            raise DataError(
                f"{name}: feature column {c!r} must hold numbers; row {bad + 2} holds {_cell(columns[c][bad])}. Leave "
                "it out by naming the others in --features, or code it as numbers (one 0/1 column a value)"
            )
        gone = np.flatnonzero(~np.isfinite(values))
        if len(gone):
            raise DataError(
                f"{name}: feature column {c!r} must be complete; row {gone[0] + 2} is empty, NaN or infinite "
                f"({len(gone)} such rows). Fill in or drop those rows first, or leave the column out with --features"
            )
        X[:, j] = values
    return X, chosen


def _long(
    columns: dict[str, Column], task: str, target: str, features: Sequence[str] | None, name: str
) -> TaskData:
    _must_have(columns, task, name)
    _must_have(columns, target, name)
    X, chosen = _design(columns, features, [task, target], name)
    y, bad = _numbers(columns[target])
    labels: NDArray[Any] = y
    if bad is not None:
        labels = columns[target].astype(str)
        if len(np.unique(labels)) != 2:
            raise DataError(
                f"{name}: target column {target!r} must hold numbers, or labels of two values; row {bad + 2} holds "
                f"{_cell(columns[target][bad])}, one of {len(np.unique(labels))} values"
            )
    elif np.isnan(y).any():
        gone = np.flatnonzero(np.isnan(y))
        raise DataError(
            f"{name}: target column {target!r} must be complete in long form; row {gone[0] + 2} is empty ({len(gone)} "
            "such rows). Drop those rows first"
        )
    return TaskData.from_long(X, labels, _labels(columns[task]), feature_names=tuple(chosen))


def _wide(
    columns: dict[str, Column], targets: list[str], features: Sequence[str] | None, name: str
) -> TaskData:
    Y = []
    for c in targets:
        _must_have(columns, c, name)
        values, bad = _numbers(columns[c])
        if bad is not None:
            raise DataError(
                f"{name}: target column {c!r} must hold numbers (an empty cell is not observed); row {bad + 2} holds "
                f"{_cell(columns[c][bad])}"
            )
        Y.append(values)
    X, chosen = _design(columns, features, targets, name)
    return TaskData.from_shared(X, np.column_stack(Y), names=tuple(targets), feature_names=tuple(chosen))


def _labels(column: Column) -> NDArray[Any]:
    """Whole numbers where all labels are, else text."""
    values, bad = _numbers(column)
    if bad is None and not np.isnan(values).any() and (values == np.round(values)).all():
        return values.astype(int)
    return np.array([str(v) for v in column])


def read_arrays(path: str | Path) -> dict[str, Any]:
    """The arrays of an NPZ or MAT file by name. Raises DataError for a file that is neither."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if path.suffix.lower() == ".npz":
        try:
            with np.load(path, allow_pickle=False) as file:
                return {key: file[key] for key in file.files}
        except (ValueError, OSError, EOFError) as problem:
            raise DataError(f"{path.name} is not an NPZ file of plain arrays: {problem}") from None
    from scipy.io import loadmat

    try:
        found = loadmat(path)
    except NotImplementedError:
        raise DataError(f"{path.name} is a MAT file of version 7.3; save it with save(..., '-v7')") from None
    except Exception as problem:  # scipy raises many kinds on files that are not MAT
        raise DataError(f"{path.name} is not a MAT file: {problem}") from None
    return {key: value for key, value in found.items() if not key.startswith("__")}


def from_arrays(arrays: Mapping[str, Any], name: str) -> TaskData:
    """TaskData from arrays by name. Raises DataError listing the keys that are there and those that would do."""
    X = arrays.get("X")
    names = _names(arrays.get("names"))
    features = _names(arrays.get("feature_names"))
    target = arrays.get("Y", arrays.get("y"))
    if X is not None and X.dtype == object:
        if target is None or target.dtype != object or target.size != X.size:
            raise DataError(f"{name}: a cell array X needs a cell array Y with as many cells, one a task")
        return TaskData.from_list(
            [np.asarray(x, dtype=float) for x in X.ravel()],
            [np.asarray(v, dtype=float).ravel() for v in target.ravel()],
            names=names,
            feature_names=features,
        )
    if X is not None and "tasks" in arrays and target is not None:
        tasks = _text(np.asarray(arrays["tasks"]).ravel())
        return TaskData.from_long(X, np.asarray(target).ravel(), tasks, feature_names=features)
    if X is not None and "Y" in arrays:
        return TaskData.from_shared(X, arrays["Y"], names=names, feature_names=features)
    if X is not None and target is not None:
        return TaskData.from_single(X, np.asarray(target).ravel(), feature_names=features)
    places = sorted(int(m.group(1)) for m in (re.fullmatch(r"X(\d+)", key) for key in arrays) if m)
    if places:
        missing = [f"y{t}" for t in places if f"y{t}" not in arrays]
        if missing:
            raise DataError(f"{name}: every X0, X1, ... needs its y0, y1, ...; {missing[0]} is missing")
        return TaskData.from_list(
            [arrays[f"X{t}"] for t in places],
            [np.asarray(arrays[f"y{t}"]).ravel() for t in places],
            names=names,
            feature_names=features,
        )
    raise DataError(
        f"{name} must hold X and Y (one design, Y (n, T)), or X, y and tasks (a label a row), or X0, y0, X1, y1, ..., "
        f"or (MAT) cell arrays X and Y; it holds {_few(arrays)}"
    )


def _names(value: Any) -> tuple[Any, ...] | None:
    return None if value is None else tuple(_text(np.asarray(value).ravel()).tolist())


def _text(values: NDArray[Any]) -> NDArray[Any]:
    """MAT cells of text hold one array each, and char arrays are padded with blanks."""
    if values.dtype == object:
        return np.array([str(np.asarray(v).ravel()[0]) if np.size(v) else "" for v in values])
    return np.char.strip(values) if values.dtype.kind == "U" else values


def _must_have(columns: Mapping[str, Any], column: str, name: str) -> None:
    if column not in columns:
        raise DataError(f"{name} has no column {column!r}; it has {_few(columns)}")


def _few(names: Mapping[str, Any]) -> str:
    listed = [str(n) for n in names]
    return ", ".join(listed[:12]) + (f", ... ({len(listed)} in all)" if len(listed) > 12 else "")


def _cell(value: Any) -> str:
    text = repr(str(value))
    return text if len(text) <= 40 else text[:37] + "...'"
