"""The page ELLA: the algorithm against a plain loop, block optimality by GOMTL's audit, what an update touches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import data_fit
from mtlref.errors import NotConverged

DATA, W, B, _ = mt.data.make_overlapping_groups(T=8, p=5, n=40, n_components=3, noise=0.3, random_state=0)
LABELS = mt.data.make_overlapping_groups(
    T=8, p=5, n=40, n_components=3, noise=0.3, loss="logistic", random_state=0
)[0]
LAM, MU = 5e-4, 0.1


def make(**changes: Any) -> Any:
    return mt.ELLA(**{"lam": LAM, "mu": MU, "n_components": 3, "ridge": 0.0, "tol": 1e-9, **changes})


def one_by_one(order: Any, **changes: Any) -> Any:
    model = make(**changes)
    for t in order:
        assert model.partial_fit(DATA.X[t], DATA.y[t], task=t) is model
    return model


def lasso_by_coordinates(H: np.ndarray, r: np.ndarray, mu: float) -> np.ndarray:
    s = np.zeros(len(r))
    for _ in range(3000):
        for j in range(len(r)):
            if H[j, j] > 0:
                c = r[j] - H[j] @ s + H[j, j] * s[j]
                s[j] = np.sign(c) * max(abs(c) - mu, 0.0) / H[j, j]
    return s


def plain_loop(order: Any, sweeps: int) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """The algorithm with every sum over the tasks formed anew, and a lasso by coordinate descent."""
    p, k = 5, 3
    L = np.zeros((p, k))
    D, theta, codes = {}, {}, {}
    for sweep in range(sweeps):
        for t in order:
            if sweep == 0:
                Xc = DATA.X[t] - DATA.X[t].mean(axis=0)
                D[t] = Xc.T @ Xc / len(Xc)
                theta[t] = np.linalg.solve(D[t], Xc.T @ (DATA.y[t] - DATA.y[t].mean()) / len(Xc))
                free = [j for j in range(k) if not L[:, j].any()]
                used = [j for j in range(k) if L[:, j].any()]
                if free:
                    left = theta[t].copy()
                    if used:
                        left -= L[:, used] @ np.linalg.lstsq(L[:, used], theta[t])[0]
                    size = np.linalg.norm(left)
                    L[:, free[0]] = left / size * (MU / (len(codes) + 1) * size / (2 * LAM)) ** (1 / 3)
            codes[t] = lasso_by_coordinates(L.T @ D[t] @ L, L.T @ D[t] @ theta[t], MU)
            T = len(codes)
            K = sum(np.kron(D[u], np.outer(s, s)) for u, s in codes.items()) / T + 2 * LAM * np.eye(p * k)
            right = sum(np.outer(D[u] @ theta[u], s) for u, s in codes.items()) / T
            L = np.linalg.solve(K, right.ravel()).reshape(p, k)
    return L, codes


@pytest.mark.parametrize("order", [list(range(8)), [5, 2, 7, 0, 1, 6, 3, 4]])
@pytest.mark.parametrize("sweeps", [1, 3])
def test_the_algorithm_is_the_plain_loop(order: list[int], sweeps: int) -> None:
    model = one_by_one(order)
    for _ in range(sweeps - 1):
        for t in order:
            model.revisit(t)
    L, codes = plain_loop(order, sweeps)
    assert model.tasks_ == tuple(order)
    np.testing.assert_allclose(model.components_, L.T, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(model.membership_, [codes[t] for t in order], rtol=1e-8, atol=1e-9)


def test_the_order_matters_after_one_pass() -> None:
    one, other = one_by_one(range(8)), one_by_one(range(7, -1, -1))
    assert np.abs(one.coef_ - other.coef_[::-1]).max() > 1e-4


def test_revisited_to_convergence_it_is_block_optimal_for_gomtl() -> None:
    model = make().fit(DATA)
    assert model.result_.converged
    factors = (model.components_.T, model.membership_.T)
    certificate = mt.audit(mt.GOMTL(lam=8 * LAM, mu=MU, n_components=3), DATA, factors, model.intercept_)
    assert certificate.kind == model.certificate().kind == "block optimality"
    assert certificate.relative_gap <= 2e-9
    # The same loss but for what the tasks' own coefficients leave.
    own = mt.SingleTaskRidge(lam=1e-12).fit(DATA)
    least = data_fit(DATA).total(own.coef_.T, own.intercept_)
    assert 8 * model.certificate().primal + least == pytest.approx(certificate.primal, rel=1e-9)
    # GOMTL, started elsewhere, may end lower, and does not end far away.
    best = mt.GOMTL(lam=8 * LAM, mu=MU, n_components=3).fit(DATA).result_.certificate.primal
    assert best <= certificate.primal * (1 + 1e-9)
    assert certificate.primal < 1.1 * best


def test_no_interior_point_solver_improves_a_block() -> None:
    cp = pytest.importorskip("cvxpy")
    model = make(tol=1e-10).fit(DATA)
    primal = model.certificate().primal
    for block in ("L", "S"):
        L: Any = model.components_.T if block == "S" else cp.Variable((5, 3))
        S: Any = model.membership_.T if block == "L" else cp.Variable((3, 8))
        total = LAM * cp.sum_squares(L) + MU / 8 * cp.sum(cp.abs(S))
        for t, known in enumerate(model._memory.tasks.values()):
            root = np.linalg.cholesky(known.D)
            total += cp.sum_squares(root.T @ (known.theta - L @ S[:, t])) / 16
        value = cp.Problem(cp.Minimize(total)).solve(solver="CLARABEL")
        assert abs(value - primal) <= 1e-7 * primal


def test_revisits_never_raise_the_objective() -> None:
    model = one_by_one(range(8))
    values = [model.certificate().primal]
    for _ in range(5):
        for t in range(8):
            values.append(model.revisit(t).certificate().primal)
    assert (np.diff(values) <= 1e-13 * values[0]).all()
    assert values[-1] < values[0] - 1e-6


class Poison:
    """A task that nobody may look at."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"an old task's {name} was read")


