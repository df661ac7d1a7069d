"""Scores of predictions on multi-task data, each with the formula that it computes.

The same word means different numbers in different papers: on the School data "explained variance" is 36 % when the
variance of all targets divides the error and 21 % when each school's own variance does. So every metric here carries
its formula, and reports print it.

Every function takes the data and one array a task, (n_t,): predictions, or scores (of the larger label) for ``auc``.
Row weights are not used: a metric speaks of rows as they will come, a weight of what a fit should look at.

Scores of a learned structure against a known one (``adjusted_rand_index``, ``subspace_angle``, ``support_f1``) come
from ``mtlref.recovery``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError
from mtlref.recovery import adjusted_rand_index, subspace_angle, support_f1
from mtlref.tasks import TaskData

Predictions = Sequence[Any]

__all__ = [
    "METRICS",
    "Metric",
    "adjusted_rand_index",
    "auc",
    "error_rate",
    "explained_variance",
    "explained_variance_per_task",
    "mse",
    "nmse",
    "rmse",
    "subspace_angle",
    "support_f1",
]


def _pairs(data: TaskData, predictions: Predictions) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """(y_t, prediction_t) of each task, their shapes checked."""
    if len(predictions) != data.T:
        raise DataError(f"predictions must have one array a task; got {len(predictions)} for {data.T} tasks")
    for t, y in enumerate(data.y):
        z = np.asarray(predictions[t])
        if z.shape != y.shape:
            raise DataError(f"predictions[{t}] must have shape {y.shape}, as the targets; got {z.shape}")
        yield y, z


def _squared_errors(data: TaskData, predictions: Predictions) -> list[NDArray[np.float64]]:
    errors = []
    for t, (y, z) in enumerate(_pairs(data, predictions)):
        if y.dtype.kind not in "fiub" or z.dtype.kind not in "fiub":
            raise DataError(f"a regression metric needs numbers; task {data.names[t]!r} holds labels of text")
        errors.append((z.astype(float) - y) ** 2)
    return errors


def mse(data: TaskData, predictions: Predictions) -> float:
    """Mean squared error over all rows of all tasks: sum_t sum_i (y_ti - z_ti)^2 / N."""
    return float(np.concatenate(_squared_errors(data, predictions)).mean())


def rmse(data: TaskData, predictions: Predictions) -> float:
    """Root of the mean squared error over all rows of all tasks."""
    return float(np.sqrt(mse(data, predictions)))


def explained_variance(data: TaskData, predictions: Predictions) -> float:
    """1 - MSE / var(y), both over all rows of all tasks together: what differs between task means counts.

    Raises DataError where all targets are equal.
    """
    variance = float(np.concatenate([np.asarray(y, dtype=float) for y in data.y]).var())
    if not variance > 0:
        raise DataError("explained variance needs targets that differ; all are equal")
    return 1.0 - mse(data, predictions) / variance


def _errors_and_variances(
    data: TaskData, predictions: Predictions
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(MSE_t, var_t, n_t) of the tasks whose targets differ; a task of equal targets has no variance to explain."""
    errors = np.array([e.mean() for e in _squared_errors(data, predictions)])
    variances = np.array([np.asarray(y, dtype=float).var() for y in data.y])
    varied = variances > 0
    if not varied.any():
        raise DataError("a metric per task needs a task whose targets differ; in each task all are equal")
    return errors[varied], variances[varied], data.n[varied].astype(float)


def explained_variance_per_task(data: TaskData, predictions: Predictions) -> float:
    """sum_t n_t (1 - MSE_t / var_t) / sum_t n_t, over the tasks whose targets differ."""
    errors, variances, rows = _errors_and_variances(data, predictions)
    return float(np.average(1.0 - errors / variances, weights=rows))


def nmse(data: TaskData, predictions: Predictions) -> float:
    """Mean over tasks of MSE_t / var_t, over the tasks whose targets differ: each task counts the same."""
    errors, variances, _ = _errors_and_variances(data, predictions)
    return float((errors / variances).mean())


def error_rate(data: TaskData, predictions: Predictions) -> float:
    """Share of rows, over all tasks, whose predicted label is not the label."""
    return float(np.concatenate([y != z for y, z in _pairs(data, predictions)]).mean())


def auc(data: TaskData, scores: Predictions) -> float:
    """Mean over tasks of the area under the ROC curve; scores are larger for the larger of the two labels.

    Of a task with n_1 rows of the larger label, whose (mid-)ranks sum to R: (R - n_1 (n_1 + 1) / 2) / (n_1 n_0).
    Tasks with rows of one label only have no such area and are left out. Raises DataError where no task has both, and
    for labels that take more than two values.
    """
    from scipy.stats import rankdata  # takes longer to load than all of this package

    labels = np.unique(np.concatenate([np.asarray(y) for y in data.y]))
    if len(labels) != 2:
        raise DataError(f"auc needs labels of two values; got {len(labels)}")
    areas = []
    for y, z in _pairs(data, scores):
        if np.isnan(z).any():
            raise DataError("auc needs scores that are numbers; got NaN")
        larger = y == labels[1]
        n1 = int(larger.sum())
        n0 = len(y) - n1
        if n1 and n0:
            areas.append((rankdata(z)[larger].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))
    if not areas:
        raise DataError("auc needs a task with rows of both labels")
    return float(np.mean(areas))


@dataclass(frozen=True)
class Metric:
    """One score: its name, what it computes in one line, and how to read it.

    Attributes
    ----------
    name : as the command line takes it
    formula : one line that a report prints
    function : (data, one array a task) -> float
    greater_is_better : bool
    kind : "regression" or "classification"
    needs : "predict" for predictions or labels, "score" for values of the decision function
    title : as the head of a table has it
    """

    name: str
    formula: str
    function: Callable[[TaskData, Predictions], float]
    greater_is_better: bool
    kind: Literal["regression", "classification"]
    needs: Literal["predict", "score"]
    title: str

    def __call__(self, data: TaskData, predictions: Predictions) -> float:
        """The score of one array a task on the data."""
        return self.function(data, predictions)


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("mse", "sum_t sum_i (y_ti - z_ti)^2 / N", mse, False, "regression", "predict", "MSE"),
        Metric("rmse", "sqrt(sum_t sum_i (y_ti - z_ti)^2 / N)", rmse, False, "regression", "predict", "RMSE"),
        Metric(
            "explained_variance",
            "1 - MSE / var of all targets",
            explained_variance,
            True,
            "regression",
            "predict",
            "EV pooled",
        ),
        Metric(
            "explained_variance_per_task",
            "sum_t (n_t / N) (1 - MSE_t / var_t)",
            explained_variance_per_task,
            True,
            "regression",
            "predict",
            "EV per task",
        ),
        Metric("nmse", "(1 / T) sum_t MSE_t / var_t", nmse, False, "regression", "predict", "nMSE"),
        Metric("error_rate", "#{y_ti != z_ti} / N", error_rate, False, "classification", "predict", "error"),
        Metric(
            "auc",
            "(1 / T) sum_t area under the ROC curve of task t",
            auc,
            True,
            "classification",
            "score",
            "AUC",
        ),
    )
}
