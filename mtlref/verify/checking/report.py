"""What a check found, law by law."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtlref.verify.diagnosis import Diagnosis
from mtlref.verify.strategies import Case

HELD, FAILED, CRASHED, NOT_APPLICABLE = "held", "failed", "crashed", "not applicable"


@dataclass(frozen=True)
class LawReport:
    """One law.

    status : "held", "failed", "crashed" (the solver raised, or its program did) or "not applicable".
    examples : on how many problems it was tried.  message : what was broken, with numbers, or why it does not apply.
    counterexample : the smallest problem found that breaks it.  diagnosis : of the solver's answer to a problem with
    the same settings and room enough to tell readings apart; of its answer to the counterexample where that is right.
    """

    law: str
    status: str
    examples: int
    message: str = ""
    counterexample: Case | None = None
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True)
class Report:
    """All laws of one method on one solver."""

    method: str
    laws: tuple[LawReport, ...]

    @property
    def passed(self) -> bool:
        """Whether no law failed and nothing crashed."""
        return not any(law.status in (FAILED, CRASHED) for law in self.laws)

    @property
    def failures(self) -> tuple[LawReport, ...]:
        """The laws that did not hold."""
        return tuple(law for law in self.laws if law.status in (FAILED, CRASHED))

    def __str__(self) -> str:
        width = max(len(law.law) for law in self.laws)
        refuted = any(law.status == FAILED for law in self.laws)
        verdict = "every law held" if self.passed else "refuted" if refuted else "crashed"
        lines = [f"{self.method}: {verdict}"]
        for law in self.laws:
            count = f" ({law.examples} problems)" if law.examples else ""
            lines.append(f"  {law.law:<{width}}  {law.status}{count}")
            if law.message:
                lines.append(f"      {law.message}")
            if law.diagnosis is not None:
                lines += [f"      diagnosis: {finding.sentence}" for finding in law.diagnosis.findings]
        return "\n".join(lines)

    def save(self, folder: str | Path) -> list[Path]:
        """Each counterexample as NPZ, MAT and JSON under ``folder``: X1, y1, ... , params, and where rows have weights
        s1, .... Gives the files written."""
        from scipy.io import savemat

        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        for law in self.failures:
            if law.counterexample is None:
                continue
            case = law.counterexample
            arrays = problem_arrays(case)
            stem = target / f"{self.method}-{law.law}"
            np.savez(stem.with_suffix(".npz"), **arrays)
            savemat(stem.with_suffix(".mat"), arrays)
            plain = {
                "method": self.method,
                "law": law.law,
                "message": law.message,
                "params": {k: np.asarray(v).tolist() for k, v in case.parameters.items()},
                "X": [x.tolist() for x in case.data.X],
                "y": [v.tolist() for v in case.data.y],
            }
            if case.data.weights is not None:
                plain["sample_weight"] = [s.tolist() for s in case.data.weights]
            stem.with_suffix(".json").write_text(json.dumps(plain, indent=1), encoding="utf-8")
            written += [stem.with_suffix(suffix) for suffix in (".npz", ".mat", ".json")]
        return written


def problem_arrays(case: Case) -> dict[str, Any]:
    """X1, y1, X2, ... and the numeric parameters of a problem, by name."""
    arrays: dict[str, Any] = {}
    for t, (X, y) in enumerate(zip(case.data.X, case.data.y, strict=True), 1):
        arrays[f"X{t}"], arrays[f"y{t}"] = X, y
    for t, s in enumerate(case.data.weights or (), 1):
        arrays[f"s{t}"] = s
    for name, value in case.parameters.items():
        if isinstance(value, (bool, int, float, np.ndarray)):
            arrays[name] = np.asarray(value, dtype=float)
    return arrays
