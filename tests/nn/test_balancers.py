"""Training under the balancers of the package, which know nothing of nets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.nn import Batch, Binary, MMoE, Regression, SharedBottom, train

balance = pytest.importorskip("mtlref.balance", exc_type=ImportError)
NAMES = [
    "MGDA",
    "PCGrad",
    "CAGrad",
    "IMTLG",
    "NashMTL",
    "FairGrad",
    "AlignedMTL",
    "ConFIG",
    "UPGrad",
    "GradNorm",
    "DWA",
]


def batch() -> Batch:
    x = np.random.default_rng(0).standard_normal((60, 3))
    return Batch(x, [x[:, 0], (x[:, 1] > 0).astype(float)])


@pytest.mark.parametrize("name", NAMES)
def test_both_tasks_are_learned(name: str) -> None:
    net = MMoE(3, experts=2, expert=(6,), heads=[Regression(), Binary()])
    rule = mt.nn.Adam(0.02)
    out = train(
        net,
        net.init(0),
        batch(),
        rng=np.random.default_rng(0),
        optimizer=rule,
        epochs=40,
        balancer=getattr(balance, name)(),
    )
    assert (out.train[-1] < 0.8 * out.train[0]).all()


def test_as_many_shared_parameters_as_tasks() -> None:
    """Two weights and a direction of two numbers have one shape; the balancer says which it gives."""
    net = SharedBottom(1, hidden=(1,), heads=[Regression(), Binary()])
    x = batch().x[:, :1]
    data = Batch(x, [x[:, 0], (x[:, 0] > 0).astype(float)])

    class Twos:
        gives = "weights"

        def init(self, tasks: int) -> None:
            return None

        def update(
            self, state: None, J: np.ndarray, losses: np.ndarray, rng: object
        ) -> tuple[np.ndarray, None]:
            assert J.shape == (2, 2)
            return np.full(2, 2.0), None

    by = train(net, net.init(0), data, rng=np.random.default_rng(0), epochs=2, balancer=Twos())
    plain = train(net, net.init(0), data, rng=np.random.default_rng(0), epochs=2, task_weights=[2.0, 2.0])
    for n, a in plain.params.items():
        np.testing.assert_allclose(by.params[n], a, rtol=1e-12)


@pytest.mark.parametrize("name", ["MGDA", "UW", "GradNorm", "RLW"])
def test_an_estimator_takes_a_balancer(name: str) -> None:
    data = batch()
    Y = np.column_stack([data.x[:, 0], data.x[:, 1] - data.x[:, 0]])
    model = mt.nn.SharedMLP(balancer=getattr(balance, name)(), max_iter=20, random_state=0).fit(data.x, Y)
    plain = mt.nn.SharedMLP(max_iter=20, random_state=0).fit(data.x, Y)
    assert model.history_["train"][-1].sum() < 0.8 * model.history_["train"][0].sum()
    assert not np.allclose(model.predict(data.x), plain.predict(data.x), atol=1e-6)
    with pytest.raises(mt.FormError, match="balancer must have init"):
        mt.nn.SharedMLP(balancer="MGDA", max_iter=2).fit(data.x, Y)


class Weights:
    """Fixed weights that ask for the Jacobian, or do not."""

    gives = "weights"

    def __init__(self, *needs: str) -> None:
        self.needs = needs

    def init(self, tasks: int) -> None:
        return None

    def update(self, state: None, J: Any, losses: Any, rng: Any) -> tuple[np.ndarray, None]:
        assert (J is None) == ("J" not in self.needs)
        return np.array([0.5, 2.0]), None


@pytest.mark.parametrize("kind", ["bottom", "reversed", "mmoe"])
@pytest.mark.parametrize("needs", [(), ("J",)])
def test_weights_of_a_balancer_are_task_weights(kind: str, needs: tuple[str, ...]) -> None:
    heads = [Regression(), Binary()]
    net = {
        "bottom": SharedBottom(3, hidden=(4,), tower=(3,), heads=heads),
        "reversed": SharedBottom(3, hidden=(4,), heads=heads, reverse={1: 0.5}),
        "mmoe": MMoE(3, experts=2, expert=(4,), heads=heads),
    }[kind]
    data, params = batch(), net.init(0)
    rule = mt.nn.SGD(0.1)
    weighted = mt.nn.Stepper(net, params, optimizer=rule, task_weights=[0.5, 2.0])
    balanced = mt.nn.Stepper(net, params, optimizer=rule, balancer=Weights(*needs))
    for _ in range(3):
        weighted.step(weighted.rows(data.x, data.ys))
        balanced.step(balanced.rows(data.x, data.ys))
    np.testing.assert_allclose(balanced.vector, weighted.vector, rtol=1e-12, atol=1e-14)


def test_every_batch_has_its_share_of_every_task() -> None:
    """Tasks of 40 and 8 rows in batches of 12: each batch has 10 and 2 rows, so that no loss is ever without rows."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((48, 2))
    masks = np.repeat(np.eye(2), [40, 8], axis=0)
    seen: list[np.ndarray] = []

    class Watching(balance.Fixed):
        def update(self, state: Any, J: Any = None, losses: Any = None, rng: Any = None, **o: Any) -> Any:
            seen.append(np.array(losses))
            return super().update(state, J, losses, rng, **o)

    net = SharedBottom(2, hidden=(2,), heads=[Regression(), Regression()])
    ys = [np.where(masks[:, k] > 0, 1e3 * (k + 1), np.nan) for k in range(2)]
    train(net, net.init(0), Batch(x, ys, masks), rng=rng, epochs=5, batch_size=12, balancer=Watching())
    assert len(seen) == 20
    assert np.array(seen).min() > 9e5
    from mtlref.nn.training import _dealt

    order = _dealt(masks, rng)
    assert sorted(order) == list(range(48))
    for start in range(0, 48, 12):
        assert 1 <= (order[start : start + 12] >= 40).sum() <= 3
