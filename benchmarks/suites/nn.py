"""Nets: a training step and the tasks' Jacobian against PyTorch and TorchJD; exact MGDA against the usual loop.

Gradients are compared before anything is timed: the column of gaps is the largest difference of ours from the other's,
relative to the largest entry; for MGDA it is the gap (‖d‖² − min ⟨g_i, d⟩) / ‖d‖² of each direction. The loops: a plain
one on NumPy, which pays the least for a step that such a loop can, and TorchJD's with its default settings.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import mtlref as mt
from benchmarks import balancers, nets
from benchmarks import outcome as o
from benchmarks.machine import allowed, version_of
from benchmarks.outcome import Outcome
from benchmarks.runner import Limits
from benchmarks.trial import Trial, in_turn
from mtlref.balance.minnorm import quick_weights

# float32: sums in another order.
AGREE = 1e-4
STEPS = ("mtlref", "PyTorch")
JACOBIANS = ("mtlref", "PyTorch", "TorchJD")
HULLS = 5
LOOPS = ("mtlref", "Frank-Wolfe, step 1e-3", "Frank-Wolfe, gap 1e-3")
PEERS = (*LOOPS, "TorchJD")


def compared(
    problem: str,
    limits: Limits,
    ours: Callable[[], Any],
    others: dict[str, Callable[[], Any]],
    missing: list[str],
    read: Callable[[Any], list[Any]],
) -> list[Outcome]:
    """Times in turn; a peer whose numbers are others has none."""
    mine = read(ours())
    size = max(float(np.abs(a).max()) for a in mine)
    out, kept = [], [ours]
    for name, call in others.items():
        theirs = read(call())
        apart = max(float(np.abs(a - b).max()) for a, b in zip(mine, theirs, strict=True)) / size
        status = o.REACHED if apart <= AGREE else o.SHORT
        out.append(Outcome("nn", problem, name, status, version_of(name), gap=apart))
        kept.append(call)
    seconds = in_turn(kept, limits, in_a_row=10)
    first = Outcome("nn", problem, "mtlref", o.REACHED, mt.__version__, seconds[0], 0.0)
    for r, s in zip(out, seconds[1:], strict=True):
        r.seconds = s if r.status == o.REACHED else None
    return [first, *out, *(Outcome("nn", problem, name, o.MISSING) for name in missing)]


def _torch() -> Any:
    if find_spec("torch") is None:
        return None
    import torch

    torch.set_num_threads(allowed())
    return torch


def step(problem: str, sizes: tuple[int, int, int, int]) -> Callable[[Limits], list[Outcome]]:
    """All gradients of the sum of the losses."""

    def run(limits: Limits) -> list[Outcome]:
        torch, s = _torch(), nets.setting(*sizes, np.float32)
        others = {} if torch is None else {"PyTorch": nets.in_torch(torch, s)[0]}

        def ours() -> list[Any]:
            grads = s.net.loss_and_grad(s.params, s.x, s.ys)[1]
            return [grads[n] for n in s.net.param_names]

        return compared(
            problem,
            limits,
            ours,
            others,
            [] if torch else ["PyTorch"],
            lambda out: [np.asarray(a) for a in out],
        )

    return run


def jacobian(problem: str, sizes: tuple[int, int, int, int]) -> Callable[[Limits], list[Outcome]]:
    """The gradients of every task's loss in the shared parameters."""

    def run(limits: Limits) -> list[Outcome]:
        torch, s = _torch(), nets.setting(*sizes, np.float32)
        others: dict[str, Callable[[], Any]] = {}
        missing = []
        if torch is None:
            missing = ["PyTorch", "TorchJD"]
        else:
            others["PyTorch"] = nets.in_torch(torch, s)[1]
            if find_spec("torchjd") is None:
                missing = ["TorchJD"]
            else:
                others["TorchJD"] = nets.in_torchjd(torch, s)
        return compared(
            problem,
            limits,
            lambda: s.net.jacobian(s.params, s.x, s.ys)[1],
            others,
            missing,
            lambda J: [np.asarray(J)],
        )

    return run


def directions(problem: str, m: int, d: int, after: bool = False) -> Callable[[Limits], list[Outcome]]:
    """The shortest vector in the hull of the tasks' gradients; ``after``: from J J' to its weights alone."""

    def run(limits: Limits) -> list[Outcome]:
        hulls, mgda = [balancers.jacobian(m, d, seed) for seed in range(HULLS)], mt.balance.MGDA()
        given = [J @ J.T for J in hulls] if after else hulls
        plain: Callable[..., Any] = balancers.loop if after else balancers.frank_wolfe
        calls: dict[str, Callable[[Any], Any]] = {
            LOOPS[0]: quick_weights if after else mgda,
            LOOPS[1]: lambda J: plain(J)[0],
            LOOPS[2]: lambda J: plain(J, step=0.0, gap=1e-3, steps=100000)[0],
        }

        torch, found = _torch(), not after and find_spec("torchjd") is not None
        if torch is not None and found:
            from torchjd.aggregation import MGDA

            peer = MGDA()  # Frank–Wolfe until a step falls below 1e-3, 100 steps at most
            tensors = {id(J): torch.tensor(J) for J in hulls}
            calls[PEERS[-1]] = lambda J: peer(tensors[id(J)])

        def direction(J: Any, answer: Any) -> Any:
            return np.asarray(answer) @ J if after else np.asarray(answer)

        gaps = [
            max(abs(balancers.gap(J, direction(J, call(A)))) for J, A in zip(hulls, given, strict=True))
            for call in calls.values()
        ]
        seconds = in_turn([lambda c=c: [c(A) for A in given] for c in calls.values()], limits, in_a_row=3)
        versions = [mt.__version__, np.__version__, np.__version__, version_of(PEERS[-1])]
        out = [
            Outcome("nn", problem, name, o.REACHED, versions[k], seconds[k] / HULLS, gaps[k])
            for k, name in enumerate(calls)
        ]
        return (
            out if after or len(calls) == len(PEERS) else [*out, Outcome("nn", problem, PEERS[-1], o.MISSING)]
        )

    return run


def _trials(
    sizes: tuple[tuple[int, int, int, int], ...], hulls: tuple[tuple[int, int], ...]
) -> tuple[Trial, ...]:
    out = []
    for kind, make, solvers in (("step", step, STEPS), ("Jacobian", jacobian, JACOBIANS)):
        for size in sizes:
            name = f"{kind} {size[0]}"
            words = "batch {}, {} in, hidden {}-{}, {} tasks, float32".format(*size[:3], *size[2:])
            out.append(Trial(name, words, make(name, size), solvers))
    for m, d in hulls:
        for name, what, after in (
            (f"MGDA {m} × {d}", "from J to the direction", False),
            (f"MGDA weights {m} × {d}", "from J J' to the weights", True),
        ):
            words = f"{m} tasks, {d} parameters, mean of {HULLS} Jacobians, {what}"
            out.append(Trial(name, words, directions(name, m, d, after), LOOPS if after else PEERS))
    return tuple(out)


PROBLEMS = _trials(nets.SIZES, balancers.SIZES)
QUICK = _trials(((8, 3, 4, 2),), ((3, 10),))
