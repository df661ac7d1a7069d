"""School: examination scores of 15,362 pupils of 139 London schools, a school a task, with ten published splits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from mtlref.data.dataset import Dataset, Rows
from mtlref.data.fetch import File, locate
from mtlref.tasks import TaskData

NAME = "school"
LICENCE = "none stated; given out for research by the Centre for Multilevel Modelling"
ORIGIN = "Goldstein 1991; splits by Argyriou, Evgeniou & Pontil; github.com/tjanez/PyMTL, data/school"
DESCRIPTION = "examination scores (1 to 70) of 15,362 pupils in 139 London schools, 1985 to 1987"
CITATION = "goldstein1991"
ADDRESS = "https://raw.githubusercontent.com/tjanez/PyMTL/master/data/"

_SPLITS = (
    ("030c9ca0a73d6264aa1eeac49aba1d760a1b5692cd3124667e74a7a2b7751bc5", 28567),
    ("63d3a076a4cdd3de81825d3cf0c030b93bdc60e912eaed4763ee224efab163f8", 28570),
    ("f7f68e3adb50db8094e230c2b83d548790379cd93ad98fadb35ff2999762dbe6", 28559),
    ("02643928224056a61e25dec8d4841dba5195ed9affdc76fdc697854a2506d142", 28571),
    ("6ed00a453d582dce4397f6f49120cff803c22f53cfb2dd63a3826c359c24bcdf", 28569),
    ("ca853babe5b7f0f5812e7f4261f8b5e5728f1b3b06711e56a76b27b7f959f379", 28568),
    ("b72105509c70f94f48c7c8b0e1359c6c0ea630c7ac588337b412f946ede62283", 28568),
    ("8ad60073b135220f1a6f49fdd79b4430b6a0c8ce9925a22dcc5a09141f5b1c04", 28569),
    ("0de74247d93c413b690ebb65e2e7beb1c55f05b2a2d5db46469e673a552cccf2", 28573),
    ("b408742eab66cd124563493057b080fd39e5075f48b4c391c53e5f6a1a4c8df1", 28573),
)


def _file(name: str, sha256: str, size: int) -> File:
    path = f"school/{name}"
    return File(path, sha256, ADDRESS + path, size)


FILES = (
    _file("school_b.mat", "973f1ca99d0d41a838ec6ae86001a48e7b69391eb74646b9e4fc54f62866a146", 40592),
    *(_file(f"school_{i}_indexes.mat", *entry) for i, entry in enumerate(_SPLITS, start=1)),
)

# The bands of verbal reasoning stand in the order 3, 1, 2: the origin codes VR1 as 2, VR2 as 3 and VR3 as 1.
FEATURES = (
    *("year 1985", "year 1986", "year 1987", "free school meals %", "VR band 1 %", "male", "female"),
    *("VR band 3", "VR band 1", "VR band 2"),
    *("ESWI", "African", "Arab", "Bangladeshi", "Caribbean", "Greek", "Indian", "Pakistani"),
    *("South-East Asian", "Turkish", "other ethnic group"),
    *("mixed school", "boys' school", "girls' school", "maintained", "Church of England", "Roman Catholic"),
    "constant",
)


def load(*, constant: bool = False, download: bool = True) -> Dataset:
    """School with names "school 1" .. "school 139" in the origin's order.

    constant : keep the origin's last column, which is 1 in every row: 28 features, for models without an intercept
        and for comparison with published optima. The default leaves it out (27 features), for the estimators here fit
        intercepts of their own.
    """
    from scipy.io import loadmat

    paths = locate(NAME, FILES, origin=ORIGIN, download=download)
    content = loadmat(paths["school/school_b.mat"])
    # Stored as one byte a number: sums of such integers wrap around.
    X = content["x"].T.astype(float)
    y = content["y"].ravel().astype(float)
    columns = slice(None) if constant else slice(0, 27)
    starts = content["task_indexes"].ravel().astype(np.intp) - 1
    bounds = [*starts.tolist(), len(y)]
    parts = [slice(a, b) for a, b in pairwise(bounds)]
    tasks = TaskData.from_list(
        [np.ascontiguousarray(X[part, columns]) for part in parts],
        [y[part] for part in parts],
        names=[f"school {t + 1}" for t in range(len(parts))],
        feature_names=list(FEATURES[columns]),
    )
    splits = []
    for i in range(1, 11):
        rows = loadmat(paths[f"school/school_{i}_indexes.mat"])
        splits.append((_rows(rows, "tr", starts), _rows(rows, "tst", starts)))
    return Dataset(NAME, tasks, "squared", splits, LICENCE, ORIGIN, DESCRIPTION, CITATION)


def _rows(content: dict[str, Any], part: str, starts: np.ndarray) -> Rows:
    """The columns that a split lists, as places within each task."""
    columns = content[part].ravel().astype(np.intp) - 1
    bounds = [*(content[f"{part}_indexes"].ravel().astype(np.intp) - 1).tolist(), len(columns)]
    return [columns[a:b] - start for (a, b), start in zip(pairwise(bounds), starts, strict=True)]
