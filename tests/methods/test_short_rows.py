"""Rows of X'θ that a certificate along a path need not multiply: the bound, and what it leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import DataFit, data_fit, shared, shortrows
from mtlref.linalg.fewrows import FewRows
from mtlref.linear.joint_feature import certificate


def check_bound(module: Any) -> None:
    """No row is called short that is not, whatever the points are; near the points nearly all short rows are."""
    rng = np.random.default_rng(0)
    for T, n in ((1, 8), (4, 30), (9, 5)):
        X = rng.standard_normal((n, 60))
        X[:, 7], X[:, 8] = 0.0, 1e-9 * X[:, 8]
        base, along, off = rng.standard_normal((3, T, n))
        for first, second in ((base, base + along), (base, base), (1e-8 * base, off), (0 * base, 1e8 * off)):
            known = module.ShortRows()
            assert not known.ready
            known.add(off, off @ X)
            assert known.ready
            check_at(known, X, -3 * off, True)  # one point says what its multiples are
            check_at(known, X, second, False)
            for theta in (first, second):  # the oldest gives way
                known.add(theta, theta @ X)
            for far in (0.0, 1e-6, 0.1, 3.0):
                theta = second + 2 * (second - first) + far * rng.standard_normal((T, n))
                check_at(known, X, theta, far == 0.0)


def check_at(known: Any, X: Any, theta: Any, reached: bool) -> None:
    """At one θ; reached : whether the points lead there, so that what the bound adds is rounding."""
    sizes, lengths = np.linalg.norm(X, axis=0), np.linalg.norm(theta @ X, axis=0)
    for least in (*np.quantile(lengths, [0.1, 0.5, 0.9]), lengths.max()):
        doubtful = np.flatnonzero(known.doubtful(theta, sizes, float(least)))
        assert not np.setdiff1d(np.flatnonzero(lengths >= least), doubtful).size
        if reached:
            # That of a norm that cancels is the square root of its square's, relative to what it is made of.
            made = sizes[doubtful] * np.linalg.norm(theta)
            assert (lengths[doubtful] >= least - 1e-6 * np.maximum(made, lengths.max())).all()


def test_what_is_called_short_is_short() -> None:
    check_bound(shortrows)


@pytest.mark.parametrize(("text", "fault"), [
    ("centre += radius * sizes", "centre -= radius * sizes"),
    ("radius = np.sqrt(max(np.linalg.eigvalsh(square)[-1], 0.0))", "radius = np.sqrt(np.square(a).sum())"),
    ("np.outer(a, a)", "np.outer(a, np.abs(a))"),
    ("theta - self._times(self._thetas.T, a)", "theta + self._times(self._thetas.T, a)"),
    ("self._products[old:], G]", "self._products[:-old], G]"),
    ("[*self._thetas[old:], theta", "[*self._thetas[:-old], theta"),
])  # fmt: skip
def test_faults_in_the_bound_are_seen(text: str, fault: str, mutated: Any) -> None:
    mutant = mutated(shortrows, text, fault)
    with pytest.raises(AssertionError):
        check_bound(mutant)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.02])
def test_certificates_are_those_of_all_rows(
    intercept: bool, weighted: bool, ridge: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Along a path, from coefficients at the answer and off it; another fit that knows no points has the same."""
    monkeypatch.setattr("mtlref.datafit.shared.DOUBTFUL", 2)
    rng = np.random.default_rng(1)
    X, W0 = rng.standard_normal((60, 200)) + 3.0, np.zeros((200, 3))
    W0[:6] = rng.standard_normal((6, 3))
    Y = X @ W0 + rng.standard_normal((60, 3))
    data = mt.TaskData.from_shared(X, Y, weights=rng.random(60) if weighted else None)
    model = mt.JointFeature(fit_intercept=intercept, ridge=ridge, tol=1e-9)
    lams = model.lam_max(data) * np.geomspace(0.9, 0.3, 12)

    def fresh() -> DataFit:
        return data_fit(data, "squared", "mean", intercept)

    fit, left_out = fresh(), 0
    for fitted in model.path(data, lams):
        exact = fitted.coef_.T
        for W in (exact, exact * (1 + 0.01 * rng.standard_normal(exact.shape))):
            rows, point = fit.long_rows_point(W, fitted.lam)
            G = fresh().dual_point(W).G
            np.testing.assert_allclose(point.G, G[rows], atol=1e-12)
            others = np.delete(np.linalg.norm(G, axis=1), rows)
            assert (others < min(fitted.lam, np.linalg.norm(G, axis=1).max())).all()
            assert W[rows].any(axis=1).sum() == W.any(axis=1).sum()
            left_out += len(others)
            b = fit.best_intercept(W)
            found, whole = (certificate(f, W, b, lam=fitted.lam, ridge=ridge) for f in (fit, fresh()))
            assert found.dual == pytest.approx(whole.dual, rel=1e-12, abs=1e-12)
    assert left_out > 10 * 200