def test_an_update_reads_nothing_of_other_tasks() -> None:
    model, plain = one_by_one(range(7)), one_by_one(range(8))
    for t in range(7):
        model._memory.tasks[t] = Poison()
    model.partial_fit(DATA.X[7], DATA.y[7], task=7)
    assert (model.components_ == plain.components_).all()
    model.revisit(7)
    plain.revisit(7)
    assert (model.components_ == plain.components_).all()


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_rows_of_a_task_may_come_in_parts(loss: str) -> None:
    data = DATA if loss == "squared" else LABELS
    one, parts = make(loss=loss, ridge=0.01), make(loss=loss, ridge=0.01)
    for t in range(4):
        one.partial_fit(data.X[t], data.y[t], task=t)
        parts.partial_fit(data.X[t], data.y[t], task=t)
    both = [np.concatenate([data.X[0], data.X[4]]), np.concatenate([data.y[0], data.y[4]])]
    parts.partial_fit(data.X[4], data.y[4], task=0)
    whole = make(loss=loss, ridge=0.01).partial_fit(*both, task=0)
    together, alone = parts._memory.tasks[0], whole._memory.tasks[0]
    np.testing.assert_allclose(together.theta, alone.theta, rtol=1e-9)
    np.testing.assert_allclose(together.D, alone.D, rtol=1e-9, atol=1e-14)
    assert parts.tasks_ == one.tasks_ == (0, 1, 2, 3)
    # A and B hold the new terms in place of the old ones.
    memory = parts._memory
    A = sum(np.kron(k.D, np.outer(k.s, k.s)) for k in memory.tasks.values())
    np.testing.assert_allclose(memory.A, A, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_own_coefficients_and_intercepts(loss: str) -> None:
    data = DATA if loss == "squared" else LABELS
    model = make(loss=loss, ridge=0.02).fit(data)
    own = mt.SingleTaskRidge(lam=0.02, loss=loss, tol=1e-13).fit(data)
    for t, known in enumerate(model._memory.tasks.values()):
        np.testing.assert_allclose(known.theta, own.coef_[t], atol=1e-6)
    best = data_fit(data, loss).best_intercept(model.coef_.T)
    if loss == "squared":
        np.testing.assert_allclose(model.intercept_, best, rtol=1e-12)
    else:
        # To first order around θ: far closer to the best than the intercepts of θ themselves.
        assert np.linalg.norm(model.intercept_ - best) < 0.6 * np.linalg.norm(own.intercept_ - best)
        np.testing.assert_allclose(model._memory.tasks[0].b0, own.intercept_[0], atol=1e-6)


def test_a_new_task_gains_from_those_before() -> None:
    data, truth, _, _ = mt.data.make_overlapping_groups(
        T=41, p=20, n=60, n_components=4, noise=0.5, random_state=1
    )
    few = slice(0, 12)
    model = mt.ELLA(lam=1e-5, mu=0.02, ridge=1e-3)
    for t in range(40):
        model.partial_fit(data.X[t], data.y[t], task=t)
    model.partial_fit(data.X[40][few], data.y[40][few], task=40)
    alone = mt.SingleTaskRidge(lam=1e-3).fit([data.X[40][few]], [data.y[40][few]])
    error = np.linalg.norm(model.coef_[40] - truth[:, 40])
    assert error < 0.5 * np.linalg.norm(alone.coef_[0] - truth[:, 40])


def test_fit_takes_all_forms_and_goes_on_with_more_tasks() -> None:
    design, targets = np.ascontiguousarray(DATA.X[0]), np.column_stack([DATA.y[0], DATA.y[0] ** 2])
    shared = make(max_iter=1)
    with pytest.warns(NotConverged, match="max_iter was reached"):
        shared.fit(design, targets)
    assert shared.predict(design).shape == (40, 2)
    model = make(tol=1e-4).fit(DATA)
    before = model.membership_.copy()
    model.partial_fit(design, targets[:, 1], task="late")
    assert model.tasks_ == (*range(8), "late")
    assert (model.membership_[:8] == before).all()
    out = model.predict(design, tasks=["late"] * 40)
    np.testing.assert_allclose(out, design @ model.coef_[8] + model.intercept_[8])
    assert make(tol=1e-4).fit(DATA).fit(list(DATA.X[:2]), list(DATA.y[:2])).coef_.shape == (2, 5)


def test_labels_are_mapped_and_remembered() -> None:
    model = make(loss="logistic", ridge=0.01, lam=1e-7, mu=1e-3)
    words = [np.where(y > 0, "yes", "no") for y in LABELS.y]
    for t in range(4):
        model.partial_fit(LABELS.X[t], words[t], task=t)
    assert model.classes_.tolist() == ["no", "yes"]
    out = model.predict(LABELS.X[1], tasks=[1] * 40)
    assert (out == words[1]).mean() > 0.8
    with pytest.raises(mt.DataError, match=r"labels must be \['no', 'yes'\], as before; got 'maybe'"):
        model.partial_fit(LABELS.X[4], np.where(LABELS.y[4] > 0, "yes", "maybe"), task=4)
    assert model.tasks_ == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: make().partial_fit(DATA.X[0], np.ones((40, 2)), task=0), mt.FormError, "rows of one task"),
        (
            lambda: one_by_one([0]).partial_fit(DATA.X[1][:, :3], DATA.y[1], task=1),
            mt.DataError,
            "5 features",
        ),
        (lambda: one_by_one([0]).revisit(1), mt.UnknownTask, "must be one that came before; got 1"),
        (lambda: make().revisit(0), mt.NotFitted, "not fitted"),
        (lambda: make().certificate(), mt.NotFitted, "not fitted"),
        (lambda: make(loss="logistic").fit(LABELS), mt.DataError, "ridge must be > 0"),
        (lambda: make(lam=0.0).fit(DATA), mt.DataError, "lam must be > 0"),
        (lambda: make(mu=0.0).partial_fit(DATA.X[0], DATA.y[0], task=0), mt.DataError, "mu must be > 0"),
        (lambda: make(n_components=0).fit(DATA), mt.DataError, "n_components must be >= 1"),
        (lambda: make(loss="hinge").fit(DATA), mt.DataError, "loss must be one of"),
        (lambda: make().fit(mt.Moments.from_data(DATA)), mt.FormError, "learns from rows; got Moments"),
    ],
)
def test_refuses(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_labels_of_any_kind_are_two_classes() -> None:
    signed = make(loss="logistic", ridge=0.01).fit(LABELS)
    X, y = list(LABELS.X), [np.where(v > 0, 7.0, 3.0) for v in LABELS.y]
    named = make(loss="logistic", ridge=0.01).fit(X, y)
    assert named.classes_.tolist() == [3.0, 7.0]
    np.testing.assert_array_equal(named.coef_, signed.coef_)
    assert set(np.concatenate(named.predict(X)).tolist()) <= {3.0, 7.0}
