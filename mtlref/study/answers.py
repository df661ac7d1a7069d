"""Somebody else's coefficients, read from a file: for ``mtlref audit``, and from programs under ``mtlref verify``."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.study.readers import read_arrays

Array = NDArray[np.float64]

WHAT = "W (p, T), a column a task, or coef (T, p), and optionally b (T,)"

# Names under which other programs keep them; the second entry says whether tasks are rows.
COEFFICIENTS = (("W", False), ("coef", True), ("coef_", True))
INTERCEPTS = ("b", "intercept", "intercept_", "c")


def read_answer(path: str | Path, shape: tuple[int, int] | None = None) -> tuple[Array, Array | None]:
    """(W (p, T), b (T,) or None) from an NPZ, MAT, JSON, TXT or CSV file.

    NPZ, MAT, JSON and TXT name them: W or coef (tasks as rows), b or intercept; in TXT each is a line "name rows
    columns" and then its rows. With ``shape`` (p, T), p or T one, a W of one axis is taken too: several writers of JSON
    drop the other. A CSV holds W, a line a feature and a column
    a task; a first line that is not numbers is a heading, a first column that is not numbers holds names, and a line
    named "intercept" is b.

    Raises DataError, saying what is there and what must be.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    kind = path.suffix.lower()
    if kind in (".npz", ".mat"):
        return _named(read_arrays(path), path.name, shape)
    if kind == ".txt":
        return _named(_from_text(path), path.name, shape)
    if kind == ".json":
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as problem:
            raise DataError(f"{path.name} is not JSON: {problem}") from None
        if not isinstance(found, dict):
            raise DataError(f"{path.name} must hold an object with {WHAT}; got a {type(found).__name__}")
        return _named(found, path.name, shape)
    if kind == ".csv":
        return _from_csv(path)
    raise DataError(f"{path.name}: an answer must be an .npz, .mat, .json, .txt or .csv file")


def _named(
    found: Mapping[str, Any], name: str, shape: tuple[int, int] | None = None
) -> tuple[Array, Array | None]:
    for key, rows_are_tasks in COEFFICIENTS:
        if key in found:
            value = found[key]
            if shape is not None and 1 in shape and np.ndim(value) < 2 and np.size(value) == max(shape):
                value = np.reshape(value, shape[::-1] if rows_are_tasks else shape)
            W = _array(value, f"{key} of {name}", 2)
            W = W.T if rows_are_tasks else W
            b = next(
                (_array(found[k], f"{k} of {name}", None).ravel() for k in INTERCEPTS if k in found), None
            )
            return W, b
    raise DataError(f"{name} must hold {WHAT}; it holds {', '.join(found) or 'nothing'}")


def _array(value: Any, what: str, ndim: int | None) -> Array:
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{what} must be an array of numbers") from None
    if ndim is not None and array.ndim != ndim:
        raise DataError(f"{what} must have {ndim} axes; got shape {array.shape}")
    return array


def _from_text(path: Path) -> dict[str, Array]:
    words = path.read_text(encoding="utf-8").split()
    values, at = {}, 0
    try:
        while at < len(words):
            name, rows, columns = words[at], int(words[at + 1]), int(words[at + 2])
            at += 3
            values[name] = np.array(words[at : at + rows * columns], dtype=float).reshape(rows, columns)
            at += rows * columns
    except (ValueError, IndexError) as problem:
        raise DataError(
            f'{path.name}: every array must be a line "name rows columns" and then its rows: {problem}'
        ) from None
    return values


def _from_csv(path: Path) -> tuple[Array, Array | None]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [line for line in csv.reader(file) if line]
    if lines and not all(_is_number(cell) for cell in lines[0][1:] or lines[0]):
        lines = lines[1:]
    if not lines:
        raise DataError(f"{path.name} must hold W, a line a feature and a column a task; it holds no numbers")
    named = not all(_is_number(line[0]) for line in lines)
    names = [line[0].strip().lower() if named else "" for line in lines]
    cells = [line[1:] if named else line for line in lines]
    for i, line in enumerate(cells, start=1):
        if len(line) != len(cells[0]) or not all(_is_number(cell) for cell in line):
            raise DataError(
                f"{path.name}, line {i} of the numbers: must hold {len(cells[0])} numbers; got {line}"
            )
    table = np.array(cells, dtype=float)
    at = [i for i, name in enumerate(names) if name in ("intercept", "(intercept)", "b")]
    if at:
        return np.delete(table, at, axis=0), table[at[0]]
    return table, None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
