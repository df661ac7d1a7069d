"""The benchmarks of Gaussian processes run, on small problems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_a_line_for_each_problem(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import gp

    monkeypatch.setattr(gp, "TABLES", ((12, 2),))
    monkeypatch.setattr(gp, "HOLES", (10, 3, 0.1))
    monkeypatch.setattr(gp, "LOOSE", 30)
    monkeypatch.setattr(gp, "best_of", lambda calls, *_, **__: [float(call() is not None) for call in calls])
    assert gp.main() == 0
    out = capsys.readouterr().out
    for word in ("table (12, 2)", "holes (10, 3)", "loose N = 30", "peak memory"):
        assert word in out


def test_the_routes_that_are_timed_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import gp

    model, cells = gp.problem(15, 3)
    ours, dense = gp.evaluate(model, cells, "kronecker"), gp.evaluate(model, cells, "dense")
    np.testing.assert_allclose(ours[0], dense[0], rtol=1e-11)
    np.testing.assert_allclose(ours[1], dense[1], rtol=1e-8, atol=1e-9)
