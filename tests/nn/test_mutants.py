"""Plausible mistakes in the nets, and the law that sees each: the text of a file is changed, and the law must break.

The nets and their laws are loaded a second time in this process, under the name ``faulty``, with one text changed; what
the other tests import is not touched. Every other text is compiled once for the whole table.
"""

# A line of the table is a mutant.
# ruff: noqa: E501

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np
import pytest

import mtlref
from mtlref.verify.laws.check import LawViolation
from mtlref.verify.laws.nets import NET_LAWS

ROOT = Path(mtlref.__file__).parent
# The laws' own files, beside the package of nets.
LAWS = {"nets": "verify/nets.py", "naive_nets": "verify/naive_nets.py", "laws": "verify/laws/nets.py"}


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    old: str
    new: str
    law: str
    kind: str


VALUES, GRADIENT, ADJOINT, JACOBIAN, MASKS, ROWS, SINGLE, ARGUMENTS = (
    "values_are_the_equations",
    "gradient_is_the_complex_step",
    "the_backward_pass_is_adjoint",
    "jacobian_rows_are_gradients",
    "masks_choose_rows",
    "rows_may_come_in_any_order",
    "single_precision_is_kept",
    "arguments_are_left_alone",
)
MUTANTS = [
    Mutant("tanh slope without the square", "activations.py", "lambda z, a: 1 - a * a", "lambda z, a: 1 - a", GRADIENT, "shared"),
    Mutant("elu slope one off", "activations.py", "np.where(z.real > 0, 1, a + 1)", "np.where(z.real > 0, 1, a)", GRADIENT, "shared"),
    Mutant("sigmoid of half the argument", "activations.py", "0.5 * np.tanh(0.5 * z) + 0.5", "0.5 * np.tanh(z) + 0.5", VALUES, "lstm"),
    Mutant("softmax backward without its mean", "gates.py", "g * (d - (d * g).sum(axis=-1, keepdims=True))", "g * d", GRADIENT, "mmoe"),
    Mutant("mixture gradient of the wrong factor", "gates.py", "np.moveaxis(g, -1, -2)[..., None] * d[..., None, :, :]", "d[..., None, :, :] + 0 * np.moveaxis(g, -1, -2)[..., None]", GRADIENT, "moe"),
    Mutant("biases forgotten in the backward pass", "dense.py", "grads[b] = over_rows(dz, grads.get(b))", "grads[b] = 0 * over_rows(dz)", ADJOINT, "shared"),
    Mutant("several members' biases forgotten", "dense.py", "    bias = over_rows(dz)", "    bias = 0 * over_rows(dz)", ADJOINT, "mmoe"),
    Mutant("one row alone in the Jacobian's biases", "dense.py", "ones = np.ones((1, rows), dtype=dtype)", "ones = np.eye(1, rows, dtype=dtype)", JACOBIAN, "shared"),
    Mutant("losses change places in the Jacobian's outer products", "towers.py", "np.ascontiguousarray(wide.T), np.ascontiguousarray(W.T)", "np.ascontiguousarray(wide.T[::-1]), np.ascontiguousarray(W.T)", JACOBIAN, "shared of numbers"),
    Mutant("a gradient made elsewhere left out", "net.py", "if grads[name] is not memory:", "if False:", JACOBIAN, "mmoe"),
    Mutant("joined weights taken apart in the wrong order", "dense.py", "return np.swapaxes(z.reshape(*z.shape[:-1], members, -1), -3, -2)", "return np.moveaxis(z.reshape(*z.shape[:-1], -1, members), -1, -3)", VALUES, "moe"),
    Mutant("towers' input gradient of one member alone", "dense.py", "return np.asarray(joined(dz) @ W.T)", "return np.asarray(joined(dz * (np.arange(members) == 0)[:, None, None]) @ W.T)", GRADIENT, "shared"),
    Mutant("heads of the next task", "towers.py", 'grads[f"{name}.W"], grads[f"{name}.b"] = weight[:, part], bias[part]', 'grads[f"{name}.W"], grads[f"{name}.b"] = 0 * weight[:, part], bias[part]', GRADIENT, "lstm"),
    Mutant("squared loss halved", "heads.py", "(1.0 / self.k), apart * (2.0 / self.k)", "(1.0 / self.k), apart * (1.0 / self.k)", GRADIENT, "shared"),
    Mutant("squared loss as a sum over outputs", "heads.py", "return np.add.reduce(apart * apart, axis=-1) * (1.0 / self.k)", "return np.add.reduce(apart * apart, axis=-1) * 1.0", VALUES, "shared"),
    Mutant("cross entropy of the wrong sign", "heads.py", "d[rows, y] -= 1", "d[rows, y] += 1", GRADIENT, "shared"),
    Mutant("binary loss of the label turned", "heads.py", "(softplus(z) - z * y)", "(softplus(z) - z * (1 - y))", VALUES, "shared"),
    Mutant("mask divided by rows", "task_losses.py", "m / total if total > 0 else m", "m / len(m) if total > 0 else m", MASKS, "shared"),
    Mutant("mask left out of the gradient", "task_losses.py", "slopes.append(share[:, None] * d)", "slopes.append(d / len(z))", MASKS, "mmoe"),
    Mutant("task weights squared", "net.py", "s.real.dtype.type(w) * s for w, s", "s.real.dtype.type(w * w) * s for w, s", GRADIENT, "shared"),
    Mutant("double precision creeps in", "net.py", "s.real.dtype.type(w) * s for w, s", "np.float64(w) * s for w, s", SINGLE, "shared"),
    Mutant("reversal forgets its strength", "towers.py", "wide[:, self._logits[k]] *= -strength", "wide[:, self._logits[k]] *= -1", GRADIENT, "reversed"),
    Mutant("no reversal in the Jacobian", "towers.py", "d[k] *= -strength", "d[k] *= 1", JACOBIAN, "reversed"),
    Mutant("the last row is left out of the bottom", "shared_bottom.py", "dense.forward(params, self._layers, self._act, x)", "dense.forward(params, self._layers, self._act, np.concatenate([x[:-1], x[-2:-1]]))", ROWS, "shared"),
    Mutant("jacobian summed over losses", "shared_bottom.py", "whole = d if per_loss else", "whole = np.add.reduce(d, axis=0)[None] + 0 * d if per_loss else", JACOBIAN, "shared"),
    Mutant("penalty without its half", "soft_sharing.py", "self.lam * self.K / 2 * sum", "self.lam * self.K * sum", GRADIENT, "soft"),
    Mutant("pull towards zero", "soft_sharing.py", "both - both.mean(axis=0)", "both", VALUES, "soft_first"),
    Mutant("stitch transposed", "cross_stitch.py", "h = (S @ a.reshape(self.K, -1)).reshape(a.shape)", "h = (S.T @ a.reshape(self.K, -1)).reshape(a.shape)", VALUES, "stitch"),
    Mutant("stitch not transposed on the way back", "cross_stitch.py", "da = (S.T @ flat).reshape(d.shape)", "da = (S @ flat).reshape(d.shape)", GRADIENT, "stitch"),
    Mutant("channels mixed on the way back", "cross_stitch.py", 'np.einsum("kjc,...kbc->...jbc", S, d)', 'np.einsum("jkc,...kbc->...jbc", S, d)', GRADIENT, "stitch_channel"),
    Mutant("every loss enters every stream", "cross_stitch.py", "lead[np.arange(self.K), np.arange(self.K)] = d", "lead[:] = d", JACOBIAN, "stitch"),
    Mutant("the one gate is not called shared", "mixture_of_experts.py", "if self.gate_each and self.K > 1:", "if self.K > 1:", JACOBIAN, "moe"),
    Mutant("gates see no bias", "mixture_of_experts.py", "logits, _ = dense.affine(params, self._gates, x)", "logits = dense.affine({n: a * n.endswith('W') for n, a in params.items()}, self._gates, x)[0]", VALUES, "mmoe"),
    Mutant("shared gate left out", "ple.py", "hS = gates.mix(here.gS, _all(here))  # (S)", "hS = here.E_shared.mean(axis=0)  # (S)", VALUES, "ple"),
    Mutant("shared gate without its gradient", "ple.py", "d_inS = d_inS + dzS @", "d_inS = d_inS + 0 * dzS @", GRADIENT, "ple3"),
    Mutant("task experts miss the shared gate's gradient", "ple.py", "_on_diagonal(from_S, d_tasks) if own else d_tasks + from_S", "_on_diagonal(0 * from_S, d_tasks) if own else d_tasks", GRADIENT, "ple"),
    Mutant("experts of one task in the Jacobian of another", "ple.py", "_on_diagonal(from_S, d_tasks) if own else d_tasks + from_S", "from_S + d_tasks if own else d_tasks + from_S", JACOBIAN, "ple"),
    Mutant("too little is called shared", "ple.py", "or not n.startswith((last, below))", "or False", JACOBIAN, "ple3"),
    Mutant("forget and input gates change places", "lstm.py", "i[t], f[t] = sigmoid(zt[:, :H]), sigmoid(zt[:, H : 2 * H])", "f[t], i[t] = sigmoid(zt[:, :H]), sigmoid(zt[:, H : 2 * H])", VALUES, "lstm"),
    Mutant("the cell's past forgotten on the way back", "lstm.py", "dc = dc * f\n", "dc = 0 * dc\n", GRADIENT, "lstm"),
    Mutant("states of the wrong step meet Wh", "lstm.py", "s.h[:-1].reshape", "s.h[1:].reshape", GRADIENT, "lstm2"),
    Mutant("targets written to", "heads.py", "apart = z - y\n", "y -= 0.5\n        apart = z - y - 0.5\n", ARGUMENTS, "shared"),
]  # fmt: skip


