"""The commands: what they print, their exit codes, and errors of one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mtlref as mt
from mtlref.cli import main

COMMANDS = ("compare", "methods", "cite", "data", "audit", "verify", "endure")


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {}
    for t in range(3):
        arrays[f"X{t}"] = X = rng.standard_normal((20, 4))
        arrays[f"y{t}"] = X @ np.ones(4) + rng.standard_normal(20)
    np.savez(tmp_path / "small.npz", **arrays)
    return tmp_path / "small.npz"


def failed(capsys):
    """The one line of an error."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert "error: " in err
    return err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "example" in out
    assert f"mtlref {command}" in out.split("example", 1)[1]


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"mtlref {mt.__version__}\n"


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "mtlref", "methods"], capture_output=True, text=True, check=True
    )
    assert "JointFeature" in done.stdout
    assert done.stderr == ""


def test_methods_lists_the_registry(capsys):
    assert main(["methods"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    everything = [*mt.methods(), *mt.methods("nn"), *mt.methods("neighbors"), *mt.methods("gp")]
    assert [line.split()[0] for line in lines] == everything


def test_cite(capsys):
    assert main(["cite", "JointFeature", "TraceNorm", "TraceNorm"]) == 0
    out = capsys.readouterr().out
    keys = {key for name in ("JointFeature", "TraceNorm") for key in mt.methods()[name].sources}
    assert all(out.count(f"{{{key},") == 1 for key in keys)


def test_data_lists_every_set(capsys):
    assert main(["data"]) == 0
    out = capsys.readouterr().out
    assert all(f"{info.name}: " in out and info.licence in out for info in mt.data.available())


def test_compare_and_its_folder(data, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    monkeypatch.chdir(tmp_path)
    options = [
        "--methods",
        "SingleTaskRidge,Pooled",
        "--splits",
        "2",
        "--grid",
        "3",
        "--folds",
        "2",
        "--jobs",
        "1",
    ]
    assert main(["compare", "small.npz", *options]) == 0
    out, err = capsys.readouterr()
    assert "small: 2 methods compared" in out
    assert "mtlref-small/: report.html" in out
    assert "writing the report" in err
    said = json.loads((tmp_path / "mtlref-small" / "provenance.json").read_text())
    assert said["command"] == "mtlref compare small.npz " + " ".join(options)
    assert main(["compare", "small.npz", *options, "--resume", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_compare_a_table(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    rng = np.random.default_rng(0)
    lines = [f"{'uv'[i % 2]},{x:.3f},{x + rng.normal():.3f}" for i, x in enumerate(rng.standard_normal(40))]
    (tmp_path / "t.csv").write_text("city,x,y\n" + "\n".join(lines) + "\n")
    options = [
        "--splits",
        "1",
        "--grid",
        "2",
        "--folds",
        "2",
        "--jobs",
        "1",
        "--methods",
        "Pooled",
        "--quiet",
    ]
    arguments = ["compare", str(tmp_path / "t.csv"), "--out", str(tmp_path / "o"), *options]
    assert main([*arguments, "--task", "city", "--target", "y"]) == 0
    assert "2 tasks, 40 rows, 1 feature, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "required: COMMAND"),
        (["compote"], 2, "invalid choice"),
        (["compare", "--splits", "x"], 2, "must be a whole number"),
        (["compare", "--splits", "0"], 2, "must be >= 1"),
        (["compare", "--train-size", "2"], 2, "between 0 and 1"),
        (["compare", "--train-size", "a"], 2, "must be fractions"),
        (["compare", "--resume", "--force"], 2, "exclude each other"),
        (["compare", "digits", "--task", "a"], 2, "--task names a column of a file"),
        (["compare", "none.csv"], 1, "no such file"),
        (["compare", "nothing"], 1, "nothing"),
        (["cite"], 2, "required: METHOD"),
        (["cite", "JointFeatures"], 2, "did you mean JointFeature"),
        (["audit", "--method", "Pooled"], 2, "required"),
    ],
)
def test_errors_are_one_line(arguments, code, message, capsys):
    assert main(arguments) == code
    assert message in failed(capsys)


def test_unknown_methods_and_metrics_are_usage(data, tmp_path, capsys):
    base = ["compare", str(data), "--out", str(tmp_path / "o")]
    assert main([*base, "--methods", "Poled"]) == 2
    assert "did you mean Pooled" in failed(capsys)
    assert main([*base, "--metric", "auc"]) == 2
    assert "must be one of mse" in failed(capsys)
    assert not (tmp_path / "o").exists()


def test_audit_certifies(data, tmp_path, capsys):
    arrays = np.load(data)
    tasks = mt.TaskData.from_list([arrays[f"X{t}"] for t in range(3)], [arrays[f"y{t}"] for t in range(3)])
    model = mt.JointFeature(lam=3.0, scaling="sum", tol=1e-10).fit(tasks)
    (tmp_path / "good.json").write_text(
        json.dumps({"coef": model.coef_.tolist(), "intercept": model.intercept_.tolist()})
    )
    np.savez(tmp_path / "bad.npz", W=model.coef_.T + 0.1)
    problem = ["audit", "--method", "JointFeature", "--data", str(data)]
    problem += ["--params", "lam=3", "scaling=sum"]
    assert main([*problem, "--answer", str(tmp_path / "good.json")]) == 0
    assert "certified: optimal to a relative gap of 1e-06" in capsys.readouterr().out
    assert main([*problem, "--answer", str(tmp_path / "bad.npz")]) == 1
    assert "NOT certified" in capsys.readouterr().out
    assert main([*problem, "--answer", str(tmp_path / "good.json"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["passed"]
    assert said["relative_gap"] <= 1e-9
    assert said["primal"] == pytest.approx(model.result_.certificate.primal)


def test_audit_of_what_is_not_convex_says_what_is_proven(data, tmp_path, capsys):
    arrays = np.load(data)
    tasks = mt.TaskData.from_list([arrays[f"X{t}"] for t in range(3)], [arrays[f"y{t}"] for t in range(3)])
    model = mt.KMeansMTL(lam=3.0, n_clusters=2, scaling="sum", tol=1e-9, random_state=0).fit(tasks)
    answer = {"coef": model.coef_.tolist(), "intercept": model.intercept_.tolist()}
    (tmp_path / "w.json").write_text(json.dumps(answer))
    problem = ["audit", "--method", "KMeansMTL", "--data", str(data), "--answer", str(tmp_path / "w.json")]
    problem += ["--params", "lam=3", "n_clusters=2", "scaling=sum"]
    found = mt.audit(model, tasks, model.coef_.T, model.intercept_)
    assert main(problem) == 0
    said = capsys.readouterr().out
    assert "certified: block optimality, of a problem that is not convex, to a relative gap" in said
    assert "no coefficients do better" not in said
    above = 100 * (found.primal / found.bound - 1)
    assert f"(of the convex relaxation; this is at most {above:.2g} % above the optimum)" in said
    assert main([*problem, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bound"] == pytest.approx(found.bound, rel=1e-6)


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        (["lam"], 2, "NAME=VALUE"),
        (["lamb=1"], 2, "lamb"),
        (["lam=-1"], 1, "lam must be"),
        (["graph=none.csv"], 1, "none.csv"),
    ],
)
def test_audit_parameters(data, tmp_path, params, code, message, capsys):
    np.savez(tmp_path / "w.npz", W=np.zeros((4, 3)))
    options = ["--data", str(data), "--answer", str(tmp_path / "w.npz"), "--params", *params]
    method = "Pooled" if "graph" not in params[0] else "GraphRegularized"
    assert main(["audit", "--method", method, *options]) == code
    assert message in failed(capsys)


def test_audit_over_a_graph(data, tmp_path, capsys):
    np.savetxt(tmp_path / "graph.csv", np.ones((3, 3)) - np.eye(3), delimiter=",")
    np.savez(tmp_path / "w.npz", W=np.zeros((4, 3)))
    options = ["--data", str(data), "--answer", str(tmp_path / "w.npz")]
    params = ["--params", "lam=1", f"graph={tmp_path / 'graph.csv'}", "ridge=1"]
    assert main(["audit", "--method", "GraphRegularized", *options, *params]) == 1
    assert "NOT certified" in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX shells")
def test_a_closed_pipe_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -W error -m mtlref cite JointFeature TraceNorm | head -1",
        shell=True, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("@")
    assert done.stderr == ""


def test_verify_refutes_a_program_and_saves_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("hypothesis")
    program = tmp_path / "solve.py"
    program.write_text(
        "import json, sys\nd = json.load(open(sys.argv[1]))\n"
        "json.dump({'W': [[1.0] * d['T']] * d['p']}, open(sys.argv[2], 'w'))\n",
        encoding="utf-8",
    )
    command = f"{sys.executable} {program} {{input}} {{output}}"
    options = ["--format", "json", "--laws", "certificate_closes", "--out", str(tmp_path / "found")]
    assert main(["verify", "--method", "SingleTaskRidge", "--command", command, *options]) == 1
    out = capsys.readouterr()
    assert "SingleTaskRidge: refuted" in out.out
    assert "certificate_closes: failed" in out.err
    assert (tmp_path / "found" / "SingleTaskRidge-certificate_closes.json").is_file()


def test_audit_says_what_a_wrong_answer_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    X, Y = np.eye(2), np.array([[2.0, 4.0], [1.0, 3.0]])
    np.savez(tmp_path / "data.npz", X=X, Y=Y)
    np.savez(tmp_path / "answer.npz", W=Y / 1.5)
    code = main(
        ["audit", "--method", "SingleTaskRidge", "--params", "lam=1", "scaling=sum", "fit_intercept=false",
         "--data", str(tmp_path / "data.npz"), "--answer", str(tmp_path / "answer.npz")]
    )  # fmt: skip
    assert code == 1
    assert "the loss is not halved" in capsys.readouterr().out
