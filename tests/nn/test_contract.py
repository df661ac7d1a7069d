"""Names, their order, what is shared, and shapes of intermediate values: what other programs' numbers come under."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

HEADS = [mt.nn.Regression(2), mt.nn.Binary(), mt.nn.Multiclass(4)]
EXPERTS = ["expert0", "expert1", "expert2", "expert3"]
BOTTOM = ["bottom.0", "bottom.1"]
NETS = ["net0.0", "net0.1", "net1.0", "net1.1", "net2.0", "net2.1"]


def level(at: int) -> list[str]:
    own = [f"level{at}.task{k}.expert{e}" for k in range(3) for e in range(2)]
    return [*own, f"level{at}.shared.expert0", f"level{at}.shared.expert1"]


def gates(at: int) -> list[str]:
    return [f"level{at}.gate{k}" for k in range(3)]


# kind -> (net, layers of the trunk, those that are shared, names without .W and .b, intermediate shapes)
CONTRACT: dict[str, tuple[Any, list[str], list[str], list[str], dict[str, tuple[int, ...]]]] = {
    "shared bottom": (
        lambda **o: mt.nn.SharedBottom(7, hidden=(8, 6), **o), BOTTOM, BOTTOM, [], {"rep": (13, 6)}
    ),
    "gradient reversal": (
        lambda **o: mt.nn.SharedBottom(7, hidden=(8, 6), reverse={2: 0.7}, **o), BOTTOM, BOTTOM, [], {"rep": (13, 6)}
    ),
    "soft sharing": (
        lambda **o: mt.nn.SoftSharing(7, hidden=(8, 6), **o), NETS, [], [], {"rep": (13, 3, 6)}
    ),
    "cross stitch": (
        lambda **o: mt.nn.CrossStitch(7, hidden=(8, 6), per="scalar", **o), NETS, NETS, ["stitch0", "stitch1"],
        {"h0": (13, 3, 8), "h1": (13, 3, 6)},
    ),
    "cross stitch per channel": (
        lambda **o: mt.nn.CrossStitch(7, hidden=(8, 6), per="channel", **o), NETS, NETS, ["stitch0", "stitch1"],
        {"h0": (13, 3, 8), "h1": (13, 3, 6)},
    ),
    "moe": (
        lambda **o: mt.nn.MixtureOfExperts(7, experts=4, expert=(6,), **o),
        [*EXPERTS, "gate0"], [*EXPERTS, "gate0"], [],
        {"experts": (13, 4, 6), "gate0": (13, 4)},
    ),
    "mmoe": (
        lambda **o: mt.nn.MMoE(7, experts=4, expert=(6,), **o), [*EXPERTS, "gate0", "gate1", "gate2"], EXPERTS, [],
        {"experts": (13, 4, 6), "gate2": (13, 4)},
    ),
    "cgc": (
        lambda **o: mt.nn.PLE(7, task_experts=2, shared_experts=2, expert=(6,), levels=1, **o),
        [*level(0), *gates(0)], level(0)[-2:], [],
        {"level0.experts": (13, 8, 6), "level0.gate1": (13, 4)},
    ),
    "ple": (
        lambda **o: mt.nn.PLE(7, task_experts=2, shared_experts=2, expert=(6,), levels=2, **o),
        [*level(0), *gates(0), "level0.gateS", *level(1), *gates(1)],
        [*level(0), "level0.gateS", *level(1)[-2:]], [],
        {"level0.gateS": (13, 8), "level1.gate0": (13, 4), "level1.experts": (13, 8, 6)},
    ),
    "lstm": (
        lambda **o: mt.nn.SharedLSTM(7, hidden=(5, 4), **o), [], [],
        ["lstm0.Wx", "lstm0.Wh", "lstm0.b", "lstm1.Wx", "lstm1.Wh", "lstm1.b"],
        {"h0": (13, 9, 5), "h1": (13, 9, 4), "rep": (13, 4)},
    ),
}  # fmt: skip


def arrays(layers: list[str]) -> list[str]:
    return [f"{layer}.{part}" for layer in layers for part in "Wb"]


@pytest.mark.parametrize("kind", CONTRACT)
def test_names_and_shapes(kind: str) -> None:
    make, layers, shared, plain, inner = CONTRACT[kind]
    net = make(tower=(5,), heads=HEADS, activation="relu")
    towers = arrays([f"tower{k}.{depth}" for k in range(3) for depth in range(2)])
    assert list(net.param_names) == [*arrays(layers), *plain, *towers]
    assert list(net.shared_names) == [*arrays(shared), *plain]
    x = np.ones((13, 9, 7) if kind == "lstm" else (13, 7))
    params = net.init(0)
    outs, cache = net.forward(params, x)
    assert [z.shape for z in outs] == [(13, 2), (13, 1), (13, 4)]
    assert {name: cache[name].shape for name in inner} == inner
    ys = [np.zeros((13, 2)), np.zeros((13, 1)), np.zeros(13, dtype=int)]
    losses, J = net.jacobian(params, x, ys)
    assert losses.shape == (3,)
    assert J.shape == (3, sum(params[n].size for n in net.shared_names))


def test_defaults_of_the_contract() -> None:
    net = mt.nn.SharedBottom(2, hidden=(3,), heads=[mt.nn.Regression()])
    assert net.activation == "tanh"
    assert mt.nn.ACTIVATIONS["relu"].slope(np.zeros(1), np.zeros(1)) == 0
    assert mt.nn.CrossStitch(2, hidden=(3,), heads=HEADS).per == "scalar"
    assert mt.nn.PLE(2, task_experts=1, shared_experts=1, expert=(2,), heads=HEADS).levels == 2
