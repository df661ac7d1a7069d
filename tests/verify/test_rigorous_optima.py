"""audit(rigorous=True) against optima that are known exactly: in fractions, and in closed form."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import mtlref as mt

F = Fraction
GRAPH = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.5], [0.0, 0.5, 0.0]])


def problem(kind: str) -> mt.TaskData:
    """Three tasks, four features."""
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n, 4)) for n in (9, 6, 12)]
    y = [x @ rng.standard_normal(4) + rng.standard_normal(len(x)) for x in X]
    if kind == "cancellation":
        X, y = [x + 1e7 for x in X], [v + 1e9 for v in y]
    if kind == "scales":
        X = [x * [1e-8, 1.0, 1e8, 1.0] for x in X]
    weights = [np.append(rng.random(len(v) - 1).round(3) + 0.1, 0.0) for v in y]
    return mt.TaskData.from_list(X, y, weights=weights if kind == "weights" else None)


def fitted(model: Any, data: mt.TaskData) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mt.NotConverged)
        return model.fit(data)


def solve(A: list[list[F]], r: list[F]) -> list[F]:
    """Gauss and Jordan, in fractions."""
    rows = [[*row, v] for row, v in zip(A, r, strict=True)]
    for i in range(len(rows)):
        j = next(k for k in range(i, len(rows)) if rows[k][i])
        rows[i], rows[j] = rows[j], rows[i]
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for k in range(len(rows)):
            if k != i and rows[k][i]:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def coupling(name: str, model: Any, T: int) -> list[list[F]]:
    """P (T, T) with penalty(W) = tr(W P W')/2."""
    lam, ridge = F(model.lam), F(getattr(model, "ridge", 0.0))
    if name == "MeanRegularized":
        return [[(lam + ridge) * (s == t) - lam / T for s in range(T)] for t in range(T)]
    if name == "GraphRegularized":
        A = [[F(float(v)) for v in row] for row in GRAPH]
        return [[(lam * sum(A[t]) + ridge) * (s == t) - lam * A[t][s] for s in range(T)] for t in range(T)]
    return [[lam * (s == t) for s in range(T)] for t in range(T)]


def exact_value(data: mt.TaskData, P: list[list[F]], c: list[F], W: list[list[F]], b: list[F]) -> F:
    """F(W, b) of a quadratic penalty, by loops."""
    T, p = data.T, data.p
    total = sum(P[s][t] * W[j][s] * W[j][t] for s in range(T) for t in range(T) for j in range(p)) / 2
    for t in range(T):
        s = np.ones(len(data.y[t])) if data.weights is None else data.weights[t]
        for x, y, w in zip(data.X[t], data.y[t], s, strict=True):
            z = sum(F(float(x[j])) * W[j][t] for j in range(p)) + b[t]
            total += c[t] * F(float(w)) * (z - F(float(y))) ** 2 / 2
    return total


def exact_optimum(data: mt.TaskData, P: list[list[F]], c: list[F]) -> F:
    """min F with intercepts, from the normal equations of (w_1, b_1, w_2, ...) in fractions."""
    T, q = data.T, data.p + 1
    A = [[F(0)] * (T * q) for _ in range(T * q)]
    r = [F(0)] * (T * q)
    for t in range(T):
        s = np.ones(len(data.y[t])) if data.weights is None else data.weights[t]
        for x, y, w in zip(data.X[t], data.y[t], s, strict=True):
            row = [*(F(float(v)) for v in x), F(1)]
            for i in range(q):
                r[t * q + i] += c[t] * F(float(w)) * row[i] * F(float(y))
                for j in range(q):
                    A[t * q + i][t * q + j] += c[t] * F(float(w)) * row[i] * row[j]
    for s in range(T):
        for t in range(T):
            for j in range(data.p):
                A[s * q + j][t * q + j] += P[s][t]
    v = solve(A, r)
    W = [[v[t * q + j] for t in range(T)] for j in range(data.p)]
    return exact_value(data, P, c, W, [v[t * q + data.p] for t in range(T)])


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["plain", "weights", "cancellation", "scales"])
@pytest.mark.parametrize("name", ["SingleTaskRidge", "MeanRegularized", "GraphRegularized"])
def test_the_gap_bounds_the_distance_to_an_optimum_in_fractions(name: str, kind: str, ridge: float) -> None:
    data = problem(kind)
    method = mt.methods()[name]
    # The bounds hold for any answer: what columns of 1e-8 and 1e8 keep from its tolerance need not try for long.
    more: dict[str, Any] = {"max_iter": 200} | ({"graph": GRAPH} if method.required else {})
    lam = 0.05 * method.cls(**more).lam_scale(data)
    model = fitted(
        method.cls(lam=lam, **more, **({"ridge": ridge * lam} if "ridge" in method.degrees else {})), data
    )
    weights = [
        np.ones(n) if data.weights is None else s for n, s in zip(data.n, data.weights or data.y, strict=True)
    ]
    c, P = [1 / sum(F(float(v)) for v in s) for s in weights], coupling(name, model, data.T)
    least = exact_optimum(data, P, c)
    for factor in (1.0, 1.0 + 1e-9, 0.5, 0.0, -1e8):
        W, b = model.coef_.T * factor, model.intercept_
        found = mt.audit(model, data, W, b, rigorous=True)
        value = exact_value(data, P, c, [[F(float(v)) for v in row] for row in W], [F(float(v)) for v in b])
        assert F(found.dual) <= least <= value <= F(found.primal)
        assert F(found.gap) >= value - least
        assert F(found.primal) <= value * (1 + F(1, 2**52))  # one rounding of an exact number
        if factor == 1.0 and kind in ("plain", "weights"):
            assert found.relative_gap <= 1e-12


