"""Sarcos: inverse dynamics of a robot arm, seven torques from one design of 21 inputs."""

from __future__ import annotations

import numpy as np

from mtlref.data.dataset import Dataset
from mtlref.data.fetch import File, locate
from mtlref.tasks import TaskData

NAME = "sarcos"
LICENCE = "none stated; published with Rasmussen & Williams 2006"
ORIGIN = "Vijayakumar & Schaal; Rasmussen & Williams 2006; github.com/chcorbi/MultiTaskLearning, data"
DESCRIPTION = "seven joint torques of an anthropomorphic robot arm at 4,449 moments (the published test part)"
CITATION = "rasmussen2006"
FILES = (
    File(
        "sarcos/sarcos_inv_test.mat",
        "161a59b5c3b4f4b404584323f181607b2acbe620eb134dc720760dc3f38f5cec",
        "https://raw.githubusercontent.com/chcorbi/MultiTaskLearning/master/data/sarcos_inv_test.mat",
        996776,
    ),
)


def load(*, download: bool = True) -> Dataset:
    """Sarcos: positions, velocities and accelerations of 7 joints (one shared design), a torque a task; no split.

    Only the 4,449 rows that are published as the test part are used, for the training part repeats most of them.
    """
    from scipy.io import loadmat

    paths = locate(NAME, FILES, origin=ORIGIN, download=download)
    table = np.asarray(loadmat(paths["sarcos/sarcos_inv_test.mat"])["sarcos_inv_test"], dtype=float)
    tasks = TaskData.from_shared(
        np.ascontiguousarray(table[:, :21]),
        np.ascontiguousarray(table[:, 21:]),
        names=[f"torque {j + 1}" for j in range(7)],
        feature_names=[
            f"{what} {j + 1}" for what in ("position", "velocity", "acceleration") for j in range(7)
        ],
    )
    return Dataset(NAME, tasks, "squared", None, LICENCE, ORIGIN, DESCRIPTION, CITATION)
