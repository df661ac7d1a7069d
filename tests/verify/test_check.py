"""Right solvers pass, each known fault is refuted with a small counterexample, and programs fail in named ways."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import loadmat

import mtlref as mt

pytest.importorskip("hypothesis")

from mtlref.verify.checking import ProgramCrashed, ProgramGarbage, ProgramTimedOut
from mtlref.verify.checking.report import LawReport, Report
from mtlref.verify.strategies import Case

Array = NDArray[np.float64]


def ridge(X: list[Array], y: list[Array], lam: float) -> Array:
    eye = np.eye(X[0].shape[1])
    return np.column_stack([np.linalg.solve(x.T @ x + lam * eye, x.T @ v) for x, v in zip(X, y, strict=True)])


def joint(X: list[Array], y: list[Array], lam: float, ridge: float, steps: int = 20000) -> Array:
    """Plain FISTA for lam Σ_j ‖W[j,:]‖, stopped where it no longer moves."""
    W = Z = np.zeros((X[0].shape[1], len(X)))
    step = 1.0 / (max(float(np.linalg.norm(x, 2)) ** 2 for x in X) + ridge + 1e-300)
    t = 1.0
    for _ in range(steps):
        g = np.column_stack([x.T @ (x @ z - v) for x, z, v in zip(X, Z.T, y, strict=True)]) + ridge * Z
        V = Z - step * g
        norms = np.linalg.norm(V, axis=1, keepdims=True)
        new = V * (1 - step * lam / np.maximum(norms, step * lam + 1e-300))
        if float(np.vdot(Z - new, new - W)) > 0:
            t = 1.0  # restarted, which makes it linear on these problems
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        Z = new + (t - 1) / after * (new - W)
        if float(np.abs(new - W).max()) <= 1e-15 * float(np.abs(new).max()):
            return new
        W, t = new, after
    return W


def test_a_right_solver_passes_every_law() -> None:
    report = mt.verify.check(ridge, "SingleTaskRidge")
    assert report.passed, str(report)
    assert {law.status for law in report.laws} == {"held", "not applicable"}
    assert "every law held" in str(report)


def test_a_right_iterative_solver_passes() -> None:
    report = mt.verify.check(joint, "JointFeature")
    assert report.passed, str(report)


def test_scikit_learn_passes_on_single_tasks() -> None:
    linear = pytest.importorskip("sklearn.linear_model")

    def ridges(X: list[Array], y: list[Array], lam: float) -> tuple[Array, Array]:
        models = [linear.Ridge(alpha=lam, solver="svd").fit(x, v) for x, v in zip(X, y, strict=True)]
        return np.column_stack([m.coef_ for m in models]), np.array([m.intercept_ for m in models])

    report = mt.verify.check(ridges, "SingleTaskRidge", fit_intercept=True)
    assert report.passed, str(report)


def faulty(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Array]:
    return lambda X, y, **weights: joint(X, y, **change(weights))


FAULTS = {
    "loss not halved": faulty(lambda w: {**w, "lam": w["lam"] / 2, "ridge": w["ridge"] / 2}),
    "half the penalty": faulty(lambda w: {**w, "lam": 2 * w["lam"]}),
    "transposed": lambda X, y, lam, ridge: _columns(X, y, lam),
    "refitted": lambda X, y, lam, ridge: _refitted(X, y, lam, ridge),
}


def _columns(X: list[Array], y: list[Array], lam: float) -> Array:
    """Tasks grouped where features should be."""
    return np.column_stack([_one(x, v, lam) for x, v in zip(X, y, strict=True)])


def _one(x: Array, v: Array, lam: float) -> Array:
    w = np.zeros(x.shape[1])
    step = 1.0 / (float(np.linalg.norm(x, 2)) ** 2 + 1e-300)
    for _ in range(3000):
        u = w - step * (x.T @ (x @ w - v))
        w = u * (1 - step * lam / max(float(np.linalg.norm(u)), step * lam + 1e-300))
    return w


def _refitted(X: list[Array], y: list[Array], lam: float, ridge: float) -> Array:
    W = joint(X, y, lam, ridge)
    on = W.any(axis=1)
    for t, (x, v) in enumerate(zip(X, y, strict=True)):
        W[on, t] = np.linalg.lstsq(x[:, on], v, rcond=None)[0]
    return W


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_refuted_with_a_small_counterexample(name: str) -> None:
    solver = FAULTS[name]
    report = mt.verify.check(solver, "JointFeature", laws=("certificate_closes",))
    assert not report.passed
    (law,) = report.failures
    assert law.status == "failed"
    case = law.counterexample
    assert case is not None
    assert case.data.T <= 3
    assert case.data.p <= 3


def test_a_run_of_few_steps_is_called_unconverged() -> None:
    report = mt.verify.check(
        lambda X, y, lam, ridge: joint(X, y, lam, ridge, steps=5),
        "JointFeature",
        laws=("certificate_closes",),
    )
    (law,) = report.failures
    assert law.diagnosis is not None
    assert law.diagnosis.findings[-1].name == "unconverged"


def test_counterexamples_are_saved_in_three_forms(tmp_path: Path) -> None:
    report = mt.verify.check(
        lambda X, y, lam: 2 * ridge(X, y, lam), "SingleTaskRidge", laws=("certificate_closes",)
    )
    files = report.save(tmp_path)
    assert sorted(f.suffix for f in files) == [".json", ".mat", ".npz"]
    case = report.failures[0].counterexample
    assert case is not None
    plain = json.loads(next(f for f in files if f.suffix == ".json").read_text(encoding="utf-8"))
    assert np.array_equal(np.array(plain["X"][0]), case.data.X[0])
    assert np.array_equal(loadmat(next(f for f in files if f.suffix == ".mat"))["X1"], case.data.X[0])
    with np.load(next(f for f in files if f.suffix == ".npz")) as stored:
        assert np.array_equal(stored["y1"], case.data.y[0])


def test_weights_of_rows_are_saved_with_a_counterexample(tmp_path: Path) -> None:
    data = mt.TaskData.from_list([np.eye(2)], [[1.0, 2.0]], weights=[[1.0, 3.0]])
    case = Case(mt.methods()["Pooled"], {"lam": 1.0}, data)
    Report("Pooled", (LawReport("some_law", "failed", 1, "", case),)).save(tmp_path)
    with np.load(tmp_path / "Pooled-some_law.npz") as stored:
        assert stored["s1"].tolist() == [1.0, 3.0]
    plain = json.loads((tmp_path / "Pooled-some_law.json").read_text(encoding="utf-8"))
    assert plain["sample_weight"] == [[1.0, 3.0]]


@pytest.mark.parametrize(
    ("solver", "what"),
    [
        (lambda X, y, lam: ridge(X, y, lam).T[:, :, None], "W must have 2 axes"),
        (lambda X, y, lam: np.full((X[0].shape[1], len(X)), np.nan), "finite"),
        (lambda X, y, lam: np.zeros((7, 9)), r"shape \(p, T\)"),
        (lambda X, y, lam: 1 / 0, "division by zero"),
        (lambda X, y, lam: (ridge(X, y, lam), np.ones(len(X))), "b = 0"),
    ],
)
def test_what_is_not_an_answer_is_told_apart_from_a_wrong_one(solver: Any, what: str) -> None:
    report = mt.verify.check(solver, "SingleTaskRidge", laws=("certificate_closes",))
    (law,) = report.failures
    assert law.status == "crashed"
    assert str(report).startswith("SingleTaskRidge: crashed")
    assert re.search(what, law.message), law.message


def test_a_solver_that_writes_into_its_input_is_told() -> None:
    def writes(X: list[Array], y: list[Array], lam: float) -> Array:
        W = ridge(X, y, lam)
        X[0][:] = 0.0
        return W

    (law,) = mt.verify.check(writes, "SingleTaskRidge", laws=("certificate_closes",)).failures
    assert "must not change X and y" in law.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "Nothing"}, "method must be one of"),
        ({"method": "GOMTL"}, "method must be convex"),
        ({"budget": "some"}, "budget"),
        ({"scaling": "none"}, "scaling"),
        ({"laws": ("no such law",)}, "laws"),
        ({"tol": -1.0}, "tol"),
    ],
)
def test_bad_requests_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(mt.MtlrefError, match=message):
        mt.verify.check(ridge, **{"method": "SingleTaskRidge", **changes})


PROGRAM = """
import json, sys
import numpy as np
given = json.load(open(sys.argv[1]))
W = []
for t in range(given["T"]):
    X, y = np.array(given[f"X{t + 1}"]), np.array(given[f"y{t + 1}"])
    W.append(np.linalg.solve(X.T @ X + given["lam"] * np.eye(given["p"]), X.T @ y).tolist())
