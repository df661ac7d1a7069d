"""The store keeps all of a job or nothing, nothing twice, and refuses to mix comparisons."""

import dataclasses
import sqlite3

import numpy as np
import pytest

import mtlref as mt
from mtlref.study.settings import BadSettings, Settings, data_hash
from mtlref.study.store import FINAL, Failure, Fit, Outcome, Store

from .conftest import make_regression

SETTINGS = Settings("d", "hash", ("Pooled",), "squared", "sum", 2, "random", (0.75,))


def fit(k=0, fold=0, **changes):
    values = {
        "size": 0, "split": 0, "method": "Pooled", "fold": fold, "k": k, "lam": 0.1, "criterion": 1.5, "rows": 10,
        "metrics": {}, "gap": 1e-9, "relative_gap": 1e-10, "n_iter": 3, "seconds": 0.01, "status": "ok",
        "certified": True,
    }  # fmt: skip
    return Fit(**(values | changes))


def test_what_goes_in_comes_out(tmp_path):
    whole = fit(fold=FINAL, metrics={"mse": 0.1 + 0.2}, lam=1 / 3, note="a; b")
    hopeless = fit(k=1, criterion=np.inf, gap=np.nan, relative_gap=np.nan, certified=False)
    failure = Failure(0, 1, "Pooled", 2, "DataError: no", "traceback")
    with Store(tmp_path / "s.sqlite") as store:
        store.add(Outcome((whole, hopeless), failure, {"coef_": np.eye(2) / 3}, (0, 0, "Pooled")))
    with Store(tmp_path / "s.sqlite") as store:
        first, second = store.fits()
        assert first == whole
        assert second.criterion == np.inf
        assert np.isnan(second.gap)
        assert np.isnan(second.relative_gap)
        assert store.failures() == [failure]
        assert np.array_equal(store.answers()[0, 0, "Pooled"]["coef_"], np.eye(2) / 3)


def test_a_job_enters_whole_or_not_at_all():
    with Store(None) as store:
        store.add(Outcome((fit(k=1),)))
        with pytest.raises(sqlite3.IntegrityError):
            store.add(Outcome((fit(k=0), fit(k=1))))
        assert [f.k for f in store.fits()] == [1]


def test_other_settings_are_refused_by_name(tmp_path):
    with Store(tmp_path / "s.sqlite") as store:
        store.open_for(SETTINGS)
        store.open_for(SETTINGS)
        with pytest.raises(mt.DataError, match=r"seed was 0, now 1"):
            store.open_for(dataclasses.replace(SETTINGS, seed=1))
        with pytest.raises(mt.DataError, match=r"data_hash was"):
            store.open_for(dataclasses.replace(SETTINGS, data_hash="other"))


def test_another_file_is_no_store(tmp_path):
    path = tmp_path / "study.sqlite"
    path.write_text("some text that is long enough to be taken for the head of a file")
    with pytest.raises(mt.MtlrefError, match="not a store"):
        Store(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ()}, "at least one method"),
        ({"folds": 1}, "folds must be >= 2; got 1"),
        ({"grid": 1}, "grid must be >= 2; got 1"),
        ({"train_sizes": (1.5,)}, "fraction between 0 and 1"),
        ({"train_sizes": (1.0,)}, "fraction between 0 and 1"),
        ({"tol": -1.0}, "tol must be"),
    ],
)
def test_settings_that_make_no_sense(change, message):
    with pytest.raises((BadSettings, mt.DataError), match=message):
        dataclasses.replace(SETTINGS, **change)


def test_the_hash_sees_every_change():
    data = make_regression()
    same = mt.TaskData.from_list([x.copy() for x in data.X], list(data.y), names=data.names)
    moved = mt.TaskData.from_list(
        list(data.X), [y + (t == 2) for t, y in enumerate(data.y)], names=data.names
    )
    renamed = mt.TaskData.from_list(list(data.X), list(data.y), names=list("abcd"))
    assert data_hash(data) == data_hash(same)
    assert len({data_hash(d) for d in (data, moved, renamed)}) == 3
