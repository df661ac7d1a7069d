"""Some inputs work better as outputs: an extra feature as nothing, as an input, and as an extra output.

F1 = σ(A + B) is to be learned from A and B, uniform on [-5, 5], each as a 10-bit binary code. F2 = σ(A − B) is known as
well: it can be left out, given to the net as a 21st input (also at the test), or learned beside F1 as a second output
(unused at the test). 50 training rows, 1000 rows to stop by, 1000 to test on, 16 sigmoid units: all this is as in the
source. Sigmoid outputs trained on their squared error by gradient descent with momentum from small weights are our
reading of "backprop"; the options give others. Root of the mean squared error of F1.

python docs/gallery/inputs_as_outputs.py                 # 50 trials, as on the page
python docs/gallery/inputs_as_outputs.py --signs         # bits as -1 and 1 in place of 0 and 1
python docs/gallery/inputs_as_outputs.py --trials 2 --epochs 50

Source: caruana1997, section on features that work better as outputs; Caruana & de Sa 1997.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ttest_rel

import mtlref as mt

Values = NDArray[np.float64]
BITS, HIDDEN = 10, 16
KINDS = ("F2 left out", "F2 as an input", "F2 as an output")
PUBLISHED = (0.0648, 0.0647, 0.0631)


@dataclass(frozen=True)
class SigmoidOutput(mt.nn.Head):
    """A number between 0 and 1: the squared error of σ(z), as nets of the time had it."""

    @property
    def width(self) -> int:
        """1."""
        return 1

    def target(self, y: Any, rows: int, seen: Any, name: str, dtype: Any) -> Any:
        """(rows, 1)."""
        return np.asarray(y, dtype=dtype).reshape(rows, 1)

    def loss(self, z: Any, y: Any) -> tuple[Any, Any]:
        """(σ(z) − y)² and its slope."""
        s = self.answer(z)
        return ((s - y) ** 2)[:, 0], 2 * (s - y) * s * (1 - s)

    def answer(self, z: Any) -> Any:
        """σ(z)."""
        return 0.5 * np.tanh(0.5 * z) + 0.5


def code(values: Values) -> Values:
    """(n, 10): the bits of the place of each value among 2^10 on [-5, 5]."""
    place = np.minimum(((values + 5) / 10 * 2**BITS).astype(int), 2**BITS - 1)
    return ((place[:, None] >> np.arange(BITS)[::-1]) & 1).astype(float)


def drawn(rows: int, rng: np.random.Generator) -> tuple[Values, Values, Values]:
    """(codes of A and B (rows, 20), F1, F2)."""
    A, B = rng.uniform(-5, 5, (2, rows))
    return np.hstack([code(A), code(B)]), 1 / (1 + np.exp(-A - B)), 1 / (1 + np.exp(B - A))


def trial(seed: int, o: argparse.Namespace) -> list[float]:
    """The three errors of F1 on 1000 new rows; the three nets see the same rows."""
    rng = np.random.default_rng(seed)
    parts = [drawn(o.rows, rng), drawn(1000, rng), drawn(1000, rng)]
    if o.signs:
        parts = [(2 * x - 1, f1, f2) for x, f1, f2 in parts]
    errors = []
    for kind in KINDS:
        as_input, as_output = kind == KINDS[1], kind == KINDS[2]
        batches = [
            (np.column_stack([x, f2]) if as_input else x, [f1, f2] if as_output else [f1])
            for x, f1, f2 in parts
        ]
        heads: list[Any] = [SigmoidOutput()] * (1 + as_output)
        width = batches[0][0].shape[1]
        net = mt.nn.SharedBottom(width, hidden=(HIDDEN,), heads=heads, activation="sigmoid")
        params = {n: o.start * a for n, a in net.init(seed).items()}
        optimizer = mt.nn.Adam(o.rate) if o.adam else mt.nn.Momentum(o.rate, 0.9)
        out = _stopped(net, params, batches[0], batches[1], o.epochs, optimizer)
        estimate = net.predict(out, batches[2][0])[0][:, 0]
        errors.append(float(np.sqrt(np.mean((estimate - parts[2][1]) ** 2))))
    return errors


def _stopped(net: Any, params: Any, train: Any, check: Any, epochs: int, optimizer: Any) -> Any:
    """The parameters at the smallest squared error of F1 on the rows to stop by, looked at every twenty epochs."""
    stepper = mt.nn.Stepper(net, params, optimizer=optimizer)
    rows = stepper.rows(*train)
    best, kept = np.inf, params
    for epoch in range(epochs):
        stepper.step(rows)
        if epoch % 20 == 19:
            error = float(np.mean((net.predict(stepper.params, check[0])[0][:, 0] - check[1][0]) ** 2))
            if error < best:
                best, kept = error, {n: a.copy() for n, a in stepper.params.items()}
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python docs/gallery/inputs_as_outputs.py")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--rows", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--signs", action="store_true", help="bits as -1 and 1")
    parser.add_argument(
        "--adam", action="store_true", help="Adam in place of momentum; takes --rate 0.01 or so"
    )
    parser.add_argument("--start", type=float, default=0.1, help="times the usual size of the first weights")
    o = parser.parse_args(arguments)
    errors = np.array([trial(seed, o) for seed in range(o.trials)])
    print("| net | RMSE of F1 | published | better than F2 left out | p |\n|:--|--:|--:|--:|--:|")
    for k, kind in enumerate(KINDS):
        line = f"| {kind} | {errors[:, k].mean():.4f} | {PUBLISHED[k]:.4f} |"
        if k and o.trials > 1:
            gain = errors[:, 0] - errors[:, k]
            line += f" {gain.mean():+.4f}, in {(gain > 0).sum()} of {o.trials} trials |"
            line += f" {ttest_rel(errors[:, 0], errors[:, k]).pvalue:.2g} |"
        else:
            line += " | |"
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
