"""What docs/generate_verification.py measures: a function a part, its figures as plain numbers and words."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import measure_objects  # beside this file
import numpy as np

import mtlref as mt
from mtlref.verify.strategies import build

ROOT = Path(__file__).resolve().parent.parent
MOST = 16.0
GRAPH = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.5], [0.0, 0.5, 0.0]])
SETS = ("school", "landmine", "digits", "sarcos", "jura")
# What has not closed by then is reported as it stands.
MAX_ITER = 2000


def chosen(name: str, data: Any, relative: float, **more: Any) -> Any:
    """A model of a linear method with lam relative to its natural size; weights whose absence leaves no minimum too."""
    method = mt.methods()[name]
    if method.required:
        more["graph"] = GRAPH[: data.T, : data.T] if data.T <= 3 else mt.data.nearest_task_graph(data)
    scale = method.cls(**more).lam_scale(data)
    if more.get("loss") == "logistic" and method.degrees.get("lam") == 2 and "ridge" in method.degrees:
        more["ridge"] = 0.1 * relative * scale
    return method.cls(lam=relative * scale, **more)


def linear() -> list[str]:
    """The methods that are linear and convex: what a duality gap certifies."""
    return [n for n, m in mt.methods().items() if m.family == "linear" and "convex" in m.properties]


def agree(one: float, other: float, scale: float) -> float:
    """Digits to which two values agree, of the scale F(0, b0)."""
    return float(min(-np.log10(max(abs(one - other) / scale, 10**-MOST)), MOST))


def oracles() -> dict[str, Any]:
    """Per method and oracle, the least number of digits to which the values of (P) agree over fixed problems."""
    from mtlref.verify import naive, oracle

    found: dict[str, Any] = {}
    for name in linear():
        digits: dict[str, float] = {}

        def note(what: str, value: float, digits: dict[str, float] = digits) -> None:
            digits[what] = round(min(digits.get(what, MOST), value), 1)

        for loss in mt.methods()[name].losses:
            for kinds, scaling, intercept in ((("ragged",), "mean", True), (("shared",), "sum", False)):
                data = build(kinds, 3, 4, 8, 7, loss)
                model = chosen(
                    name,
                    data,
                    0.1,
                    loss=loss,
                    scaling=scaling,
                    fit_intercept=intercept,
                    tol=1e-12,
                    max_iter=20_000,
                )
                model.fit(data)
                c = model.result_.certificate
                W, b = model.coef_.T, model.intercept_
                note("own gap", agree(c.primal, c.dual, c.scale))
                with contextlib.suppress(KeyError):
                    plain = naive.objective(name, model.get_params(), data, W, b)
                    note("plain loops", agree(c.primal, plain, c.scale))
                for solver in ("CLARABEL", "SCS"):
                    with contextlib.suppress(ImportError, mt.DataError):
                        value = oracle.solve(model, data, solver).value
                        note(solver.capitalize(), agree(c.primal, value, c.scale))
                try:
                    sure = mt.audit(model, data, W, b, rigorous=True)
                except (mt.FormError, mt.MtlrefError):
                    continue
                note("exact arithmetic", agree(c.primal, sure.primal, c.scale))
                note("proven gap", agree(sure.primal, sure.dual, c.scale))
        found[name] = digits
        print(f"oracles {name}: {digits}", flush=True)
    return found


def laws() -> dict[str, list[str]]:
    """Per method, the names of the laws that its declared properties put it to."""
    from mtlref.verify.laws import laws_of

    return {name: [law.name for law in laws_of(method)] for name, method in mt.methods().items()}


def mutants() -> dict[str, dict[str, int]]:
    """Per table of tests, how many named faults it puts into which file; each is refused, or the table's test fails."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*mutants.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        table = getattr(module, "MUTANTS", [])
        found[str(path.relative_to(ROOT))] = dict(sorted(Counter(m.file for m in table).items()))
    return found


def gaps() -> dict[str, Any]:
    """Per real set, what every convex method certifies with the default tol, and its steps."""
    found: dict[str, Any] = {}
    for name in SETS:
        try:
            loaded = mt.data.load(name, **({} if name == "digits" else {"download": False}))
        except mt.MtlrefError:
            continue
        data, loss = loaded.tasks, loaded.loss
        rows: dict[str, Any] = {}
        for method in linear():
            model = chosen(method, data, 0.03, loss=loss, max_iter=MAX_ITER)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", mt.NotConverged)
                start = time.process_time()
                model.fit(data)
            rows[method] = {
                "relative_gap": model.result_.certificate.relative_gap,
                "steps": model.n_iter_,
                "status": model.result_.status.name,
            }
            print(f"{name} {method}: {rows[method]} {time.process_time() - start:.0f}s", flush=True)
        found[name] = {"T": data.T, "N": data.N, "p": data.p, "loss": loss, "methods": rows}
    return found


def nist() -> list[dict[str, Any]]:
    """mtlref.verify.nist."""
    from mtlref.verify.nist import measure

    return measure()


def residuals() -> dict[str, float]:
    """mtlref.verify.residuals."""
    from mtlref.verify.residuals import measure

    return {name: float(f"{value:.2g}") for name, value in measure().items()}


