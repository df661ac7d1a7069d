"""The estimator: forms, fits, what it says when something is wrong."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import DataError, FitDoubt, FormError, NotConverged, NotFitted, UnknownTask
from mtlref.gp import RBF, Matern32


def sines(seed: int = 0, n: int = 30) -> Any:
    """Three tasks on one input: two of opposite sign and one of its own."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 1, (n, 1)), axis=0)
    f = np.hstack([np.sin(6 * x), -2 * np.sin(6 * x), np.cos(11 * x)])
    return x, f + [0.1, 0.3, 0.2] * rng.standard_normal((n, 3)) + [5.0, 0.0, -3.0]


def quiet(**options: Any) -> Any:
    return mt.MultiTaskGP(**{"n_restarts": 0, **options})


def fitted(model: Any, *data: Any, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitDoubt)
        return model.fit(*data, **more)


def test_a_fit_is_stationary_and_finds_the_signs() -> None:
    x, Y = sines()
    model = fitted(quiet(), x, Y)
    assert model.result_.converged
    certificate = model.result_.certificate
    assert certificate.relative_gap <= 1e-5
    np.testing.assert_allclose(certificate.primal, model.route_.value, rtol=1e-9)
    # Stationary in the user's units too: in the coordinates of θ that no bound stops.
    gradient = model.route_.gradient() / 90
    free = [k for k, name in enumerate(model.model_.names) if "kappa" not in name]
    scale = np.array(
        [
            1 / np.std(Y) if "A[" in model.model_.names[k] or "beta" in model.model_.names[k] else 1
            for k in free
        ]
    )
    assert np.abs(gradient[free] / scale).max() <= 1e-4  # tol 1e-5, and loadings of tasks of unlike scales
    assert model.task_correlation_[0, 1] < -0.9
    np.testing.assert_allclose(np.diag(model.task_correlation_), 1.0)
    assert abs(model.noisy_correlation_[0, 1]) < abs(model.task_correlation_[0, 1])
    np.testing.assert_allclose(
        np.sqrt(np.diag(model.noise_covariance_)), [0.1, 0.3, 0.2], rtol=0.4
    )  # 30 rows
    assert model.score(x, Y) > 0.95
    assert "kernel" in model.get_params()


def test_units_of_targets_and_relabelling() -> None:
    x, Y = sines()
    plain = fitted(quiet(), x, Y)
    scaled = fitted(quiet(), x, Y * [1e3, 1e-4, 2.0] + [0.0, 7.0, 1e3])
    new = np.linspace(0, 1, 7)[:, None]
    mean, std = plain.predict(new, return_std=True)
    mean2, std2 = scaled.predict(new, return_std=True)
    # Both stop with gradients below tol, 1e-5: their parameters agree to about its square root.
    np.testing.assert_allclose(mean2, mean * [1e3, 1e-4, 2.0] + [0.0, 7.0, 1e3], rtol=1e-4)
    np.testing.assert_allclose(std2, std * [1e3, 1e-4, 2.0], rtol=1e-3)
    other = fitted(quiet(), x, Y[:, [2, 0, 1]])
    np.testing.assert_allclose(other.predict(new), mean[:, [2, 0, 1]], atol=1e-3)
    np.testing.assert_allclose(other.result_.certificate.primal, plain.result_.certificate.primal, rtol=1e-6)


@pytest.mark.parametrize("x_times", [1e-100, 1e100])
@pytest.mark.parametrize("y_times", [1e-100, 1e100])
def test_extreme_units(x_times: float, y_times: float) -> None:
    x, Y = sines(n=15)
    new = np.linspace(0, 1, 5)[:, None]
    plain = fitted(quiet(), x, Y).predict(new)
    far = fitted(quiet(), x * x_times, Y * y_times).predict(new * x_times)
    # Rounding differs, and with it where L-BFGS-B stops, at gradients below 1e-5.
    np.testing.assert_allclose(far / y_times, plain, rtol=1e-3, atol=1e-3)


def test_forms_and_what_predict_mirrors() -> None:
    x, Y = sines()
    new = np.linspace(0, 1, 4)[:, None]
    shared = fitted(quiet(), x, Y)
    mean = shared.predict(new)
    assert mean.shape == (4, 3)
    listed = fitted(quiet(), [x, x, x], list(Y.T))
    for t, got in enumerate(listed.predict([new, new[:2], new])):
        np.testing.assert_allclose(got, mean[: len(got), t], rtol=1e-5)
    labels = np.repeat(["a", "b", "c"], 30)
    long = fitted(quiet(), np.vstack([x] * 3), Y.T.ravel(), tasks=labels)
    got, std = long.predict(new, tasks=["c", "a", "b", "c"], return_std=True)
    np.testing.assert_allclose(got, mean[np.arange(4), [2, 0, 1, 2]], rtol=1e-5)
    assert std.shape == (4,)
    single = fitted(quiet(), x, Y[:, 0])
    assert single.predict(new).shape == (4,)
    data = mt.TaskData.from_list([new, new], [np.zeros(4)] * 2, names=["c", "a"])
    np.testing.assert_allclose(long.predict(data)[0], mean[:, 2], rtol=1e-5)
    density = listed.log_predictive_density([x[:3]] * 3, list(Y[:3].T))
    np.testing.assert_allclose(np.array(density).T, shared.log_predictive_density(x[:3], Y[:3]), rtol=1e-4)


