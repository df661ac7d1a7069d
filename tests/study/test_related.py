"""Relatedness under an algorithm: what helps is told from what does not, and nothing of a test row is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.study.statistics import compare_pairs


def tasks(signs: list[float], n: int = 80, seed: int = 0) -> mt.TaskData:
    """Tasks whose coefficients are one vector times these signs; the first has n rows, the others 300."""
    rng = np.random.default_rng(seed)
    w = rng.standard_normal(40)
    X = [rng.standard_normal((n if k == 0 else 300, 40)) for k in range(len(signs))]
    y = [x @ (s * w) + 2 * rng.standard_normal(len(x)) for x, s in zip(X, signs, strict=True)]
    return mt.TaskData.from_list(X, y, names=list("abcdef")[: len(signs)])


ALGORITHM = mt.MeanRegularized(lam=3.0, ridge=0.1)


def test_equal_tasks_are_related_and_opposite_ones_are_not() -> None:
    equal = tasks([1, 1, 1])
    found = mt.relatedness(equal.select("a"), equal.select("bc"), ALGORITHM, train_size=0.7)
    assert found.related
    assert found.gain > 0
    assert found.control > 0
    assert "related under this algorithm" in str(found)
    assert "not shown" not in str(found)
    opposite = tasks([1, -1, -1])
    found = mt.relatedness(opposite.select("a"), opposite.select("bc"), ALGORITHM, train_size=0.7)
    assert not found.related
    assert found.gain < 0
    assert "not shown to be related" in str(found)


def test_progress_is_told_after_every_split() -> None:
    data, told = tasks([1, 1]), []
    mt.relatedness(
        data.select("a"), data.select("b"), ALGORITHM, splits=2, progress=lambda k, n: told.append((k, n))
    )
    assert told == [(1, 2), (2, 2)]


def test_a_class_is_no_algorithm() -> None:
    data = tasks([1, 1])
    with pytest.raises(mt.FormError, match=r"an estimator, MeanRegularized\(\.\.\.\); got the class itself"):
        mt.relatedness(data.select("a"), data.select("b"), mt.MeanRegularized)
    with pytest.raises(mt.FormError, match="progress must be a function"):
        mt.relatedness(data.select("a"), data.select("b"), ALGORITHM, progress=True)  # type: ignore[arg-type]


def test_an_algorithm_without_coupling_finds_nothing() -> None:
    data = tasks([1, 1])
    found = mt.relatedness(data.select("a"), data.select("b"), mt.SingleTaskRidge(lam=0.1), splits=4)
    np.testing.assert_allclose(found.together, found.alone, rtol=1e-5)  # fits are certified to 1e-6
    np.testing.assert_allclose(found.shuffled, found.alone, rtol=1e-5)
    assert not found.related


def test_scores_are_those_of_fits_by_hand_and_p_the_corrected_test() -> None:
    data = tasks([1, 1])
    main, other = data.select("a"), data.select("b")
    found = mt.relatedness(main, other, ALGORITHM, splits=3, random_state=5)
    from mtlref.study.splits import random_splits

    for k, cut in enumerate(random_splits(main, 3, (0.5,), 5)):
        train, test = cut.train[0][0], cut.test[0]
        own = mt.TaskData.from_list([main.X[0][train], other.X[0]], [main.y[0][train], other.y[0]])
        answer = mt.MeanRegularized(lam=3.0, ridge=0.1).fit(own).predict([main.X[0][test], other.X[0]])[0]
        assert np.mean((answer - main.y[0][test]) ** 2) == pytest.approx(found.together[k], rel=1e-9)
    pair = compare_pairs({"x": found.together, "y": found.alone}, 40, 40, False)[0]
    assert pair.alone == found.p
    assert abs(found.gain) == pair.difference


class Spy(mt.SingleTaskRidge):
    """Remembers what it was fitted on."""

    seen: list[Any] = []

    def fit(self, X: Any, *args: Any, **options: Any) -> Any:
        Spy.seen.append(X)
        return super().fit(X, *args, **options)


def test_an_auxiliary_task_on_the_main_rows_is_cut_with_them_and_shuffled_within_them() -> None:
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((30, 4)), rng.standard_normal((30, 3))
    data = mt.TaskData.from_shared(X, Y, names=["m", "e", "f"])
    Spy.seen = []
    mt.relatedness(data.select(["m"]), data.select(["e", "f"]), Spy(lam=1.0), splits=2, train_size=0.6)
    assert [d.T for d in Spy.seen] == [1, 3, 3] * 2
    for alone, together, shuffled in (Spy.seen[:3], Spy.seen[3:]):
        assert all(len(y) == 18 for d in (alone, together, shuffled) for y in d.y)
        np.testing.assert_array_equal(together.X[1], alone.X[0])
        for k in (1, 2):
            assert sorted(together.y[k]) == sorted(shuffled.y[k])
            assert (together.y[k] != shuffled.y[k]).any()
        np.testing.assert_array_equal(shuffled.y[0], alone.y[0])


def test_nets_labels_metrics_and_a_function_of_the_tasks() -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_normal((60, 5))
    Y = np.where(X[:, :2] + 0.1 * rng.standard_normal((60, 2)) > 0, 1.0, -1.0)
    data = mt.TaskData.from_list([X, X[:30]], [Y[:, 0], Y[:30, 1]], names=["m", "e"])
    asked: list[Any] = []

    def make(names: tuple[Any, ...]) -> Any:
        asked.append(names)
        return mt.SharedMLP(hidden=(4,), loss="logistic", max_iter=3)

    found = mt.relatedness(data.select(["m"]), data.select(["e"]), make, splits=2)
    again = mt.relatedness(data.select(["m"]), data.select(["e"]), make, splits=2)
    assert found.metric == "error_rate"
    assert set(asked) == {("m",), ("m", "e")}
    np.testing.assert_array_equal(found.together, again.together)
    area = mt.relatedness(
        data.select(["m"]), data.select(["e"]), mt.TraceNorm(lam=0.1, loss="logistic"), splits=2, metric="auc"
    )
    assert (area.together > 0.8).all()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"main": np.eye(3)}, mt.FormError, "main must be a TaskData"),
        ({"auxiliary": tasks([1, 1])}, mt.DataError, "different names"),
        (
            {"auxiliary": mt.TaskData.from_list([np.eye(3)], [np.ones(3)], names="z")},
            mt.DataError,
            "40 features",
        ),
        ({"algorithm": "ridge"}, mt.FormError, "algorithm must be an estimator"),
        ({"splits": 1}, mt.DataError, "splits must be >= 2"),
        ({"train_size": 1.5}, mt.DataError, "train_size must be between"),
        ({"alpha": 2.0}, mt.DataError, "alpha must be between"),
        ({"metric": "speed"}, mt.DataError, "metric must be"),
        ({"random_state": "x"}, mt.FormError, "random_state must be a whole number"),
    ],
)
def test_bad_arguments(change: dict[str, Any], error: type[Exception], says: str) -> None:
    data = tasks([1, 1])
    given = {"main": data.select("a"), "auxiliary": data.select("b"), "algorithm": ALGORITHM} | change
    with pytest.raises(error, match=says):
        mt.relatedness(**given)