def peers() -> list[dict[str, Any]]:
    """Other packages' answers to our problems, audited: the relative gap at their defaults and at their tightest."""
    rng = np.random.default_rng(0)
    n, p, T = 80, 40, 4
    X = rng.standard_normal((n, p)) @ (np.eye(p) + 0.9 * rng.standard_normal((p, p)) / 3)
    B = np.where(np.arange(p)[:, None] < 5, rng.standard_normal((p, T)), 0.0)
    Y = X @ B + rng.standard_normal((n, T))
    shared = mt.TaskData.from_shared(X, Y)
    labels = np.where(Y > 0, 1.0, -1.0)
    joint, lasso = chosen("JointFeature", shared, 0.01), chosen("SingleTaskLasso", shared, 0.01)
    ridge, logistic = mt.SingleTaskRidge(lam=1e-2), mt.SingleTaskRidge(lam=1e-2, loss="logistic")
    tight = {"tol": 1e-12, "max_iter": 100_000}

    def columns(make: Callable[[], Any], targets: Any = Y) -> tuple[Any, Any]:
        models = [make().fit(X, targets[:, t]) for t in range(T)]
        return np.column_stack([np.ravel(m.coef_) for m in models]), np.array(
            [np.ravel(m.intercept_)[0] for m in models]
        )

    def together(make: Callable[[], Any]) -> tuple[Any, Any]:
        model = make().fit(X, Y)
        return np.asarray(model.coef_).T, np.asarray(model.intercept_)

    def sk(kind: str, **options: Any) -> Any:
        return getattr(import_module("sklearn.linear_model"), kind)(**options)

    def other(kind: str, lam: float, tightest: bool) -> Any:
        return getattr(import_module("skglm"), kind)(alpha=lam, **({"tol": 1e-12} if tightest else {}))

    def path(kind: str, targets: Any, lam: float, tightest: bool) -> tuple[Any, Any]:
        # The function beneath its estimators, which do not run with scikit-learn >= 1.6; it fits no intercept.
        about, middle = X - X.mean(axis=0), targets.mean(axis=0)
        given: tuple[Any, ...] = (np.asfortranarray(about), np.asfortranarray(targets - middle))
        more = {"tol": 1e-12} if tightest else {}
        function = getattr(import_module("celer.homotopy"), kind)
        loss = ("lasso",) if kind == "celer_path" else ()
        W = function(*given, *loss, alphas=np.array([lam]), **more)[1][..., 0].T
        return W, middle - X.mean(axis=0) @ W

    def tasks(kind: str, lam: float, tightest: bool) -> tuple[Any, Any]:
        answers = [path(kind, Y[:, t], lam, tightest) for t in range(T)]
        return np.column_stack([w for w, _ in answers]), np.array([b for _, b in answers])

    def case(kind: str, t: bool) -> tuple[Any, Any]:
        more: dict[str, Any] = tight if t else {}
        if kind == "MultiTaskLasso":
            return together(lambda: sk(kind, alpha=joint.lam, **more))
        if kind == "Lasso":
            return columns(lambda: sk(kind, alpha=lasso.lam, **more))
        if kind == "Ridge":  # its loss is not divided by the rows
            return columns(lambda: sk(kind, alpha=ridge.lam * n, **({"solver": "svd"} if t else {})))
        return columns(lambda: sk(kind, C=1 / (logistic.lam * n), **more), labels)

    models = {"MultiTaskLasso": joint, "Lasso": lasso, "Ridge": ridge, "LogisticRegression": logistic}
    cases: list[tuple[str, str, Any, Callable[[bool], Any]]] = [
        ("scikit-learn", kind, model, lambda t, kind=kind: case(kind, t)) for kind, model in models.items()
    ]
    cases += [
        ("celer", "mtl_path", joint, lambda t: path("mtl_path", Y, joint.lam, t)),
        ("celer", "celer_path", lasso, lambda t: tasks("celer_path", lasso.lam, t)),
        ("skglm", "MultiTaskLasso", joint, lambda t: together(lambda: other("MultiTaskLasso", joint.lam, t))),
        ("skglm", "Lasso", lasso, lambda t: columns(lambda: other("Lasso", lasso.lam, t))),
    ]
    found = []
    for package, name, model, run in cases:
        try:
            row: dict[str, Any] = {
                "package": package,
                "version": version(package),
                "solver": name,
                "method": type(model).__name__,
            }
            data = mt.TaskData.from_shared(X, labels) if model.loss == "logistic" else shared
            for key, tightest in (("default", False), ("tightest", True)):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    W, b = run(tightest)
                row[key] = mt.audit(model, data, W, b).relative_gap
            answer = mt.verify.diagnose(model, data, W, b)
            row["diagnosis"] = [f.name for f in answer.findings] if row["tightest"] > 1e-6 else []
        except (ImportError, PackageNotFoundError):
            continue
        found.append(row)
        print(f"peers {row}", flush=True)
    return found


PARTS: dict[str, Callable[[], Any]] = {
    "oracles": oracles,
    "laws": laws,
    "mutants": mutants,
    "gaps": gaps,
    "nist": nist,
    "residuals": residuals,
    "peers": peers,
    "objects": measure_objects.objects,
}
