"""Steps in place against their plain twins: ``loss_and_grad`` and ``Optimizer.step`` on arrays of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.nn.wide import Wide
from mtlref.verify.nets import net

RNG = np.random.default_rng
OPTIMIZERS = [mt.nn.SGD(0.1), mt.nn.Momentum(0.1, 0.8), mt.nn.Momentum(0.1, 0.8, True), mt.nn.Adam(0.05)]
HEADS = {
    "numbers": [mt.nn.Regression(2), mt.nn.Regression(1), mt.nn.Regression(3)],
    "one number each": [mt.nn.Regression(1)] * 3,
    "labels": [mt.nn.Binary()] * 3,
    "several kinds": [mt.nn.Regression(2), mt.nn.Binary(), mt.nn.Multiclass(4)],
}


def drawn(heads: list[Any], rows: int, rng: np.random.Generator) -> list[np.ndarray]:
    out = []
    for head in heads:
        if isinstance(head, mt.nn.Regression):
            out.append(rng.standard_normal((rows, head.k)))
        else:
            out.append(rng.integers(0, getattr(head, "k", 2), rows))
    return out


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_move_is_a_step(optimizer: mt.nn.Optimizer) -> None:
    rng = RNG(0)
    theta = rng.standard_normal(6)
    moved, state = theta.copy(), optimizer.start(6)
    plain, other = theta.copy(), optimizer.start(6)
    for _ in range(5):
        gradient = rng.standard_normal(6)
        change, other = optimizer.step(gradient, other)
        plain = plain + change
        state = optimizer.move(moved, gradient.copy(), state, np.empty(6))
        np.testing.assert_allclose(moved, plain, rtol=1e-13)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", sorted(HEADS))
@pytest.mark.parametrize("trunk", ["shared", "mmoe", "soft"])
def test_a_stepper_follows_the_gradient(trunk: str, kind: str, masked: bool) -> None:
    rng, heads = RNG(1), HEADS[kind]
    here = net(trunk, heads=heads, tower=(3,) if masked else ())
    params, x = here.init(rng), rng.standard_normal((9, here.n_in))
    ys = drawn(heads, 9, rng)
    masks = None
    if masked:
        masks = rng.random((9, 3)) * (rng.random((9, 3)) < 0.7)
        masks[:, 1] = 0.0
    weights = np.array([0.5, 1.0, 2.0])
    stepper = mt.nn.Stepper(
        here, params, optimizer=mt.nn.SGD(0.1), task_weights=weights, ridge=0.3, frozen=("tower1",)
    )
    rows = stepper.rows(x, ys, masks)
    now = {n: a.copy() for n, a in params.items()}
    for _ in range(3):
        losses, grads = here.loss_and_grad(now, x, ys, weights, masks)
        for n in now:
            if not n.startswith("tower1"):
                now[n] = now[n] - 0.1 * (grads[n] + 0.3 * now[n] * (".W" in n))
        np.testing.assert_allclose(stepper.step(rows), losses, rtol=1e-12)
        for n in now:
            np.testing.assert_allclose(stepper.params[n], now[n], rtol=1e-11, atol=1e-13)
    for n, a in params.items():
        np.testing.assert_array_equal(a, here.init(RNG(1))[n])  # the caller's arrays stay


def test_losses_side_by_side_need_one_kind_of_head() -> None:
    assert Wide.of(tuple(HEADS["several kinds"])) is None
    assert Wide.of((mt.nn.Rankprop(),)) is None
    assert Wide.of(tuple(HEADS["labels"])) is not None


def test_a_state_that_is_handed_on_is_left_as_it_was() -> None:
    here = net("shared")
    rng = RNG(2)
    x, ys = rng.standard_normal((6, here.n_in)), drawn(list(here.heads), 6, rng)
    first = mt.nn.train(here, here.init(0), mt.nn.Batch(x, ys), rng=RNG(0), epochs=2)
    before = [np.array(a) for a in first.state]
    mt.nn.train(here, first.params, mt.nn.Batch(x, ys), rng=RNG(0), epochs=2, state=first.state)
    for a, b in zip(before, first.state, strict=True):
        np.testing.assert_array_equal(a, b)
