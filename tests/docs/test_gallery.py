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