def of_the_copy(text: str) -> str:
    """The text with the nets taken from the copy; the estimators stay those of mtlref, which registers them once."""
    text = text.replace("from mtlref import nn", "from faulty import nn")
    text = text.replace("from mtlref.verify import naive_nets", "from faulty import naive_nets")
    return re.sub(r"\bfrom mtlref\.nn\b(?!\.estimators)", "from faulty.nn", text)


def home(name: str) -> Path:
    """The file behind a name of the copy."""
    parts = name.split(".")[1:]
    if parts[0] in LAWS:
        return ROOT / LAWS[parts[0]]
    path = ROOT.joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def compiled(name: str) -> CodeType:
    return compile(of_the_copy(home(name).read_text(encoding="utf-8")), str(home(name)), "exec")


class Copy(MetaPathFinder, Loader):
    """Imports ``faulty`` and what is in it; ``changed`` is the one text that is not as in its file, if any."""

    def __init__(self, file: Path | None = None, changed: str = "") -> None:
        self.file, self.changed = file, changed

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name.split(".")[0] != "faulty":
            return None
        package = name == "faulty" or home(name).name == "__init__.py"
        return ModuleSpec(name, self, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name == "faulty":
            return
        if home(name) == self.file:
            code = compile(of_the_copy(self.changed), str(self.file), "exec")
        else:
            code = compiled(name)
        exec(code, module.__dict__)


@contextmanager
def imported(copy: Copy) -> Iterator[Callable[[str], Any]]:
    """A function that imports by the names of the copy, which are gone afterwards."""
    sys.meta_path.insert(0, copy)
    try:
        yield import_module
    finally:
        sys.meta_path.remove(copy)
        for name in [m for m in sys.modules if m.split(".")[0] == "faulty"]:
            del sys.modules[name]


def put_to(copy: Copy, law: str, kind: str, trials: int = 3) -> None:
    """Run the law on a few trials with the nets of the copy; raises LawViolation where it does not hold."""
    with imported(copy) as module, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        laws, nets = module("faulty.laws"), module("faulty.nets")
        check = {c.__name__: c for c in laws.NET_LAWS}[law]
        architecture, _, numbers = kind.partition(" of ")
        heads = (nets.nn.Regression(1),) * 3 if numbers else nets.HEADS
        for seed in range(trials):
            activation = ("tanh", "elu")[seed % 2]
            here = nets.net(architecture, heads=heads, tower=(3,) * (seed % 2), activation=activation)
            assert type(here).__module__.startswith("faulty.")
            check(
                laws.trial(here, np.random.default_rng(seed), masked=seed == 2), np.random.default_rng(seed)
            )


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_law_sees_the_fault(mutant: Mutant) -> None:
    file = ROOT / "nn" / mutant.file
    text = file.read_text(encoding="utf-8")
    assert mutant.old in text, f"{mutant.file} no longer holds {mutant.old!r}: bring the table up to date"
    with pytest.raises(LawViolation):
        put_to(Copy(file, text.replace(mutant.old, mutant.new, 1)), mutant.law, mutant.kind)


@pytest.mark.parametrize(("law", "kind"), sorted({(m.law, m.kind) for m in MUTANTS}))
def test_the_law_holds_without_the_fault(law: str, kind: str) -> None:
    # The same laws on more trials of the package itself are in the file of laws.
    put_to(Copy(), law, kind, trials=1)


def test_every_architecture_and_every_law_has_a_fault() -> None:
    assert {m.law for m in MUTANTS} == {law.__name__ for law in NET_LAWS}
    assert {p.name for p in (ROOT / "nn").glob("*.py")} >= {m.file for m in MUTANTS}
    for file in (
        "net",
        "task_losses",
        "shared_bottom",
        "soft_sharing",
        "cross_stitch",
        "mixture_of_experts",
        "ple",
        "lstm",
        "heads",
    ):
        assert f"{file}.py" in {m.file for m in MUTANTS}, file
