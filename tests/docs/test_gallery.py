"""The programs of the gallery run, with few trials, and print their tables."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A program by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "gallery"))
    return importlib.import_module


@pytest.mark.parametrize(
    ("name", "arguments", "lines"),
    [
        ("inputs_as_outputs", ["--trials", "2", "--epochs", "40"], 5),
        ("peaks", ["--trials", "2", "--epochs", "20", "--rows", "30"], 7),
        ("representation_bias", ["--trials", "2", "--epochs", "20"], 4),
        ("auxiliary", ["--trials", "1", "--epochs", "3"], 12),
    ],
)
def test_the_program_prints_its_table(
    name: str, arguments: list[str], lines: int, program: Any, capsys: Any
) -> None:
    assert program(name).main(arguments) == 0
    said = capsys.readouterr().out
    assert len([line for line in said.splitlines() if line.startswith("|")]) == lines, said
    assert (ROOT / "docs" / "gallery" / f"{name}.md").is_file()


def test_codes_are_the_bits_of_the_place(program: Any) -> None:
    code = program("inputs_as_outputs").code
    values = np.array([-5.0, 0.0, 4.999, 5.0])
    places = code(values) @ 2.0 ** np.arange(9, -1, -1)
    np.testing.assert_array_equal(places, [0, 512, 1023, 1023])


def test_tasks_of_the_representations_are_what_they_say(program: Any) -> None:
    """On T's rows either parity gives T, and C says nothing of it; likewise for T' with A and C."""
    bias = program("representation_bias")
    on = bias.A == bias.B
    np.testing.assert_array_equal(bias.T[on], bias.B[on] & bias.E[on])
    assert bias.C[on & bias.T].mean() == 0.5
    on = bias.A == bias.C
    np.testing.assert_array_equal(bias.T2[on], bias.C[on] | bias.F[on])
    assert bias.B[on & bias.T2].mean() == 0.5


def test_equal_tuning_writes_results_pictures_and_tables(program: Any, capsys: Any, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    tuning = program("tuning")
    some = [
        "--data",
        "digits",
        "--methods",
        "single-task nets,equal weights,tuned weights,MGDA",
        "--out",
        str(tmp_path),
    ]
    assert tuning.main([*some, "--settings", "1", "--splits", "2", "--epochs", "2"]) == 0
    said = capsys.readouterr().out
    assert "8 trainings, 0 failed." in said
    assert len((tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()) == 9
    assert (tmp_path / "tuning-digits.svg").read_text(encoding="utf-8").count("<circle") > 0
    assert tuning.main([*some, "--read"]) == 0
    assert capsys.readouterr().out == said
    # What is done is not done again.
    assert tuning.main([*some, "--settings", "1", "--splits", "2", "--epochs", "2"]) == 0
    assert capsys.readouterr().out == said


def test_every_method_draws_the_same_rates(program: Any) -> None:
    pytest.importorskip("sklearn")
    tuning = program("tuning")
    rows = [tuning.trained(m, "digits", 0, 1, 1) for m in ("equal weights", "UW", "PCGrad")]
    assert len({(r["rate"], r["ridge"]) for r in rows}) == 1
    assert len({r["own"] for r in rows}) == 3


def test_auc_is_the_metric(program: Any) -> None:
    import mtlref as mt

    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 40), np.round(rng.standard_normal(40), 1)
    data = mt.TaskData.from_list([np.ones((40, 1))], [y.astype(float)])
    assert program("tuning").auc(y, score) == pytest.approx(mt.metrics.auc(data, [score]), abs=1e-12)


def test_tables_go_between_the_marks_of_a_page(program: Any, tmp_path: Path) -> None:
    marked, page = program("marked"), tmp_path / "page.md"
    page.write_text("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n", encoding="utf-8")
    for _ in range(2):
        marked.put(page, "x", "new\n")
        assert page.read_text(encoding="utf-8") == "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb\n"
    with pytest.raises(ValueError, match="once each"):
        marked.put(page, "y", "new")


def test_tables_of_the_processes_are_what_was_found(program: Any) -> None:
    """The page holds the marks; means, standard errors and choices are those of the results."""
    text = (ROOT / "docs" / "gp.md").read_text(encoding="utf-8")
    assert all(text.count(f"<!-- {name}: begin -->") == 1 for name in ("jura", "jura changes", "sarcos"))
    sarcos, jura = program("sarcos_gp"), program("jura_models")
    smse = {"together": (0.2, 0.4), "apart": (0.3, 0.3), "no tie": (0.1, 0.2)}
    found = {(m, 50, r): {"smse": [v, v]} for m, pair in smse.items() for r, v in enumerate(pair)}
    line = sarcos.table(found, [50]).splitlines()[-1]
    cells = "0.3000 ± 0.1000 | 0.3000 ± 0.0000 | 0.1500 ± 0.0500 | +0.0000 ± 0.1000 | +0.1500 ± 0.0500"
    assert line == f"| 50 | 2 | {cells} |"
    one = {
        "targets": "raw",
        "kernel": "RBF",
        "rank": 2,
        "mean": "zero",
        "likelihood": -2.0,
        "bic": -3.0,
        "left out": -1.0,
    }
    rows = [one | {"error": 0.5}, one | {"kernel": "Matern12", "likelihood": -1.0, "error": 0.7}]
    said = jura.table(rows)
    assert "| raw | RBF | 2 | zero | −2.0 | −3.0 | −1.0000 | 0.5000 |" in said
    assert "- raw, chosen by the likelihood: raw, Matern12, rank 2, zero mean: error 0.7000" in said
    names = [
        {"kernel": k, "targets": f, "likelihood": -1.0, "error": 0.5}
        for k in jura.CHANGES
        for f in ("raw", "log")
    ]
    assert jura.changes(names).splitlines()[2] == "| none | 0.5000 | 0.0 | 0.5000 | 0.0 |"
