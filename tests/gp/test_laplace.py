"""Laplace's approximation: its mode by another solver, its evidence flat, gradients by complex step; the classifier."""

from __future__ import annotations

import importlib.util
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

import mtlref as mt
from mtlref.errors import DataError, FitDoubt, FormError, NotConverged
from mtlref.gp import RBF, Coregional, Model
from mtlref.gp.laplace import Laplace
from mtlref.verify.derivative import complex_step

_spec = importlib.util.spec_from_file_location("gp_twins", Path(__file__).with_name("conftest.py"))
assert _spec is not None and _spec.loader is not None  # noqa: PT018
twins: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(twins)


def labelled(seed: int = 1, missing: int = 4) -> Any:
    from dataclasses import replace

    cells = twins.table_cells(seed, missing=missing)
    return replace(cells, y=np.where(cells.y > 0, 1.0, -1.0))


def flat_prior(model: Model, cells: Any) -> tuple[Any, Any]:
    """(m, C) of f, entry by entry, complex where θ is."""
    C = twins.flat_covariance(model, cells) - twins.flat_covariance(
        Model.make(
            [(Coregional.diagonal([1e-300] * model.T), RBF(1.0))],
            model.noise,
        ),
        cells,
    )
    return cells.y - twins.flat_residual(model, cells), C


def flat_value(model: Model, cells: Any) -> Any:
    """−log q by the textbook's formula with C⁻¹, at a mode by plain Newton steps with complex numbers carried along."""
    m, C = flat_prior(model, cells)
    P, y = np.linalg.inv(C), cells.y
    f = m.astype(C.dtype)
    for _ in range(60):
        p = 1 / (1 + np.exp(-f))
        gradient = (y + 1) / 2 - p - P @ (f - m)
        f = f + np.linalg.solve(P + np.diag(p * (1 - p)), gradient)
    p = 1 / (1 + np.exp(-f))
    S = np.eye(len(f)) + C * (p * (1 - p))
    sign, log_abs = np.linalg.slogdet(S)
    log_det = log_abs + (np.log(sign) if np.iscomplexobj(S) else 0.0)
    return np.log(1 + np.exp(-y * f)).sum() + 0.5 * (f - m) @ P @ (f - m) + 0.5 * log_det


@pytest.mark.parametrize("terms", [1, 2])
@pytest.mark.parametrize("mean", ["zero", "constant", "linear"])
def test_evidence_and_gradient(terms: int, mean: str) -> None:
    cells, model = labelled(), twins.random_model(2, terms=terms, mean=mean)
    made = Laplace(model, cells)
    np.testing.assert_allclose(made.value, flat_value(model, cells), rtol=1e-10)
    slope = complex_step(lambda t: flat_value(model.with_theta(t), cells), model.theta)
    np.testing.assert_allclose(made.gradient(), slope, rtol=1e-8, atol=1e-9)  # the flat twin inverts C
    assert made.gap <= 1e-20


def test_the_mode_is_the_maximum_and_does_not_depend_on_its_start() -> None:
    cells, model = labelled(), twins.random_model(2, mean="constant")
    made = Laplace(model, cells)
    m, C = flat_prior(model, cells)
    L = np.linalg.cholesky(C)

    def loss(z: Any) -> Any:
        f = m + L @ z
        slope = -cells.y * expit(-cells.y * f)
        return np.logaddexp(0, -cells.y * f).sum() + 0.5 * z @ z, L.T @ slope + z

    end = minimize(loss, np.zeros(cells.N), jac=True, method="BFGS", options={"gtol": 1e-10})
    np.testing.assert_allclose(m + L @ end.x, made.f, atol=1e-7)
    # The bound of (K) at a point that is not the mode.
    a = made.a + 0.1 * np.random.default_rng(0).standard_normal(cells.N)
    f = m + C @ a
    rho = a + cells.y * -expit(-cells.y * f)
    psi = [
        -np.logaddexp(0, -cells.y * g).sum() - 0.5 * (g - m) @ np.linalg.solve(C, g - m) for g in (f, made.f)
    ]
    assert 0 < psi[1] - psi[0] <= 0.5 * rho @ C @ rho
    for start in (made.f, 30 * np.ones(cells.N), np.full(cells.N, np.nan), np.ones(2)):
        np.testing.assert_allclose(Laplace(model, cells, start).f, made.f, atol=1e-11)


