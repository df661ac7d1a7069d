"""Correct digits on NIST's problems, and residual ratios: not behind any other solver, and below LAPACK's limit."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from mtlref.verify import nist, residuals


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return nist.measure()


def test_no_solver_has_more_digits(rows: list[dict[str, Any]]) -> None:
    assert {"Wampler 1", "Wampler 5", "Wampler 1 to 5, five tasks"} <= {r["problem"] for r in rows}
    for row in rows:
        assert nist.beaten(row) == []
        for name in ("SingleTaskRidge", "Pooled"):
            if name in row["digits"]:
                certified, exact = row["digits"][name]
                assert exact >= 14.9
                # What the decimals of the data lose, no solver of the numbers in memory can win back.
                assert certified >= min(row["decimals"], 14.0) - 0.1
                assert certified >= max(d[0] for d in row["digits"].values()) - 0.1


def test_the_real_sets_where_they_are(rows: list[dict[str, Any]]) -> None:
    found = {r["problem"]: r["digits"]["SingleTaskRidge"] for r in rows}
    if "Filip" not in found:
        pytest.skip("NIST's sets are not in MTLREF_DATA")
    assert found["Longley"][0] >= 14.5
    assert found["Pontius"][0] >= 13.4
    assert found["Filip"][0] >= 7.6


def test_formulas_give_the_published_data() -> None:
    five = nist.wampler()[-1]
    assert five.Y[10].tolist() == [111111.0, 6.0, 113159.0, 315911.0, 20591111.0]
    assert five.Y[1, 1] == 1.11111
    assert five.Y[20, 1] == 63.0
    e = np.array(nist.NOISE, dtype=float)
    assert not (five.columns.T @ e).any()  # what is added to Wampler 1 changes no coefficient
    for problem in nist.wampler():
        if problem.name != "Wampler 2" and problem.Y.shape[1] == 1:
            np.testing.assert_array_equal(problem.exact(), problem.certified)


def test_digits_count_what_agrees() -> None:
    truth = np.array([1.0, -2.0])
    assert nist.digits(truth, truth) == 15.0
    assert nist.digits(truth * (1 + 1e-6), truth) == pytest.approx(6.0, abs=1e-6)
    assert nist.digits(truth * 20, truth) == 0.0
    assert nist.digits(truth * np.nan, truth) == 0.0
    assert nist.digits(np.array([2.07438016528925619]), np.array([2.07438016528926]), printed=True) == 15.0
    assert nist.digits(np.array([2.07438016528927]), np.array([2.07438016528926]), printed=True) < 15.0


def test_the_command_prints_and_judges(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nist, "references", lambda: nist.wampler()[:1])
    assert nist.main([]) == 0
    assert "| Wampler 1 | 21 | 6 | 2e+03 | 15.0 |" in capsys.readouterr().out
    monkeypatch.setitem(nist.SOLVERS, "SingleTaskRidge", nist.lstsq)
    assert nist.main(["--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["columns"] == 6


def test_residual_ratios_are_below_the_limit(capsys: pytest.CaptureFixture[str]) -> None:
    worst = residuals.measure(range(0, 16, 5))
    assert len(worst) >= 18
    assert {name: value for name, value in worst.items() if not value < residuals.LIMIT} == {}
    assert "| process, Cholesky |" in residuals.table(worst)


def test_a_ratio_sees_what_is_lost() -> None:
    rng = np.random.default_rng(0)
    A = residuals.design(rng, 40, 6, 7)
    y = rng.standard_normal(40)
    # The normal equations' answer is not one of a matrix near A: what the rows' answer passes, it fails.
    w = np.linalg.solve(A.T @ A, A.T @ y) * (1 + 1e-9)
    left = residuals.apart(y[:, None], A, w[:, None])[:, 0]
    size = residuals.ratio(A.T @ left, 1.0, float(np.linalg.norm(y)), 40)
    assert size > residuals.LIMIT
    assert residuals.ratio(np.ones(1), 1.0, 0.0, 1) == np.inf
    assert residuals.ratio(np.zeros(1), 1.0, 0.0, 1) == 0.0
