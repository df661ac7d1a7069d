"""L2,1 where each task has a design of its own, and with the logistic loss: working sets, steps and what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.optim import logisticrows, raggedproblem, rowfit, rowproblem, rowsystem
from mtlref.optim.raggedproblem import RaggedProblem
from mtlref.optim.rowproblem import solve_rows


def tasks(T: int, n: int, p: int, rows: int, *, labels: bool = False, seed: int = 0) -> mt.TaskData:
    rng = np.random.default_rng(seed)
    W = np.zeros((p, T))
    W[rng.permutation(p)[:rows]] = rng.standard_normal((rows, T))
    X = [rng.standard_normal((n + t, p)) for t in range(T)]
    y = [x @ W[:, t] + rng.standard_normal(len(x)) for t, x in enumerate(X)]
    return mt.TaskData.from_list(X, [np.sign(v) for v in y] if labels else y)


@pytest.mark.parametrize("shape", [(4, 30, 200), (3, 120, 150), (5, 60, 20)])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("intercept", [False, True])
def test_no_active_row_is_left_out(
    shape: tuple[int, int, int], ridge: float, loss: str, intercept: bool
) -> None:
    """The optimality conditions (K) hold on all features, also on those that no set held."""
    data = tasks(*shape, 6, labels=loss == "logistic")
    for ratio in (3, 15):
        model = mt.JointFeature(ridge=ridge, loss=loss, fit_intercept=intercept, tol=1e-11)
        lam = model.lam_max(data) / ratio
        W = model.set_params(lam=lam).fit(data).coef_.T
        G = np.column_stack([
            x.T @ (y - z if loss == "squared" else y / (1 + np.exp(y * z))) / len(y)
            for x, y, z in zip(data.X, data.y, decisions(model, data), strict=True)
        ]) - ridge * W  # fmt: skip
        norms = np.linalg.norm(W, axis=1)
        on = norms > 0
        assert on.any()
        assert np.linalg.norm(G[~on], axis=1).max(initial=0.0) <= lam * (
            1 + 1e-4
        )  # a gap of 1e-11 says no more
        np.testing.assert_allclose(G[on], lam * W[on] / norms[on, None], atol=1e-4 * lam)  # of its gradient


def decisions(model: Any, data: mt.TaskData) -> list[Any]:
    return [x @ w + b for x, w, b in zip(data.X, model.coef_, model.intercept_, strict=True)]


def quadratic(T: int, n: int, k: int, *, wide: bool, seed: int = 0) -> RaggedProblem:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((T, n, k)) * np.geomspace(0.1, 10, k)
    r = np.einsum("tnk,tn->tk", A, rng.standard_normal((T, n)))
    lam = 0.1 * float(np.linalg.norm(r, axis=0).max())
    if wide:
        return RaggedProblem(r, lam, A=A, ridge=0.3)
    return RaggedProblem(r, lam, H=np.matmul(A.transpose(0, 2, 1), A), ridge=0.3)


def test_products_by_factors_and_by_matrices_are_the_same() -> None:
    one, other = quadratic(3, 5, 9, wide=True), quadratic(3, 5, 9, wide=False)
    V = np.random.default_rng(1).standard_normal((3, 9))
    np.testing.assert_allclose(one.times(V), other.times(V), rtol=1e-10)
    np.testing.assert_allclose(one.diagonal.mean(axis=0), np.ones(9), rtol=1e-12)
    units = np.stack([other.times(np.tile(e, (3, 1))) for e in np.eye(9)], axis=2)  # (T, k, k)
    np.testing.assert_allclose(np.einsum("tjj->tj", units), one.diagonal, rtol=1e-10)
    assert np.linalg.eigvalsh(units).max() >= one.largest() * (1 - 1e-12)


@pytest.mark.parametrize("wide", [False, True])
def test_every_method_alone_leads_to_the_same_answer(wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = quadratic(4, 12, 30, wide=wide)
    found = []
    # Newton's steps; accelerated gradients; proximal points.
    for near, slow in ((np.inf, 0), (0.0, 10**6), (0.0, 0)):
        monkeypatch.setattr(RaggedProblem, "near", lambda self, creeping, near=near: near)
        monkeypatch.setattr(rowproblem, "FAR", near)
        monkeypatch.setattr(rowproblem, "SLOW", slow)
        *_, (V, miss) = solve_rows(problem, np.zeros((4, 30)), 1e-9)
        assert miss <= 1e-9
        found.append(V)
    for V in found[1:]:
        np.testing.assert_allclose(V, found[0], atol=1e-7)


@pytest.mark.parametrize("wide", [False, True])
def test_a_step_costs_at_most_ten_factorisations_of_the_active_blocks(
    wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: of a T × a × a batch (T × n × n through the rows) Cholesky's takes a³/3 multiplications.

    A step has one such batch, whose inverse and whose product with itself are as many as 2a³ more: less than ten.
    """
    T, n, k = (3, 12, 60) if wide else (3, 60, 30)
    problem = quadratic(T, n, k, wide=wide)
    count = {"factors": 0, "steps": 0, "size": 0}
    cholesky, solver = np.linalg.cholesky, raggedproblem.row_solver

    def counted(K: Any) -> Any:
        count["factors"] += 1
        count["size"] = max(count["size"], K.shape[-1])
        return cholesky(K)

    def begun(*given: Any) -> Any:
        count["steps"] += 1
        return solver(*given)

    monkeypatch.setattr(rowsystem.np.linalg, "cholesky", counted)
    monkeypatch.setattr(raggedproblem, "row_solver", begun)
    monkeypatch.setattr(RaggedProblem, "near", lambda self, creeping: np.inf)
    start = np.zeros((T, k))
    start[:, 0] = 1.0
    yielded = sum(1 for _ in solve_rows(problem, start, 1e-9))
    assert yielded > 1
    assert 0 < count["factors"] == count["steps"] <= 10 * yielded
    assert count["size"] <= (n / rowsystem.FEW if wide else k)


