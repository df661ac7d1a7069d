"""Newton's step on the entries of an l1 problem: the linear system that it solves, and where it ends."""

from __future__ import annotations

import numpy as np

from mtlref.optim.quadratic import Quadratic
from mtlref.optim.sparse import Entries

RNG = np.random.default_rng(5)
A = RNG.normal(size=(2, 6, 4))
H = np.einsum("tij,tik->tjk", A, A)
Q = Quadratic(RNG.normal(size=(2, 4)), H)
THRESHOLD = np.full(4, 0.1)


def test_a_step_solves_the_system_of_the_entries_that_are_not_zero() -> None:
    V = np.array([[50.0, 0.0, 60.0, -70.0], [0.0, 0.0, 80.0, 90.0]])
    g = RNG.normal(size=(2, 4))
    step = Entries(THRESHOLD).newton(Q, V, g, 0.0)
    assert step is not None
    for t in range(2):
        on = V[t] != 0
        wanted = np.linalg.solve(H[t][np.ix_(on, on)], (g[t] - 0.1 * np.sign(V[t]))[on])
        np.testing.assert_allclose(step[t, on], wanted, rtol=1e-9)
        assert (step[t, ~on] == 0).all()


def test_a_step_ends_at_the_first_change_of_sign() -> None:
    V = np.array([[1e-3, 5.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    g = -np.abs(RNG.normal(size=(2, 4)))
    full = np.linalg.solve(H[0][:2, :2], (g[0] - 0.1)[:2])
    V[0, 0] = abs(full[0]) / 4 * (1 if full[0] < 0 else -1)
    full = np.linalg.solve(H[0][:2, :2], (g[0] - 0.1 * np.sign(V[0]))[:2])
    share = -V[0, 0] / full[0]
    assert 0 < share < 1
    step = Entries(THRESHOLD).newton(Q, V, g, 0.0)
    assert step is not None
    assert step[0, 0] == -V[0, 0]
    np.testing.assert_allclose(step[0, 1], share * full[1], rtol=1e-9)
