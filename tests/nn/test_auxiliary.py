"""Rankprop, and outputs that are learned in training only."""

from __future__ import annotations

import numpy as np
import pytest

import mtlref as mt
from mtlref.nn import (
    AuxiliaryTasks,
    Batch,
    DomainAdversary,
    InputsAsOutputs,
    Rankprop,
    Reconstruction,
    SharedMLP,
    rankprop_targets,
    train,
)

RNG = np.random.default_rng
QUICK = {"max_iter": 15, "random_state": 0, "hidden": (8,)}


def test_rankprop_targets_have_the_true_order_and_the_outputs_values() -> None:
    rng = RNG(0)
    z, y = rng.standard_normal(30), rng.standard_normal(30)
    t = rankprop_targets(z, y, 0.0)
    assert (np.argsort(t) == np.argsort(y)).all()
    np.testing.assert_array_equal(np.sort(t), np.sort(z))
    # An order that is right already asks for nothing.
    np.testing.assert_array_equal(rankprop_targets(z, np.exp(z), 0.0), z)
    # And nothing but the order of the true values matters.
    np.testing.assert_array_equal(t, rankprop_targets(z, np.exp(3 * y), 0.0))


def test_rankprop_targets_of_ties_keep_the_outputs_order() -> None:
    z = np.array([3.0, 1.0, 2.0, 0.0])
    t = rankprop_targets(z, np.array([0.0, 0.0, 1.0, 1.0]), 0.0)
    np.testing.assert_array_equal(t, [1.0, 0.0, 3.0, 2.0])


def test_even_ranks_are_the_targets_at_share_one() -> None:
    t = rankprop_targets(np.zeros(4), np.array([3.0, 1.0, 2.0, 0.0]), 1.0)
    np.testing.assert_allclose(t, [0.875, 0.375, 0.625, 0.125])


def test_rankprop_learns_an_order_whose_scale_squares_cannot_use() -> None:
    rng = RNG(1)
    x = rng.standard_normal((150, 2))
    y = np.exp(6 * (x[:, 0] - x[:, 1]))
    net = mt.nn.SharedBottom(2, hidden=(8,), heads=[Rankprop()])
    out = train(net, net.init(0), Batch(x, [y]), rng=rng, optimizer=mt.nn.Adam(0.02), epochs=80)
    z = net.forward(out.params, x)[0][0][:, 0]
    ranks = np.corrcoef(np.argsort(np.argsort(z)), np.argsort(np.argsort(y)))[0, 1]
    assert ranks > 0.97


def test_rankprop_in_an_estimator() -> None:
    rng = RNG(1)
    X = rng.standard_normal((120, 2))
    Y = np.column_stack([np.exp(4 * X[:, 0]), X[:, 0] + 0.1 * rng.standard_normal(120)])
    model = SharedMLP(loss=["rankprop", "squared"], hidden=(8,), random_state=0, max_iter=80).fit(X, Y)
    score = model.predict(X)[:, 0]
    assert np.corrcoef(np.argsort(np.argsort(score)), np.argsort(np.argsort(Y[:, 0])))[0, 1] > 0.95


