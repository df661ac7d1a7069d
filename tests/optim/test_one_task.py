"""One task with columns that are each other's double, under penalties of next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

METHODS = [mt.JointFeature, mt.SingleTaskLasso, mt.JointFeatureLinf]


def problem(loss: str, rows: int, seed: int, doubles: str) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, 3))
    more = {
        "the same": X[:, :1],
        "mirrored": -X[:, :1],
        "twice": X[:, [0, 1, 0]],
        "scaled": X[:, :2] * [3.0, 1e-3],
    }[doubles]
    y = rng.standard_normal(rows) if loss == "squared" else np.where(np.arange(rows) % 2, 1.0, -1.0)
    return mt.TaskData.from_list([np.column_stack([X, more])], [y])


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("doubles", ["the same", "mirrored", "twice", "scaled"])
def test_faint_penalties_converge_in_few_iterations(loss: str, doubles: str) -> None:
    for seed in range(2):
        data = problem(loss, 12, seed, doubles)
        # Fainter than 1e-8 and separable, the logistic loss leaves its dual value no digits.
        for share in (1e-6, 1e-8, 1e-10)[: 3 if loss == "squared" else 2]:
            values: list[float] = []
            for kind in METHODS:
                model: Any = kind(loss=loss, tol=1e-9, max_iter=100)
                result = model.set_params(lam=share * model.lam_max(data)).fit(data).result_
                assert result.certificate.relative_gap <= 1e-9
                values.append(result.certificate.primal)
            np.testing.assert_allclose(values, values[0], rtol=1e-8)  # one penalty, each way of writing it
            if loss == "squared":
                A = np.column_stack([data.X[0], np.ones(12)])
                rest = data.y[0] - A @ np.linalg.lstsq(A, data.y[0], rcond=None)[0]
                assert values[0] == pytest.approx(float(rest @ rest) / 24, rel=1e3 * share)
