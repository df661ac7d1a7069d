"""The races are fair: baselines reach the optimum that the library certifies, gaps are recomputed, records compare."""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import mtlref as mt

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def found(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.mark.parametrize("cls", [mt.JointFeature, mt.TraceNorm])
@pytest.mark.parametrize(
    ("loss", "fit_intercept"),
    [("squared", True), ("squared", False), ("logistic", True), ("logistic", False)],
)
def test_fista_reaches_a_certified_optimum(cls, loss, fit_intercept):
    from benchmarks import fista

    data, _, _ = mt.data.make_low_rank(T=4, p=6, n=(15, 30), loss=loss, random_state=0)
    for scaling in ("sum", "mean"):
        model = cls(loss=loss, scaling=scaling, fit_intercept=fit_intercept)
        model.set_params(lam=0.1 * model.lam_max(data))
        prox = fista.prox_rows if cls is mt.JointFeature else fista.prox_singular_values
        made = fista.squared if loss == "squared" else fista.logistic
        solver = fista.Fista(made(data, fit_intercept, scaling), prox, model.lam)
        solver.advance(1000)
        assert mt.audit(model, data, solver.W).relative_gap < 1e-8


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_forms_of_the_squared_loss_have_one_gradient(fit_intercept):
    from benchmarks import fista

    rng = np.random.default_rng(0)
    for n, p in ((12, 5), (6, 20)):
        X, Y, W = rng.standard_normal((n, p)), rng.standard_normal((n, 3)), rng.standard_normal((p, 3))
        if fit_intercept:
            X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
        data = mt.TaskData.from_shared(X, Y)
        forms = [
            fista.squared(data, fit_intercept, "mean"),
            fista.squared_moments(mt.Moments.from_data(data), fit_intercept, "mean"),
            fista.squared_shared(X, Y),
        ]
        for form in forms:
            np.testing.assert_allclose(form.gradient(W), X.T @ (X @ W - Y) / n, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(form.lipschitz, np.linalg.norm(X, 2) ** 2 / n, rtol=1e-10)


def test_the_prox_of_clusters_is_that_of_the_penalty():
    from benchmarks import fista
    from mtlref.penalties import BoxNorm

    rng = np.random.default_rng(0)
    for step in (0.01, 1.0):
        W = rng.standard_normal((7, 5))
        ours = fista.prox_clusters(0.1, 2)(W, step)
        np.testing.assert_allclose(ours, BoxNorm(eta=0.1, k=2).prox(W, step), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("penalty", ["rows", "trace", "squared trace", "clusters"])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("shared", [True, False])
def test_the_objective_of_the_races_agrees_with_the_audit(penalty, loss, shared):
    from benchmarks.case import Case
    from benchmarks.datasets import joint_rows

    if loss == "logistic" and shared:
        return  # no race has the logistic loss on one design
    table = (
        joint_rows.shared(20, 8, 6, 3)
        if shared
        else joint_rows.ragged(6, 20, 8, 3, labels=loss == "logistic")
    )
    rng = np.random.default_rng(1)
    for intercept in (False, True) if not shared else (False,):
        case = Case(table, penalty, (0.05,), loss=loss, fit_intercept=intercept)
        W = 0.1 * rng.standard_normal((8, 6))
        primal, dual = case.objective().primal_dual(W, 0.05)
        judged = mt.audit(case.model(0.05), table.tasks(), W)
        np.testing.assert_allclose(primal, judged.primal, rtol=1e-10)
        assert dual <= primal
        best = case.model(0.05, 1e-10).fit(table.tasks())
        # Both are lower bounds of the same minimum, and both touch it at the optimum.
        assert dual <= best.result_.certificate.primal * (1 + 1e-12)
        assert abs(case.objective().gap(best.coef_.T, 0.05)) <= 1e-9


def test_every_quick_problem_is_certified(monkeypatch, capsys, tmp_path):
    for name in ("sklearn", "celer", "skglm", "adelie", "spams", "GPy", "gpytorch", "torch", "torchjd"):
        # Peers are raced where someone asks for it: their compilers alone take longer than a test may.
        monkeypatch.setitem(sys.modules, name, None)
    from benchmarks.__main__ import main
    from benchmarks.solvers import solver as base

    monkeypatch.setattr(base, "find_spec", lambda name: None)
    drawn = []
    monkeypatch.setattr("benchmarks.__main__.draw", lambda suite, *rest: drawn.append(suite))
    monkeypatch.setenv("MTLREF_CACHE", str(tmp_path))
    monkeypatch.delenv("MTLREF_DATA", raising=False)
    history = tmp_path / "history.jsonl"
    asked = ["--quick", "--repeat", "1", "--budget", "1", "--output", str(tmp_path)]
    suites = [word for s in ("l21", "trace", "mtrl") for word in ("--suite", s)]
    assert main([*asked, *suites, "--record", str(history)]) == 0
    said = capsys.readouterr().out
    assert "not installed, left out:" in said
    assert "celer" in said
    written = json.loads((tmp_path / "results.json").read_text())
    ours = [r for race in written["races"] for r in race if r["solver"] == "mtlref"]
    assert len(ours) == 8
    assert all(r["status"] == "reached" and r["gap"] <= 1e-8 for r in ours)
    assert all(r["status"] != "failed" for race in written["races"] for r in race)
    assert drawn == (["l21", "mtrl", "trace"] if find_spec("matplotlib") is not None else [])
    assert str(tmp_path) not in history.read_text()


def test_a_figure_has_a_panel_a_problem(tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks.outcome import REACHED, Outcome
    from benchmarks.plot import draw

    with_curve = Outcome("l21", "A", "mtlref", REACHED, curve=[(0.1, 1e-3), (0.2, 0.0)])
    assert not draw("l21", [[Outcome("l21", "A", "mtlref", REACHED)]], 1e-8, tmp_path / "none.png")
    assert draw("l21", [[with_curve, replace(with_curve, solver="celer")]], 1e-8, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 1000


def test_what_misses_the_gap_has_no_time(monkeypatch):
    from benchmarks import outcome
    from benchmarks.report import lines
    from benchmarks.runner import Limits, race
    from benchmarks.solvers.mtlref_fit import Ours
    from benchmarks.suites.l21 import QUICK

    class Sloppy(Ours):
        name = "sloppy"

        def run(self, tol):
            return [1.01 * W for W in super().run(1e-4)]

    case = QUICK[0].make()
    limits = Limits(1e-8, 5.0, 1)
    ours, sloppy = race("l21", "x", case, Ours, limits), race("l21", "x", case, Sloppy, limits)
    assert (ours.status, sloppy.status) == (outcome.REACHED, outcome.SHORT)
    assert "however small its tolerance" in sloppy.note
    first = lines([sloppy, ours], "words")[2].split()[0]
    assert first == "-"


def test_the_audit_has_the_last_word():
    from benchmarks import outcome
    from benchmarks.runner import Limits, race
    from benchmarks.solvers.mtlref_fit import Ours
    from benchmarks.suites.l21 import QUICK

    case = QUICK[0].make()

    class Blind:
        null, penalty, top = 1.0, None, None

        def gap(self, W, lam):
            return 0.0

    class Lied(type(case)):
        def objective(self):
            return Blind()

    lied = Lied(**{f: getattr(case, f) for f in case.__dataclass_fields__})
    monster = type("Zero", (Ours,), {"run": lambda self, tol: [np.zeros((60, 4))]})
    object.__setattr__(lied, "small", lambda: case)
    result = race("l21", "x", lied, monster, Limits(1e-8, 1.0, 1))
    assert result.status == outcome.SHORT
    assert "the audit says" in result.note


def test_races_run_in_processes_of_their_own():
    from dataclasses import asdict

    from benchmarks import outcome
    from benchmarks.control import Processes
    from benchmarks.runner import Limits

    limits = Limits(1e-8, 5.0, 1)
    task = {"suite": "l21", "problem": "small shared", "solver": "mtlref", "limits": asdict(limits)}
    with Processes(1) as processes:
        for _ in range(2):
            (result,) = processes.run(task, limits)
            assert result.status == outcome.REACHED
            assert 0 <= result.gap <= 1e-8
            assert len(result.curve) == 4
        assert processes.again("mtlref", limits) > 0
        assert processes.again("celer", limits) is None  # which has not been raced
        child = processes.open["mtlref"].child
        (wrong,) = processes.run({**task, "solver": "celery"}, limits)
        assert (wrong.status, wrong.solver) == (outcome.FAILED, "celery")
        child.kill()
        (dead,) = processes.run(task, limits)
        assert dead.status == outcome.FAILED
        assert "ended with code" in dead.note
        assert processes.run(task, limits)[0].status == outcome.REACHED
        processes.open["mtlref"].child.kill()
        assert processes.again("mtlref", limits) is None
        assert "mtlref" not in processes.open
    with Processes(1, {"mtlref": "false"}) as processes:  # a program that ends at once
        (dead,) = processes.run(task, limits)
        assert (dead.status, dead.solver) == (outcome.FAILED, "mtlref")


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
def test_a_solver_may_have_an_interpreter_of_its_own(tmp_path, capsys):
    from benchmarks import machine, report
    from benchmarks.__main__ import main

    seen = tmp_path / "seen"
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\necho "$@" >> "{seen}"\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    asked = ["--suite", "l21", "--problem", "path A", "--solver", "skglm", "--minutes", "1e-9"]
    assert main([*asked, "--python", f"skglm={other}"]) == 0
    assert "skglm with mtlref" in capsys.readouterr().out
    assert "benchmarks.machine" in seen.read_text()  # its versions are those of its own environment
    for wrong, why in (
        ("skglm", "NAME=PATH"),
        (f"sklearn={other}", "NAME one of"),
        (f"skglm={tmp_path / 'none'}", "cannot be run"),
        (f"skglm={tmp_path}", "cannot be run"),
        ("skglm=false", "must run this source"),
    ):
        with pytest.raises(SystemExit):
            main([*asked, "--python", wrong])
        assert why in capsys.readouterr().err
    known = machine.described(1, {"skglm": str(other)})
    assert known["elsewhere"] == {"skglm": known["versions"]}
    assert len(report.heading(known)) == 3


def test_solvers_that_have_the_gap_solve_again_in_turn():
    from benchmarks import control
    from benchmarks.ledger import Ledger
    from benchmarks.outcome import REACHED, SHORT, Outcome
    from benchmarks.runner import Limits

    asked = []

    class Recorded:
        def again(self, name, limits):
            asked.append(name)
            return {"mtlref": 0.5, "celer": 4.0, "skglm": None}[name]

    made = (
        ("mtlref", REACHED, 1.0),
        ("celer", REACHED, 3.0),
        ("skglm", REACHED, 1.0),
        ("adelie", SHORT, 1.0),
    )
    raced = [Outcome("l21", "A", name, status, seconds=seconds) for name, status, seconds in made]
    control._turns(raced, Limits(1e-8, 9.0, 4), Recorded(), Ledger(None, lambda _: {}))
    # One that does not answer has no further turn, nor has one whose budget would not suffice.
    assert asked == ["mtlref", "celer", "skglm", "mtlref", "mtlref"]
    assert [r.seconds for r in raced] == [0.5, 3.0, 1.0, 1.0]


def test_a_race_against_scikit_learn():
    pytest.importorskip("sklearn")
    from benchmarks import outcome
    from benchmarks.runner import Limits, race
    from benchmarks.solvers.catalogue import solver
    from benchmarks.suites.l21 import QUICK

    for problem in QUICK[:2]:
        result = race("l21", problem.name, problem.make(), solver("scikit-learn"), Limits(1e-8, 5.0, 1))
        assert result.status == outcome.REACHED
        assert result.gap <= 1e-8


def test_a_record_compares_like_with_like():
    from benchmarks import record
    from benchmarks.outcome import REACHED, Outcome

    machine = {"processor": "x", "cores": 2, "system": "y", "threads": 1}
    races = [[Outcome("l21", "A", "mtlref", REACHED, seconds=1.0), Outcome("l21", "A", "celer", REACHED)]]
    then = record.entry(races, machine, 1e-8)
    races[0][0] = replace(races[0][0], seconds=2.0)
    now = record.entry(races, machine, 1e-8)
    assert now["seconds"] == {"l21/A": 2.0}
    assert record.changes(now, [then])[1].split()[0] == "2.00"
    assert "slower" in record.changes(now, [then])[1]
    other = {**then, "machine": {**machine, "threads": 2}}
    assert len(record.changes(now, [other])) == 1


def test_the_baselines_of_the_squared_trace_norm_reach_a_certified_optimum():
    from benchmarks import fista
    from benchmarks.alternation import Alternation

    data, _, _ = mt.data.make_low_rank(T=8, p=4, n=(15, 30), random_state=0)
    for intercept in (True, False):
        model = mt.MTRL(scaling="sum", fit_intercept=intercept)
        model.set_params(lam=1e-3 * model.lam_scale(data))
        plain = fista.Fista(fista.squared(data, intercept), fista.prox_squared_trace_norm, model.lam)
        plain.advance(3000)
        assert mt.audit(model, data, plain.W).relative_gap < 1e-8
        alternation = Alternation(data, intercept, model.lam)
        alternation.advance(300)
        # It stalls where the best covariance has lost rank.
        assert mt.audit(model, data, alternation.W).relative_gap < 1e-3


def test_the_alternation_of_clusters_reaches_a_certified_optimum():
    from benchmarks.alternation import ClusterAlternation

    for T, p in ((8, 4), (4, 6)):
        data, _, _ = mt.data.make_low_rank(T=T, p=p, n=(15, 30), random_state=0)
        model = mt.ClusteredMTL(eta=0.1, n_clusters=2, scaling="sum")
        model.set_params(lam=1e-2 * model.lam_scale(data))
        alternation = ClusterAlternation(data, True, model.lam, 0.1, 2)
        alternation.advance(100)
        assert mt.audit(model, data, alternation.W).relative_gap < 1e-8


def test_the_block_diagonal_form_states_the_same_problem():
    from benchmarks.case import Case
    from benchmarks.datasets import joint_rows
    from benchmarks.solvers.block_diagonal import multiple, refusal, stacked, unstacked

    table = joint_rows.ragged(4, 10, 6, 2)
    X, y, groups = stacked(table)
    W = np.random.default_rng(0).standard_normal((6, 4))
    np.testing.assert_array_equal(unstacked(W.ravel(), table), W)
    left = y - X @ W.ravel()
    norms = sum(float(np.linalg.norm(W.ravel()[g])) for g in groups)
    theirs = left @ left / (2 * len(y)) + 0.3 * multiple(table) * norms
    ours, _ = Case(table, "rows", (0.3,)).objective().primal_dual(W, 0.3)
    np.testing.assert_allclose(theirs / multiple(table), ours, rtol=1e-12)
    assert refusal(table, "mean", False) is None
    assert "intercept" in refusal(table, "mean", True)


def test_tables_are_written_from_the_results(tmp_path):
    from benchmarks import table
    from benchmarks.outcome import REACHED, SHORT, TIME, Outcome

    one = [
        Outcome("l21", "A", "mtlref", REACHED, seconds=0.1, gap=1e-9),
        Outcome("l21", "A", "celer", REACHED, seconds=0.45, gap=1e-9),
        Outcome("l21", "A", "skglm", TIME, seconds=2.0, gap=1e-3),
        Outcome("l21", "A", "spams", SHORT, seconds=1.0, gap=1e-5),
    ]
    machine = {"processor": "x", "cores": 2, "threads": 1, "load before": 0.0, "versions": {"mtlref": "1"}}
    machine["elsewhere"] = {"celer": {"celer": "3"}, "skglm": {"celer": "3"}, "spams": {"mtlref": "1"}}
    result = {"commit": "abc", "gap": 1e-8, "machine": machine, "races": [[r.to_dict() for r in one]]}
    (tmp_path / "results.json").write_text(json.dumps(result))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    assert table.main([str(tmp_path / "results.json"), "--write", str(page)]) == 0
    written = page.read_text()
    assert "| 0.1 | celer 4.5; skglm >20; spams: gap 1e-05 | 1 |" in written
    assert (
        "- Run 1: commit abc, x, 2 cores, 1 thread(s), load 0.0, relative gap 1e-08; environment a; celer, skglm in b."
        in written
    )
    assert "- Environment b: celer 3." in written
    assert "old" not in written
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    one[0].seconds, result["machine"]["threads"] = 0.05, 2
    (tmp_path / "two.json").write_text(json.dumps(result | {"races": [[r.to_dict() for r in one]]}))
    both = ["--pair", str(tmp_path / "results.json"), str(tmp_path / "two.json")]
    assert table.main([str(tmp_path / "results.json"), *both, "--write", str(page)]) == 0
    assert "| suite | problem | s on 1 | s on 2 | times longer |" in page.read_text()
    assert "| l21 | A | 0.1 | 0.05 | 0.50 |" in page.read_text()
    with pytest.raises(ValueError, match="must hold one line"):
        table.put("no marks", [])
    marks = (ROOT / "docs" / "benchmarks.md").read_text()
    assert f"{table.BEGIN}\na table\n{table.END}" in table.put(marks, ["a table"])


def test_the_other_suites_run(monkeypatch, capsys):
    from benchmarks.__main__ import main
    from benchmarks.suites import gp, nn

    # Peers are raced where someone asks for it.
    monkeypatch.setattr(nn, "find_spec", lambda name: None)
    monkeypatch.setattr(gp, "find_spec", lambda name: None)
    suites = [word for s in ("gp", "nn", "decision", "growth") for word in ("--suite", s)]
    assert main(["--quick", "--repeat", "1", "--budget", "0.01", *suites]) == 0
    said = capsys.readouterr().out
    assert "failed" not in said
    assert "not reached" not in said
    assert "stated 1: O(" in said
    assert main(["--list"]) == 0
    assert "School raw clusters" in capsys.readouterr().out


def test_the_exponent_is_that_of_the_last_decade():
    from benchmarks.suites.growth import exponent

    points = [(s, 0.01 + 1e-6 * s**2, 0.0) for s in (1.0, 10.0, 1000.0, 3162.0, 10000.0)]
    assert exponent(points) == pytest.approx(2.0, abs=0.02)  # the constant still shows


def test_further_programs_are_run_where_they_are(monkeypatch, tmp_path):
    from benchmarks.suites import catalogue

    said = []
    monkeypatch.setattr(catalogue, "FURTHER", {"nothing": [], "balancers": None, "table": ["--help"]})
    kept = catalogue.further(1, said.append, quick=True)
    assert said[:3] == [
        "benchmarks.nothing is not here",
        "benchmarks.balancers has no quick form",
        "== table",
    ]
    assert "results.json" in kept["table"]
    assert catalogue._read('{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]
    assert catalogue._read('{\n"a": 1}') == {"a": 1}


def test_a_run_that_is_interrupted_goes_on(monkeypatch, tmp_path, capsys):
    from benchmarks import control
    from benchmarks.__main__ import main
    from benchmarks.outcome import FAILED, REACHED, Outcome

    raced = []

    def outcomes(task, broken=False):
        raced.append(task["solver"])
        if len(raced) == 3:
            raise KeyboardInterrupt
        status = FAILED if task["solver"] == "FISTA" else REACHED
        return [Outcome(task["suite"], task["problem"], task["solver"], status, seconds=1.0, gap=0.0)]

    monkeypatch.setattr(control, "outcomes", outcomes)
    monkeypatch.setattr("benchmarks.__main__.draw", lambda *_: True)
    asked = ["--quick", "--suite", "mtrl", "--problem", "small MTRL", "--problem", "small clusters"]
    asked += ["--output", str(tmp_path)]
    with pytest.raises(KeyboardInterrupt):
        main(asked)
    assert raced == ["mtlref", "FISTA", "alternation"]
    kept = json.loads((tmp_path / "results.json").read_text())["races"]
    assert [r["solver"] for r in kept[0]] == ["mtlref", "FISTA"]
    assert main([*asked, "--resume", "--solver", "mtlref", "--solver", "FISTA"]) == 0
    assert raced[3:] == ["FISTA", "mtlref", "FISTA"]  # what failed again, then the second problem
    assert main([*asked, "--resume", "--minutes", "1e-9"]) == 0
    assert len(raced) == 6  # no race begins after that
    kept = json.loads((tmp_path / "results.json").read_text())["races"]
    assert [[r["solver"] for r in one] for one in kept] == [["mtlref", "FISTA"]] * 2
    capsys.readouterr()
    for wrong in (["--gap", "1e-6"], ["--budget", "3"]):
        with pytest.raises(SystemExit):
            main([*asked, *wrong, "--resume"])
        assert "have another" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--quick", "--resume"])


def test_the_key_problems_are_there():
    from benchmarks.suites.catalogue import KEY, NOT_KEY, SUITES, in_key, problems

    for suite in SUITES:
        every = [(p.name, s) for p in problems(suite, False) for s in p.solvers]
        chosen = [x for x in every if in_key(suite, *x)]
        assert chosen
        assert (len(chosen) < len(every)) == (suite in KEY or suite in NOT_KEY)
    assert in_key("l21", "E", "FISTA")
    assert not in_key("l21", "A", "FISTA")


def test_the_clock_is_the_processor_s_on_one_thread(monkeypatch):
    import time

    from benchmarks import clock, machine

    for names, value in ((machine.THREADS[:2], "1"), (machine.THREADS[:1], "2")):
        for name in names:
            monkeypatch.setenv(name, value)
        took, answer = clock.timed(lambda: time.sleep(0.05))
        assert answer is None
        # Asleep, a process has no time of the processor, but the wall's.
        assert (took < 0.04) == (value == "1")
    assert len(clock.best_of([lambda: None] * 2)) == 2
    assert machine.spent_by(-1) is None


def test_growth_is_drawn_with_both_exponents(tmp_path):
    pytest.importorskip("matplotlib")
    from benchmarks.outcome import REACHED, Outcome
    from benchmarks.plot import draw, power

    curve = [(10.0, 0.01), (100.0, 0.1), (1000.0, 10.0)]
    assert power(curve)[1] == pytest.approx(2.0)
    assert power(curve[:1]) is None
    note = "p^2.00, stated 2: O(p²)"
    one = Outcome("growth", "Some: p", "mtlref", REACHED, curve=curve, note=note)
    assert draw("growth", [[one], [replace(one, curve=curve[:1])]], 1e-8, tmp_path / "growth.png")
