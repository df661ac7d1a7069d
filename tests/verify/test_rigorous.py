"""audit(rigorous=True): the bound on the gap is a theorem, and no looser than floats make it."""

from __future__ import annotations

import json
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.cli import main
from mtlref.errors import CertificateError, DataError, FormError

F = Fraction
GRAPH = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.5], [0.0, 0.5, 0.0]])
METHODS = [name for name in mt.methods() if name in (
    "SingleTaskRidge", "SingleTaskLasso", "Pooled", "MeanRegularized", "GraphRegularized", "JointFeature", "TraceNorm",
    "JointFeatureLinf", "MTFL", "MTRL", "ClusteredMTL", "ConvexASO",
)]  # fmt: skip
KINDS = ("plain", "weights", "cancellation", "scales", "duplicates", "few rows", "shared")


def problem(kind: str, loss: str, seed: int = 0) -> mt.TaskData:
    """Three tasks, four features."""
    rng = np.random.default_rng(seed)
    if kind == "shared":
        X = rng.standard_normal((9, 4))
        Y = X @ rng.standard_normal((4, 3)) + rng.standard_normal((9, 3))
        return mt.TaskData.from_shared(X, np.where(Y > 0, 1.0, -1.0) if loss == "logistic" else Y)
    designs, targets, weights = [], [], []
    for n in (3, 3, 3) if kind == "few rows" else (9, 6, 12):
        X = rng.standard_normal((n, 4))
        y = X @ rng.standard_normal(4) + rng.standard_normal(n)
        if kind == "cancellation":
            X, y = X + 1e7, y + 1e9
        if kind == "scales":
            X = X * [1e-8, 1.0, 1e8, 1.0]
        if kind == "duplicates":
            X[:, 3], X[1], y[1] = X[:, 0], X[0], y[0]
        s = np.round(rng.random(n) + 0.1, 3)
        s[-1] = 0.0
        if loss == "logistic":
            y = np.where(y > np.median(y), 1.0, -1.0)
        designs.append(X)
        targets.append(y)
        weights.append(s)
    return mt.TaskData.from_list(designs, targets, weights=weights if kind == "weights" else None)


def model_of(name: str, data: mt.TaskData, relative: float = 0.05, **more: Any) -> Any:
    """A model with lam relative to the natural size."""
    kind = mt.methods()[name]
    graph = {"graph": GRAPH} if kind.required else {}
    shares = {k: more.pop(k) for k in ("ridge", "lam_sparse") if k in more}
    scale = kind.cls(**graph, **more).lam_scale(data)
    shares = {k: v * relative * scale for k, v in shares.items() if k in kind.degrees}
    return kind.cls(lam=relative * scale, **graph, **shares, **more)


def fitted(model: Any, data: mt.TaskData) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mt.NotConverged)
        return model.fit(data)


# -- every method, both losses, awkward data ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("name", METHODS)
def test_no_coefficients_undercut_the_dual_value(name: str, loss: str, kind: str) -> None:
    data = problem(kind, loss)
    rng = np.random.default_rng(5)
    for ridge, sparse, scaling, intercept in ((0.0, 0.0, "mean", True), (0.4, 0.2, "sum", False)):
        settings = {"loss": loss, "scaling": scaling, "fit_intercept": intercept}
        model = model_of(name, data, ridge=ridge, lam_sparse=sparse, tol=1e-10, max_iter=300, **settings)
        fitted(model, data)
        best = mt.audit(model, data, model.coef_.T, model.intercept_, rigorous=True)
        plain = mt.audit(model, data, model.coef_.T, model.intercept_)
        assert best.kind == "rigorous duality gap"
        # Floats lose digits to means of 1e9; the exact values do not.
        # Floats lose digits to means of 1e9; the exact values do not.
        assert best.primal == pytest.approx(plain.primal, rel=1e-6)
        assert best.scale == pytest.approx(plain.scale, rel=1e-6)
        for factor in (1.0, 0.5, 0.0, 100.0):
            W = model.coef_.T * factor
            there = mt.audit(model, data, W, rigorous=True)
            assert there.dual <= best.primal
            assert best.dual <= there.primal
            assert there.gap >= (F(there.primal) - F(best.primal)) * (1 - F(1, 2**50))
            assert there.distance >= np.linalg.norm(W - model.coef_.T) - best.distance
        W = model.coef_.T * (1 + 0.1 * rng.standard_normal())
        assert best.dual <= mt.audit(model, data, W, rigorous=True).primal


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("name", METHODS)
def test_on_tame_data_the_bound_costs_next_to_nothing(name: str, loss: str) -> None:
    data = problem("weights", loss)
    for ridge in (0.0, 0.4):
        model = fitted(model_of(name, data, ridge=ridge, loss=loss, tol=1e-9), data)
        for factor in (1.0, 0.7, 0.0):
            W = model.coef_.T * factor
            sure, plain = mt.audit(model, data, W, rigorous=True), mt.audit(model, data, W)
            assert sure.gap <= 1.0001 * plain.gap + 1e-13 * plain.scale
            assert sure.gap >= sure.primal - sure.dual - 1e-15 * sure.primal