def check_columns(module: Any) -> None:
    """Answers with other rows, or with other numbers in the same rows, in whatever order they come."""
    rng = np.random.default_rng(3)
    X, Y = rng.standard_normal((30, 80)), rng.standard_normal((30, 2))
    fit = module.SharedRowFit("squared", "sum", False, False, mt.TaskData.from_shared(X, Y))
    plain = data_fit(mt.TaskData.from_list([X, X], list(Y.T)), "squared", "sum", False)
    for rows in ((3, 9), (3, 9), (9, 20), (3, 9), (9,), (), (9,), tuple(range(40)), (3, 9)):
        W = np.zeros((80, 2))
        W[list(rows)] = rng.standard_normal((len(rows), 2))
        loss, norms = np.square(Y - X @ W).sum() / 2, np.linalg.norm(W, axis=1)
        long, point = fit.long_rows_point(W, 1.0)
        np.testing.assert_allclose(point.G, (X.T @ (Y - X @ W))[long], atol=1e-11)
        assert isinstance(long, slice) or len(np.unique(long)) == len(long)
        assert fit.total(W, np.zeros(2)) == pytest.approx(loss, rel=1e-13)
        for given in (W, FewRows.of(W)):
            found = certificate(fit, given, np.zeros(2), lam=1.0, ridge=0.1)
            assert found.primal == pytest.approx(loss + norms.sum() + 0.05 * norms @ norms, rel=1e-13)
            whole = certificate(plain, W, np.zeros(2), lam=1.0, ridge=0.1)
            assert found.dual == pytest.approx(whole.dual, rel=1e-12)


def test_columns_of_one_answer_are_not_those_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "DOUBTFUL", 0)
    check_columns(shared)


@pytest.mark.parametrize(("text", "fault"), [
    ("if not np.array_equal(self._last_used[0], used)", "if len(self._last_used[0]) != len(used)"),
    ("given.equals(self._last[0])", "np.array_equal(given.on, self._last[0].on)"),
    ("doubt[used] = False", "doubt[used] = True"),
    ("np.concatenate([used, doubtful])", "np.concatenate([doubtful, used])"),
])  # fmt: skip
def test_faults_in_the_columns_are_seen(
    text: str, fault: str, mutated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = mutated(shared, text, fault)
    monkeypatch.setattr(mutant, "DOUBTFUL", 0)
    with pytest.raises(AssertionError):
        check_columns(mutant)


def test_only_zeros_are_multiplied_whole() -> None:
    """W = 0 has no rows to be as long as; and other losses look at all."""
    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((20, 50)), rng.standard_normal((20, 2))
    fit = data_fit(mt.TaskData.from_shared(X, Y), "squared", "mean", False)
    for _ in range(4):
        rows, point = fit.long_rows_point(np.zeros((50, 2)), 1e6)
        assert isinstance(rows, slice)
        np.testing.assert_allclose(point.G, X.T @ Y / 20, atol=1e-14)
    labels = data_fit(mt.TaskData.from_shared(X, np.sign(Y)), "logistic", "mean", False)
    assert all(labels.long_rows_point(np.ones((50, 2)), 1e6)[1].G.shape == (50, 2) for _ in range(4))
