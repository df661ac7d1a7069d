"""Outputs learned in training only, and an order learned as an order: what each does on a problem made for it.

python docs/gallery/auxiliary.py                 # as on the page
python docs/gallery/auxiliary.py --trials 1 --epochs 5

Source: rankprop: Caruana, Baluja & Mitchell 1996; inputs as outputs: Caruana & de Sa 1997; domain adversary: Ganin &
Lempitsky 2015.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

import mtlref as mt

Values = NDArray[np.float64]


def ranks(seed: int, epochs: int) -> list[float]:
    """Rank correlation on new rows of a risk whose sizes span decades: squared error, its logarithm's, rankprop."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2400, 8))
    risk = np.exp(2.5 * X[:, 0] - 1.5 * X[:, 1] + X[:, 2] * X[:, 3])
    out = []
    for loss, y in (("squared", risk), ("squared", np.log(risk)), ("rankprop", risk)):
        model = mt.SharedMLP(hidden=(16,), loss=loss, random_state=seed, max_iter=epochs)
        model.fit(X[:400], y[:400])
        out.append(float(spearmanr(model.predict(X[400:]), risk[400:])[0]))
    return out


def kept(seed: int, epochs: int) -> list[float]:
    """Variance explained with 60 rows of 30 features on a plane of 3, without and with the inputs learned."""
    rng = np.random.default_rng(seed)
    plane = rng.standard_normal((3, 30))
    z = rng.standard_normal((2060, 3))
    X, y = z @ plane + 0.5 * rng.standard_normal((2060, 30)), np.sin(z[:, 0]) + z[:, 1]
    out = []
    for extra in ((), (mt.nn.Reconstruction(),), (mt.nn.Reconstruction(weight=10.0),)):
        model = mt.SharedMLP(
            hidden=(8,), activation="tanh", auxiliary=extra, random_state=seed, max_iter=epochs
        )
        out.append(float(model.fit(X[:60], y[:60]).score(X[60:], y[60:])))
    return out


def hidden(seed: int, epochs: int) -> list[float]:
    """How well a tower tells two domains apart: mean loss of the last tenth of the epochs; log 2 is not at all."""
    rng = np.random.default_rng(seed)
    X = [rng.standard_normal((100, 3)) + t * np.array([2.0, 0.0, 0.0]) for t in range(2)]
    out = []
    for strength in (0.0, 1.0, 3.0):
        model = mt.SharedMLP(
            hidden=(8,), auxiliary=(mt.nn.DomainAdversary(strength=strength),), random_state=seed, max_iter=epochs,
            validation_fraction=0.0,
        )  # fmt: skip
        model.fit(X, [x[:, 1] for x in X])
        history: dict[str, Any] = model.history_
        place = history["columns"].index("DomainAdversary")
        out.append(float(history["train"][-max(1, epochs // 10) :, place].mean()))
    return out


PARTS = (
    ("rank correlation", ("squared error", "squared error of the logarithm", "rankprop"), ranks),
    ("variance explained", ("the task alone", "inputs learned too", "ten times their weight"), kept),
    ("loss of the domain", ("no reversal", "strength 1", "strength 3"), hidden),
)


def main(arguments: list[str] | None = None) -> int:
    """Print a table for each part."""
    parser = argparse.ArgumentParser(prog="python docs/gallery/auxiliary.py")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=200)
    o = parser.parse_args(arguments)
    for name, columns, run in PARTS:
        scores = np.array([run(seed, o.epochs) for seed in range(o.trials)])
        print(f"| {name} | " + " | ".join(columns) + " |\n|:--|" + "--:|" * len(columns))
        print("| mean | " + " | ".join(f"{s:.3f}" for s in scores.mean(axis=0)) + " |")
        print("| least | " + " | ".join(f"{s:.3f}" for s in scores.min(axis=0)) + " |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
