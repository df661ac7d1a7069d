"""What the page says of a sample of mutants: counts, and the bound on the share that tests refuse."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "docs" / "measure_mutation.py"


@pytest.fixture(scope="module")
def measure() -> Any:
    spec = importlib.util.spec_from_file_location("measure_mutation", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_bound_is_the_share_at_which_so_many_hits_are_rare(measure: Any) -> None:
    # All of n: share**n = 0.05.
    assert measure.at_least(60, 60) == pytest.approx(0.05 ** (1 / 60), rel=1e-12)
    # All but one of n: share**n + n share**(n-1) (1 - share) = 0.05.
    share = measure.at_least(19, 20)
    assert share**20 + 20 * share**19 * (1 - share) == pytest.approx(0.05, rel=1e-9)
    assert measure.at_least(0, 5) == 0.0


def test_survivors_are_equivalent_or_refused_since_or_left(measure: Any, tmp_path: Path) -> None:
    same = "mtlref.linalg.compensated.x_times__mutmut_12"
    results = [
        {"name": "mtlref.linalg.a", "status": "killed"},
        {"name": "mtlref.linalg.b", "status": "timeout"},
        {"name": same, "status": "survived", "later": {"status": "survived"}},
        {"name": "mtlref.linalg.c", "status": "survived", "later": {"status": "killed"}},
        {"name": "mtlref.linalg.d", "status": "survived"},
    ]
    path = tmp_path / "sample.json"
    path.write_text(json.dumps({"seed": 0, "mutants": {"linalg": 9}, "results": results}), encoding="utf-8")
    assert measure.by_seed([path, path]) == {"0": [path, path]}
    found = measure.mutation([path])
    row = found["families"]["linalg"]
    assert found["survivors"] == ["mtlref.linalg.d"]
    assert (row["mutants"], row["tried"], row["equivalent"], row["at_once"], row["timeout"], row["later"]) == (
        9, 5, 1, 2, 1, 1,
    )  # fmt: skip
    assert row["bound"] == measure.at_least(2, 4)
