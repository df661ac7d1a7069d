"""python -m benchmarks.nets: a training step and the tasks' Jacobian, here and in PyTorch eager, on one thread.

The same net (a shared bottom and a linear head a task, relu, squared loss), the same numbers in; the gradients are
compared before anything is timed. PyTorch's Jacobian is one ``autograd.grad`` for each task over one forward pass, with
the graph kept. Times are the smallest of several repetitions, in microseconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mtlref as mt
from benchmarks.clock import best_of

Values = NDArray[Any]
# rows, features, width of the two hidden layers, tasks
SIZES = ((64, 32, 64, 4), (256, 100, 256, 10))


@dataclass(frozen=True)
class Setting:
    """A net with parameters and one batch."""

    net: mt.nn.Net
    params: dict[str, Values]
    x: Values
    ys: list[Values]


def setting(rows: int, n_in: int, width: int, tasks: int, dtype: Any, seed: int = 0) -> Setting:
    """The problem of these sizes."""
    rng = np.random.default_rng(seed)
    heads = [mt.nn.Regression(1)] * tasks
    net = mt.nn.SharedBottom(n_in, hidden=(width, width), heads=heads, activation="relu")
    ys = [rng.standard_normal((rows, 1)).astype(dtype) for _ in range(tasks)]
    return Setting(net, net.init(rng, dtype), rng.standard_normal((rows, n_in)).astype(dtype), ys)


def smallest(call: Callable[[], Any], repetitions: int) -> float:
    """The smallest time of a call, in microseconds."""
    call()
    return 1e6 * best_of([call], repetitions)[0]


def in_torch(torch: Any, s: Setting) -> tuple[Callable[[], list[Any]], Callable[[], Any]]:
    """(gradients of the sum of losses, in the order of ``param_names``; the Jacobian) by PyTorch."""
    params = {n: torch.tensor(a, requires_grad=True) for n, a in s.params.items()}
    x, ys = torch.tensor(s.x), [torch.tensor(y) for y in s.ys]
    shared = [params[n] for n in s.net.shared_names]

    def losses() -> list[Any]:
        return _losses(torch, params, x, ys)

    def step() -> list[Any]:
        for p in params.values():
            p.grad = None
        torch.stack(losses()).sum().backward()
        return [p.grad for p in params.values()]

    def jacobian() -> Any:
        rows = []
        for loss in losses():
            parts = torch.autograd.grad(loss, shared, retain_graph=True)
            rows.append(torch.cat([g.reshape(-1) for g in parts]))
        return torch.stack(rows)

    return step, jacobian


def in_torchjd(torch: Any, s: Setting) -> Callable[[], Any]:
    """The Jacobian by TorchJD's own function for it: one batched backward pass over the K losses."""
    from torchjd import autojac

    params = {n: torch.tensor(a, requires_grad=True) for n, a in s.params.items()}
    x, ys = torch.tensor(s.x), [torch.tensor(y) for y in s.ys]
    shared = [params[n] for n in s.net.shared_names]

    def jacobian() -> Any:
        parts = autojac.jac(_losses(torch, params, x, ys), shared)
        return torch.cat([g.reshape(len(ys), -1) for g in parts], dim=1)

    return jacobian


def _losses(torch: Any, params: dict[str, Any], x: Any, ys: list[Any]) -> list[Any]:
    h = x
    for layer in ("bottom.0", "bottom.1"):
        h = torch.relu(torch.addmm(params[f"{layer}.b"], h, params[f"{layer}.W"]))
    outs = [torch.addmm(params[f"tower{k}.0.b"], h, params[f"tower{k}.0.W"]) for k in range(len(ys))]
    return [torch.nn.functional.mse_loss(out, y) for out, y in zip(outs, ys, strict=True)]


def agree(torch: Any, s: Setting) -> None:
    """Raise AssertionError where the two programs' gradients differ by more than single precision explains."""
    step, jacobian = in_torch(torch, s)
    _, grads = s.net.loss_and_grad(s.params, s.x, s.ys)
    for n, theirs in zip(s.net.param_names, step(), strict=True):
        np.testing.assert_allclose(
            grads[n], theirs.numpy(), rtol=1e-3, atol=1e-5
        )  # sums in another order, float32
    np.testing.assert_allclose(
        s.net.jacobian(s.params, s.x, s.ys)[1], jacobian().numpy(), rtol=1e-3, atol=1e-5
    )


def lines(dtype: Any, repetitions: int) -> list[str]:
    """One line a size and quantity."""
    try:
        import torch  # type: ignore[import-not-found]
    except ImportError:
        torch = None
    else:
        torch.set_num_threads(1)
    out = [] if torch is not None else ["PyTorch is not installed: our times alone"]
    for sizes in SIZES:
        s = setting(*sizes, dtype)
        ours = {
            "training step": lambda s=s: s.net.loss_and_grad(s.params, s.x, s.ys),
            "Jacobian": lambda s=s: s.net.jacobian(s.params, s.x, s.ys),
        }
        theirs: dict[str, Callable[[], Any]] = {}
        if torch is not None:
            agree(torch, s)
            step, jacobian = in_torch(torch, s)
            theirs = {"training step": step, "Jacobian": jacobian}
        shape = "rows {}, features {}, width {}, tasks {}".format(*sizes)
        for name, call in ours.items():
            mine = smallest(call, repetitions)
            line = f"{shape:48s} {name:14s} ours {mine:9.0f} µs"
            if name in theirs:
                other = smallest(theirs[name], repetitions)
                line += f"   PyTorch {other:9.0f} µs   ratio {other / mine:5.2f}"
            out.append(line)
    return out


def main(arguments: list[str] | None = None) -> int:
    """Print one line a size and quantity; exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nets", description=__doc__)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--repetitions", type=int, default=200)
    o = parser.parse_args(arguments)
    print("\n".join(lines(np.dtype(o.dtype), o.repetitions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
