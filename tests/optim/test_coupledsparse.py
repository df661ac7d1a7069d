"""Coupled tasks with sparse weights: few rows, no ridge, and a task that nothing holds to the others."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt

GRAPH = np.array([[0.0, 0.0, 0.25, 1.0], [0.0, 0.0, 0.0, 0.0], [0.25, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
ROWS = [
    [[-0.132, 0.64, 0.105, -0.536, 0.362], [1.304, 0.947, -0.704, -1.265, -0.623]],
    [[0.041, -2.325, -0.219, -1.246, -0.732], [-0.544, -0.316, 0.412, 1.043, -0.129]],
    [[1.366, -0.665, 0.352, 0.903, 0.094], [-0.743, -0.922, -0.458, 0.22, -1.01]],
    [[-0.209, -0.159, 0.541, 0.215, 0.355]],
]
TARGETS = [[3.415, 2.87], [1.752, 4.164], [1.871, 4.792], [3.66]]


def fit(data: mt.TaskData, lam: float, lam_sparse: float) -> mt.GraphRegularized:
    return mt.GraphRegularized(
        graph=GRAPH, lam=lam, lam_sparse=lam_sparse, fit_intercept=False, tol=1e-9, max_iter=400
    ).fit(data)


def test_rounds_of_admm_do_not_come_back_to_where_they_were() -> None:
    model = fit(mt.TaskData.from_list([np.array(x) for x in ROWS], TARGETS), 3.8, 0.038)
    assert model.result_.certificate.relative_gap <= 1e-9


@pytest.mark.parametrize("share", [0.3, 0.01])
@pytest.mark.parametrize("seed", range(3))
def test_fewer_rows_than_features_are_no_trap(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    X = [rng.standard_normal((n, 5)) for n in (2, 2, 2, 1)]
    data = mt.TaskData.from_list(X, [3 + rng.standard_normal(len(x)) for x in X])
    lam = float(share * mt.GraphRegularized(graph=GRAPH, fit_intercept=False).lam_scale(data))
    for ratio in (1.0, 0.01):
        assert fit(data, lam, ratio * lam).result_.certificate.relative_gap <= 1e-9