def test_known_optima_are_inside(regression_cases: tuple[mt.TaskData, list[dict[str, Any]]]) -> None:
    data, cases = regression_cases
    for case in (c for c in cases if c["method"] in METHODS):
        settings = {k: case[k] for k in ("loss", "scaling", "fit_intercept")}
        model = mt.methods()[case["method"]].cls(**case["params"], **settings, tol=1e-12)
        fitted(model, data)
        found = mt.audit(model, data, model.coef_.T, model.intercept_, rigorous=True)
        slack = 1e-9 * case["optimum"]  # as good as the known optimum is
        assert found.dual - slack <= case["optimum"] <= found.primal + slack
        assert found.relative_gap <= 1e-12


@pytest.mark.parametrize("name", ["SingleTaskRidge", "JointFeature"])
def test_the_logistic_objective_holds_mpmath_at_50_digits(name: str) -> None:
    mpmath = pytest.importorskip("mpmath")
    data = problem("weights", "logistic")
    model = fitted(model_of(name, data, loss="logistic"), data)
    with mpmath.workdps(50):
        for factor in (1.0, 1e4):
            W, b = model.coef_.T * factor, model.intercept_
            total = mpmath.mpf(0)
            for t in range(3):
                s = [mpmath.mpf(float(v)) for v in data.weights[t]]
                w = [mpmath.mpf(float(v)) for v in W[:, t]]
                z = [mpmath.fdot(w, map(float, x)) + float(b[t]) for x in data.X[t]]
                losses = [mpmath.log1p(mpmath.exp(-float(y) * v)) for y, v in zip(data.y[t], z, strict=True)]
                total += mpmath.fsum(a * v for a, v in zip(s, losses, strict=True)) / mpmath.fsum(s)
            norms = [mpmath.norm(mpmath.matrix(row.tolist())) for row in W]
            size = mpmath.fsum(n**2 for n in norms) / 2 if name == "SingleTaskRidge" else mpmath.fsum(norms)
            total += float(model.lam) * size
            found = mt.audit(model, data, W, b, rigorous=True)
            assert total * (1 - mpmath.mpf(10) ** -45) <= found.primal <= total * (1 + mpmath.mpf(10) ** -15)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("name", ["SingleTaskRidge", "SingleTaskLasso", "JointFeature"])
def test_the_bound_holds_the_balls_of_flint(name: str, loss: str) -> None:
    flint = pytest.importorskip("flint")
    arb = flint.arb
    data = problem("weights", loss)
    model = fitted(model_of(name, data, loss=loss, tol=1e-10, max_iter=300), data)
    best = mt.audit(model, data, model.coef_.T, model.intercept_, rigorous=True)
    old, flint.ctx.prec = flint.ctx.prec, 300
    try:
        for factor in (1.0, 0.9, 0.0):
            W, b = model.coef_.T * factor, model.intercept_
            total = arb(0)
            for t in range(3):
                part = arb(0)
                for s, x, y in zip(data.weights[t], data.X[t], data.y[t], strict=True):
                    z = sum(
                        (arb(float(v)) * arb(float(w)) for v, w in zip(x, W[:, t], strict=True)),
                        arb(float(b[t])),
                    )
                    own = (
                        (z - arb(float(y))) ** 2 / 2
                        if loss == "squared"
                        else (-arb(float(y)) * z).exp().log1p()
                    )
                    part += arb(float(s)) * own
                total += part / sum((arb(float(s)) for s in data.weights[t]), arb(0))
            squares = [sum((arb(float(v)) ** 2 for v in row), arb(0)) for row in W]
            if name == "SingleTaskRidge":
                size = sum(squares, arb(0)) / 2
            elif name == "JointFeature":
                size = sum((v.sqrt() for v in squares), arb(0))
            else:
                size = sum((abs(arb(float(v))) for v in W.ravel()), arb(0))
            total += arb(float(model.lam)) * size
            found = mt.audit(model, data, W, b, rigorous=True)
            # The ball lies between the proven lower bound of min F and the proven upper bound of F here.
            assert not arb(found.primal) < total
            assert arb(found.primal) < total * (1 + arb(2) ** -45)
            assert arb(best.dual) <= total
            assert not arb(found.gap) < total - arb(best.primal)
    finally:
        flint.ctx.prec = old


