"""The page JointFeatureLinf: real data, closed forms, and what its docstring claims."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim.interior import interior
from mtlref.optim.peaks import Peaks, levels
from mtlref.optim.quadratic import Quadratic

RNG = np.random.default_rng(1)
X = [RNG.standard_normal((n, 5)) for n in (12, 9, 15)]
Y = [x @ RNG.standard_normal(5) + 0.3 * RNG.standard_normal(len(x)) for x in X]
DATA = mt.TaskData.from_list(X, Y, names=["a", "b", "c"])


def test_landmine(check_landmine: Any) -> None:
    check_landmine("JointFeatureLinf")


def test_a_steep_path_on_few_rows_of_landmine(landmine: mt.TaskData) -> None:
    """Coefficients grow by factors from one lam to the next, so that each start is far from its answer."""
    data = landmine.take([np.arange(2, n, 4) for n in landmine.n])
    model = mt.JointFeatureLinf(loss="logistic", scaling="sum", tol=1e-8)
    top = model.lam_max(data)
    for fitted in model.path(data, [top * 10.0 ** (-1.2 * k) for k in range(1, 5)]):
        assert fitted.result_.certificate.relative_gap <= 1e-8


@pytest.mark.parametrize("settings", [{"scaling": "sum", "fit_intercept": False}, {}])
@pytest.mark.parametrize("share", [0.3, 0.01, 1e-3, 1e-4])
def test_school(school: mt.TaskData, settings: dict[str, Any], share: float) -> None:
    model = mt.JointFeatureLinf(**settings, tol=1e-10)
    model.set_params(lam=share * model.lam_max(school))
    coefficients = []
    for data in (school, mt.Moments.from_data(school)):
        result = model.fit(data).result_
        assert result.certificate.relative_gap <= 1e-10
        assert result.n_iter <= 300
        coefficients.append(model.coef_)
    certificate = mt.audit(model, school, coefficients[1].T, None)
    assert certificate.relative_gap <= 1.1e-10


def test_a_path_on_school_is_certified(school: mt.TaskData) -> None:
    model = mt.JointFeatureLinf(tol=1e-10)
    top = model.lam_max(school)
    path = model.path(mt.Moments.from_data(school), [top * 10.0 ** (-k / 4) for k in range(13)])
    assert all(r.certificate.relative_gap <= 1e-10 for r in path.results)
    assert not path[0].coef_.any()
    used = [int(m.selected_features_.sum()) for m in path]
    assert used[0] == 0
    assert used[-1] > used[4] > 0


def test_lam_max_is_the_largest_absolute_row_sum_of_correlations() -> None:
    model = mt.JointFeatureLinf(fit_intercept=False)
    G = np.column_stack([x.T @ y / len(y) for x, y in zip(X, Y, strict=True)])
    assert model.lam_max(DATA) == pytest.approx(np.abs(G).sum(axis=1).max(), rel=1e-13)


def test_orthonormal_design_cuts_rows_at_a_level() -> None:
    """Rows of the least squares answer lose lam of their absolute sum from the top; by hand for three rows."""
    B = np.array([[3.0, -5.0, 1.0], [0.4, 0.3, -0.2], [2.0, 2.0, -2.0]])
    model = mt.JointFeatureLinf(lam=3.0, scaling="sum", fit_intercept=False, tol=1e-13).fit(np.eye(3), B)
    expected = np.array([[2.5, -2.5, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, -1.0]])
    np.testing.assert_allclose(model.coef_.T, expected, atol=1e-12)
    assert model.tied_.T.tolist() == [[True, True, False], [False] * 3, [True] * 3]
    assert model.selected_features_.tolist() == [True, False, True]


def test_more_features_than_rows() -> None:
    designs = [RNG.standard_normal((15, 250)) for _ in range(3)]
    targets = [x[:, 0] - x[:, 1] for x in designs]
    model = mt.JointFeatureLinf(lam=0.3, tol=1e-10).fit(designs, targets)
    assert model.result_.certificate.relative_gap <= 1e-10
    assert model.selected_features_[:2].all()


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_rows_than_active_features(loss: str, n: int) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        designs = [rng.standard_normal((n + 1, 5)) for _ in range(2)]
        targets = [np.array(([1.0, -1.0] * 3)[: n + 1]) + (loss == "squared") * x[:, 0] for x in designs]
        model = mt.JointFeatureLinf(loss=loss, scaling="sum", fit_intercept=False, tol=1e-9)
        model.set_params(lam=0.01 * model.lam_max(designs, y=targets)).fit(designs, targets)
        assert model.result_.certificate.relative_gap <= 1e-9


def test_levels_cut_off_the_budget() -> None:
    V = RNG.standard_normal((6, 40))
    weight = RNG.random((6, 40)) + 0.1
    budget = 3 * RNG.random(40)
    for w in (None, weight):
        m = levels(V, budget, w)
        cut = ((1.0 if w is None else w) * np.maximum(np.abs(V) - m, 0.0)).sum(axis=0)
        np.testing.assert_allclose(cut[m > 0], budget[m > 0], rtol=1e-13)
        assert (cut[m == 0] <= budget[m == 0]).all()
        assert (m > 0).any()
        assert (m == 0).any()


@pytest.mark.parametrize("rows", [9, 4])
def test_the_interior_point_method_alone_reaches_the_optimality_conditions(rows: int) -> None:
    """Also where tasks differ in size by factors of ten, and have fewer rows than features."""
    A = RNG.standard_normal((4, rows, 6)) * np.array([1.0, 0.3, 0.1, 2.0])[:, None, None]
    y = RNG.standard_normal((4, rows))
    q = Quadratic(np.einsum("tij,ti->tj", A, y) / rows, np.einsum("tij,tik->tjk", A, A) / rows)
    penalty = Peaks(np.full(6, 0.2))
    *_, (V, miss) = interior(q, penalty.threshold)
    assert miss <= 1e-11
    g = q.r - q.times(V)
    assert (np.abs(g).sum(axis=0) <= 0.2 * (1 + 1e-9)).all()
    # <g, v_j> = threshold_j max |v_j|, which together with the line above is optimality.
    np.testing.assert_allclose((g * V).sum(axis=0), 0.2 * np.abs(V).max(axis=0), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_interior_points_by_few_rows_are_those_by_dense_matrices(shared: bool, ridge: float) -> None:
    rng = np.random.default_rng(4)
    A = tuple(rng.standard_normal((n, 12)) for n in ((5,) if shared else (5, 3, 4)))
    r = np.stack([rng.standard_normal(len(A[t % len(A)])) @ A[t % len(A)] for t in range(3)])
    few = Quadratic(r, A=A).restrict(np.arange(12)).with_ridge(ridge).unit_rows[1]
    assert few.root is not None
    assert few.root.shape == (len(A), 5, 12)
    threshold = np.full(12, 0.4)
    dense = interior(replace(few, root=None), threshold)
    pairs = list(itertools.islice(zip(interior(few, threshold), dense, strict=False), 8))
    for (V, _), (W, _) in pairs:
        np.testing.assert_allclose(V, W, rtol=1e-7, atol=1e-8)  # eight steps let rounding grow
    assert pairs[-1][0][1] <= 1e-3


def test_newtons_step_on_few_free_entries_solves_the_stationary_equations() -> None:
    """The levels' system and each task's own free entries, of which the tasks have none, some and most."""
    rng = np.random.default_rng(3)
    A = rng.standard_normal((3, 30, 6))
    H = np.einsum("tij,tik->tjk", A, A)
    level = np.array([1.0, 2.0, 1.5, 0.7, 1.1, 0.9])
    V = np.array([[1, 1, -1, 1, -1, 1], [0.2, 1, 0.1, -1, 0.3, 1], [0.1, 0.2, -0.3, 0.1, 1, -0.4]]) * level
    tied = np.abs(V) == level
    pull = np.where(tied, np.sign(V), 0.0)
    penalty = Peaks(np.abs(pull).sum(axis=0))
    q = Quadratic(np.matmul(H, V[:, :, None])[:, :, 0] + pull, H)  # of which V is the answer
    off = V * (1 + 0.01 * rng.standard_normal(6))  # the same structure, other levels
    step = penalty.newton(q, off, q.r - q.times(off), 0.0)
    assert step is not None
    np.testing.assert_allclose(off + step, V, rtol=1e-8)


def test_newtons_step_ends_rows_that_the_prox_ends_and_solves_the_rest() -> None:
    rng = np.random.default_rng(9)
    A = rng.standard_normal((2, 9, 3))
    H = np.einsum("tij,tik->tjk", A, A)
    V = np.array([[0.4, 2.0, 1.0], [-0.3, 2.0, 0.2]])
    penalty = Peaks(
        np.array([500.0, 0.5, 0.5])
    )  # the first row ends, of the second both tasks hold the level
    q = Quadratic(np.matmul(H, V[:, :, None])[:, :, 0] + 0.1, H)
    step = penalty.newton(q, V, q.r - q.times(V), 0.0)
    assert step is not None
    assert not (V + step)[:, 0].any()
    np.testing.assert_array_equal(penalty.newton(q, V, -q.diagonal * V, 0.0), -V)
    # Free entries of rows that stay are at the least of the quadratic.
    assert abs((q.r - q.times(V + step))[1, 2]) <= 1e-7
