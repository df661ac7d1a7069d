"""One law of a subject, with a loss where it is an estimator, on fixed problems; for ../fork_server.py."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.sparse
import scipy.sparse.linalg
import scipy.spatial
import scipy.special
import scipy.stats

GRAPH = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.5], [0.0, 0.5, 0.0]])
PROBLEMS = [
    (("ragged",), "mean", True, 0.1),
    (("zero_weights",), "sum", True, 0.02),
    (("ragged", "duplicate_column"), "sum", False, 0.3),
    (("shared",), "mean", True, 0.05),
    (("missing",), "mean", False, 0.2),
    (("ties",), "sum", True, 0.1),
    (("one_task",), "mean", False, 0.1),
]


def run(law: str, subject: str, loss: str = "squared") -> None:
    """Raises where the law is broken."""
    from mtlref.losses import LOSSES
    from mtlref.penalties import PENALTIES, GraphSpread
    from mtlref.verify.laws import ESTIMATOR_LAWS, LOSS_LAWS, PENALTY_LAWS

    if subject in LOSSES:
        check = {c.__name__: c for c in LOSS_LAWS}[law]
        for seed, size in enumerate((1.0, 30.0, 1e3)):
            rng = np.random.default_rng(seed)
            check(LOSSES[subject], np.where(rng.random(8) < 0.5, 1.0, -1.0), size * rng.standard_normal(8))
    elif subject in {k.__name__ for k in PENALTIES} and law in {c.__name__ for c in PENALTY_LAWS}:
        penalty_check = {c.__name__: c for c in PENALTY_LAWS}[law]
        kind = {k.__name__: k for k in PENALTIES}[subject]
        for seed in range(5):
            rng = np.random.default_rng(seed)
            penalty = GraphSpread(GRAPH) if kind is GraphSpread else kind()
            penalty_check(penalty, rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), 0.4)
    else:
        known = {entry.name: entry for entry in ESTIMATOR_LAWS}[law]
        for seed in range(len(PROBLEMS)):
            known.check(problem(subject, loss, seed), np.random.default_rng(1))


def problem(name: str, loss: str, seed: int) -> object:
    """One of the fixed problems, for a method."""
    import mtlref as mt
    from mtlref.verify.strategies import Case, build

    method = mt.methods()[name]
    kinds, scaling, intercept, relative = PROBLEMS[seed]
    data = build(kinds, 3, 4, 7, seed + 20, loss)
    parameters = {"loss": loss, "scaling": scaling, "fit_intercept": intercept, "tol": 1e-9, "max_iter": 300}
    if method.required:
        graph = GRAPH[: data.T, : data.T]
        parameters["graph"] = scipy.sparse.csr_array(graph) if seed in (1, 2, 4) else graph
    if "mu" in method.degrees:
        parameters |= {"mu": 0.1, "n_components": 2, "restarts": 1}
    scale = method.cls(**parameters).lam_scale(data)
    parameters["lam"] = relative * scale
    for weight in set(method.degrees) - {"lam", "mu"}:
        parameters[weight] = scale * (0.1 if seed % 2 or loss == "logistic" else 0.0)
    if method.lengths:
        parameters |= dict.fromkeys(method.lengths, 0.5) | {"tol": 1e-7, "max_iter": 5000}
    return Case(method, parameters, data)


def breaks() -> tuple[type[Exception], ...]:
    """What a broken law raises."""
    from mtlref.errors import CertificateError
    from mtlref.verify.laws import LawViolation

    return LawViolation, CertificateError


# Loaded once, before the forks.
assert all((scipy.linalg, scipy.optimize, scipy.sparse, scipy.spatial, scipy.special, scipy.stats))
