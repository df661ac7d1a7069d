"""The estimator faces: forms of data, losses by task, partial fits, fine-tuning, scikit-learn."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import warnings
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.bibliography import ENTRIES

RNG = np.random.default_rng
NAMES = list(mt.methods("nn"))
QUICK: dict[str, Any] = {"max_iter": 6, "random_state": 0}


def make(name: str, **options: Any) -> Any:
    return mt.methods("nn")[name].cls(**{**QUICK, **options})


def shared(rows: int = 24, T: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(seed)
    X = rng.standard_normal((rows, 4))
    return X, X @ rng.standard_normal((4, T)) + 0.1 * rng.standard_normal((rows, T))


def test_the_registry_lists_them_apart() -> None:
    assert {"SharedMLP", "MMoEModel", "PLEModel", "SharedLSTMModel"} <= set(NAMES)
    assert not set(NAMES) & set(mt.methods())
    for name in NAMES:
        method = mt.methods("nn")[name]
        assert method.certificate == "complex-step gradient check"
        assert getattr(mt, name) is method.cls
        assert set(method.sources) <= set(ENTRIES)


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_state_every_parameter_and_default(name: str) -> None:
    cls = mt.methods("nn")[name].cls
    text = inspect.getdoc(cls) or ""
    for word in ("Model:", "Parameters", "Raises:", "Certificate:", "Cost:", "Departs", "Source:", ">>>"):
        assert word in text, word
    for parameter in inspect.signature(cls).parameters.values():
        assert re.search(rf"^{parameter.name} :", text, re.MULTILINE), parameter.name
        if isinstance(parameter.default, (int, float)) and not isinstance(parameter.default, bool):
            stated = re.search(rf"^{parameter.name} :.*default ([0-9.e-]+)", text, re.MULTILINE)
            assert stated is not None, parameter.name
            assert float(stated.group(1).rstrip(".")) == parameter.default


@pytest.mark.parametrize("name", NAMES)
def test_every_form_is_mirrored(name: str) -> None:
    X, Y = shared()
    model = make(name).fit(X, Y)
    assert model.predict(X).shape == (24, 3)
    assert model.score(X, Y) < 1
    lists = make(name).fit([X[:10], X[10:]], [Y[:10, 0], Y[10:, 1]])
    assert [p.shape for p in lists.predict([X[:4], X[:5]])] == [(4,), (5,)]
    data = mt.TaskData.from_list([X[:10], X[10:]], [Y[:10, 0], Y[10:, 1]], names=["a", "b"])
    named = make(name).fit(data)
    np.testing.assert_array_equal(named.predict(data)[1], lists.predict([X[:10], X[10:]])[1])
    np.testing.assert_array_equal(named.predict(data.select(["b"]))[0], named.predict(data)[1])
    labels = np.where(np.arange(24) % 2, "odd", "even")
    long = make(name).fit(X, Y[:, 0], tasks=labels)
    by_label = long.predict(X, tasks=labels)
    assert by_label.shape == (24,)
    even = long.predict(X[labels == "even"], tasks=labels[labels == "even"])
    np.testing.assert_allclose(by_label[labels == "even"], even, rtol=1e-12)
    assert make(name).fit(X, Y[:, 0]).predict(X).shape == (24,)
    for m in (model, lists, named, long):
        assert m.certificate_.error < 1e-13
        assert m.certificate_.kind == "complex-step gradient check"


@pytest.mark.parametrize("name", NAMES)
def test_missing_targets_teach_nothing(name: str) -> None:
    """One design with NaN: in a full batch, the same as a task a design of its own."""
    X, Y = shared()
    Y[RNG(1).random(Y.shape) < 0.3] = np.nan
    options = {"batch_size": 100, "validation_fraction": 0.0, "activation": "tanh", "optimizer": "sgd"}
    one = make(name, **options).fit(X, Y)
    seen = [~np.isnan(Y[:, t]) for t in range(3)]
    other = make(name, **options).fit([X[s] for s in seen], [Y[s, t] for t, s in enumerate(seen)])
    for n, a in one.params_.items():
        np.testing.assert_allclose(a, other.params_[n], rtol=1e-9, atol=1e-12)


def test_weights_are_repeated_rows_in_a_full_batch() -> None:
    X, Y = shared()
    counts = RNG(2).integers(1, 4, 24)
    options = {"batch_size": 1000, "validation_fraction": 0.0, "activation": "tanh", "optimizer": "sgd"}
    one = make("MMoEModel", **options).fit(X, Y, sample_weight=counts.astype(float))
    other = make("MMoEModel", **options).fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0))
    for n, a in one.params_.items():
        np.testing.assert_allclose(a, other.params_[n], rtol=1e-9, atol=1e-12)


def test_losses_by_task() -> None:
    X, Y = shared(60)
    words = np.array(["low", "middle", "high"])
    three = words[np.digitize(Y[:, 1], [-0.5, 0.5])]
    two = Y[:, 2] > 0
    model = make("MMoEModel", loss=["squared", "softmax", "logistic"], max_iter=80)
    model.fit([X, X, X], [Y[:, 0], three, two.astype(int)])
    out = model.predict([X, X, X])
    assert ((out[0] - Y[:, 0]) ** 2).mean() < 0.2 * Y[:, 0].var()
    assert (out[1] == three).mean() > 0.8
    assert (out[2] == two).mean() > 0.85
    assert set(out[2]) <= {0.0, 1.0}
    assert [None if c is None else c.tolist() for c in model.classes_] == [
        None,
        ["high", "low", "middle"],
        [0, 1],
    ]
    assert 0.7 < model.score([X, X, X], [Y[:, 0], three, two.astype(int)]) < 1
    assert not hasattr(model, "predict_proba")
    by_name = make("SharedMLP", loss={"a": "logistic", "b": "softmax"})
    data = mt.TaskData.from_list([X, X], [two.astype(float), three], names=["b", "a"])
    with pytest.raises(mt.DataError, match="labels must take two values"):
        by_name.fit(data)
    fitted = by_name.set_params(loss={"b": "logistic", "a": "softmax"}).fit(data)
    proba = fitted.predict_proba(data)
    assert [p.shape for p in proba] == [(60, 2), (60, 3)]
    for p, label in zip(proba, fitted.predict(data), strict=True):
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
        assert len(label) == 60


def test_probabilities_and_decisions_agree_with_labels() -> None:
    X, Y = shared(50)
    labels = np.where(Y > 0, "yes", "no")
    model = make("SharedMLP", loss="logistic", max_iter=30).fit([X] * 3, [labels[:, t] for t in range(3)])
    scores, proba, out = (
        model.decision_function([X] * 3),
        model.predict_proba([X] * 3),
        model.predict([X] * 3),
    )
    for s, p, v in zip(scores, proba, out, strict=True):
        assert ((s > 0) == (v == "yes")).all()
        np.testing.assert_allclose(p[:, 1], 1 / (1 + np.exp(-s)), rtol=1e-12)
    together = make("SharedMLP", loss="logistic").fit(X, (Y > 0).astype(int))
    assert together.predict_proba(X).shape == (50, 3)
    assert set(np.unique(together.predict(X))) <= {0, 1}


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_bits_and_refits_do_not_add_up(name: str) -> None:
    X, Y = shared()
    one = make(name).fit(X, Y)
    again = make(name).fit(X, Y)
    first = {n: a.copy() for n, a in one.params_.items()}
    one.fit(X, Y)
    for n, a in first.items():
        assert (a == again.params_[n]).all()
        assert (a == one.params_[n]).all()
    assert (make(name, random_state=1).fit(X, Y).predict(X) != one.predict(X)).any()


def test_partial_fits_learn_and_remember_the_optimiser() -> None:
    X, Y = shared(40)
    model = make("SharedMLP", hidden=(8,), learning_rate=0.03)
    for _ in range(30):
        model.partial_fit(X, Y)
    assert model.n_iter_ == 30
    assert model.history_["train"].shape == (30, 3)
    assert model.score(X, Y) > 0.8
    whole = make("SharedMLP", hidden=(8,), learning_rate=0.03, max_iter=30, validation_fraction=0.0).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), whole.predict(X))


def test_partial_fits_take_some_of_the_tasks() -> None:
    X, Y = shared(40)
    data = mt.TaskData.from_list([X] * 3, list(Y.T), names=list("abc"))
    model = make("SharedMLP", hidden=(8,)).partial_fit(data)
    before = model.params_
    model.partial_fit(data.select(["b"]))
    assert (model.params_["bottom.0.W"] != before["bottom.0.W"]).any()
    with pytest.raises(mt.UnknownTask, match="got 'z'"):
        model.partial_fit(mt.TaskData.from_list([X], [Y[:, 0]], names=["z"]))
    labels = make("SharedMLP", loss="logistic")
    labels.partial_fit(X[:5], np.ones(5), classes=[0, 1]).partial_fit(X, (Y[:, 0] > 0).astype(float))
    assert labels.classes_.tolist() == [0, 1]
    with pytest.raises(mt.DataError, match="labels of task 0 must be among"):
        labels.partial_fit(X, np.full(40, 7.0))


def test_fine_tuning_moves_what_is_not_frozen_for_the_tasks_given() -> None:
    X, Y = shared(40)
    data = mt.TaskData.from_list([X] * 3, list(Y.T), names=list("abc"))
    model = make("SharedMLP", hidden=(8,)).fit(data)
    before = model.params_
    model.fine_tune(data.select(["b"]), frozen=("bottom",), epochs=4, learning_rate=0.001)
    moved = {n for n in before if (model.params_[n] != before[n]).any()}
    assert moved == {"tower1.0.W", "tower1.0.b"}
    model.fine_tune(data.select(["b"]), epochs=2)
    assert (model.params_["bottom.0.W"] != before["bottom.0.W"]).any()
    assert (model.params_["tower0.0.W"] == before["tower0.0.W"]).all()


@pytest.mark.parametrize("name", NAMES)
def test_pretraining_on_one_set_of_tasks_carries_over_to_another(name: str) -> None:
    X, Y = shared(40)
    names = list("abc")
    first = make(name).fit(mt.TaskData.from_list([X] * 3, list(Y.T), names=names))
    data = mt.TaskData.from_list([X, X], [Y[:, 2], Y[:, 0] + Y[:, 1]], names=["c", "new"])
    tower = {n for n in first.params_ if n.startswith("tower2.")}
    frozen = tuple(n.replace("tower2", "tower0") for n in tower)
    model = make(name, start=first, frozen=frozen).fit(data)
    for n in tower:  # task c was the third and is the first
        np.testing.assert_array_equal(model.params_[n.replace("tower2", "tower0")], first.params_[n])
    assert model._scale is first._scale
    assert model.predict(data)[1].shape == (40,)


def test_pretraining_helps_where_rows_are_few() -> None:
    rng = RNG(5)
    W = rng.standard_normal((10, 3))

    def draw(rows: int, out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        X = rng.standard_normal((rows, 10))
        return X, np.tanh(X @ W) @ out

    X, Y = draw(400, rng.standard_normal((3, 6)))
    way = rng.standard_normal(3)
    (Xs, ys), (Xt, yt) = draw(15, way), draw(200, way)
    settings: dict[str, Any] = {"hidden": (12,), "activation": "tanh", "random_state": 0, "max_iter": 150}
    first = mt.SharedMLP(**settings).fit(X, Y)
    settings |= {"validation_fraction": 0.0}
    alone = mt.SharedMLP(**settings).fit(Xs, ys)
    after = mt.SharedMLP(**settings, start=first, frozen=("bottom",)).fit(Xs, ys)
    assert after.score(Xt, yt) > alone.score(Xt, yt) + 0.1


def test_histories_and_progress() -> None:
    X, Y = shared(60)
    told: list[Any] = []
    model = make("SharedMLP", max_iter=300, patience=3, progress=lambda *a: told.append(a)).fit(X, Y)
    history = model.history_
    assert len(told) == model.n_iter_ == len(history["train"]) == len(history["validation"])
    assert history["ending"] == "the validation loss did not fall any more"
    assert history["best_epoch"] == history["validation"].sum(axis=1).argmin()
    assert make("SharedMLP", validation_fraction=0.0).fit(X, Y).history_["validation"] is None


def test_sequences_are_rows_of_steps() -> None:
    rng = RNG(0)
    X = rng.standard_normal((80, 10))  # five steps of two features
    y = X[:, 0] + X[:, 8]
    options = {"steps": 5, "hidden": (8,), "max_iter": 60, "learning_rate": 0.02, "validation_fraction": 0.0}
    model = make("SharedLSTMModel", **options)
    assert model.fit(X, y).net_.n_in == 2
    assert model.score(X, y) > 0.8
    with pytest.raises(mt.DataError, match="steps must divide the number of features, 10; got 3"):
        make("SharedLSTMModel", steps=3).fit(X, y)


def test_a_fit_that_explodes_says_so() -> None:
    X, Y = shared()
    with np.errstate(all="ignore"), pytest.warns(mt.NotConverged, match="a loss was not a finite number"):
        model = make("SharedMLP", optimizer="sgd", learning_rate=1e12).fit(X, Y)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("name", NAMES)
def test_copies_and_pickles_predict_the_same(name: str) -> None:
    X, Y = shared()
    model = make(name).fit(X, Y)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_single_precision_model() -> None:
    X, Y = shared()
    model = make("SharedMLP", dtype="float32").fit(X, Y)
    assert all(a.dtype == np.float32 for a in model.params_.values())


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("name", NAMES)
def test_check_estimator(name: str, loss: str) -> None:
    pytest.importorskip("sklearn")
    from sklearn.utils.estimator_checks import check_estimator

    # Minibatches of weighted rows are not minibatches of repeated rows; in a full batch they are: see above.
    apart = {"check_sample_weight_equivalence_on_dense_data": "minibatches"}
    # Few long steps: the checks ask for a model that has learned something, not for a finished one.
    model = make(name, loss=loss, max_iter=15, learning_rate=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(model, on_fail=None, on_skip=None, expected_failed_checks=apart)
    failed = [(r["check_name"], str(r["exception"])) for r in results if r["status"] == "failed"]
    assert not failed
    assert sum(r["status"] == "passed" for r in results) >= 53


def test_grid_search_and_clone() -> None:
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    X, Y = shared(60)
    search = GridSearchCV(mt.SharedMLP(random_state=0, max_iter=30), {"hidden": [(2,), (16,)]}, cv=3).fit(
        X, Y
    )
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert not hasattr(clone(search.best_estimator_), "params_")