def data(rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(2)
    X = rng.standard_normal((rows, 4))
    return X, X @ rng.standard_normal((4, 3)) + 0.1 * rng.standard_normal((rows, 3))


def test_auxiliary_tasks_are_learned_and_not_predicted() -> None:
    X, Y = data()
    model = SharedMLP(auxiliary=(AuxiliaryTasks(names=(0, 2), weight=0.5),), **QUICK).fit(X, Y)
    assert model.tasks_ == (1,)
    assert model.predict(X).shape == (40, 1)
    assert model.net_.K == 3
    assert model.history_["train"].shape[1] == 3
    with pytest.raises(mt.UnknownTask):
        model.predict(X, tasks=[0] * 40)


def test_inputs_as_outputs_are_no_inputs_any_more() -> None:
    X, Y = data()
    model = SharedMLP(auxiliary=(InputsAsOutputs(columns=(1, 3)),), **QUICK).fit(X, Y)
    assert model.net_.n_in == 2
    changed = X.copy()
    changed[:, [1, 3]] = 99.0
    np.testing.assert_array_equal(model.predict(X), model.predict(changed))
    kept = SharedMLP(auxiliary=(InputsAsOutputs(columns=(1, 3), keep=True),), **QUICK).fit(X, Y)
    assert kept.net_.n_in == 4
    assert (kept.predict(X) != kept.predict(changed)).any()


def test_reconstruction_predicts_the_standardised_inputs() -> None:
    X, Y = data()
    settings = {**QUICK, "max_iter": 300, "validation_fraction": 0.0}
    model = SharedMLP(auxiliary=(Reconstruction(weight=2.0),), **settings).fit(X, Y)
    assert model.net_.heads[-1] == mt.nn.Regression(4)
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    last = model.net_.forward(model.params_, standard)[0][-1]
    assert float(((last - standard) ** 2).mean()) < 0.2


def test_a_domain_adversary_hides_the_domain() -> None:
    """Tasks whose inputs lie apart in one feature: without reversal a tower tells them apart, with it guesses."""
    rng = RNG(3)
    apart = np.array([2.0, 0.0, 0.0])
    X = [rng.standard_normal((60, 3)) + t * apart for t in range(2)]
    y = [x[:, 1] for x in X]
    settings = {**QUICK, "max_iter": 200, "validation_fraction": 0.0}
    loss = []
    for strength in (0.0, 3.0):
        model = SharedMLP(auxiliary=(DomainAdversary(strength=strength),), **settings).fit(X, y)
        assert model.net_.reverse == {2: strength}
        assert model.score(X, y) > 0.95
        loss.append(model.history_["train"][-50:, 2].mean())
    assert loss[0] < 0.45
    assert loss[1] > 0.6  # log 2 = 0.693 is to know nothing


def test_bad_auxiliary_outputs_are_refused() -> None:
    X, Y = data()
    bad = [
        (AuxiliaryTasks(names=("z",)), mt.UnknownTask, "AuxiliaryTasks must name tasks of the data; got 'z'"),
        (AuxiliaryTasks(names=(0, 1, 2)), mt.DataError, "a task must be left"),
        (InputsAsOutputs(columns=(7,)), mt.DataError, "columns must be among 0 .. 3; got 7"),
        (InputsAsOutputs(columns=(0, 1, 2, 3)), mt.DataError, "must leave a feature"),
        (DomainAdversary(), mt.DataError, "rows of their own"),
        ("reconstruct", mt.FormError, "auxiliary must hold auxiliary outputs"),
    ]
    for extra, error, message in bad:
        with pytest.raises(error, match=message):
            SharedMLP(auxiliary=(extra,), **QUICK).fit(X, Y)
    with pytest.raises(mt.FormError, match="auxiliary must be a tuple of auxiliary outputs"):
        SharedMLP(auxiliary=Reconstruction(), **QUICK).fit(X, Y)
    net = mt.nn.SharedBottom(4, hidden=(2,), heads=[Rankprop()])
    with pytest.raises(mt.FormError, match=r"Rankprop\(.*\) for task 0: use mtlref.nn.train"):
        mt.nn.Stepper(net, net.init(0)).rows(X, [Y[:, 0]])
    with pytest.raises(mt.FormError, match="DomainAdversary needs a part that every task passes"):
        mt.nn.MMoEModel(auxiliary=(DomainAdversary(),)).fit([X, X], [Y[:, 0], Y[:, 1]])
    for wrong in (lambda: Reconstruction(weight=0.0), lambda: Rankprop(even=2.0), lambda: Rankprop(k=2)):
        with pytest.raises(mt.DataError):
            wrong()
    with pytest.raises(mt.DataError, match="one shape"):
        rankprop_targets(np.zeros(3), np.zeros(4), 0.5)


def test_training_stops_by_the_tasks_and_not_by_auxiliary_outputs() -> None:
    """The kept epoch is the one with the least validation loss of the tasks, which is not that of the sum of all."""
    X, Y = data(60)
    Y = Y + 2.0 * RNG(4).standard_normal(
        Y.shape
    )  # few noisy rows: tasks are soon learned too well, inputs are not
    extra = (AuxiliaryTasks(names=(2,), weight=3.0), Reconstruction(weight=30.0))
    settings = {**QUICK, "max_iter": 60, "patience": 60, "validation_fraction": 0.3, "learning_rate": 0.03}
    history = SharedMLP(auxiliary=extra, **settings).fit(X, Y).history_
    assert history["columns"] == (0, 1, 2, "Reconstruction")
    curves = history["validation"]
    assert history["best_epoch"] == int(np.argmin(curves[:, :2].sum(axis=1)))
    assert history["best_epoch"] != int(np.argmin(curves @ np.array([1.0, 1.0, 3.0, 30.0])))
