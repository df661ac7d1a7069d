"""Landmine: radar features of 14,820 places in 29 fields, a field a task; is there a mine?"""

from __future__ import annotations

import numpy as np

from mtlref.data.dataset import Dataset
from mtlref.data.fetch import File, locate
from mtlref.tasks import TaskData

NAME = "landmine"
LICENCE = "none stated with the files; published for research"
ORIGIN = "Xue, Liao, Carin & Krishnapuram 2007; github.com/paulruvolo/ELLA, landminedata.mat"
DESCRIPTION = "904 mines among 14,820 places in 29 fields, nine features of their radar images"
CITATION = "xue2007"
FILES = (
    File(
        "landmine/landminedata.mat",
        "649b8697c4576a669013835a46268c3044895998d6c12cba1cb7c7348d13da73",
        "https://raw.githubusercontent.com/paulruvolo/ELLA/master/landminedata.mat",
        1032555,
    ),
)


def load(*, download: bool = True) -> Dataset:
    """Landmine with labels -1 (no mine) and +1 (mine), names "field 1" .. "field 29"; no split is published."""
    from scipy.io import loadmat

    paths = locate(NAME, FILES, origin=ORIGIN, download=download)
    content = loadmat(paths["landmine/landminedata.mat"])
    designs = [np.ascontiguousarray(x, dtype=float) for x in content["feature"][0]]
    labels = [np.where(v.ravel() == 1, 1.0, -1.0) for v in content["label"][0]]
    tasks = TaskData.from_list(
        designs,
        labels,
        names=[f"field {t + 1}" for t in range(len(designs))],
        feature_names=[f"x{j + 1}" for j in range(designs[0].shape[1])],
    )
    return Dataset(NAME, tasks, "logistic", None, LICENCE, ORIGIN, DESCRIPTION, CITATION)
