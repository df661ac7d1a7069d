"""Jura: concentrations of heavy metals in the soil of the Swiss Jura, a metal a task, with one published split."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtlref.data.dataset import Dataset
from mtlref.data.fetch import File, locate
from mtlref.errors import DataError
from mtlref.tasks import TaskData

NAME = "jura"
LICENCE = "GPL-2 or later, with the R package gstat"
ORIGIN = (
    "Goovaerts 1997; github.com/r-spatial/gstat, data/jura.rda, its frames prediction.dat and validation.dat written "
    "as CSV with the columns Xloc, Yloc, Landuse, Rock, Cd, Co, Cr, Cu, Ni, Pb, Zn (codes as numbers)"
)
DESCRIPTION = (
    "seven heavy metals at 259 prediction and 100 validation places in 14.5 square kilometres of soil"
)
CITATION = "goovaerts1997"
# The origin is an R file, so people write the tables themselves: their content is checked, not their bytes.
FILES = (
    File("jura/prediction.csv", None, None, 14042),
    File("jura/validation.csv", None, None, 5453),
)
METALS = ("Cd", "Co", "Cr", "Cu", "Ni", "Pb", "Zn")
LANDUSE = ("forest", "pasture", "meadow", "tillage")
ROCK = ("Argovian", "Kimmeridgian", "Sequanian", "Portlandian", "Quaternary")
PLACES = {"prediction": 259, "validation": 100}


def load(*, download: bool = True) -> Dataset:
    """Jura on one design: x and y in km, land use and rock as 0/1 columns; a task for each of the seven metals.

    The published split trains on the 259 prediction places and tests on the 100 validation places.
    """
    paths = locate(NAME, FILES, origin=ORIGIN, download=download)
    parts = {name: _read(paths[f"jura/{name}.csv"], count) for name, count in PLACES.items()}
    X = np.vstack([design for design, _ in parts.values()])
    Y = np.vstack([targets for _, targets in parts.values()])
    tasks = TaskData.from_shared(
        X,
        Y,
        names=list(METALS),
        feature_names=["x km", "y km", *LANDUSE, *ROCK],
    )
    first = PLACES["prediction"]
    train, test = np.arange(first), np.arange(first, len(X))
    T = len(METALS)
    return Dataset(
        NAME, tasks, "squared", [([train] * T, [test] * T)], LICENCE, ORIGIN, DESCRIPTION, CITATION
    )


def _read(path: Path, places: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(design, metals) of one table. Raises DataError where columns, codes or the number of places differ."""
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    if len(rows) != places:
        raise DataError(f"{path} must hold {places} places; got {len(rows)}")
    needed = ("Xloc", "Yloc", "Landuse", "Rock", *METALS)
    missing = [c for c in needed if c not in rows[0]]
    if missing:
        raise DataError(f"{path} must have the columns {', '.join(needed)}; {', '.join(missing)} not there")
    table = np.array([[float(r[c]) for c in needed] for r in rows])
    landuse = _levels(table[:, 2], len(LANDUSE), path, "Landuse")
    rock = _levels(table[:, 3], len(ROCK), path, "Rock")
    return np.hstack([table[:, :2], landuse, rock]), np.ascontiguousarray(table[:, 4:])


def _levels(codes: NDArray[np.float64], count: int, path: Path, column: str) -> NDArray[np.float64]:
    """0/1 columns of codes 1..count."""
    if not np.isin(codes, np.arange(1, count + 1)).all():
        raise DataError(f"{path}: {column} must hold codes 1 to {count}; got {np.unique(codes).tolist()}")
    return (codes[:, None] == np.arange(1, count + 1)).astype(float)
