"""RLW: the weights are those of the numbers drawn, from each distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

B = mt.balance


def softmax(z: Any) -> Any:
    e = np.exp(z - np.max(z))
    return e / e.sum()


DRAWN = {
    "normal": lambda rng: softmax(rng.normal(size=4)),
    "uniform": lambda rng: softmax(rng.random(4)),
    "dirichlet": lambda rng: rng.dirichlet(np.ones(4)),
}


def drawn(balancer: Any, seed: int) -> Any:
    return balancer.update(balancer.init(4), rng=np.random.default_rng(seed))[0]


@pytest.mark.parametrize("distribution", DRAWN)
def test_each_distribution_is_drawn_as_the_docstring_says(distribution: str) -> None:
    for seed in range(3):
        wanted = DRAWN[distribution](np.random.default_rng(seed))
        np.testing.assert_allclose(drawn(B.RLW(distribution), seed), wanted, rtol=1e-14)
        np.testing.assert_allclose(drawn(B.RLW(distribution, "tasks"), seed), 4 * wanted, rtol=1e-14)


def test_coins_are_thrown_again_where_all_fail() -> None:
    for seed in range(40):
        rng = np.random.default_rng(seed)
        z = np.zeros(4)
        while not z.any():
            z = (rng.random(4) < 0.5).astype(float)
        assert (drawn(B.RLW("bernoulli"), seed) == z / z.sum()).all()
