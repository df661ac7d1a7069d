"""Row norms on one design: the small linear systems, working sets and paths of the solver behind JointFeature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.datafit import data_fit
from mtlref.optim import rownewton, rowproblem, shareddesign, sharedrows
from mtlref.optim.rownewton import row_step
from mtlref.optim.rowproblem import RowProblem, solve_rows
from mtlref.optim.shareddesign import SharedDesign
from mtlref.optim.sharedrows import shared_rows_fit


def problem(n: int, p: int, T: int, seed: int = 0, rho: float = 0.5) -> tuple[Any, Any]:
    """(X, Y): neighbouring columns correlated by rho, five rows that matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    W = np.zeros((p, T))
    W[rng.choice(p, 5, replace=False)] = rng.standard_normal((5, T))
    return X, X @ W + rng.standard_normal((n, T))


def check_systems(module: Any, n: int, a: int, damping: float) -> None:
    """(K ⊗ I − Σ d û û') x, assembled in full."""
    rng = np.random.default_rng(3)
    T = 3
    A, unit = rng.standard_normal((n, a)), rng.standard_normal((T, a))
    unit /= np.linalg.norm(unit, axis=0)
    d, descent = rng.random(a) + 0.5, rng.standard_normal((T, a))
    damping = max(damping, 0.0 if a <= n else 0.1)  # fewer rows leave the system singular without it
    large = np.kron(np.eye(T), A.T @ A + np.diag(d + damping))
    for j in range(a):
        place = np.zeros((T, a))
        place[:, j] = np.sqrt(d[j]) * unit[:, j]
        large -= np.outer(place, place)
    expected = np.linalg.solve(large, descent.ravel()).reshape(T, a)
    found = module.row_step(A.T @ A, d, unit, damping, descent)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)
    # Conjugate gradients end at a residual of 1e-10 of the right-hand side.
    wide = module.wide_row_step(A, d, unit, damping, descent)
    assert wide is not None
    np.testing.assert_allclose(wide, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("n", "a"), [(12, 5), (4, 9), (75, 70), (70, 75)])  # inverses by halves beyond 64
@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_the_small_systems_solve_the_large_one(n: int, a: int, damping: float) -> None:
    check_systems(rownewton, n, a, damping)


def check_both(module: Any) -> None:
    """A system that is solved in one piece and one that is not."""
    check_systems(module, 4, 9, 0.3)
    check_systems(module, 75, 70, 0.3)


@pytest.mark.parametrize(("text", "fault"), [
    ("share_left = 1.0 - np.einsum", "share_left = 1.0 + np.einsum"),
    ("(y - projected(y)) / root", "(y - projected(y))"),
    ("C[np.diag_indices(len(C))] += 1.0", "C[np.diag_indices(len(C))] += 2.0"),
    ("M[np.diag_indices(len(K))] += 1.0", "M[np.diag_indices(len(K))] += 2.0"),
    ("M *= inverse", "M *= np.abs(inverse)"),
    ("blas.dgemm(-1.0, last, blas", "blas.dgemm(1.0, last, blas"),
    ("out[:k, :k], out[k:, k:] = first, last", "out[:k, :k], out[k:, k:] = first, last.T"),
])  # fmt: skip
def test_faults_in_the_small_systems_are_seen(text: str, fault: str, mutated: Any) -> None:
    mutant = mutated(rownewton, text, fault)
    with pytest.raises(AssertionError):
        check_both(mutant)


def test_a_system_without_a_factor_is_refused() -> None:
    assert row_step(-np.eye(2), np.ones(2) / 4, np.eye(2), 0.0, np.ones((2, 2))) is None