def test_large_signals_and_repeated_inputs_stay_stationary() -> None:
    rng = np.random.default_rng(0)
    X = np.repeat(rng.uniform(size=(15, 1)), 2, axis=0)
    Y = np.where(np.sin(9 * X) * [1, -1] > 0, 1.0, -1.0)
    from mtlref.gp import Cells

    cells = Cells.from_tasks(mt.TaskData.from_shared(X, Y))
    model = Model.make(
        [(Coregional([[40.0], [-40.0]], [1.0, 1.0]), RBF(10.0))], Coregional.diagonal([1.0, 1.0])
    )
    made = Laplace(model, cells)
    assert made.gap <= 1e-15
    assert np.isfinite(made.gradient()).all()


def test_probabilities_by_brute_force() -> None:
    """The latent posterior by conditioning on C + W⁻¹, and σ averaged over it on a fine grid."""
    cells, model = labelled(), twins.random_model(2, mean="linear")
    made = Laplace(model, cells)
    X = np.random.default_rng(3).uniform(-1, 1, (4, 2))
    mean, variance = made.latent(X)
    C = flat_prior(model, cells)[1]
    b, kernel = model.terms[0][0].matrix(), model.terms[0][1]
    for i, x in enumerate(X):
        for t in range(3):
            c = b[cells.task, t] * kernel(cells.X[cells.place], x[None])[:, 0]
            v = b[t, t] - c @ np.linalg.solve(C + np.diag(1 / made.W), c)
            prior = (model.basis(x[None]) @ model.beta)[0, t]
            np.testing.assert_allclose(variance[i, t], v, rtol=1e-9)
            np.testing.assert_allclose(mean[i, t], prior + c @ made.a)
            z = np.linspace(-9, 9, 4001)
            w = np.exp(-z * z / 2)
            expected = (expit(mean[i, t] + np.sqrt(v) * z) * w).sum() / w.sum()
            np.testing.assert_allclose(made.probability(X)[i, t], expected, rtol=1e-6)


def test_equal_to_scikit_learn_at_the_same_parameters() -> None:
    gp = pytest.importorskip("sklearn.gaussian_process")
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(30, 1))
    y = np.where(np.sin(7 * x[:, 0]) + 0.4 * rng.standard_normal(30) > 0, 1.0, -1.0)
    from mtlref.gp import Cells

    cells = Cells.from_tasks(mt.TaskData.from_list([x], [y]))
    model = Model.make([(Coregional(np.zeros((1, 0)), [2.3]), RBF(0.2))], Coregional.diagonal([1.0]))
    made = Laplace(model, cells)
    theirs = gp.GaussianProcessClassifier(kernels.ConstantKernel(2.3) * kernels.RBF(0.2), optimizer=None).fit(
        x, y
    )
    # They stop Newton's steps at a change of 1e-10 of the evidence, and average σ by a series of five error functions.
    np.testing.assert_allclose(-made.value, theirs.log_marginal_likelihood_value_, rtol=1e-8)
    new = np.linspace(0, 1, 7)[:, None]
    np.testing.assert_allclose(made.probability(new)[:, 0], theirs.predict_proba(new)[:, 1], atol=2e-3)


