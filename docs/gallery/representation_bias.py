"""Representation bias: a net that learns two tasks prefers the internal representation that both can use.

Task T is learned equally well from the parity of the bits A or of the bits B, task T' from the parity of A or of C:
the minima of T are {A, B}, those of T' are {A, C}. Alone, T's net has no reason to prefer A; with T' it has. Which one
a net uses is seen on rows where the two parities differ.

    T  = parity(A) and e      on rows with parity(A) = parity(B), C of chance
    T' = parity(A) or f       on rows with parity(A) = parity(C), B of chance

A row belongs to one task (a mask); both tasks have all inputs: 2 bits each of A, B, C, and e, f.

python docs/gallery/representation_bias.py               # 200 trials, as on the page
python docs/gallery/representation_bias.py --trials 3 --epochs 50

Source: caruana1997, section on representation bias.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

import mtlref as mt

Values = NDArray[np.float64]
# All 256 rows: two bits of A, of B, of C, and e, f.
ROWS = np.array(list(product((0.0, 1.0), repeat=8)))
A, B, C = (ROWS[:, k] != ROWS[:, k + 1] for k in (0, 2, 4))
E, F = ROWS[:, 6] > 0, ROWS[:, 7] > 0
T, T2 = A & E, A | F


def used(trained: Any, net: Any, task: int, one: Values, other: Values, open_: Values) -> float:
    """How much more the answers on rows where the parities differ follow the first than the second, -1 .. 1.

    open_ : rows where the task's other input lets the parity through.
    """
    rows = open_ & (one != other)
    label = net.predict(trained, 2 * ROWS[rows] - 1)[task][:, 0] > 0.5
    return float(np.mean(label == one[rows]) - np.mean(label == other[rows]))


def trial(
    seed: int, epochs: int, hidden: int, start: float = 1.0, ridge: float = 0.0
) -> tuple[float, float, bool]:
    """(preference of A to B of T alone, of T with T', whether both nets had learned T).

    start : the first weights times this.  ridge : weight decay.
    """
    rng = np.random.default_rng(seed)
    on_T, on_T2 = np.flatnonzero(A == B), np.flatnonzero(A == C)
    places = np.concatenate([on_T, on_T2])
    x, ys = 2 * ROWS[places] - 1, [T[places].astype(float), T2[places].astype(float)]
    masks = np.zeros((len(places), 2))
    masks[: len(on_T), 0] = masks[len(on_T) :, 1] = 1.0
    found, right = [], []
    for tasks in (1, 2):
        net = mt.nn.SharedBottom(8, hidden=(hidden,), heads=[mt.nn.Binary()] * tasks, activation="tanh")
        keep = len(on_T) if tasks == 1 else len(x)
        params = {name: start * first for name, first in net.init(rng).items()}
        stepper = mt.nn.Stepper(net, params, optimizer=mt.nn.Adam(0.02), ridge=ridge)
        rows = stepper.rows(x[:keep], [y[:keep] for y in ys[:tasks]], masks[:keep, :tasks])
        for _ in range(epochs):
            stepper.step(rows)
        answers = net.predict(stepper.params, 2 * ROWS[on_T] - 1)[0][:, 0] > 0.5
        right.append(bool((answers == T[on_T]).all()))
        found.append(used(stepper.params, net, 0, A, B, E))
    return found[0], found[1], all(right)


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python docs/gallery/representation_bias.py")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--hidden", type=int, default=4)
    parser.add_argument("--start", type=float, default=1.0, help="the first weights times this (default 1)")
    parser.add_argument("--ridge", type=float, default=0.0, help="weight decay (default 0)")
    o = parser.parse_args(arguments)
    results = [trial(seed, o.epochs, o.hidden, o.start, o.ridge) for seed in range(o.trials)]
    learned = np.array([r[:2] for r in results if r[2]]).reshape(-1, 2)
    print(
        "| net of T | uses A | uses B | neither | preference of A | p of 50 : 50 |\n|:--|--:|--:|--:|--:|--:|"
    )
    for k, name in enumerate(("T alone", "T with T'")):
        a, b = int((learned[:, k] > 0).sum()), int((learned[:, k] < 0).sum())
        p = binomtest(a, a + b).pvalue if a + b else float("nan")
        mean = learned[:, k].mean() if len(learned) else float("nan")
        print(f"| {name} | {a} | {b} | {len(learned) - a - b} | {mean:+.2f} | {p:.2g} |")
    print(f"\n{len(learned)} of {o.trials} trials in which both nets learned T without an error.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