@pytest.mark.parametrize("wide", [False, True])
def test_every_method_alone_leads_to_the_same_answer(wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = problem(30, 50, 4, rho=0.9)
    A = X / np.sqrt((X**2).sum(axis=0))
    r = Y.T @ A
    threshold = np.full(50, 0.05 * np.linalg.norm(r, axis=0).max())
    given: dict[str, Any] = {"A": A} if wide else {"H": A.T @ A}
    found = []
    for near, burst in (
        (0.2, 3),
        (0.0, 0),
        (0.0, 10**6),
    ):  # all together; proximal points; accelerated gradients
        monkeypatch.setattr(rowproblem, "NEAR", near)
        monkeypatch.setattr(rowproblem, "FAR", near)
        monkeypatch.setattr(rowproblem, "NEAR_WIDE", near)
        monkeypatch.setattr(rowproblem, "SLOW", burst)
        monkeypatch.setattr(rowproblem, "SLOW_WIDE", burst)
        *_, (V, miss) = solve_rows(RowProblem(r, threshold, **given), np.zeros((4, 50)), 1e-9)
        assert miss <= 1e-9
        found.append(V)
    for V in found[1:]:
        np.testing.assert_allclose(
            V, found[0], atol=1e-6
        )  # their conditions hold to 1e-9, where H is singular


@pytest.mark.parametrize("shape", [(40, 300, 3), (60, 90, 3), (200, 30, 3)])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_no_active_row_is_left_out(shape: tuple[int, int, int], ridge: float) -> None:
    """The optimality conditions (K) hold on all features, also on those that no working set held."""
    X, Y = problem(*shape)
    n = len(X)
    strongest = np.linalg.norm(X.T @ Y / n, axis=1).max()
    for ratio in (2, 10, 100):
        lam = strongest / ratio
        model = mt.JointFeature(lam=lam, ridge=ridge, fit_intercept=False, tol=1e-11).fit(X, Y)
        W = model.coef_.T
        G = X.T @ (Y - X @ W) / n - ridge * W
        norms = np.linalg.norm(W, axis=1)
        on = norms > 0
        assert np.linalg.norm(G[~on], axis=1).max(initial=0.0) <= lam * (1 + 1e-6)
        np.testing.assert_allclose(G[on], lam * W[on] / norms[on, None], atol=1e-6 * lam)


@pytest.mark.parametrize("lams", [np.geomspace(1.0, 0.05, 5), np.array([0.9, 0.03, 0.5])])
@pytest.mark.parametrize("intercept", [False, True])
def test_a_path_is_what_cold_fits_are(lams: Any, intercept: bool) -> None:
    """Also where the steps are so long that the strong rule is wrong, and where lam rises again."""
    X, Y = problem(40, 200, 4, seed=1)
    model = mt.JointFeature(fit_intercept=intercept, tol=1e-10)
    lams = lams * model.lam_max(X, y=Y)
    for warm, lam in zip(model.path(X, lams, y=Y), lams, strict=True):
        cold = mt.JointFeature(lam=lam, fit_intercept=intercept, tol=1e-10).fit(X, Y)
        assert max(warm.result_.certificate.relative_gap, cold.result_.certificate.relative_gap) <= 1e-10
        np.testing.assert_allclose(
            warm.coef_, cold.coef_, atol=1e-5
        )  # a gap of 1e-10 says about its root of W


def test_more_active_rows_than_rows() -> None:
    X, Y = problem(15, 400, 12, seed=2, rho=0.2)
    model = mt.JointFeature(fit_intercept=False, tol=1e-9)
    model.set_params(lam=model.lam_max(X, y=Y) / 100).fit(X, Y)
    assert model.result_.certificate.relative_gap <= 1e-9
    assert model.selected_features_.sum() > 2 * len(X)


def test_a_path_on_to_more_active_rows_than_rows() -> None:
    """Where a step costs more than a look, sets are found before steps, and each step may be the last."""
    X, Y = problem(15, 120, 3, seed=6)
    model = mt.JointFeature(fit_intercept=False, tol=1e-9)
    design, lams = mt.TaskData.from_shared(X, Y), model.lam_max(X, y=Y) * np.geomspace(0.5, 0.003, 8)
    active = []
    for fitted in model.path(design, lams):
        assert mt.audit(fitted, design, fitted.coef_.T).relative_gap <= 1e-9
        active.append(int(fitted.selected_features_.sum()))
    assert active[0] < len(X) < active[-1]
    assert active[-2] ** 3 > 3 * X.size


def test_a_step_may_end_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Iterates before the last are certified where steps are dear, and there alone."""
    X, Y = problem(12, 40, 3, seed=7)
    design = SharedDesign(Y.T @ X / 12, X=X, scale=1 / 12)
    lam = 0.05 * np.linalg.norm(design.r, axis=0).max()
    counts = []
    for dear in (True, False):
        monkeypatch.setattr(sharedrows, "_dear", lambda *_, dear=dear: dear)
        counts.append(sum(it is not None for it in shared_rows_fit(design, None, lam, 0.0)))
    assert counts[0] > counts[1]


def test_a_path_from_near_zero_looks_at_all_features_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fit of it is certified at the first try, which says that what came in was enough."""
    X, Y = problem(60, 400, 3, seed=3, rho=0.1)
    design, looks = mt.TaskData.from_shared(X, Y), []
    look = SharedDesign.correlations

    def counted(self: SharedDesign, V: Any, features: Any) -> Any:
        looks.append(features.size)
        return look(self, V, features)

    monkeypatch.setattr(SharedDesign, "correlations", counted)
    model = mt.JointFeature(fit_intercept=False, tol=1e-8)
    path = model.path(design, model.lam_max(X, y=Y) * np.geomspace(0.95, 0.12, 40))
    assert all(len(fitted.result_.history) == 1 for fitted in path)
    assert looks[0] == 0
    assert len(looks) <= 8
    assert path[-1].selected_features_.sum() > 15


def test_a_look_serves_while_lam_and_the_answer_are_near() -> None:
    look = np.zeros(3), 1.0, 40
    for active, lam, serves in ((40, 0.5, True), (85, 0.9, True), (40, 0.49, False), (86, 0.9, False)):
        assert sharedrows._serves(look, active, lam) is serves


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(25, 120, 3), (80, 20, 3)])
def test_the_list_form_agrees(shape: tuple[int, int, int], weighted: bool) -> None:
    """Designs in a list are solved by other code, task by task."""
    X, Y = problem(*shape, seed=4)
    X = X + 3.0
    s = np.random.default_rng(5).random(len(X)) if weighted else None
    model = mt.JointFeature(ridge=0.02, tol=1e-11)
    model.set_params(lam=model.lam_max(X, y=Y) / 8)
    one = model.fit(X, Y, sample_weight=s).result_.certificate
    many = mt.TaskData.from_list([X] * 3, list(Y.T), weights=None if s is None else [s] * 3)
    assert one.primal == pytest.approx(model.fit(many).result_.certificate.primal, rel=1e-9)


