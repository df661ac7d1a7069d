"""Predictions, leave-one-out and the choice of measurements against brute force on the dense covariance."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtlref.errors import DataError
from mtlref.gp import leave_out, predict
from mtlref.gp.choice import choose_next
from mtlref.gp.exact import Dense
from mtlref.gp.route import condition_on
from mtlref.verify.derivative import complex_step

_spec = importlib.util.spec_from_file_location("gp_twins", Path(__file__).with_name("conftest.py"))
assert _spec is not None and _spec.loader is not None  # noqa: PT018
twins: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(twins)

ROUTES = [("kronecker", 0), ("holes", 0), ("holes", 5), ("dense", 0), ("dense", 5)]
ANY_ROUTE = pytest.mark.parametrize(("route", "missing"), ROUTES)


def problem(route: str, missing: int, noise_rank: int = 0, terms: int = 1, mean: str = "linear") -> Any:
    cells = twins.table_cells(3, n=6, missing=missing)
    return condition_on(twins.random_model(7, noise_rank=noise_rank, terms=terms, mean=mean), cells, route)


def flat_posterior(made: Any, X: Any) -> Any:
    """(mean (T m,), covariance (T m, T m)) of f, entry by entry from the definition."""
    model, cells = made.model, made.cells
    T, m = cells.T, len(X)
    c, prior = np.zeros((cells.N, T * m)), np.zeros((T * m, T * m))
    for B, kernel in model.terms:
        b = B.matrix()
        for t in range(T):
            for i in range(m):
                for k in range(cells.N):
                    x, z = cells.X[cells.place[k]][None], X[i][None]
                    c[k, t * m + i] += b[cells.task[k], t] * kernel(x, z)[0, 0]
                for u in range(T):
                    for j in range(m):
                        prior[t * m + i, u * m + j] += b[t, u] * kernel(X[i][None], X[j][None])[0, 0]
    C = twins.flat_covariance(model, cells)
    mean = (model.basis(X) @ model.beta).T.ravel() + c.T @ np.linalg.solve(
        C, twins.flat_residual(model, cells)
    )
    return mean, prior - c.T @ np.linalg.solve(C, c)


@ANY_ROUTE
@pytest.mark.parametrize("noise_rank", [0, 1])
def test_mean_variance_and_covariance(route: str, missing: int, noise_rank: int) -> None:
    made = problem(route, missing, noise_rank)
    X = np.random.default_rng(0).uniform(-1.5, 1.5, (4, 2))
    mean, cov = flat_posterior(made, X)
    np.testing.assert_allclose(predict.mean(made, X), mean.reshape(3, 4).T, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        predict.variance(made, X), np.diag(cov).reshape(3, 4).T, rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(predict.covariance(made, X), cov, rtol=1e-10, atol=1e-12)
    noise = made.model.noise.matrix()
    with_noise = predict.covariance(made, X, noise=True)
    np.testing.assert_allclose(with_noise, cov + np.kron(noise, np.eye(4)), rtol=1e-10, atol=1e-12)
    variance = predict.variance(made, X, noise=True)
    np.testing.assert_allclose(variance.T.ravel(), np.diag(with_noise), rtol=1e-10)
    Y = np.ones((4, 3))
    Y[1, 1] = np.nan
    density = predict.log_density(made, X, Y)
    from scipy.stats import norm

    np.testing.assert_allclose(density, norm.logpdf(Y, mean.reshape(3, 4).T, np.sqrt(variance)), rtol=1e-9)


def test_several_terms() -> None:
    made = problem("dense", 5, terms=3)
    X = np.random.default_rng(0).uniform(-1.5, 1.5, (3, 2))
    mean, cov = flat_posterior(made, X)
    np.testing.assert_allclose(predict.mean(made, X), mean.reshape(3, 3).T, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(predict.covariance(made, X), cov, rtol=1e-10, atol=1e-12)


def test_samples_have_the_mean_and_covariance() -> None:
    made = problem("kronecker", 0)
    X = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 2))
    drawn = predict.samples(made, X, 40_000, 1)
    np.testing.assert_array_equal(drawn[:3], predict.samples(made, X, 40_000, np.random.default_rng(1))[:3])
    flat = drawn.transpose(0, 2, 1).reshape(40_000, 6)
    cov = predict.covariance(made, X)
    scale = np.sqrt(np.diag(cov).max())
    # Averages of 40,000 draws: five standard errors.
    np.testing.assert_allclose(flat.mean(axis=0), predict.mean(made, X).T.ravel(), atol=5 * scale / 200)
    np.testing.assert_allclose(np.cov(flat.T), cov, atol=5 * 1.5 * scale**2 / 200)


@ANY_ROUTE
@pytest.mark.parametrize("noise_rank", [0, 1])
def test_leaving_out_is_refitting(route: str, missing: int, noise_rank: int) -> None:
    made = problem(route, missing, noise_rank)
    cells = made.cells
    C, r = twins.flat_covariance(made.model, cells), twins.flat_residual(made.model, cells)
    by_cell, by_place = leave_out.by_cell(made), leave_out.by_place(made)
    groups = [np.array([i]) for i in range(cells.N)]
    for out, parts in (
        (by_cell, groups),
        (by_place, [np.flatnonzero(cells.place == i) for i in range(cells.n)]),
    ):
        density = []
        for group in parts:
            rest = np.setdiff1d(np.arange(cells.N), group)
            weights = np.linalg.solve(C[np.ix_(rest, rest)], C[np.ix_(rest, group)])
            mean = cells.y[group] - r[group] + weights.T @ r[rest]
            cov = C[np.ix_(group, group)] - weights.T @ C[np.ix_(rest, group)]
            np.testing.assert_allclose(out.mean[group], mean, rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(out.variance[group], np.diag(cov), rtol=1e-9)
            error = cells.y[group] - mean
            fit = error @ np.linalg.solve(cov, error) + np.linalg.slogdet(2 * np.pi * cov)[1]
            density.append(-0.5 * fit)
        np.testing.assert_allclose(out.log_density, density, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("terms", [1, 2])
@pytest.mark.parametrize("noise_rank", [0, 1])
@pytest.mark.parametrize("by", ["cell", "place"])
def test_leave_out_objectives(terms: int, noise_rank: int, by: str) -> None:
    made = problem("dense", 5, noise_rank, terms)
    assert isinstance(made, Dense)
    value, gradient = leave_out.objective(made, by)
    closed = (leave_out.by_cell if by == "cell" else leave_out.by_place)(made)
    np.testing.assert_allclose(value, -closed.log_density.sum(), rtol=1e-11)
    places = [np.flatnonzero(made.cells.place == i) for i in range(made.cells.n)]
    groups = [np.array([i]) for i in range(made.cells.N)] if by == "cell" else places

    def flat(theta: Any) -> Any:
        model, total = made.model.with_theta(theta), 0.0
        C = twins.flat_covariance(model, made.cells)
        P = np.linalg.inv(C)
        alpha = P @ twins.flat_residual(model, made.cells)
        for g in groups:
            S, sign_log = np.linalg.inv(P[np.ix_(g, g)]), np.linalg.slogdet(P[np.ix_(g, g)])
            log_det = sign_log[1] + np.log(sign_log[0])
            total = total + 0.5 * (alpha[g] @ S @ alpha[g] - log_det + len(g) * np.log(2 * np.pi))
        return total

    np.testing.assert_allclose(gradient, complex_step(flat, made.model.theta), rtol=1e-9, atol=1e-10)


@ANY_ROUTE
def test_choice_by_brute_force(route: str, missing: int) -> None:
    """The scores are differences of entropies of the joint normal, computed by conditioning it."""
    made = problem(route, missing)
    rng = np.random.default_rng(2)
    X, G = rng.uniform(-1.5, 1.5, (4, 2)), rng.uniform(-1.5, 1.5, (3, 2))
    noise = np.diag(made.model.noise.matrix())
    _, cov = flat_posterior(made, np.vstack([X, G]))
    at = np.arange(21).reshape(3, 7)
    by_variance = choose_next(made, X, by="variance")
    everything, about = choose_next(made, X), choose_next(made, X, about=(G, 1))
    targets = at[1, 4:]
    for i in range(4):
        for t in range(3):
            k = at[t, i]
            v = cov[k, k]
            np.testing.assert_allclose(by_variance.scores[i, t], v, rtol=1e-9)
            # H(f) − H(f | y), of all of f at these places.
            after = cov - np.outer(cov[k], cov[k]) / (v + noise[t])
            lost = np.linalg.slogdet(cov)[1] - np.linalg.slogdet(after)[1]
            np.testing.assert_allclose(
                everything.scores[i, t], lost / 2, rtol=1e-7
            )  # two ill-conditioned determinants
            before = cov[np.ix_(targets, targets)] + noise[1] * np.eye(3)
            then = after[np.ix_(targets, targets)] + noise[1] * np.eye(3)
            gain = (np.linalg.slogdet(before)[1] - np.linalg.slogdet(then)[1]) / 2
            np.testing.assert_allclose(about.scores[i, t], gain, rtol=1e-8, atol=1e-12)
    for choice in (by_variance, everything, about):
        assert choice.scores[choice.place, choice.task] == choice.scores.max()
    only = choose_next(made, X, tasks=[2])
    assert only.task == 2
    assert only.place == everything.scores[:, 2].argmax()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"by": "luck"}, "by must be one of"),
        ({"tasks": [3]}, "tasks must be places of tasks"),
        ({"tasks": []}, "tasks must be places of tasks"),
        ({"about": (np.ones((2, 2)), 3)}, "about must name a task"),
        ({"about": (np.ones((2, 3)), 0)}, "shape"),
        ({"about": (np.ones((2, 2)), 0), "by": "variance"}, "about goes with"),
    ],
)
def test_bad_choices(options: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        choose_next(problem("dense", 0), np.ones((3, 2)), **options)
