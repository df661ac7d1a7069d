"""Moments that stand for their rows: the bound of their rounding, and that wrong ones are seen."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import HeldFit, data_fit, held
from mtlref.linear import joint_feature
from mtlref.moments import Moments
from mtlref.rowstatistics import error_growth

SETTINGS = ("squared", "mean", True, False)


def data(offset: float = 0.0, n: int = 900, seed: int = 0, weighted: bool = False) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 8)) + offset
    Y = X @ rng.standard_normal((8, 3)) + rng.standard_normal((n, 3))
    return mt.TaskData.from_shared(X, Y, weights=rng.random(n) if weighted else None)


def kept(rows: mt.TaskData, settings: Any = SETTINGS) -> HeldFit:
    return HeldFit(*settings, Moments.from_data(rows), growth=error_growth(rows))


@pytest.mark.parametrize("offset", [0.0, 3.0, 1e4])
@pytest.mark.parametrize("intercept", [True, False])
def test_rounding_stays_within_its_bound(offset: float, intercept: bool) -> None:
    """Beside the same in 64 binary digits; where no intercept is fitted, large means are part of the numbers."""
    rows = data(offset)
    fit = kept(rows, ("squared", "mean", intercept, False))
    W = np.random.default_rng(1).standard_normal((8, 3))
    X, Y = rows.X[0].astype(np.longdouble), np.column_stack(rows.y).astype(np.longdouble)
    R = Y - X @ W
    R = R - R.mean(axis=0) if intercept else R
    X = X - X.mean(axis=0) if intercept else X
    point, G = fit.dual_point(W), X.T @ R / len(X)
    assert np.sqrt(((point.G - G) ** 2).sum(axis=1)).max() <= point.slip
    value = ((Y - Y.mean(axis=0) if intercept else Y) * R).sum() / len(X) - (R * R).sum() / (2 * len(X))
    assert abs(point.value() - value) <= point.rounding
    if offset == 0.0:  # and is a bound that leaves something
        assert point.slip <= 1e-10 * np.linalg.norm(G, axis=1).max()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("entry", ["cxx", "cxy", "cyy"])
def test_statistics_that_are_not_those_of_the_rows_are_seen(entry: str, weighted: bool) -> None:
    rows = data(2.0, weighted=weighted)
    fit = kept(rows)
    assert fit.agrees(data_fit(rows))
    wrong = getattr(fit.data, entry).copy()
    wrong.ravel()[-1] *= 1 + 1e-6
    assert not replace(fit, data=replace(fit.data, **{entry: wrong})).agrees(data_fit(rows))


def check_bounds(certificate: Callable[..., Any], fit_type: type[HeldFit]) -> None:
    """Rows of G that may be larger by δ shrink the dual point by 1 + δ/lam, its value by δ Σ_j ‖W[j,:]‖."""
    rows, lam, growth = data(), 0.3, 1e-7
    W = mt.JointFeature(lam=lam, tol=1e-12).fit(rows).coef_.T
    fit = fit_type(*SETTINGS, Moments.from_data(rows), growth=growth)
    b = fit.best_intercept(W)
    exact, bounded = certificate(data_fit(rows), W, b, lam=lam), certificate(fit, W, b, lam=lam)
    expected = fit.dual_point(W).slip * np.linalg.norm(W, axis=1).sum()
    assert exact.dual - bounded.dual == pytest.approx(expected, rel=1e-2)  # to first order in δ
    # And each value of a square, of targets and predictions, may be off by its share.
    assert bounded.gap - expected >= growth * float(fit.c @ fit.target_squares)


def test_the_certificate_counts_the_bound() -> None:
    check_bounds(joint_feature.certificate, HeldFit)


def test_a_bound_that_is_left_out_is_seen(mutated: Any) -> None:
    source, text = inspect.getsource(joint_feature.certificate), ".max()) + point.slip"
    assert source.count(text) == 1
    names = dict(vars(joint_feature))
    exec(source.replace(text, ".max())"), names)
    with pytest.raises(AssertionError):
        check_bounds(names["certificate"], HeldFit)
    mutant = mutated(held, "rounding=point.rounding + float(self.c @ lost)", "rounding=point.rounding")
    with pytest.raises(AssertionError):
        check_bounds(joint_feature.certificate, mutant.HeldFit)


@pytest.mark.parametrize("form", ["shared", "list"])
@pytest.mark.parametrize("tol", [1e-8, 1e-14])
def test_a_path_by_statistics_is_what_the_rows_say(
    form: str, tol: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gaps hold for the rows; where tol leaves no room for the bound, it is the rows that are asked."""
    rows = data(1.0)
    if form == "list":
        rows = mt.TaskData.from_list([rows.X[0]] * 3, list(rows.y))
    model = mt.JointFeature(tol=tol)
    lams = model.lam_max(rows) / np.array([2.0, 5.0, 20.0, 100.0, 1000.0])
    for fitted in model.path(rows, lams):
        audit = mt.audit(fitted, rows, fitted.coef_.T, fitted.intercept_)
        found = fitted.result_.certificate
        assert found.relative_gap <= tol
        assert audit.gap <= found.gap + 1e-15 * audit.scale
        assert found.primal == pytest.approx(audit.primal, rel=1e-12)
        assert (found.gap > audit.gap) == (tol == 1e-8)
