"""Two cvxpy solvers and ours: three answers that agree in value, each with its own residual."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt

pytest.importorskip("cvxpy")

GRAPH = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 2.0], [0.0, 2.0, 0.0]])
MODELS = [
    mt.SingleTaskRidge(lam=0.3),
    mt.SingleTaskLasso(lam=0.2),
    mt.JointFeature(lam=0.2, ridge=0.1),
    mt.TraceNorm(lam=0.2, scaling="sum"),
    mt.GraphRegularized(lam=0.2, ridge=0.1, graph=GRAPH, fit_intercept=False),
    mt.Pooled(lam=0.3),
    mt.MeanRegularized(lam=0.3, ridge=0.1),
    mt.JointFeatureLinf(lam=0.2, scaling="sum"),
    mt.MTFL(lam=0.3),
    mt.MTRL(lam=0.3, ridge=0.1),
    mt.ClusteredMTL(lam=0.2, n_clusters=1),
    mt.ConvexASO(lam=0.2, dim=2, scaling="sum"),
]


def test_every_convex_method_is_here() -> None:
    convex = {name for name, method in mt.methods().items() if "convex" in method.properties}
    assert {type(model).__name__ for model in MODELS} == convex


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_solvers_agree(model: mt.SingleTaskRidge, loss: str) -> None:
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 4)) for n in (9, 12, 10)]
    y = [x @ rng.normal(size=4) + rng.normal(size=len(x)) for x in X]
    if loss == "logistic":
        y = [np.where(v > 0, 1.0, -1.0) for v in y]
    data = mt.TaskData.from_list(X, y)
    model = type(model)(**{**model.get_params(), "loss": loss, "tol": 1e-10})
    ours = model.fit(data).result_.certificate.primal
    answers = mt.verify.oracle(model, data)
    assert set(answers) == {"CLARABEL", "SCS"}
    # Clarabel reaches 1e-8 on exponential cones at best; SCS is a first-order method with tolerance 1e-9 on residuals.
    for name, accuracy in (("CLARABEL", 1e-7), ("SCS", 1e-5)):
        assert answers[name].value == pytest.approx(ours, rel=accuracy)
        assert answers[name].residual <= 100 * accuracy