@pytest.fixture(scope="module")
def signs() -> Any:
    """Two tasks of opposite sign, the second seen at a few places only."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(60, 1))
    f = 4 * np.sin(6 * x)
    Y = np.where(rng.uniform(size=(60, 2)) < expit(np.hstack([f, -f])), "yes", "no")
    labels = np.repeat(["a", "b"], [60, 12])
    return np.vstack([x, x[:12]]), np.concatenate([Y[:, 0], Y[:12, 1]]), labels


def quiet(**options: Any) -> Any:
    return mt.MultiTaskGPClassifier(RBF(0.3), **{"n_restarts": 0, **options})


def fitted(model: Any, *data: Any, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitDoubt)
        return model.fit(*data, **more)


def test_a_fit_learns_the_sign_between_tasks(signs: Any) -> None:
    X, y, labels = signs
    model = fitted(quiet(), X, y, tasks=labels)
    assert model.result_.converged
    assert "approximate" in model.result_.certificate.kind
    assert model.mode_gap_ <= 1e-15
    assert model.result_.certificate.relative_gap <= 1e-5
    assert model.task_correlation_[0, 1] < -0.5
    assert set(model.classes_) == {"no", "yes"}
    new = np.array([[0.25], [0.75]])
    p = model.predict_proba(new, tasks=["b", "b"])
    assert p.shape == (2, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert p[0, 1] < 0.5 < p[1, 1]
    np.testing.assert_allclose(expit(model.decision_function(new, tasks=["b", "b"])), p[:, 1])
    assert model.predict(new, tasks=["b", "b"]).tolist() == ["no", "yes"]
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        again.predict_proba(new, tasks=["a", "b"]), model.predict_proba(new, tasks=["a", "b"])
    )
    alone = fitted(quiet(), X[60:], y[60:])
    assert model.score(X[60:], y[60:], tasks=labels[60:]) >= alone.score(X[60:], y[60:]) - 1e-12


def test_exchanging_labels_exchanges_probabilities(signs: Any) -> None:
    X, y, labels = signs
    one = fitted(quiet(), X, np.where(y == "yes", 1, 0), tasks=labels)
    other = fitted(quiet(), X, np.where(y == "yes", 0, 1), tasks=labels)
    new = np.linspace(0, 1, 5)[:, None]
    p, q = one.predict_proba(new, tasks=["b"] * 5), other.predict_proba(new, tasks=["b"] * 5)
    # Two fits that stop at gradients of 1e-5.
    np.testing.assert_allclose(p[:, 0], q[:, 1], atol=1e-3)


def test_what_went_wrong_is_said(signs: Any) -> None:
    X, y, labels = signs
    with pytest.warns(NotConverged, match="projected gradient"):
        quiet(max_iter=1).fit(X, y, tasks=labels)
    with pytest.warns(FitDoubt, match="bound"):  # labels that a line separates ask for an unbounded f
        quiet(mean="zero", rank=0).fit(X[:60], np.where(X[:60, 0] > 0.5, 1, -1))


def test_the_contract_of_scikit_learn() -> None:
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = checks.check_estimator(mt.MultiTaskGPClassifier(n_restarts=0, max_iter=5), on_fail=None)
    assert not [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda X, y, t: quiet().fit(X, np.zeros(len(X)), tasks=t), DataError, "one class only"),
        (lambda X, y, t: quiet().fit(X, np.arange(len(X)), tasks=t), DataError, "Only binary"),
        (lambda X, y, t: quiet(rank=-1).fit(X, y, tasks=t), DataError, "rank"),
        (lambda X, y, t: quiet(mean="cubic").fit(X, y, tasks=t), DataError, "mean must be"),
        (lambda X, y, t: mt.MultiTaskGPClassifier("rbf").fit(X, y, tasks=t), FormError, "kernel must be"),
        (
            lambda X, y, t: quiet().fit(mt.TaskData.from_list([X], [y == "yes"], weights=[np.ones(len(X))])),
            FormError,
            "no row weights",
        ),
    ],
)
def test_bad_input(call: Any, error: type, words: str, signs: Any) -> None:
    with pytest.raises(error, match=words):
        call(*signs)
