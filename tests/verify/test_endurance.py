"""The run over thousands of problems: it goes on where it was stopped, and keeps what it refutes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mtlref as mt
from mtlref.cli import main

pytest.importorskip("hypothesis")

from mtlref.verify import endurance
from mtlref.verify.laws import LawViolation, laws_of


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endurance, "CHUNK", 2)
    monkeypatch.setattr(endurance.run_chunk, "__defaults__", (2,))


@pytest.mark.usefixtures("small")
def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    done: list[Any] = []
    first = endurance.endure(("SingleTaskRidge",), 4, tmp_path, done.append)
    assert [c.status for c in first] == ["held", "held"]
    assert len(done) == 2
    again = endurance.endure(("SingleTaskRidge",), 6, tmp_path, done.append)
    assert again[:2] == first
    assert len(done) == 3
    assert "6 problems   0 refuted" in endurance.table(again)


@pytest.mark.usefixtures("small")
def test_a_refutation_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(case: Any, rng: Any) -> None:
        raise LawViolation("it never holds")

    law = mt.verify.laws.Law(never)
    monkeypatch.setattr(endurance, "laws_of", lambda asked: iter([law]))
    (chunk,) = endurance.endure(("SingleTaskRidge",), 2, tmp_path)
    assert (chunk.status, chunk.examples) == ("failed", 1)
    (saved,) = tmp_path.glob("*.json")
    assert json.loads(saved.read_text(encoding="utf-8"))["method"] == "SingleTaskRidge"
    assert "1 refuted" in endurance.table([chunk])


def test_the_plan_has_every_law_and_loss_that_it_speaks_of() -> None:
    pairs = {(loss, law.name) for loss, law, _ in endurance.plan("JointFeature", 10_000)}
    asked = mt.methods()["JointFeature"]
    squared = (
        "moments_give_the_answer_of_the_rows",
        "small_lam_is_least_squares",
        "rotating_tasks_rotates_the_answer",
    )
    silent = {("logistic", law) for law in squared}
    assert pairs == {(loss, law.name) for loss in asked.losses for law in laws_of(asked)} - silent


@pytest.mark.usefixtures("small")
def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["endure", "--methods", "Pooled", "--examples", "2", "--folder", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "Pooled squared certificate_closes chunk 0: 2 problems held" in out
    assert "0 refuted" in out
    assert main(["endure", "--methods", "Nothing", "--folder", str(tmp_path)]) == 2


def test_bad_counts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(mt.DataError, match="examples must be >= 1"):
        endurance.endure(("Pooled",), 0, tmp_path)