def test_rank_zero_is_a_process_for_each_task_with_one_kernel() -> None:
    x, Y = sines()
    alone = [fitted(quiet(kernel=RBF(0.2), rank=0), x, Y[:, t]) for t in range(3)]
    together = fitted(quiet(kernel=RBF(0.2), rank=0), x, Y)
    # One length for all cannot do better than a length for each.
    assert together.result_.certificate.primal >= sum(m.result_.certificate.primal for m in alone) - 1e-6
    off = together.task_covariance_ - np.diag(np.diag(together.task_covariance_))
    np.testing.assert_array_equal(off, 0.0)


def test_one_task_reaches_the_optimum_of_scikit_learn() -> None:
    gp = pytest.importorskip("sklearn.gaussian_process")
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    x, Y = sines()
    y = Y[:, 1]
    ours = fitted(quiet(kernel=Matern32(0.2), rank=0, mean="zero"), x, y)
    theirs = gp.GaussianProcessRegressor(
        kernels.ConstantKernel(1.0) * kernels.Matern(0.2, nu=1.5) + kernels.WhiteKernel(0.1), alpha=0.0
    ).fit(x, y)
    np.testing.assert_allclose(
        -ours.result_.certificate.primal, theirs.log_marginal_likelihood_value_, rtol=1e-6
    )
    new = np.linspace(0, 1, 5)[:, None]
    mean, std = ours.predict(new, return_std=True, noise=True)
    mean2, std2 = theirs.predict(new, return_std=True)
    # Both stop at gradients of about 1e-5, so that parameters differ by more.
    np.testing.assert_allclose(mean, mean2, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(std, std2, rtol=1e-3)


def test_several_kernels_structured_noise_and_leave_one_out() -> None:
    x, Y = sines(n=20)
    two = fitted(quiet(kernel=[RBF(0.3), Matern32(0.1)], mean="linear"), x, Y)
    one = fitted(quiet(kernel=RBF(0.3), mean="linear"), x, Y)
    assert (
        two.result_.certificate.primal <= one.result_.certificate.primal + 1e-3
    )  # the larger model holds the other
    structured = fitted(quiet(noise_rank=1), x, Y)
    assert structured.noise_covariance_[0, 1] != 0
    by_loo = fitted(
        quiet(
            objective="leave-one-out",
        ),
        x,
        Y,
    )
    plain = fitted(quiet(), x, Y)
    total = by_loo.leave_one_out().log_density.sum()
    assert total >= plain.leave_one_out().log_density.sum() - 1e-6
    np.testing.assert_allclose(by_loo.result_.certificate.primal, -total, rtol=1e-6)
    by_place = fitted(quiet(objective="leave-place-out"), x, Y)
    total = by_place.leave_one_out("place").log_density.sum()
    assert total >= plain.leave_one_out("place").log_density.sum() - 1e-6
    np.testing.assert_allclose(by_place.result_.certificate.primal, -total, rtol=1e-6)


def test_leave_one_out_is_in_the_order_of_the_rows() -> None:
    x, Y = sines()
    labels = np.tile(["b", "a"], 30)
    X, y = np.repeat(x, 2, axis=0), Y[:, :2].ravel()
    model = fitted(quiet(), X, y, tasks=labels)
    out = model.leave_one_out()
    stacked = np.concatenate([y[labels == "a"], y[labels == "b"]])
    assert np.abs(out.mean - stacked).mean() < 0.5 * np.abs(out.mean - stacked[::-1]).mean()
    assert model.leave_one_out("place").log_density.shape == (30,)


def test_covariance_and_samples() -> None:
    x, Y = sines()
    model = fitted(quiet(), x, Y)
    new = np.linspace(0, 1, 4)[:, None]
    cov = model.covariance(new)
    assert cov.shape == (3, 4, 3, 4)
    _, std = model.predict(new, return_std=True)
    np.testing.assert_allclose(np.einsum("titi->it", cov), std**2, rtol=1e-6, atol=1e-9)
    assert model.sample(new, 5, 0).shape == (5, 4, 3)
    np.testing.assert_array_equal(model.sample(new, 5, 0), model.sample(new, 5, 0))


def test_choice_by_label() -> None:
    x, Y = sines()
    Y[15:, 0] = np.nan
    model = fitted(quiet(), mt.TaskData.from_shared(x, Y, names=["dear", "cheap", "other"]))
    choice = model.next_measurement(x, about=(x[20:], "dear"), tasks=["cheap", "other"])
    assert choice.task in (1, 2)
    assert choice.scores.shape == (30, 3)


def test_what_went_wrong_is_said() -> None:
    x, Y = sines()
    with pytest.warns(NotConverged, match="projected gradient"):
        quiet(max_iter=1).fit(x, Y)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = quiet().fit(x, np.sin(6 * x) * [1.0, 2.0])  # no noise at all
    doubts = [str(w.message) for w in said if w.category is FitDoubt]
    assert any("noise.kappa[0] ended at its lower bound" in text for text in doubts)
    assert any("noise" in note for note in model.notes_)
    rough = np.random.default_rng(0).standard_normal((30, 3))
    with pytest.warns(FitDoubt, match="several optima"):
        mt.MultiTaskGP(n_restarts=4).fit(x, rough)


@pytest.mark.parametrize("missing", [0, 4, 40])
def test_a_pickle_answers_and_differentiates_the_same(missing: int) -> None:
    x, Y = sines()
    Y.ravel()[:missing] = np.nan
    model = fitted(quiet(max_iter=500), x, Y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    np.testing.assert_allclose(again.route_.gradient(), model.route_.gradient(), rtol=1e-12)


def test_the_contract_of_scikit_learn() -> None:
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = checks.check_estimator(mt.MultiTaskGP(n_restarts=0, max_iter=8), on_fail=None)
    failed = [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"]
    assert not failed


def test_the_same_seed_gives_the_same_bits() -> None:
    x, Y = sines()
    one, other = (fitted(mt.MultiTaskGP(n_restarts=1, random_state=3), x, Y) for _ in range(2))
    np.testing.assert_array_equal(one.model_.theta, other.model_.theta)


def test_parameters_stay_and_fits_replace() -> None:
    x, Y = sines()
    kernel = RBF(0.2)
    model = fitted(quiet(kernel=kernel), x, Y)
    assert model.kernel is kernel
    assert kernel.length[0] == pytest.approx(0.2)
    fitted(model, x, Y[:, 0])
    assert model.tasks_ == (0,)
    assert model.predict(x).shape == (30,)


X0, Y0 = np.arange(8.0).reshape(4, 2), np.arange(8.0).reshape(4, 2) ** 2


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: quiet(rank=-1).fit(X0, Y0), DataError, "rank"),
        (lambda: quiet(noise_rank=1.5).fit(X0, Y0), FormError, "noise_rank"),
        (lambda: quiet(mean="cubic").fit(X0, Y0), DataError, "mean must be one of"),
        (lambda: quiet(objective="luck").fit(X0, Y0), DataError, "objective must be"),
        (lambda: quiet(kernel="rbf").fit(X0, Y0), FormError, "kernel must be"),
        (lambda: quiet(kernel=[]).fit(X0, Y0), FormError, "kernel must be"),
        (lambda: quiet(kernel=[None]).fit(X0, Y0), FormError, "kernel must be"),
        (lambda: quiet(kernel=RBF([1.0] * 3)).fit(X0, Y0), DataError, "3 entries"),
        (lambda: quiet(route="fast").fit(X0, Y0), DataError, "route must be"),
        (lambda: quiet(tol=0.0).fit(X0, Y0), DataError, "tol"),
        (lambda: quiet(max_iter=0).fit(X0, Y0), DataError, "max_iter"),
        (
            lambda: quiet().fit(mt.TaskData.from_shared(X0, Y0, weights=np.ones(4))),
            FormError,
            "no row weights",
        ),
        (lambda: quiet().fit([X0], [["a", "b", "c", "d"]]), DataError, "numbers"),
        (lambda: quiet().fit(X0), DataError, "targets"),
        (lambda: quiet().fit(X0, np.full((4, 2), np.nan)), DataError, "only NaN"),
        (lambda: quiet().predict(X0), NotFitted, "not fitted"),
        (lambda: quiet().leave_one_out(), NotFitted, "not fitted"),
    ],
)
def test_bad_input(call: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_bad_questions() -> None:
    x, Y = sines()
    model = fitted(quiet(), x, Y, tasks=None)
    with pytest.raises(UnknownTask, match="among those of fit"):
        model.predict(x[:1], tasks=["z"])
    with pytest.raises(DataError, match="1 features"):
        model.predict(np.ones((2, 3)))
    with pytest.raises(DataError, match="a label for each row"):
        model.predict(x[:2], tasks=[0])
    with pytest.raises(DataError, match="y must have shape"):
        model.log_predictive_density(x[:2], np.ones((3, 3)))
    with pytest.raises(DataError, match="by must be one of"):
        model.leave_one_out("row")
