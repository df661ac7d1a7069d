"""The benchmarks of scale, small: what they print is certified, and what they wrote is gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"tasks": {"T": 12, "p": 5}, "features": {"p": 300, "n": 40}, "words": {"p": 2000, "n": 60}}


@pytest.fixture
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.mark.usefixtures("at_root")
def test_rows_streamed_from_disk(tmp_path: Path) -> None:
    from benchmarks import streaming

    figures = streaming.run(rows=4000, features=5, tasks=3, folder=tmp_path, chunk_rows=500)
    assert list(tmp_path.iterdir()) == []
    for method in ("SingleTaskRidge", "JointFeature", "TraceNorm"):
        assert figures[method]["relative gap"] <= 1e-6
        # Four thousand rows of noise 1 leave some hundredths of error.
        assert figures[method]["largest error of W"] < 0.3


@pytest.mark.usefixtures("at_root")
@pytest.mark.parametrize("problem", list(SIZES))
def test_every_method_is_certified(problem: str) -> None:
    from benchmarks import scale

    for method in scale.METHODS:
        loss = "logistic" if method in ("Pooled", "JointFeature") else "squared"
        assert scale.run(problem, method, loss=loss, **SIZES[problem])["relative gap"] <= 1e-6, method


@pytest.mark.usefixtures("at_root")
def test_what_fails_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from benchmarks import scale

    monkeypatch.setattr(scale, "apart", lambda *_: {"failed": "not done in 1 s"})
    assert (
        scale.main(["--problems", "tasks", "--methods", "Pooled", "--losses", "squared", "--budget", "1"])
        == 1
    )
    assert json.loads(capsys.readouterr().out) == {"failed": "not done in 1 s"}
