"""Methods that fit their own parameters, Gaussian processes, in a comparison: one fit a split, no lam, a limit."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import FitDoubt
from mtlref.study import compare
from mtlref.study.comparison import Comparison
from mtlref.study.plan import Plan
from mtlref.study.store import FINAL, Store

from .conftest import make_labels, make_regression

FAST = {"splits": 2, "grid": 3, "folds": 2, "jobs": 1}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Path]:
    for needed in ("matplotlib", "jinja2"):
        pytest.importorskip(needed)
    folder = tmp_path_factory.mktemp("study") / "run"
    methods = ["SingleTaskRidge", "MultiTaskGP"]
    return compare(make_regression(), methods=methods, out=folder, progress=False, tol=1e-5, **FAST), folder


def test_one_fit_a_split_that_can_be_had_by_hand(result: tuple[Comparison, Path]) -> None:
    comparison, _ = result
    fits = [f for f in comparison.fits if f.method == "MultiTaskGP"]
    assert [(f.split, f.fold) for f in fits] == [(0, FINAL), (1, FINAL)]
    assert all(np.isnan(f.lam) and f.certified for f in fits)
    from mtlref.study.splits import random_splits

    data = make_regression()
    split = random_splits(data, 2, (0.75,), seed=0)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitDoubt)  # features that do not matter have lengths at their bounds
        model = mt.MultiTaskGP(n_restarts=0).fit(data.take(split.train[0]))
    test = data.take(split.test)
    assert fits[1].metrics["mse"] == pytest.approx(mt.metrics.mse(test, model.predict(test)), rel=1e-6)


def test_the_report_says_that_there_is_no_lam(result: tuple[Comparison, Path]) -> None:
    comparison, folder = result
    row = next(r for r in comparison.rows if r.method == "MultiTaskGP")
    assert row.error is None
    assert np.isnan(row.lam)
    text = comparison.to_markdown()
    assert "| MultiTaskGP | – | 2 | 2 |" in text
    assert "MultiTaskGP has no lam and is fitted once" in text
    assert "no lam: it fits its own parameters" in text
    assert "certified by projected gradient" in text
    assert "bonilla2008" in comparison.to_latex()
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "MultiTaskGP" in page
    assert "Relations between tasks" in page  # its task_correlation_ as a map


def test_the_store_keeps_that_there_is_no_lam(result: tuple[Comparison, Path]) -> None:
    comparison, folder = result
    with Store(folder / "study.sqlite") as store:
        kept = [f for f in store.fits() if f.method == "MultiTaskGP"]
        assert len(kept) == 2
        assert all(np.isnan(f.lam) for f in kept)
        assert not Plan(comparison.settings, store.fits(), store.failures()).jobs()  # nothing is left to do


def test_too_many_rows_are_an_error_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mt.MultiTaskGP, "comparison_rows", 20)
    result = compare(make_regression(), methods=["MultiTaskGP", "Pooled"], **FAST)
    last = result.rows[-1]
    assert last.method == "MultiTaskGP"
    assert last.error is not None
    assert "at most 20 training rows" in last.error
    assert result.rows[0].error is None


def test_labels() -> None:
    result = compare(make_labels(), methods=["MultiTaskGPClassifier", "Pooled"], tol=1e-4, **FAST)
    assert all(row.error is None for row in result.rows)
    row = next(r for r in result.rows if r.method == "MultiTaskGPClassifier")
    assert row.certified == row.fits == 2
    assert 0 <= row.scores["auc"].mean <= 1


def test_losses_are_told_apart() -> None:
    with pytest.raises(mt.errors.DataError, match="MultiTaskGPClassifier has no squared loss"):
        compare(make_regression(), methods=["MultiTaskGPClassifier"], **FAST)
    assert set(mt.methods("gp")) == {"MultiTaskGP", "MultiTaskGPClassifier"}
    assert "MultiTaskGP" not in mt.methods()
