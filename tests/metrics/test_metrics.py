"""Metrics against scikit-learn where it has them, against by-hand figures, and on what they must refuse."""

import numpy as np
import pytest

import mtlref as mt
from mtlref.metrics import METRICS


@pytest.fixture
def two_tasks():
    data = mt.TaskData.from_list(
        [np.zeros((3, 1)), np.zeros((2, 1))], [np.array([1.0, 2.0, 3.0]), np.array([0.0, 10.0])]
    )
    return data, [np.array([1.0, 2.0, 6.0]), np.array([0.0, 5.0])]


def test_by_hand(two_tasks):
    data, z = two_tasks
    assert METRICS["mse"](data, z) == pytest.approx((9 + 25) / 5)
    assert METRICS["rmse"](data, z) == pytest.approx(np.sqrt(34 / 5))
    everything = np.var([1, 2, 3, 0, 10])
    assert METRICS["explained_variance"](data, z) == pytest.approx(1 - 34 / 5 / everything)
    ratios = np.array([3 / (2 / 3), 12.5 / 25])
    assert METRICS["explained_variance_per_task"](data, z) == pytest.approx(
        1 - (3 * ratios[0] + 2 * ratios[1]) / 5
    )
    assert METRICS["nmse"](data, z) == pytest.approx(ratios.mean())


def test_a_task_of_equal_targets_is_left_out_of_metrics_per_task():
    data = mt.TaskData.from_list(
        [np.zeros((2, 1)), np.zeros((2, 1))], [np.array([1.0, 3.0]), np.array([5.0, 5.0])]
    )
    z = [np.array([1.0, 2.0]), np.array([0.0, 0.0])]
    assert METRICS["nmse"](data, z) == pytest.approx(0.5)
    assert METRICS["explained_variance_per_task"](data, z) == pytest.approx(0.5)


def test_nothing_to_explain_is_an_error():
    data = mt.TaskData.from_single(np.zeros((2, 1)), np.array([5.0, 5.0]))
    for name in ("explained_variance", "explained_variance_per_task", "nmse"):
        with pytest.raises(mt.DataError, match="differ"):
            METRICS[name](data, [np.zeros(2)])


def test_error_rate_and_auc_agree_with_scikit_learn():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    y = [rng.choice([-1.0, 1.0], size=n) for n in (30, 50)]
    # Rounded scores, so that ties occur.
    z = [np.round(rng.standard_normal(len(v)) + 0.5 * v, 1) for v in y]
    data = mt.TaskData.from_list([np.zeros((len(v), 1)) for v in y], y)
    expected = np.mean([sklearn_metrics.roc_auc_score(a, b) for a, b in zip(y, z, strict=True)])
    assert METRICS["auc"](data, z) == pytest.approx(expected, rel=1e-14)
    labels = [np.where(v > 0, 1.0, -1.0) for v in z]
    accuracy = sklearn_metrics.accuracy_score(np.concatenate(y), np.concatenate(labels))
    assert METRICS["error_rate"](data, labels) == pytest.approx(1 - accuracy)


def test_auc_leaves_out_tasks_of_one_label_and_knows_which_label_is_larger():
    data = mt.TaskData.from_list(
        [np.zeros((3, 1)), np.zeros((2, 1))], [np.array(["no", "yes", "no"]), np.array(["yes", "yes"])]
    )
    assert METRICS["auc"](data, [np.array([0.0, 1.0, 0.5]), np.zeros(2)]) == 1.0


@pytest.mark.parametrize(
    ("y", "message"), [([1.0, 1.0], "two values; got 1"), ([1.0, 2.0, 3.0], "two values; got 3")]
)
def test_auc_refuses(y, message):
    data = mt.TaskData.from_single(np.zeros((len(y), 1)), np.array(y))
    with pytest.raises(mt.DataError, match=message):
        METRICS["auc"](data, [np.zeros(len(y))])


def test_auc_refuses_nan_and_no_area():
    data = mt.TaskData.from_single(np.zeros((2, 1)), np.array([0.0, 1.0]))
    with pytest.raises(mt.DataError, match="NaN"):
        METRICS["auc"](data, [np.array([np.nan, 1.0])])
    data = mt.TaskData.from_list([np.zeros((1, 1))] * 2, [np.array([0.0]), np.array([1.0])])
    with pytest.raises(mt.DataError, match="both labels"):
        METRICS["auc"](data, [np.zeros(1)] * 2)


def test_shapes_are_checked(two_tasks):
    data, z = two_tasks
    binary = mt.TaskData.from_list([np.zeros((2, 1))] * 2, [np.array([0.0, 1.0])] * 2)
    for name, metric in METRICS.items():
        with pytest.raises(mt.DataError, match="one array a task; got 1"):
            metric(binary if name == "auc" else data, z[:1])
    with pytest.raises(mt.DataError, match=r"predictions\[0\] must have shape \(3,\)"):
        METRICS["mse"](data, [np.zeros((2, 1)), np.zeros(2)])


def test_text_labels_have_no_squared_error():
    data = mt.TaskData.from_single(np.zeros((2, 1)), np.array(["a", "b"]))
    with pytest.raises(mt.DataError, match="needs numbers"):
        METRICS["mse"](data, [np.array(["a", "b"])])


def test_the_registry_says_what_each_metric_is():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.formula
        assert metric.title
        assert metric.greater_is_better == (
            name in {"explained_variance", "explained_variance_per_task", "auc"}
        )


def test_published_figures_on_school():
    """Single-task and pooled ridge on the ten splits: within a standard error of what is known, metric by metric."""
    try:
        school = mt.data.load("school", download=False)
    except mt.data.MissingData:
        pytest.skip("the School data are not here")
    known = {
        "mse": (105.1, 107.5),
        "explained_variance": (0.357, 0.342),
        "explained_variance_per_task": (0.214, 0.189),
    }
    scores = {name: ([], []) for name in known}
    for train, test in school.splits[:4]:
        fitted, held = school.tasks.take(train), school.tasks.take(test)
        # The size of lam that cross-validation finds, so that the test is of the metrics and not of the tuning.
        for k, model in enumerate((mt.SingleTaskRidge(lam=0.05), mt.Pooled(lam=0.001))):
            z = model.fit(fitted).predict(held)
            for name, lists in scores.items():
                lists[k].append(METRICS[name](held, z))
    for name, (single, pooled) in known.items():
        width = 3.0 if name == "mse" else 0.02
        assert abs(np.mean(scores[name][0]) - single) < width, (name, np.mean(scores[name][0]))
        assert abs(np.mean(scores[name][1]) - pooled) < width, (name, np.mean(scores[name][1]))