def test_columns_of_very_different_size_do_not_hide_a_free_mean() -> None:
    # One task: the spread is zero whatever lam, so that least squares is the optimum. What a small column can still
    # gain is lost in floats next to lam and a large column.
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((9, 3)) * [1e-5, 1.0, 1e5], rng.standard_normal(9)
    data, model = mt.TaskData.from_list([X], [y]), mt.MeanRegularized(lam=1e8)
    c = [F(1, 9)]
    least = exact_optimum(data, [[F(0)]], c)
    w = np.linalg.lstsq(X[:, 1:] - X[:, 1:].mean(axis=0), y - y.mean(), rcond=None)[0]
    for W in (np.array([[0.0], [w[0]], [w[1]]]), fitted(model, data).coef_.T):
        found = mt.audit(model, data, W, np.zeros(1), rigorous=True)
        value = exact_value(data, [[F(0)]], c, [[F(float(v)) for v in row] for row in W], [F(0)])
        assert F(found.dual) <= least
        assert F(found.gap) >= value - least
        assert F(found.gap) <= (value - least) * (1 + F(1, 10**9))


def test_the_gap_is_the_smallest_float_above_an_exact_one() -> None:
    data = mt.TaskData.from_list([np.eye(2)], [[0.1, 0.7]])
    model = mt.SingleTaskLasso(lam=0.1, ridge=1.0, scaling="sum", fit_intercept=False)
    found = mt.audit(model, data, [[0.0], [0.3]], rigorous=True)
    # w = (y − lam)₊ / 2 entry by entry: 0 for the first, as 0.1 = lam, and then (0.7 − 0.1)/2, which is not 0.3.
    value = F(0.1) ** 2 / 2 + (F(0.7) - F(0.3)) ** 2 / 2 + F(0.1) * F(0.3) + F(0.3) ** 2 / 2
    w = (F(0.7) - F(0.1)) / 2
    least = F(0.1) ** 2 / 2 + (F(0.7) - w) ** 2 / 2 + F(0.1) * w + w**2 / 2
    assert F(found.gap) >= value - least > 0
    assert found.primal == float(value) or F(math.nextafter(found.primal, 0.0)) < value
    assert found.gap <= 1e-15


@pytest.mark.parametrize(
    ("name", "W", "least"),
    [
        ("SingleTaskLasso", [[2.0, 0.0], [0.0, 3.0]], F(1) + F(1, 2) + F(1, 2) + 5),
        ("JointFeature", [[12 / 5, 16 / 5], [0.0, 0.0]], None),
        ("TraceNorm", [[2.0, 0.0], [0.0, 3.0]], F(1) + 5),
    ],
)
def test_shared_identity_designs_have_optima_in_closed_form(name: str, W: Any, least: F | None) -> None:
    # Soft thresholds with lam = 1 of Y, entry by entry, of a row of length 5, and of singular values.
    Y = {
        "SingleTaskLasso": [[3.0, 1.0], [1.0, 4.0]],
        "JointFeature": [[3.0, 4.0], [0.6, 0.8]],
        "TraceNorm": [[3.0, 0.0], [0.0, 4.0]],
    }[name]
    if (
        least is None
    ):  # the row (3, 4): 1/2 + 4; the row (0.6, 0.8), of length above or below 1 by rounding: 1/2
        least = F(1, 2) + 4 + (F(0.6) ** 2 + F(0.8) ** 2) / 2
        slack = F(1, 10**30)
    else:
        slack = F(0)
    data = mt.TaskData.from_shared(np.eye(2), Y)
    model = mt.methods()[name].cls(lam=1.0, scaling="sum", fit_intercept=False)
    found = mt.audit(model, data, W, rigorous=True)
    assert F(found.dual) <= least + slack
    assert F(found.primal) >= least - slack
    assert found.relative_gap <= 1e-14
