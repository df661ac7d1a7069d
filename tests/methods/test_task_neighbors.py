"""The page TaskNeighbors: an interior-point oracle, brute force, and what its docstring claims."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import DataError, FormError, NotFitted, UnknownTask
from mtlref.neighbors.task_neighbors import certificate, objective
from mtlref.neighbors.votes import Memory
from mtlref.optim.conic import project

RNG = np.random.default_rng(2)
SIGNS = (1.0, 1.0, -1.0, 0.0)
X = [RNG.standard_normal((n, 2)) for n in (30, 20, 25, 15)]
Y = [s * np.tanh(x @ [1.0, -1.0]) + 0.2 * RNG.standard_normal(len(x)) for x, s in zip(X, SIGNS, strict=True)]
TARGETS = {"squared": Y, "logistic": [np.where(y > 0, 1.0, -1.0) for y in Y]}
LOSSES = ["squared", "logistic"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("intercept", "lam", "lam_sym", "weighted"),
    [(True, 0.05, 0.0, False), (False, 0.01, 0.1, False), (True, 1e-3, 1e-3, False), (True, 0.01, 0.1, True)],
)
def test_an_interior_point_solver_finds_the_same_value(
    loss: str, intercept: bool, lam: float, lam_sym: float, weighted: bool
) -> None:
    cp = pytest.importorskip("cvxpy")
    weights = {"lam": lam, "lam_sym": lam_sym}
    model = mt.TaskNeighbors(**weights, loss=loss, fit_intercept=intercept, tol=1e-10)
    rows = [np.linspace(0.0, 2.0, len(y)) for y in Y] if weighted else None
    local, _ = model._prepare(X, TARGETS[loss], sample_weight=rows)
    S = cp.Variable((4, 4))
    total = lam / 2 * cp.sum_squares(S) + lam_sym / 4 * cp.sum_squares(S - S.T)
    for t in range(4):
        z = local.A[t] @ S[t] + local.b[t]
        each = (
            cp.square(z - local.y[t]) / 2 if loss == "squared" else cp.logistic(-cp.multiply(local.y[t], z))
        )
        total += local.c[t] @ each
    problem = cp.Problem(cp.Minimize(total), [cp.abs(S[t]) <= S[t, t] for t in range(4)])
    with warnings.catch_warnings():
        # The oracle says "inaccurate" where it misses its own tolerance a little: the comparison below decides.
        warnings.simplefilter("ignore")
        least = problem.solve(solver="CLARABEL", tol_gap_abs=1e-9, tol_gap_rel=1e-9)
    found = model.fit(X, TARGETS[loss], sample_weight=rows).result_.certificate
    assert found.relative_gap <= 1e-10
    assert found.primal == pytest.approx(least, rel=1e-8)
    assert (
        np.linalg.norm(model.task_weights_ - S.value) <= found.distance + 1e-3
    )  # what the oracle knows of Σ


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gap_bounds_what_can_be_gained(loss: str) -> None:
    weights = {"lam": 0.02, "lam_sym": 0.05}
    model = mt.TaskNeighbors(**weights, loss=loss, tol=1e-12).fit(X, TARGETS[loss])
    local, _ = model._prepare(X, TARGETS[loss])
    best = objective(local, model.task_weights_, **weights)
    for size in (0.0, 1e-3, 0.1, 3.0):
        for _ in range(5):
            other = project(model.task_weights_ + size * RNG.standard_normal((4, 4)))
            found = certificate(local, other, **weights)
            assert found.gap >= found.primal - best - 1e-12
            assert found.distance >= np.linalg.norm(other - model.task_weights_) - 1e-5
    outside = model.task_weights_ + np.triu(np.full((4, 4), 100.0), 1)
    assert certificate(local, outside, **weights).gap == np.inf


@pytest.mark.parametrize("loss", LOSSES)
def test_row_weights_multiply_losses_and_not_votes(loss: str) -> None:
    rng = np.random.default_rng(5)
    weights = [rng.integers(1, 4, len(y)).astype(float) * (np.arange(len(y)) % 9 > 0) for y in Y]
    settings: dict[str, Any] = {"lam": 0.02, "loss": loss, "scaling": "sum", "tol": 1e-11}
    model = mt.TaskNeighbors(**settings).fit(X, TARGETS[loss], sample_weight=weights)
    local, _ = model._prepare(X, TARGETS[loss], sample_weight=weights)
    plain = mt.TaskNeighbors(**settings, fit_intercept=False)._prepare(X, TARGETS[loss])[0]
    by_hand = mt.TaskNeighbors(**settings, fit_intercept=False)
    # What a row says to its neighbours does not know of its weight.
    for one, other in zip(
        by_hand._prepare(X, TARGETS[loss], sample_weight=weights)[0].A, plain.A, strict=True
    ):
        np.testing.assert_array_equal(one, other)
    # A weight of two is the row's loss twice, of zero is none.
    z, S = local.scores(model.task_weights_), model.task_weights_
    each = [
        (y - v) ** 2 / 2 if loss == "squared" else np.logaddexp(0.0, -y * v)
        for y, v in zip(local.y, z, strict=True)
    ]
    total = sum(float(np.repeat(e, u.astype(int)).sum()) for e, u in zip(each, weights, strict=True))
    total += 0.01 * float((S * S).sum()) + 0.025 * float(((S - S.T) ** 2).sum())
    assert model.result_.certificate.primal == pytest.approx(total, rel=1e-12)
    # With "mean" only their proportions count; ones are no weights at all.
    settings["scaling"] = "mean"
    fits = [
        mt.TaskNeighbors(**settings).fit(X, TARGETS[loss], sample_weight=w).task_weights_
        for w in (weights, [4 * w for w in weights], None, [np.ones(len(y)) for y in Y])
    ]
    np.testing.assert_allclose(fits[0], fits[1], rtol=1e-12)
    np.testing.assert_allclose(fits[2], fits[3], rtol=1e-12)


def test_neighbours_and_votes_are_those_of_a_loop_over_rows() -> None:
    model = mt.TaskNeighbors(n_neighbors=5, bandwidth=0.7)
    local, learned = model._prepare(X, Y)
    rows, task = np.vstack(X), np.repeat(np.arange(4), [len(y) for y in Y])
    said = np.concatenate([y - y.mean() for y in Y])
    votes = np.zeros((len(rows), 4))
    for i, x in enumerate(rows):
        distance = [np.inf if j == i else float(((x - other) ** 2).sum()) for j, other in enumerate(rows)]
        near = sorted(range(len(rows)), key=lambda j, d=distance: (d[j], j))[:5]
        s = np.array([np.exp(-distance[j] / (2 * 0.7**2)) for j in near])
        for weight, j in zip(s / s.sum(), near, strict=True):
            votes[i, task[j]] += weight * said[j]
    np.testing.assert_allclose(np.vstack(local.A), votes, atol=1e-12)
    assert learned["bandwidth_"] == 0.7


def test_of_equal_distances_the_earlier_row_counts() -> None:
    memory = Memory(np.zeros((6, 1)), np.zeros(6, dtype=np.intp), np.arange(6.0), 1)
    assert memory.nearest(np.zeros((1, 1)), 3, itself=False)[0].tolist() == [[0, 1, 2]]
    assert memory.nearest(memory.X, 2, itself=True)[0].tolist() == [[1, 2], [0, 2], [0, 1]] + [[0, 1]] * 3


def test_the_projection_is_the_nearest_point_of_the_cone() -> None:
    for T in (1, 2, 5):
        for _ in range(30):
            S = 3 * RNG.standard_normal((T, T))
            P = project(S)
            assert (np.abs(P) <= P.diagonal()[:, None]).all()
            for _ in range(20):
                Q = project(3 * RNG.standard_normal((T, T)))
                assert float(np.vdot(S - P, Q - P)) <= 1e-12
            # On a cone the rest is orthogonal, and lies in the polar cone.
            rest = P - S
            assert abs(float(np.vdot(rest, P))) <= 1e-12
            others = np.abs(rest).sum(axis=1) - np.abs(rest.diagonal())
            assert (rest.diagonal() >= others - 1e-12).all()


def test_related_tasks_get_weights_of_the_sign_of_their_relation() -> None:
    model = mt.TaskNeighbors(lam=1e-3, lam_sym=1e-2, tol=1e-9).fit(X, Y)
    relation = model.task_correlation_
    assert relation[0, 1] > 0.3
    assert relation[0, 2] < -0.3
    np.testing.assert_array_equal(relation, relation.T)
    np.testing.assert_allclose(relation.diagonal()[:3], 1.0)


def test_a_large_penalty_leaves_the_best_constants() -> None:
    model = mt.TaskNeighbors(lam=1e9).fit(X, Y)
    np.testing.assert_allclose(model.task_weights_, 0.0, atol=1e-8)
    for out, y in zip(model.predict(X), Y, strict=True):
        np.testing.assert_allclose(out, y.mean(), atol=1e-8)
    labels = mt.TaskNeighbors(lam=1e9, loss="logistic").fit(X, TARGETS["logistic"])
    for out, y in zip(labels.predict_proba(X), TARGETS["logistic"], strict=True):
        np.testing.assert_allclose(out[:, 1], (y > 0).mean(), atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_relabelling_tasks_permutes_the_weights(loss: str) -> None:
    order = [2, 0, 3, 1]
    model = mt.TaskNeighbors(lam=0.01, loss=loss, tol=1e-12).fit(X, TARGETS[loss])
    weights = model.task_weights_.copy()
    moved = model.fit([X[t] for t in order], [TARGETS[loss][t] for t in order]).task_weights_
    np.testing.assert_allclose(
        moved, weights[np.ix_(order, order)], atol=1e-5
    )  # as far as a gap of 1e-12 reaches


@pytest.mark.parametrize("loss", LOSSES)
def test_a_path_is_its_fits(loss: str) -> None:
    model = mt.TaskNeighbors(loss=loss, tol=1e-11)
    scale = model.lam_scale(X, y=TARGETS[loss])
    for fitted in model.path(X, [scale, 0.1 * scale, 0.01 * scale], y=TARGETS[loss]):
        again = mt.TaskNeighbors(lam=fitted.lam, loss=loss, tol=1e-11).fit(X, TARGETS[loss])
        assert fitted.result_.certificate.relative_gap <= 1e-11
        assert fitted.result_.certificate.primal == pytest.approx(again.result_.certificate.primal, rel=1e-10)


def test_predict_mirrors_the_form_of_fit() -> None:
    stacked, target = np.vstack(X), np.concatenate(Y)
    labels = np.repeat(["b", "a", "d", "c"], [len(y) for y in Y])
    long = mt.TaskNeighbors().fit(stacked, target, tasks=labels)
    new = RNG.standard_normal((6, 2))
    out = long.predict(new, tasks=["a", "b", "c", "d", "a", "b"])
    assert out.shape == (6,)
    named = mt.TaskData.from_list([new[:1]], [np.zeros(1)], names=["a"])
    np.testing.assert_allclose(long.predict(named)[0], out[:1], rtol=1e-12)
    shared = mt.TaskNeighbors().fit(stacked, np.column_stack([target, -target]))
    assert shared.predict(new).shape == (6, 2)
    single = mt.TaskNeighbors().fit(stacked, target)
    assert single.predict(new).shape == (6,)
    text = mt.TaskNeighbors(loss="logistic").fit(stacked, np.where(target > 0, "yes", "no"), tasks=labels)
    assert set(text.predict(new, tasks=["a"] * 6)) <= {"yes", "no"}
    with pytest.raises(UnknownTask, match="'e'"):
        long.predict(new[:1], tasks=["e"])
    with pytest.raises(DataError, match="tasks must give"):
        long.predict(new)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"n_neighbors": 90}, DataError, "n_neighbors"),
        ({"n_neighbors": 0}, DataError, "n_neighbors"),
        ({"lam": 0.0}, DataError, "lam"),
        ({"lam_sym": -1.0}, DataError, "lam_sym"),
        ({"bandwidth": 0.0}, DataError, "bandwidth"),
        ({"loss": "hinge"}, DataError, "loss"),
    ],
)
def test_bad_parameters_are_refused(changes: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        mt.TaskNeighbors(**changes).fit(X, Y)


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(FormError, match="Moments"):
        mt.TaskNeighbors().fit(mt.Moments.from_data(mt.TaskData.from_list(X, Y)))
    with pytest.raises(DataError, match="both classes"):
        mt.TaskNeighbors(loss="logistic").fit(X, [np.ones(30), *TARGETS["logistic"][1:]])
    with pytest.raises(NotFitted):
        mt.TaskNeighbors().predict(X)
    with pytest.warns(mt.NotConverged):
        mt.TaskNeighbors(lam=1e-6, tol=1e-13, max_iter=2).fit(X, Y)


def test_landmine(landmine: mt.TaskData) -> None:
    centre, spread = np.vstack(landmine.X).mean(axis=0), np.vstack(landmine.X).std(axis=0)
    rows = [(x - centre) / spread for x in landmine.X]
    model = mt.TaskNeighbors(lam=1e-2, lam_sym=1e-2, loss="logistic", tol=1e-9).fit(rows, list(landmine.y))
    assert model.result_.certificate.relative_gap <= 1e-9
    assert model.task_weights_.shape == (29, 29)