json.dump({"W": np.array(W).T.tolist()}, open(sys.argv[2], "w"))
"""


def program(folder: Path, text: str, timeout: float = 60.0, form: str = "json") -> mt.verify.Program:
    path = folder / "solve.py"
    path.write_text(text, encoding="utf-8")
    return mt.verify.Program(f"{sys.executable} {path} {{input}} {{output}}", form, timeout)


X = [np.eye(2), np.eye(2)]
Y = [np.array([1.0, 2.0]), np.array([3.0, 4.0])]


def test_a_program_in_a_file_is_a_solver(tmp_path: Path) -> None:
    W, b = program(tmp_path, PROGRAM)(X, Y, lam=1.0)
    assert np.allclose(W, [[0.5, 1.5], [1.0, 2.0]], atol=1e-15)
    assert b is None


@pytest.mark.parametrize(
    ("text", "error", "what"),
    [
        ("import time; time.sleep(30)", ProgramTimedOut, "within"),
        ("raise SystemExit('no licence')", ProgramCrashed, "no licence"),
        ("", ProgramGarbage, "no output"),
        ("import sys; open(sys.argv[2], 'w').write('W = 1')", ProgramGarbage, "is not JSON"),
        ("import sys; open(sys.argv[2], 'w').write('{\"V\": 1}')", ProgramGarbage, "must hold W"),
        ("import sys; open(sys.argv[2], 'w').write('{\"W\": [1, 2]}')", ProgramGarbage, "must have 2 axes"),
    ],
)
def test_programs_fail_in_named_ways(tmp_path: Path, text: str, error: type[Exception], what: str) -> None:
    with pytest.raises(error, match=what):
        program(tmp_path, text, timeout=1.0 if "sleep" in text else 60.0)(X, Y, lam=1.0)


def test_a_program_that_does_not_exist() -> None:
    with pytest.raises(ProgramCrashed, match="could not be started"):
        mt.verify.Program("no-such-program {input} {output}")(X, Y, lam=1.0)


def test_a_writer_that_drops_an_axis_is_understood(tmp_path: Path) -> None:
    text = "import sys; open(sys.argv[2], 'w').write('{\"coef\": [1.0, 2.0], \"intercept\": 3.0}')"
    W, b = program(tmp_path, text)([np.eye(2)], [np.zeros(2)], lam=1.0)
    assert np.array_equal(W, [[1.0], [2.0]])
    assert np.array_equal(b, [3.0])


@pytest.mark.parametrize("form", ["npz", "mat"])
def test_programs_read_and_write_other_forms(tmp_path: Path, form: str) -> None:
    load = "np.load(sys.argv[1])" if form == "npz" else "loadmat(sys.argv[1])"
    values = "{'W': W, 'b': [1.0, 2.0]}"
    save = f"np.savez(sys.argv[2], **{values})" if form == "npz" else f"savemat(sys.argv[2], {values})"
    text = (
        "import sys\nimport numpy as np\nfrom scipy.io import loadmat, savemat\n"
        f"given = {load}\nW = np.column_stack([given['y1'].ravel(), given['y2'].ravel()])\n"
        f"W = W / (1 + given['lam'].item())\n{save}\n"
    )
    W, b = program(tmp_path, text, form=form)(X, Y, lam=1.0)
    assert np.array_equal(W, [[0.5, 1.5], [1.0, 2.0]])
    assert np.array_equal(b, [1.0, 2.0])


def test_a_command_without_places_for_the_files_is_refused() -> None:
    with pytest.raises(mt.DataError, match=r"\{output\}"):
        mt.verify.Program("solve {input}")