# -- where floats are wrong, and where nothing can be said -------------------------------------------------------


def test_what_no_coefficients_attain_is_bounded_by_zero() -> None:
    # One line separates both tasks: F falls to 0 as the common w grows, and no finite W is optimal.
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    data = mt.TaskData.from_list([X, 2 * X], [[-1.0, -1.0, 1.0, 1.0]] * 2)
    model = mt.MeanRegularized(lam=0.1, loss="logistic", fit_intercept=False)
    found = mt.audit(model, data, [[5.0, 5.0]], rigorous=True)
    assert found.dual == 0.0
    assert found.gap == found.primal


def test_extreme_units_are_exact() -> None:
    data = problem("plain", "squared")
    model = fitted(model_of("TraceNorm", data), data)
    W, b = model.coef_.T, model.intercept_
    here = mt.audit(model, data, W, b, rigorous=True)
    scaled = mt.TaskData.from_list([x * 2.0**200 for x in data.X], [y * 2.0**-300 for y in data.y])
    far = mt.TraceNorm(lam=model.lam * 2.0**-100)
    there = mt.audit(far, scaled, W * 2.0**-500, b * 2.0**-300, rigorous=True)
    assert there.primal == here.primal * 2.0**-600
    assert there.scale == here.scale * 2.0**-600
    assert there.relative_gap == pytest.approx(
        here.relative_gap, rel=1e-2, abs=1e-14
    )  # of a gap near rounding


def test_what_cannot_be_bounded_is_refused() -> None:
    data = problem("plain", "squared")
    W = np.ones((4, 3))
    with pytest.raises(FormError, match="Moments hold sums that are already rounded"):
        mt.audit(mt.SingleTaskRidge(), mt.Moments.from_data(data), W, rigorous=True)

    class Own(mt.SingleTaskRidge):
        pass

    with pytest.raises(FormError, match="not known for Own"):
        mt.audit(Own(), data, W, rigorous=True)
    with pytest.raises(FormError, match="rigorous must be True or False"):
        mt.audit(mt.SingleTaskRidge(), data, W, rigorous=1)
    with pytest.raises(DataError, match="columns of W and the entries of b must be equal"):
        mt.audit(mt.Pooled(), data, np.arange(12.0).reshape(4, 3), rigorous=True)
    with pytest.raises(CertificateError, match="must fit in a float"):
        mt.audit(mt.SingleTaskRidge(), data, np.full((4, 3), 1e200), np.zeros(3), rigorous=True)


def test_the_command_takes_rigorous(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    X, y = np.eye(2), np.array([2.0, 4.0])
    np.savez(tmp_path / "data.npz", X=X, Y=y[:, None])
    (tmp_path / "answer.json").write_text(json.dumps({"W": [[1.0], [2.0]], "b": [0.0]}))
    settings = ["lam=1", "scaling=sum", "fit_intercept=false"]
    where = ["--data", str(tmp_path / "data.npz"), "--answer", str(tmp_path / "answer.json")]
    code = main(
        ["audit", "--method", "SingleTaskRidge", "--params", *settings, *where, "--rigorous", "--json"]
    )
    printed = json.loads(capsys.readouterr().out)
    assert (code, printed["kind"], printed["gap"]) == (0, "rigorous duality gap", 0.0)
