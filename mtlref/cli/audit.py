"""``mtlref audit``: certify, or diagnose, coefficients that another program computed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from mtlref.cli.arguments import FAILED, OK, UsageError, names, parameter

SUMMARY = "certify coefficients that another program computed"
EXAMPLE = """\
mtlref audit --method JointFeature --params lam=0.1 --data data.npz --answer mine.json
mtlref audit --method TraceNorm --params lam=200 scaling=sum fit_intercept=false --data school --answer W.mat"""


def options(p: argparse.ArgumentParser) -> None:
    """Its options."""
    p.add_argument("--method", required=True, help="the problem that was solved, as mtlref methods lists it")
    p.add_argument("--params", nargs="*", default=[], metavar="NAME=VALUE",
                   help="its parameters: lam=0.1 loss=squared scaling=sum fit_intercept=false graph=FILE")  # fmt: skip
    p.add_argument("--data", required=True, help="a named data set or a file, as for compare")
    p.add_argument(
        "--answer", required=True, help="NPZ, MAT, JSON or CSV with W (p, T) or coef (T, p), and b (T,)"
    )
    p.add_argument("--tol", type=float, default=1e-6, help="relative gap that passes (default 1e-6)")
    p.add_argument(
        "--rigorous", action="store_true", help="bounds that hold rounding included; takes seconds"
    )
    p.add_argument("--json", action="store_true", help="print the certificate as JSON")
    for name in ("task", "target", "targets", "features"):
        p.add_argument(f"--{name}", metavar="COL" if name in ("task", "target") else "A,B,..",
                       help="columns of a table, as for compare")  # fmt: skip


def run(o: argparse.Namespace) -> int:
    """Do it."""
    from mtlref.registry import method
    from mtlref.study.answers import read_answer
    from mtlref.study.problem import resolve
    from mtlref.study.readers import read
    from mtlref.verify.audit import audit
    from mtlref.verify.diagnosis import diagnose

    cls = method(o.method).cls
    params = dict(parameter(text) for text in o.params)
    try:
        estimator = cls(**params)
    except TypeError as problem:
        raise UsageError(f"{o.method}: {problem}") from None
    columns = {
        "task": o.task,
        "target": o.target,
        "targets": names(o.targets),
        "features": names(o.features),
    }
    data = read(o.data, **columns) if Path(o.data).suffix else resolve(o.data).tasks
    W, b = read_answer(o.answer)
    diagnosis = diagnose(estimator, data, W, b, tol=o.tol)
    found, passed = diagnosis.certificate, diagnosis.optimal
    if o.rigorous:
        found = audit(estimator, data, W, b, rigorous=True)
        passed = bool(found.relative_gap <= o.tol)
    if o.json:
        fields = ("kind", "primal", "dual", "gap", "relative_gap", "scale", "distance", "bound")
        findings = [{"name": f.name, "sentence": f.sentence} for f in diagnosis.findings]
        values = {n: getattr(found, n) for n in fields}
        print(json.dumps(values | {"tol": o.tol, "passed": passed, "findings": findings}))
    else:
        print(f"objective     {found.primal:.12g}")
        convex = found.kind == "duality gap"
        if convex:
            print(f"lower bound   {found.dual:.12g}   (no coefficients do better)")
        elif found.bound is not None:
            above = found.primal / found.bound - 1.0 if found.bound > 0 else float("inf")
            far = f"; this is at most {100 * above:.2g} % above the optimum" if above < float("inf") else ""
            print(f"lower bound   {found.bound:.12g}   (of the convex relaxation{far})")
        print(f"{found.kind:<13} {found.gap:.3g}")
        print(
            f"relative gap  {found.relative_gap:.3g}   (gap / {found.scale:.6g}, the objective without features)"
        )
        if found.distance < float("inf"):
            print(f"distance      {found.distance:.3g}   (at most, in coefficients, from the optimum)")
        proven = "optimal" if convex else f"{found.kind}, of a problem that is not convex,"
        verdict = f"certified: {proven} to" if passed else "NOT certified: the gap exceeds"
        print(f"{verdict} a relative gap of {o.tol:g}")
        for finding in diagnosis.findings:
            print(f"diagnosis     {finding.sentence}")
    return OK if passed else FAILED