def test_factors_are_used_again_where_they_serve() -> None:
    """Near the answer a step whose factors are there takes the place of one that would make new ones."""
    problem = quadratic(4, 40, 12, wide=False)
    *_, (V, _) = solve_rows(problem, np.zeros((4, 12)), 1e-12)
    made = 0
    solver = problem._solver

    def counted(*given: Any) -> Any:
        nonlocal made
        made += 1
        return solver(*given)

    problem._solver = counted  # type: ignore[method-assign]
    steps = list(problem.newton(V * (1 + 1e-3), 1e-2, 1e-12))
    assert steps[-1][1] <= 1e-12
    assert made < len(steps)


def test_settling_rows_leaves_what_was_multiplied_as_it_is() -> None:
    problem = quadratic(3, 20, 8, wide=False)
    rng = np.random.default_rng(2)
    V, step = rng.standard_normal((3, 8)), rng.standard_normal((3, 8))
    settled = problem._settled(V, step)
    np.testing.assert_allclose(problem.times(settled), problem.times(settled.copy()), rtol=1e-13)
    assert problem.value(settled, problem.times(settled)) <= problem.value(V + step, problem.times(V + step))


def test_a_path_is_what_cold_fits_are() -> None:
    for labels in (False, True):
        data = tasks(4, 25, 130, 5, labels=labels)
        model = mt.JointFeature(loss="logistic" if labels else "squared", tol=1e-10)
        lams = model.lam_max(data) * np.array([0.8, 0.6, 0.45, 0.2, 0.3])
        for lam, fitted in zip(lams, model.path(data, lams), strict=True):
            cold = model.set_params(lam=lam).fit(data)
            np.testing.assert_allclose(fitted.coef_, cold.coef_, atol=1e-4)  # the gap bounds the square of it
            assert fitted.result_.converged


@pytest.mark.parametrize(("text", "fault"), [
    ("", ""),
    ("out[:, model.features] = best / s", "out[:, model.features] = best * s"),
    ("outside & (strength > self.lam)", "outside & (strength > 9 * self.lam)"),
    ("inside = V if whole else", "inside = 0 * V if whole else 0 *"),
])  # fmt: skip
def test_faults_in_the_models_of_the_logistic_loss_keep_the_gap_open(
    text: str, fault: str, monkeypatch: pytest.MonkeyPatch, mutated: Any
) -> None:
    mutant = mutated(logisticrows, text, fault)
    monkeypatch.setattr(rowfit, "logistic_rows", mutant.logistic_rows)
    plain = tasks(4, 25, 130, 5, labels=True)
    columns = np.geomspace(0.3, 3.0, plain.p)  # of sizes that units must make up for
    data = mt.TaskData.from_list([x * columns for x in plain.X], plain.y)
    model = mt.JointFeature(loss="logistic", tol=1e-8, max_iter=40)
    model.set_params(lam=model.lam_max(data) / 5)
    if not text:
        assert model.fit(data).result_.converged
        return
    with pytest.warns(mt.NotConverged):
        model.fit(data)
