"""Small problems that every test of a comparison can afford."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt


def make_regression(T: int = 4, n: int = 14, p: int = 6, seed: int = 0) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    common = np.where(np.arange(p) < p // 2, rng.standard_normal(p), 0.0)
    X = [rng.standard_normal((n + t, p)) for t in range(T)]
    W = [common + 0.2 * rng.standard_normal(p) * (common != 0) for _ in range(T)]
    y = [x @ w + 0.3 * rng.standard_normal(len(x)) + 1.0 for x, w in zip(X, W, strict=True)]
    return mt.TaskData.from_list(
        X, y, names=[f"task {t}" for t in range(T)], feature_names=[f"feature {j}" for j in range(p)]
    )


def make_labels(T: int = 3, n: int = 30, p: int = 4, seed: int = 0) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(p)
    X = [rng.standard_normal((n, p)) for _ in range(T)]
    y = [np.where(x @ w + rng.standard_normal(n) > 0, 1.0, -1.0) for x in X]
    return mt.TaskData.from_list(X, y)


@pytest.fixture
def regression() -> mt.TaskData:
    return make_regression()


@pytest.fixture
def labels() -> mt.TaskData:
    return make_labels()
