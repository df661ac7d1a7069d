"""Solvers with one known fault each, and the name that the diagnosis gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mtlref as mt
from mtlref.verify.diagnosis.factors import recognise

Array = NDArray[np.float64]
ROWS = (12, 17, 23)
P = 12


def ragged(rows: tuple[int, ...] = ROWS, seed: int = 0) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(P, len(rows))) * (np.arange(P) < 3)[:, None]
    X = [rng.normal(size=(n, P)) for n in rows]
    y = [x @ w + 0.5 * rng.normal(size=n) + 2.0 for x, w, n in zip(X, W.T, rows, strict=True)]
    return mt.TaskData.from_list(X, y)


def names(model: Any, data: mt.TaskData, W: Array, b: Array | None = None) -> list[str]:
    diagnosis = mt.verify.diagnose(model, data, W, b)
    assert not diagnosis.optimal
    return [f.name for f in diagnosis.findings]


def solved(model: Any, data: mt.TaskData, **changes: Any) -> tuple[Array, Array]:
    fitted = type(model)(**{**model.get_params(), "tol": 1e-12, **changes}).fit(data)
    return fitted.coef_.T, fitted.intercept_


METHODS = [
    mt.SingleTaskRidge(lam=2.0, scaling="sum"),
    mt.SingleTaskLasso(lam=3.0, scaling="sum"),
    mt.MeanRegularized(lam=2.0, ridge=1.0, scaling="sum"),
    mt.JointFeature(lam=4.0, scaling="sum"),
    mt.TraceNorm(lam=4.0, scaling="sum"),
]


@pytest.mark.parametrize("model", METHODS, ids=lambda m: type(m).__name__)
def test_an_optimal_answer_has_no_findings(model: Any) -> None:
    data = ragged()
    diagnosis = mt.verify.diagnose(model, data, *solved(model, data))
    assert diagnosis.optimal
    assert diagnosis.findings == ()


@pytest.mark.parametrize("model", METHODS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (0.5, "loss not halved"),
        (2.0, "loss halved twice"),
        (3.0, "loss divided by T"),
        (1 / 3, "loss multiplied by T"),
        (1 / 52, "loss multiplied by N"),
        (6.0, "lam times 2 T"),
        (3 / 52, "lam times T/N"),
        (1 / 104, "lam times 1/(2 N)"),
        (0.7123, "another lam"),
    ],
)
def test_another_lam_is_named_by_its_factor(model: Any, factor: float, name: str) -> None:
    data = ragged()
    weights = {k: v * factor for k, v in model._weights().items() if k in model.degrees and v > 0}
    assert name in names(model, data, *solved(model, data, **weights))


def test_a_loss_divided_by_the_rows_of_each_task() -> None:
    data = ragged((20, 20, 20))
    model = mt.JointFeature(lam=0.1, scaling="sum")
    assert names(model, data, *solved(model, data, lam=2.0))[0] == "loss divided by n"
    assert names(model, data, *solved(model, data, lam=0.1, scaling="mean"))[0] == "loss divided by n"
    assert names(model, data, *solved(model, data, lam=0.1 / 20))[0] == "loss multiplied by n"
    assert names(model, data, *solved(model, data, lam=0.1 * 10))[0] == "lam times n/2"


def test_a_loss_divided_by_all_rows() -> None:
    data = ragged()
    model = mt.JointFeature(lam=0.1, scaling="sum")
    assert names(model, data, *solved(model, data, lam=5.2))[0] == "loss divided by N"


def test_an_answer_of_zeros_is_told_apart_from_an_unfinished_one() -> None:
    data = ragged()
    (finding,) = mt.verify.diagnose(METHODS[3], data, np.zeros((P, 3))).findings
    assert finding.name == "all zero"
    assert f"{METHODS[3].lam_max(data):.6g}" in finding.sentence


def test_the_other_scaling() -> None:
    data = ragged()
    model = mt.JointFeature(lam=0.1, scaling="mean")
    assert names(model, data, *solved(model, data, scaling="sum")) == ["scaling sum"]


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_no_intercept_and_a_penalised_one(loss: str) -> None:
    data = ragged()
    if loss == "logistic":
        data = mt.TaskData.from_list(list(data.X), [np.where(y > 1.0, 1.0, -1.0) for y in data.y])
    model = mt.JointFeature(lam=0.5, scaling="sum", loss=loss)
    W, b = solved(model, data, fit_intercept=False)
    assert names(model, data, W, b) == ["no intercept"]
    wide = mt.TaskData.from_list([np.column_stack([x, np.ones(len(x))]) for x in data.X], list(data.y))
    V, _ = solved(model, wide, fit_intercept=False)
    assert names(model, data, V[:-1], V[-1]) == ["penalised intercept"]


def test_intercepts_that_were_not_asked_for() -> None:
    data = ragged()
    model = mt.TraceNorm(lam=2.0, scaling="sum", fit_intercept=False)
    W, _ = solved(model, data, fit_intercept=True)
    assert names(model, data, W) == ["intercept fitted"]


def fixed_point(lam_of: Callable[[Array], float], model: Any, data: mt.TaskData) -> tuple[Array, Array]:
    """The optimum whose lam is what ``lam_of`` says of the answer, by bisection on a logarithmic scale."""
    low, high = 1e-3, 1e3
    for _ in range(100):
        lam = float(np.sqrt(low * high))
        W, b = solved(model, data, lam=lam)
        low, high = (lam, high) if lam_of(W) > lam else (low, lam)
    return W, b


def test_a_squared_norm() -> None:
    data = ragged()
    model = mt.JointFeature(lam=0.7, scaling="sum")
    answer = fixed_point(lambda W: 0.7 * float(np.linalg.norm(W, axis=1).sum()), model, data)
    assert names(model, data, *answer) == ["squared norm"]


def test_a_norm_that_was_not_squared() -> None:
    data = ragged()
    model = mt.SingleTaskRidge(lam=5.0, scaling="sum")
    answer = fixed_point(lambda W: 5.0 / float(np.linalg.norm(W)), model, data)
    assert names(model, data, *answer) == ["norm not squared"]


def fista(data: mt.TaskData, prox: Callable[[Array, float], Array], steps: int) -> tuple[Array, Array, Array]:
    """(last point, last momentum point, mean of the points) of plain FISTA on centred rows."""
    X = [x - x.mean(axis=0) for x in data.X]
    y = [v - v.mean() for v in data.y]
    step = 1.0 / max(np.linalg.norm(x, 2) ** 2 for x in X)
    W = Z = total = np.zeros((P, data.T))
    t = 1.0
    for _ in range(steps):
        gradient = np.column_stack([x.T @ (x @ z - v) for x, z, v in zip(X, Z.T, y, strict=True)])
        new = prox(Z - step * gradient, step)
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        Z, W, t = new + (t - 1) / after * (new - W), new, after
        total = total + W
    return W, Z, total / steps


def shrink_rows(V: Array, cut: Any) -> Array:
    norms = np.linalg.norm(V, axis=1, keepdims=True)
    return V * np.maximum(1 - np.reshape(cut, (-1, 1)) / np.maximum(norms, 1e-300), 0.0)


def test_the_transposed_penalty() -> None:
    data = ragged()
    W, _, _ = fista(data, lambda V, step: shrink_rows(V.T, 6.0 * step).T, 5000)
    assert names(mt.JointFeature(lam=6.0, scaling="sum"), data, W) == ["transposed penalty"]


def test_an_unfinished_run_and_a_mean_of_iterates() -> None:
    correlated = [x @ (np.eye(P) + 0.5) for x in ragged().X]
    data = mt.TaskData.from_list(correlated, list(ragged().y))
    model = mt.JointFeature(lam=1.0, scaling="sum")
    last, _, _ = fista(data, lambda V, step: shrink_rows(V, 1.0 * step), 30)
    diagnosis = mt.verify.diagnose(model, data, last)
    assert [f.name for f in diagnosis.findings] == ["unconverged"]
    assert "more digits" in diagnosis.findings[0].sentence
    _, _, mean = fista(data, lambda V, step: shrink_rows(V, 10.0 * step), 300)
    assert names(mt.JointFeature(lam=10.0, scaling="sum"), data, mean) == [
        "before the proximal step",
        "unconverged",
    ]


def test_a_refitted_answer() -> None:
    data = ragged()
    model = mt.JointFeature(lam=6.0, scaling="sum")
    W, _ = solved(model, data)
    on = W.any(axis=1)
    assert 0 < on.sum() < P
    refit = np.zeros_like(W)
    for t, (X, y) in enumerate(zip(data.X, data.y, strict=True)):
        refit[on, t] = np.linalg.lstsq(X[:, on] - X[:, on].mean(axis=0), y - y.mean(), rcond=None)[0]
    assert names(model, data, refit) == ["refitted"]


def test_a_capped_penalty() -> None:
    data = ragged()
    model = mt.JointFeature(lam=3.0, scaling="sum")
    W, _ = solved(model, data)
    weights = np.where(np.linalg.norm(W, axis=1) > 1.0, 0.0, 3.0)
    assert 0 < (weights == 0).sum() < P
    capped, _, _ = fista(data, lambda V, step: shrink_rows(V, weights * step), 20000)
    assert names(model, data, capped) == ["capped"]


def test_factors_are_recognised_in_their_simplest_form() -> None:
    assert recognise(52.0, {"N": 52.0, "T": 4.0, "n": 13.0}) == "N"
    assert recognise(1 / 26, {"N": 52.0, "T": 3.0}) == "2/N"
    assert recognise(1.37, {"N": 52.0, "T": 3.0}) is None


def test_bad_input_is_refused_as_by_the_audit() -> None:
    data = ragged()
    with pytest.raises(mt.DataError, match=r"W must have shape \(p, T\)"):
        mt.verify.diagnose(METHODS[0], data, np.zeros((len(ROWS), P)))
    with pytest.raises(mt.DataError, match="tol"):
        mt.verify.diagnose(METHODS[0], data, np.zeros((P, len(ROWS))), tol=-1.0)
