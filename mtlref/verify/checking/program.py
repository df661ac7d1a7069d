"""A solver that is a program in any language: it reads a problem from a file and writes its answer to another."""

from __future__ import annotations

import json
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, MtlrefError

Array = NDArray[np.float64]
FORMATS = ("npz", "mat", "json", "txt")
# How much of what a failing program said is repeated.
SAID = 400


class ProgramFailed(MtlrefError):
    """A program gave no answer."""


class ProgramTimedOut(ProgramFailed):
    """A program did not end in its time."""


class ProgramCrashed(ProgramFailed):
    """A program could not be started, or ended with an exit code other than zero."""


class ProgramGarbage(ProgramFailed):
    """A program ended well, but what it wrote is not an answer."""


@dataclass(frozen=True)
class Program:
    """A solver for ``mtlref.verify.check`` from a command.

    command : as in a shell, with {input} and {output} for the files, e.g. "octave -q solve.m {input} {output}"; not
        given to a shell.
    format : "mat", "npz", "json" or "txt". The input holds T, p, X1, y1, X2, y2, ... and each weight; the output
        must hold W (p, T), and may hold b (T,). In "txt" every array is a line "name rows columns" and then its rows.
    timeout : seconds that one problem may take.

    Raises (when called): ProgramTimedOut, ProgramCrashed, ProgramGarbage.
    """

    command: str
    format: str = "mat"
    timeout: float = 60.0

    def __post_init__(self) -> None:
        inputs.choice(self.format, "format", FORMATS)
        inputs.positive(self.timeout, "timeout")
        for part in ("{input}", "{output}"):
            if part not in self.command:
                raise DataError(f"command must hold {part}; got {self.command!r}")

    def __call__(self, X: list[Array], y: list[Array], **weights: Any) -> tuple[Array, Array | None]:
        """(W, b or None) of one problem."""
        from mtlref.study.answers import read_answer  # the study is loaded where a program is run

        with tempfile.TemporaryDirectory(prefix="mtlref-") as folder:
            source, target = (Path(folder) / f"{name}.{self.format}" for name in ("input", "output"))
            write_problem(source, X, y, weights)
            words = [
                word.replace("{input}", str(source)).replace("{output}", str(target))
                for word in shlex.split(self.command)
            ]
            try:
                done = subprocess.run(words, capture_output=True, timeout=self.timeout, check=False)
            except subprocess.TimeoutExpired:
                raise ProgramTimedOut(f"{words[0]} did not end within {self.timeout:g} s") from None
            except OSError as problem:
                raise ProgramCrashed(f"{words[0]} could not be started: {problem.strerror}") from None
            said = done.stderr.decode(errors="replace").strip()[-SAID:]
            if done.returncode != 0:
                raise ProgramCrashed(
                    f"{words[0]} ended with exit code {done.returncode}: {said or 'it said nothing'}"
                )
            if not target.exists():
                raise ProgramGarbage(
                    f"{words[0]} ended well but wrote no output file: {said or 'it said nothing'}"
                )
            try:
                return read_answer(target, (X[0].shape[1], len(X)))
            except (DataError, OSError, ValueError) as problem:
                raise ProgramGarbage(f"{words[0]} wrote no answer: {problem}") from None


def write_problem(path: Path, X: list[Array], y: list[Array], weights: dict[str, Any]) -> None:
    """The problem as a file; its ending says in which form."""
    from scipy.io import savemat

    values: dict[str, Any] = {"T": len(X), "p": X[0].shape[1], **weights}
    for t, (x, v) in enumerate(zip(X, y, strict=True), 1):
        values[f"X{t}"], values[f"y{t}"] = x, v
    if path.suffix == ".json":
        path.write_text(json.dumps({k: np.asarray(v).tolist() for k, v in values.items()}), encoding="utf-8")
    elif path.suffix == ".txt":
        path.write_text("".join(_as_text(k, v) for k, v in values.items()), encoding="utf-8")
    elif path.suffix == ".mat":
        savemat(path, values, oned_as="column")
    else:
        np.savez(path, **values)


def _as_text(name: str, value: Any) -> str:
    a = np.asarray(value, dtype=float)
    rows = np.atleast_2d(a) if a.ndim != 1 else a[:, None]
    lines = [" ".join(f"{v:.17g}" for v in row) for row in rows]
    return "\n".join([f"{name} {rows.shape[0]} {rows.shape[1]}", *lines]) + "\n"
