"""Each fault that was seen in a published library, as a small solver: refuted by a small problem, and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import mtlref as mt

pytest.importorskip("hypothesis")

from faulty import accepting, comparing, descent, inverses, numbers, shrinking

Solver = Callable[..., Any]


@dataclass(frozen=True)
class Fault:
    """A faulty solver, the same without the fault, the method, and the name that the diagnosis gives, if it has one."""

    wrong: Solver
    right: Solver
    method: str
    named: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


FAULTS = (
    Fault(inverses.forgets_an_inverse, inverses.clustered, "ClusteredMTL"),
    Fault(inverses.shared_subspace, inverses.right_objective, "ConvexASO", "unconverged"),
    Fault(shrinking.twice_the_width, descent.lasso, "SingleTaskLasso", "loss halved twice"),
    Fault(
        accepting.intercept_row_in_the_value,
        accepting.intercept_row_apart,
        "JointFeature",
        None,
        {"fit_intercept": True},
    ),
    Fault(shrinking.gap_at_another_scale, descent.joint, "JointFeature", "unconverged"),
    # So near to the answer a momentum point is one like any unfinished one; test_diagnosis has some far off.
    Fault(shrinking.momentum_point, shrinking.prox_point, "JointFeature", "unconverged"),
    Fault(shrinking.prox_in_place, shrinking.prox_apart, "JointFeature"),
    Fault(numbers.norm_by_gram, numbers.norm_by_svd, "TraceNorm", None, {"tol": 1e-8}),
    Fault(inverses.leaves_the_simplex, inverses.clustered, "ClusteredMTL"),
    Fault(comparing.loss_divided_by_n, descent.joint, "JointFeature", "scaling mean"),
    Fault(comparing.working_set, comparing.right_working_set, "JointFeature"),
    Fault(comparing.drawn_from_one_value, comparing.random_features, "SingleTaskRidge"),
    Fault(numbers.silent_jitter, descent.ridges, "SingleTaskRidge", "another lam"),
    Fault(numbers.one_array, descent.ridges, "SingleTaskRidge"),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.wrong.__name__)
def test_a_fault_is_refuted_by_a_small_problem_and_named(fault: Fault) -> None:
    # It ends at the first problem that refutes, so that a large budget costs nothing.
    options = {"budget": "thorough", **fault.options}
    report = mt.verify.check(fault.wrong, fault.method, laws=("certificate_closes",), **options)
    (law,) = report.failures
    assert law.status == "failed", law.message
    case = law.counterexample
    assert case is not None
    assert case.data.T <= 3
    assert case.data.p <= 3
    assert law.diagnosis is not None
    names = [finding.name for finding in law.diagnosis.findings]
    assert fault.named is None or fault.named in names, str(law.diagnosis)
    # It is the fault that was seen: the same solver without it solves the problem.
    weights = {
        k: v for k, v in case.parameters.items() if k in (*case.method.degrees, "eta", "n_clusters", "dim")
    }
    found = fault.right([x.copy() for x in case.data.X], [v.copy() for v in case.data.y], **weights)
    W, b = found if isinstance(found, tuple) else (found, None)
    model = mt.methods()[fault.method].cls(**case.parameters)
    assert mt.audit(model, case.data, np.asarray(W), b).relative_gap <= model.tol
