"""The page MeanRegularized: known answers, real data, and what its docstring claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y, names=["a", "b", "c"])


def test_known_optimum(check_known: Any) -> None:
    check_known("MeanRegularized", 1)


@pytest.mark.parametrize("ridge", [0.0, 1e-3])
def test_landmine(check_landmine: Any, ridge: float) -> None:
    check_landmine("MeanRegularized", ridge=ridge)


def test_mean_coef_is_the_mean() -> None:
    model = mt.MeanRegularized(lam=0.5).fit(DATA)
    np.testing.assert_array_equal(model.mean_coef_, model.coef_.mean(axis=0))


def test_the_source_writes_the_same_with_w0_and_v() -> None:
    """min over w0, v_t of sum loss + a/2 sum |v_t|^2 + T c/2 |w0|^2, w_t = w0 + v_t, eliminated by hand.

    With w0 chosen best for given w_t it is lam/2 sum |w_t - mean|^2 + ridge/2 |W|^2,
    lam = a^2/(a + c), ridge = a c/(a + c).
    """
    a, c = 0.8, 0.2
    lam, ridge = a * a / (a + c), a * c / (a + c)
    model = mt.MeanRegularized(lam=lam, ridge=ridge, scaling="sum", fit_intercept=False, tol=1e-13).fit(DATA)
    blocks = np.zeros((len(np.concatenate(Y)), 20))
    start = 0
    for t, x in enumerate(X):
        blocks[start : start + len(x), :5] = x
        blocks[start : start + len(x), 5 * (t + 1) : 5 * (t + 2)] = x
        start += len(x)
    penalty = np.diag([3 * c] * 5 + [a] * 15)
    v = np.linalg.solve(blocks.T @ blocks + penalty, blocks.T @ np.concatenate(Y))
    np.testing.assert_allclose(model.coef_, v[:5] + v[5:].reshape(3, 5), rtol=1e-8, atol=1e-10)


def test_a_wrong_answer_without_ridge_is_refused_also_at_zero() -> None:
    model = mt.MeanRegularized(lam=0.5, fit_intercept=False)
    best = model.fit(DATA).result_.certificate.primal
    certificate = mt.audit(model, DATA, np.zeros((5, 3)))
    assert certificate.gap >= certificate.primal - best - 1e-5


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_columns_of_very_different_size_give_no_false_bound(graph: bool, seed: int) -> None:
    """One task, no ridge: the optimum is least squares, which no dual value may exceed, however large lam is."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((9, 3)) * [1e-5, 1.0, 1e5], rng.standard_normal(9)
    data = mt.TaskData.from_list([X], [y])
    centred, target = X - X.mean(axis=0), y - y.mean()
    size = np.linalg.norm(centred, axis=0)
    best = target - (centred / size) @ np.linalg.lstsq(centred / size, target, rcond=None)[0]
    least = float(best @ best) / 18
    for lam in (1.0, 1e8):
        model = mt.GraphRegularized(1.0, lam=lam) if graph else mt.MeanRegularized(lam=lam)
        for W in (np.zeros((3, 1)), np.array([[0.0], [0.1], [1e-6]])):
            assert mt.audit(model, data, W).dual <= least * (1 + 1e-9)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("shared", [True, False])
def test_many_features_by_inner_products_of_the_rows(
    loss: str, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The span of rows with many features is that of QR, for the solver and for the certificate of any W."""
    from mtlref import sparserows

    rng = np.random.default_rng(0)
    X = rng.standard_normal((24, 2000)) + 1.0
    Y = X[:, :3] @ rng.standard_normal((3, 3)) + rng.standard_normal((24, 3))
    if loss == "logistic":
        Y = np.sign(Y - np.median(Y, axis=0))
    if shared:
        data = mt.TaskData.from_shared(X, Y)
    else:
        data = mt.TaskData.from_list(list(np.split(X, 3)), [Y[8 * t : 8 * t + 8, t] for t in range(3)])
    wrong = 1e-3 * rng.standard_normal((2000, 3))
    seen = []
    for many in (1, 2**40):
        monkeypatch.setattr(sparserows, "MANY", many)
        taken = sparserows.RowSpan.of_many(X)
        assert (taken is None) == (many > 1)
        model = mt.MeanRegularized(lam=50.0, ridge=1e-2, loss=loss, tol=1e-9).fit(data)
        free = mt.MeanRegularized(lam=50.0, loss=loss)
        judged = [mt.audit(m, data, wrong) for m in (model, free)]
        # A penalty this small asks for the least loss of one w for all.
        judged.append(mt.audit(mt.Pooled(lam=1e-12, loss=loss), data, np.repeat(wrong[:, :1], 3, axis=1)))
        if loss == "squared":  # the mean alone can fit every target: the loss is zero at the optimum
            free.set_params(tol=1e-9).fit(data)
            judged.append(free.result_.certificate)
        seen.append((model.result_.certificate.primal, model.coef_, judged))
    np.testing.assert_allclose(seen[0][0], seen[1][0], rtol=2e-9)
    # Two answers of relative gap 1e-9 are as near as the root of that.
    np.testing.assert_allclose(seen[0][1], seen[1][1], atol=1e-4 * np.abs(seen[1][1]).max())
    for one, two in zip(seen[0][2], seen[1][2], strict=True):
        np.testing.assert_allclose(one.primal, two.primal, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(one.dual, two.dual, rtol=1e-8, atol=1e-9)


def test_rows_that_are_nearly_dependent_keep_the_digits_of_qr(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtlref import sparserows

    monkeypatch.setattr(sparserows, "MANY", 1)
    X = np.random.default_rng(0).standard_normal((5, 300))
    assert sparserows.RowSpan.of_many(X) is not None
    X[4] = X[3] + 1e-4 * X[4]
    assert sparserows.RowSpan.of_many(X) is None
    assert sparserows.RowSpan.of_many(X[:, :12]) is None  # too few features for the rows