def test_gram_matrices_are_right_when_room_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shareddesign, "KEPT_COLUMNS", 12)
    X, Y = problem(9, 40, 2)
    design = SharedDesign(Y.T @ X / 9, X=X, scale=1 / 9)
    rng = np.random.default_rng(0)
    for size in (3, 5, 7, 11, 2, 14, 6):
        f = np.sort(rng.choice(40, size, replace=False))
        np.testing.assert_allclose(design.gram(f), X[:, f].T @ X[:, f] / 9, atol=1e-13)


def test_gradients_of_a_wide_and_a_dense_design_agree() -> None:
    X, Y = problem(20, 60, 3)
    V, f = np.random.default_rng(0).standard_normal((3, 4)), np.array([1, 7, 30, 59])
    wide = SharedDesign(Y.T @ X / 20, X=X, scale=1 / 20)
    dense = SharedDesign(Y.T @ X / 20, H=X.T @ X / 20)
    np.testing.assert_allclose(wide.correlations(V, f), dense.correlations(V, f), atol=1e-12)
    for design in (wide, dense):
        *_, (W, _) = (it for it in shared_rows_fit(design, None, 0.1, 0.0) if it is not None)
        np.testing.assert_allclose(
            W, mt.JointFeature(lam=0.1, fit_intercept=False, tol=1e-12).fit(X, Y).coef_.T, atol=1e-9
        )


@pytest.mark.parametrize("offset", [0.0, 5.0, 1e7])
def test_moments_of_one_design_keep_their_digits(offset: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns far from zero are centred before they are squared, block by block."""
    monkeypatch.setattr("mtlref.centring.BLOCK", 8)
    rng = np.random.default_rng(0)
    steps = rng.integers(-512, 513, (41, 4)) / 256.0  # exact also beside the offset
    Y = rng.standard_normal((41, 3)) + offset
    for s in (None, rng.integers(1, 5, 41).astype(float)):
        m = mt.Moments.from_data(mt.TaskData.from_shared(steps + offset, Y, weights=s))
        w = np.ones(41) if s is None else s
        Xc, Yc = steps - w @ steps / w.sum(), Y - w @ Y / w.sum()
        np.testing.assert_allclose(m.cxx[0], (w[:, None] * Xc).T @ Xc, rtol=1e-12, atol=1e-12)
        # Targets beside the offset hold no more than about 1e-9 of themselves apart from it.
        np.testing.assert_allclose(m.cxy, (w[:, None] * Yc).T @ Xc, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(m.x_mean[0], offset + w @ steps / w.sum(), rtol=1e-14)


@pytest.mark.parametrize("room", [2**23, 100, 0])
def test_predictions_from_columns_that_are_kept(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was asked for before, and where there is no room for more."""
    monkeypatch.setattr("mtlref.datafit.shared.KEPT", room)
    rng = np.random.default_rng(8)
    X, Y = rng.standard_normal((11, 50)), rng.standard_normal((11, 2))
    fit = data_fit(mt.TaskData.from_shared(X, Y), "squared", "sum", False)
    for used in ([3, 7], [7, 9, 20], [7, 9, 20], [1, 2, 4, 5, 6, 8], [], list(range(40)), [3]):
        W = np.zeros((50, 2))
        W[used] = rng.standard_normal((len(used), 2))
        assert fit.total(W, np.zeros(2)) == pytest.approx(((Y - X @ W) ** 2).sum() / 2, rel=1e-13)
