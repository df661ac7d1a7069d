"""Plausible mistakes in the nets, and the law that sees each: the text of a file is changed, and the law must break.

Each mutant is run in a fork that imports a changed copy of the package, like the table of the linear methods.
"""

# A line of the table is a mutant.
# ruff: noqa: E501

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import mtlref

ROOT = Path(mtlref.__file__).parent
KILLED = 3


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
    Mutant("biases forgotten in the backward pass", "dense.py", "grads[b] = np.add.reduce(dz, axis=-2, out=grads.get(b))", "grads[b] = 0 * np.add.reduce(dz, axis=-2)", ADJOINT, "shared"),
    Mutant("several members' biases forgotten", "dense.py", "    bias = np.add.reduce(dz, axis=-2)", "    bias = 0 * np.add.reduce(dz, axis=-2)", ADJOINT, "mmoe"),
    Mutant("a gradient made elsewhere left out", "net.py", "if grads[name] is not memory:", "if False:", JACOBIAN, "mmoe"),
    Mutant("joined weights taken apart in the wrong order", "dense.py", "return np.swapaxes(z.reshape(*z.shape[:-1], members, -1), -3, -2)", "return np.moveaxis(z.reshape(*z.shape[:-1], -1, members), -1, -3)", VALUES, "moe"),
    Mutant("towers' input gradient of one member alone", "dense.py", "return np.asarray(joined(dz) @ W.T)", "return np.asarray(joined(dz * (np.arange(members) == 0)[:, None, None]) @ W.T)", GRADIENT, "shared"),
    Mutant("heads of the next task", "towers.py", 'grads[f"{name}.W"], grads[f"{name}.b"] = weight[:, part], bias[part]', 'grads[f"{name}.W"], grads[f"{name}.b"] = 0 * weight[:, part], bias[part]', GRADIENT, "lstm"),
    Mutant("squared loss halved", "heads.py", "(1.0 / self.k), apart * (2.0 / self.k)", "(1.0 / self.k), apart * (1.0 / self.k)", GRADIENT, "shared"),
    Mutant("squared loss as a sum over outputs", "heads.py", "return np.add.reduce(apart * apart, axis=-1) * (1.0 / self.k)", "return np.add.reduce(apart * apart, axis=-1) * 1.0", VALUES, "shared"),
    Mutant("cross entropy of the wrong sign", "heads.py", "d[rows, y] -= 1", "d[rows, y] += 1", GRADIENT, "shared"),
    Mutant("binary loss of the label turned", "heads.py", "(softplus(z) - z * y)", "(softplus(z) - z * (1 - y))", VALUES, "shared"),
    Mutant("mask divided by rows", "net.py", "m / total if total > 0 else m", "m / len(m) if total > 0 else m", MASKS, "shared"),
    Mutant("mask left out of the gradient", "net.py", "slopes.append(share[:, None] * d)", "slopes.append(d / len(z))", MASKS, "mmoe"),
    Mutant("task weights squared", "net.py", "s.real.dtype.type(w) * s for w, s", "s.real.dtype.type(w * w) * s for w, s", GRADIENT, "shared"),
    Mutant("double precision creeps in", "net.py", "s.real.dtype.type(w) * s for w, s", "np.float64(w) * s for w, s", SINGLE, "shared"),
    Mutant("reversal forgets its strength", "towers.py", "wide[:, self._logits[k]] *= -strength", "wide[:, self._logits[k]] *= -1", GRADIENT, "reversed"),
    Mutant("no reversal in the Jacobian", "towers.py", "d[k] *= -strength", "d[k] *= 1", JACOBIAN, "reversed"),
    Mutant("the last row is left out of the bottom", "shared_bottom.py", "dense.forward(params, self._layers, self._act, x)", "dense.forward(params, self._layers, self._act, np.concatenate([x[:-1], x[-2:-1]]))", ROWS, "shared"),
    Mutant("jacobian summed over losses", "shared_bottom.py", "d if per_loss else np.add.reduce(d, axis=0)", "np.add.reduce(d, axis=0)[None] + 0 * d if per_loss else np.add.reduce(d, axis=0)", JACOBIAN, "shared"),
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


def broken(folder: Path, law: str, kind: str) -> None:
    """Run the law on a few trials with the package of the folder; raises where it does not hold."""
    sys.path.insert(0, str(folder))
    import numpy as np

    from mtlref.verify.laws import nets as laws
    from mtlref.verify.nets import net

    assert os.path.samefile(Path(laws.__file__).parents[3], folder)
    check = {c.__name__: c for c in laws.NET_LAWS}[law]
    for seed in range(3):
        here = net(kind, tower=(3,) * (seed % 2), activation=("tanh", "elu")[seed % 2])
        check(laws.trial(here, np.random.default_rng(seed), masked=seed == 2), np.random.default_rng(seed))


def ask(folder: Path, law: str, kind: str) -> tuple[int, str]:
    """0 where the law holds, KILLED where it is broken, 1 for anything else; with the message. In a fork."""
    if not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said: tuple[int, str]
        try:
            import warnings

            warnings.simplefilter("ignore")
            for name in [m for m in sys.modules if m.split(".")[0] == "mtlref"]:
                del sys.modules[name]
            broken(folder, law, kind)
            said = (0, "the law holds")
        except BaseException as problem:
            said = (
                KILLED if type(problem).__name__ == "LawViolation" else 1,
                f"{type(problem).__name__}: {problem}",
            )
        os.write(writing, json.dumps([said[0], said[1][:1000]]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        code, message = json.loads(pipe.read())
    os.waitpid(child, 0)
    return code, message


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_law_sees_the_fault(mutant: Mutant, package_with: Callable[[str, str, str], Path]) -> None:
    folder = package_with(f"nn/{mutant.file}", mutant.old, mutant.new)
    code, message = ask(folder, mutant.law, mutant.kind)
    assert code == KILLED, f"not seen by {mutant.law}: {message}"


@pytest.mark.parametrize(("law", "kind"), sorted({(m.law, m.kind) for m in MUTANTS}))
def test_the_law_holds_without_the_fault(law: str, kind: str) -> None:
    code, message = ask(ROOT.parent, law, kind)
    assert code == 0, message


def test_every_architecture_and_every_law_has_a_fault() -> None:
    from mtlref.verify.laws.nets import NET_LAWS

    assert {m.law for m in MUTANTS} == {law.__name__ for law in NET_LAWS}
    assert {p.name for p in (ROOT / "nn").glob("*.py")} >= {m.file for m in MUTANTS}
    for file in (
        "net",
        "shared_bottom",
        "soft_sharing",
        "cross_stitch",
        "mixture_of_experts",
        "ple",
        "lstm",
        "heads",
    ):
        assert f"{file}.py" in {m.file for m in MUTANTS}, file
