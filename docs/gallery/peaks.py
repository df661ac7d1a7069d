"""The Peaks functions and the shuffle test: extra tasks help while their targets belong to the inputs.

A Peaks function of six variables on [0, 1] is IF v1 > 1/2 THEN v2 ELSE v3, with three different variables. The main
task is IF A > 1/2 THEN B ELSE C; the extra tasks are other Peaks functions of A, B and C ("related"), or of D, E and F
("unrelated": no variable in common). Each variable is given as ten coarse-coded inputs. Every net has the same number
of hidden units, the same rows and the same rows to stop by; shuffled extra targets are in an order of chance.

python docs/gallery/peaks.py                             # 40 trials, as on the page
python docs/gallery/peaks.py --trials 2 --epochs 10

Source: caruana1997, sections on the Peaks functions and on the mechanisms of multi-task learning.
"""

from __future__ import annotations

import argparse
import sys
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ttest_rel

import mtlref as mt

Values = NDArray[np.float64]
CENTRES = np.linspace(0.05, 0.95, 10)
RELATED = [p for p in permutations(range(3)) if p != (0, 1, 2)]
UNRELATED = [p for p in permutations(range(3, 6)) if p != (3, 4, 5)]
KINDS = ("alone", "related", "related, shuffled", "unrelated", "unrelated, shuffled")


def coded(v: Values) -> Values:
    """(n, 60): a bump of width 1/10 for each variable, seen at ten centres."""
    return np.exp(-(((v[:, :, None] - CENTRES) / 0.1) ** 2) / 2).reshape(len(v), -1)


def peak(v: Values, which: tuple[int, ...]) -> Values:
    """IF v1 > 1/2 THEN v2 ELSE v3."""
    return np.where(v[:, which[0]] > 0.5, v[:, which[1]], v[:, which[2]])


def trial(seed: int, rows: int, hidden: int, epochs: int, rate: float) -> list[float]:
    """Root mean squared errors of the main task on 1000 new rows, one for each of KINDS."""
    rng = np.random.default_rng(seed)
    parts = [rng.random((n, 6)) for n in (rows, rows, 1000)]
    codes, mains = [coded(v) for v in parts], [peak(v, (0, 1, 2)) for v in parts]
    orders = [rng.permutation(rows) for _ in range(5)]
    errors = []
    for kind in KINDS:
        extra = {"a": [], "r": RELATED, "u": UNRELATED}[kind[0]]
        targets = [peak(parts[0], which) for which in extra]
        if "shuffled" in kind:
            targets = [y[order] for y, order in zip(targets, orders, strict=True)]
        heads = [mt.nn.Regression()] * (1 + len(extra))
        net = mt.nn.SharedBottom(60, hidden=(hidden,), heads=heads, activation="tanh")
        stepper = mt.nn.Stepper(net, net.init(seed), optimizer=mt.nn.Adam(rate))
        train = stepper.rows(codes[0], [mains[0], *targets])
        best, answer = np.inf, mains[2]
        for epoch in range(epochs):
            stepper.step(train)
            if epoch % 10 == 9:
                error = float(np.mean((net.predict(stepper.params, codes[1])[0][:, 0] - mains[1]) ** 2))
                if error < best:
                    best, answer = error, net.predict(stepper.params, codes[2])[0][:, 0]
        errors.append(float(np.sqrt(np.mean((answer - mains[2]) ** 2))))
    return errors


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python docs/gallery/peaks.py")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--hidden", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=800)
    parser.add_argument("--rate", type=float, default=0.01)
    o = parser.parse_args(arguments)
    errors = np.array([trial(seed, o.rows, o.hidden, o.epochs, o.rate) for seed in range(o.trials)])
    print("| extra tasks | RMSE of the main task | better than alone | p |\n|:--|--:|--:|--:|")
    for k, kind in enumerate(KINDS):
        line = f"| {kind} | {errors[:, k].mean():.4f} |"
        if k and o.trials > 1:
            gain = errors[:, 0] - errors[:, k]
            line += f" {gain.mean():+.4f}, in {(gain > 0).sum()} of {o.trials} trials |"
            line += f" {ttest_rel(errors[:, 0], errors[:, k]).pvalue:.2g} |"
        else:
            line += " | |"
        print(line)
    if o.trials > 1:
        p = ttest_rel(errors[:, 1], errors[:, 2]).pvalue
        gain = float((errors[:, 2] - errors[:, 1]).mean())
        print(
            f"\nThe shuffle test: true extra targets are better than shuffled ones by {gain:+.4f}, p = {p:.2g}."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
