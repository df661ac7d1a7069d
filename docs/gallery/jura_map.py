"""Draw the map of cadmium in the Jura that a Gaussian process over three metals predicts, and how sure it is.

python docs/gallery/jura_map.py [--out docs/_static/jura.svg]

The model is the one that the training data chose among those of jura_models.py: two exponential structures, logarithms.
Left the median of cadmium, with dots at the 259 prediction places and crosses at the 100 validation places; right the
predictions at the validation places against what was measured there, with intervals of nine in ten.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import jura_models as jura

MODEL = "Matern12 + Matern12"
STEP = 0.05  # km between the points of the map
NEAR = 0.45  # km from the next measured place up to which it is drawn
Z90 = 1.6449


def main() -> None:
    """Fit, predict on a lattice, draw."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = Path(__file__).resolve().parents[1] / "_static" / "jura.svg"
    reader.add_argument("--out", type=Path, default=default)
    asked = reader.parse_args()
    X, Y = jura.places()
    kernel, rank = jura.KERNELS[MODEL]
    model = jura.fitted(kernel, rank, "constant", True, X, Y)
    print(
        f"converged: {model.result_.converged}; projected gradient {model.result_.certificate.relative_gap:.1e}"
    )
    result = jura.judged(model, True, X, Y)
    print(f"mean absolute error at the validation places: {result['error']:.4f} mg/kg")
    draw(model, X, Y, asked.out)
    print(f"{asked.out}: {asked.out.stat().st_size / 1000:.0f} kB")


def draw(model: Any, X: Any, Y: Any, out: Path) -> None:
    """The two panels as an SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

    axes = [np.arange(X[:, d].min() - NEAR, X[:, d].max() + NEAR, STEP) for d in (0, 1)]
    lattice = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    nearest = np.sqrt(((lattice[:, None] - X) ** 2).sum(axis=2)).min(axis=1)
    median = np.exp(model.predict(lattice)[:, 0])
    shown = np.where(nearest <= NEAR, median, np.nan).reshape(len(axes[1]), len(axes[0]))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mtlref", "font.size": 9}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.3), layout="constrained")
        known = slice(0, jura.KNOWN)
        low, high = 0.2, 3.4
        image = left.imshow(
            shown,
            origin="lower",
            extent=(axes[0][0], axes[0][-1], axes[1][0], axes[1][-1]),
            vmin=low,
            vmax=high,
            cmap="viridis",
            interpolation="none",
        )
        left.plot(X[known, 0], X[known, 1], ".", color="white", markersize=2)
        left.plot(
            X[jura.KNOWN :, 0], X[jura.KNOWN :, 1], "x", color="white", markersize=3, markeredgewidth=0.6
        )
        left.set(xlabel="east, km", ylabel="north, km", title="Cadmium, predicted median, mg/kg")
        figure.colorbar(image, ax=left, shrink=0.85)
        mean, deviation = model.predict(X[jura.KNOWN :], return_std=True, noise=True)
        m, s, truth = mean[:, 0], deviation[:, 0], Y[jura.KNOWN :, 0]
        right.vlines(truth, np.exp(m - Z90 * s), np.exp(m + Z90 * s), color="0.8", linewidth=1)
        right.plot(truth, np.exp(m), "o", markersize=3, color="tab:blue")
        right.plot([0.1, 6], [0.1, 6], color="0.5", linewidth=0.8)
        inside = np.mean(np.abs(np.log(truth) - m) <= Z90 * s)
        right.set(xscale="log", yscale="log", xlim=(0.1, 6), ylim=(0.05, 12))
        right.set(xlabel="measured, mg/kg", ylabel="predicted, mg/kg")
        for axis in (right.xaxis, right.yaxis):
            axis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10]))
            axis.set_major_formatter(FormatStrFormatter("%g"))
            axis.set_minor_locator(NullLocator())
        right.set_title(f"100 validation places: {100 * inside:.0f} % within 90 % intervals")
        out.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    # A hundredth of a point is enough, and halves the file.
    out.write_text(re.sub(r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", text.getvalue()), encoding="utf-8")


if __name__ == "__main__":
    main()
