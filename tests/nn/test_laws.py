"""The laws of nets, for every architecture on drawn sizes; and architectures against each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.verify.laws.nets import NET_LAWS, NetLaw, trial
from mtlref.verify.nets import ARCHITECTURES, drawn_nets, net

RNG = np.random.default_rng


@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
@pytest.mark.parametrize("law", NET_LAWS, ids=lambda law: law.__name__)
def test_law(law: NetLaw, kind: str) -> None:
    for seed, activation in enumerate(("tanh", "elu", "sigmoid")):
        here = net(kind, tower=(3,) * (seed % 3), activation=activation)
        law(trial(here, RNG(seed), masked=seed == 1), RNG(seed))


@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
@pytest.mark.parametrize("law", NET_LAWS, ids=lambda law: law.__name__)
def test_law_on_drawn_sizes(law: NetLaw, kind: str) -> None:
    pytest.importorskip("hypothesis")
    from hypothesis import given, settings
    from hypothesis import strategies as st

    @settings(max_examples=max(4, settings().max_examples // 6))
    @given(here=drawn_nets(kind), seed=st.integers(0, 2**31), rows=st.integers(1, 5), masked=st.booleans())
    def holds(here: Any, seed: int, rows: int, masked: bool) -> None:
        law(trial(here, RNG(seed), rows=rows, time=3, masked=masked), RNG(seed))

    holds()


@pytest.mark.parametrize("activation", sorted(mt.nn.ACTIVATIONS))
def test_every_activation(activation: str) -> None:
    for law in NET_LAWS[:2]:
        law(trial(net("shared", tower=(3,), activation=activation), RNG(3)), RNG(0))


@pytest.mark.parametrize("law", NET_LAWS, ids=lambda law: law.__name__)
def test_a_sequence_of_one_step(law: NetLaw) -> None:
    for kind in ("lstm", "lstm2"):
        law(trial(net(kind), RNG(8), time=1), RNG(8))


def test_every_entry_of_every_gradient_once() -> None:
    """The complex step at all entries of a net with towers, which the law does for some of a large array."""
    one = trial(net("ple", tower=(3,)), RNG(9))
    _, grads = one.net.loss_and_grad(one.params, one.x, one.ys, one.weights)
    pushed = {n: a.astype(complex) for n, a in one.params.items()}
    for n, a in one.params.items():
        for at in np.ndindex(a.shape):
            pushed[n][at] += 1e-30j
            slope = (one.weights @ one.net.losses(pushed, one.x, one.ys)).imag / 1e-30
            assert abs(grads[n][at] - slope) < 1e-14 * (1 + np.abs(grads[n]).max()), (n, at)
            pushed[n][at] = a[at]


def test_one_expert_is_the_shared_bottom() -> None:
    """With one expert the gate is 1, whatever its weights, and its gradient 0."""
    for kind in ("moe", "mmoe"):
        one = trial(net(kind, experts=1, tower=(3,)), RNG(0))
        params = {n.replace("expert0", "bottom.0"): a for n, a in one.params.items() if "gate" not in n}
        bottom = net("shared", hidden=(4,), tower=(3,))
        losses, grads = one.net.loss_and_grad(one.params, one.x, one.ys, one.weights)
        plain, expected = bottom.loss_and_grad(params, one.x, one.ys, one.weights)
        np.testing.assert_allclose(losses, plain, rtol=1e-14)
        for n, g in grads.items():
            if "gate" in n:
                assert not g.any()
            else:
                np.testing.assert_allclose(
                    g, expected[n.replace("expert0", "bottom.0")], rtol=1e-12, atol=1e-15
                )


def test_identity_stitches_are_separate_nets() -> None:
    for per in ("scalar", "channel"):
        one = trial(net("stitch", per=per), RNG(1))
        for depth, width in enumerate((5, 4)):
            eye = np.eye(3) if per == "scalar" else np.repeat(np.eye(3)[:, :, None], width, axis=2)
            one.params[f"stitch{depth}"] = eye
        params = {n: a for n, a in one.params.items() if "stitch" not in n}
        losses, grads = one.net.loss_and_grad(one.params, one.x, one.ys, one.weights)
        plain, expected = net("soft", lam=0.0).loss_and_grad(params, one.x, one.ys, one.weights)
        np.testing.assert_allclose(losses, plain, rtol=1e-14)
        for n, g in expected.items():
            np.testing.assert_allclose(grads[n], g, rtol=1e-12, atol=1e-15)


def test_equal_gates_are_one_gate() -> None:
    one = trial(net("moe"), RNG(2))
    params = dict(one.params)
    for k in range(3):
        for part in ("W", "b"):
            params[f"gate{k}.{part}"] = one.params[f"gate0.{part}"]
    losses, grads = one.net.loss_and_grad(one.params, one.x, one.ys, one.weights)
    many, apart = net("mmoe").loss_and_grad(params, one.x, one.ys, one.weights)
    np.testing.assert_allclose(losses, many, rtol=1e-14)
    for n, g in grads.items():
        same = sum(apart[n.replace("gate0", f"gate{k}")] for k in range(3)) if "gate" in n else apart[n]
        np.testing.assert_allclose(g, same, rtol=1e-12, atol=1e-15)


def test_cgc_whose_gates_see_the_shared_experts_alone_is_mmoe() -> None:
    """A gate's bias of −1e3 on the task's own experts leaves them out."""
    cgc = net("cgc", task_experts=1, shared_experts=2)
    one = trial(cgc, RNG(3))
    for k in range(3):
        one.params[f"level0.gate{k}.b"][0] = -1e3
    mmoe = net("mmoe", experts=2)
    params = {}
    for n in mmoe.param_names:
        if n.startswith("tower"):
            params[n] = one.params[n]
        elif n.startswith("expert"):
            params[n] = one.params[f"level0.shared.{n}"]
        else:
            params[n] = one.params[f"level0.{n}"][..., 1:]
    losses, J = cgc.jacobian(one.params, one.x, one.ys)
    expected, K = mmoe.jacobian(params, one.x, one.ys)
    np.testing.assert_allclose(losses, expected, rtol=1e-14)
    np.testing.assert_allclose(J, K, rtol=1e-12, atol=1e-15)


def test_reversal_turns_the_gradient_into_the_bottom_alone() -> None:
    one = trial(net("shared"), RNG(4))
    turned = net("shared", reverse={1: 2.5})
    losses, J = one.net.jacobian(one.params, one.x, one.ys)
    same, R = turned.jacobian(one.params, one.x, one.ys)
    np.testing.assert_array_equal(losses, same)
    np.testing.assert_allclose(R, np.array([1.0, -2.5, 1.0])[:, None] * J, rtol=1e-14)


def test_soft_sharing_with_equal_nets_has_no_penalty_and_without_lam_no_pull() -> None:
    here = net("soft")
    params = here.init(0)
    equal = {n: params[n.replace(n[:4], "net0")] if n.startswith("net") else a for n, a in params.items()}
    assert here.penalty(equal) < 1e-28  # the mean of three equal numbers rounds
    first = net("soft_first").penalty(params)
    pairs = [(s, t) for t in range(3) for s in range(t)]
    flat = [np.concatenate([params[f"net{k}.0.{p}"].ravel() for p in "Wb"]) for k in range(3)]
    np.testing.assert_allclose(
        first, 0.15 * sum(((flat[s] - flat[t]) ** 2).sum() for s, t in pairs), rtol=1e-13
    )


def test_columns_of_the_jacobian_by_name() -> None:
    one = trial(net("ple"), RNG(6))
    _, J = one.net.jacobian(one.params, one.x, one.ys)
    ends = np.cumsum([0, *(one.params[n].size for n in one.net.shared_names)])
    last = one.net.shared_names[-2:]
    _, part = one.net.jacobian(one.params, one.x, one.ys, names=last)
    np.testing.assert_array_equal(part, J[:, ends[-3] :])
    _, turned = one.net.jacobian(one.params, one.x, one.ys, names=last[::-1])
    assert turned.shape == part.shape
    assert (turned[:, : one.params[last[1]].size] == J[:, ends[-2] :]).all()


@pytest.mark.parametrize("heads", ["all kinds", "numbers", "one task"])
@pytest.mark.parametrize("tower", [(), (3,)])
def test_the_way_of_large_batches(
    monkeypatch: pytest.MonkeyPatch, heads: str, tower: tuple[int, ...]
) -> None:
    """Large representations take the losses one after another; here small ones do, and the laws hold."""
    from mtlref.nn import shared_bottom
    from mtlref.verify.laws.nets import jacobian_rows_are_gradients, single_precision_is_kept

    monkeypatch.setattr(shared_bottom, "LARGE", 1)
    kinds = {"numbers": (mt.nn.Regression(1),) * 3, "one task": (mt.nn.Regression(2),)}
    options = {} if heads == "all kinds" else {"heads": kinds[heads]}
    for seed, reverse in enumerate((None, {0: 0.7})):
        here = net("shared", tower=tower, reverse=reverse, **options)
        one = trial(here, RNG(seed), masked=seed == 1)
        if reverse is None:
            jacobian_rows_are_gradients(one, RNG(seed))
        single_precision_is_kept(one, RNG(seed))
        plain = here.jacobian(one.params, one.x, one.ys, one.masks)[1]
        monkeypatch.setattr(shared_bottom, "LARGE", 1 << 16)
        agreed = here.jacobian(one.params, one.x, one.ys, one.masks)[1]
        monkeypatch.setattr(shared_bottom, "LARGE", 1)
        np.testing.assert_allclose(plain, agreed, rtol=1e-13, atol=1e-15)


ORDER = [2, 0, 1]


def relabelled(kind: str, params: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Parameters for the tasks in ORDER: new task k is old task ORDER[k]."""
    out = {}
    for name, value in params.items():
        new = name
        for word in ("tower", "net", "gate", "task"):
            for k, old in enumerate(ORDER):
                if kind != "moe" and (f"{word}{old}." in name):
                    new = name.replace(f"{word}{old}.", f"{word}{k}.")
        if kind == "moe" and name.startswith("tower"):
            new = f"tower{ORDER.index(int(name[5]))}{name[6:]}"
        if name.startswith("stitch"):
            value = value[np.ix_(ORDER, ORDER)]
        if "gateS" in name:
            each = (value.shape[-1] - SHARED[kind]) // 3
            columns = [each * old + e for old in ORDER for e in range(each)]
            value = value[..., [*columns, *range(3 * each, value.shape[-1])]]
        out[new] = value
    return out


SHARED = {k: o.get("shared_experts", 0) for k, (_, o) in ARCHITECTURES.items()}


@pytest.mark.parametrize("kind", sorted(set(ARCHITECTURES) - {"reversed"}))
def test_relabelling_tasks_permutes_everything(kind: str) -> None:
    one = trial(net(kind, tower=(3,)), RNG(5))
    other = net(kind, heads=tuple(one.net.heads[k] for k in ORDER), tower=(3,))
    params = relabelled(kind, one.params)
    losses, grads = one.net.loss_and_grad(one.params, one.x, one.ys, one.weights)
    moved, expected = other.loss_and_grad(params, one.x, [one.ys[k] for k in ORDER], one.weights[ORDER])
    np.testing.assert_allclose(losses[ORDER], moved, rtol=1e-13)
    for n, g in relabelled(kind, grads).items():
        np.testing.assert_allclose(g, expected[n], rtol=1e-11, atol=1e-14)
