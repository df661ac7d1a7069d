"""Measure what docs/verification.md says, keep it in docs/verification.json, and write it into the page.

python docs/generate_verification.py                          # measure everything, then write (half an hour)
python docs/generate_verification.py --only nist residuals    # these parts anew, the others as they are
python docs/generate_verification.py --mutation FOLDER/sample.json ..    # take over what tests/mutants/sample.py found
python docs/generate_verification.py --endurance FOLDER/chunks.jsonl     # .. and what mtlref endure found
python docs/generate_verification.py --render                 # measure nothing
python docs/generate_verification.py --check                  # exit code 1 where page and figures differ

Public sets are read from MTLREF_DATA where they are; peers, cvxpy and scikit-learn are asked where installed. What
could not be measured is left out.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mtlref.verify import nist as nist_page
from mtlref.verify import residuals as residuals_page

ROOT = Path(__file__).resolve().parent.parent
PAGE, FIGURES = ROOT / "docs" / "verification.md", ROOT / "docs" / "verification.json"
BEGIN, END = "<!-- evidence: begin, written by docs/generate_verification.py -->", "<!-- evidence: end -->"
PARTS = ("oracles", "laws", "mutants", "gaps", "nist", "residuals", "peers", "objects")


def sci(value: float) -> str:
    """1.2e-07, or 0."""
    return "0" if value == 0 else f"{value:.1e}"


ORACLES = {
    "own gap": "our dual value.",
    "plain loops": "the objective from the paper in loops.",
    "Clarabel": "an interior-point solver on the program as printed.",
    "Scs": "a first-order conic solver, good to some nine digits, on the same.",
    "exact arithmetic": "our objective in rational arithmetic.",
    "proven gap": "the gap with rounding included.",
}


def oracle_lines(found: dict[str, Any], laws: dict[str, Any]) -> list[str]:
    """Oracles and laws, a row a method."""
    kinds = [k for k in ORACLES if any(k in d for d in found.values())]
    said = " ".join(f"*{k}*: {ORACLES[k]}" for k in kinds)
    out = [
        "### Oracles and laws", "",
        "Digits to which values of (P) agree, of F(0, b₀), the least over fixed problems of both losses; 16 is the "
        f"last digit of a double. {said} *laws*: how many its declared properties put it to.", "",
        f"| method | {' | '.join(kinds)} | laws |", "|:--|" + "--:|" * (len(kinds) + 1),
    ]  # fmt: skip
    for name in {**found, **laws}:
        cells = [f"{found[name][k]:.1f}" if k in found.get(name, {}) else "" for k in kinds]
        out.append(f"| `{name}` | {' | '.join(cells)} | {len(laws.get(name, ()))} |")
    counts = Counter(law for names in laws.values() for law in names)
    listed = ", ".join(f"`{law}` ({k})" for law, k in counts.most_common())
    return [*out, "", f"The laws, and how many methods each holds for: {listed}.", ""]


def fault_lines(found: dict[str, Any]) -> list[str]:
    """Named faults, a row a table of them."""
    return [
        "### Named faults", "",
        "Faults written into copies of our files. Each must be refused by the law or test that its table names.", "",
        "| table | faults | in so many files |", "|:--|--:|--:|",
        *[f"| `{table}` | {sum(files.values())} | {len(files)} |" for table, files in found.items()], "",
    ]  # fmt: skip


def gap_lines(found: dict[str, Any]) -> list[str]:
    """Certified gaps on real sets, a column a set."""
    heads = [
        f"{k}: {v['T']} tasks, {v['N']:,} rows, {v['p']} features, {v['loss']}" for k, v in found.items()
    ]
    out = [
        "### Certified gaps on real sets", "",
        "Relative gap of every convex method at `lam` = 0.03 of its natural size, with the default `tol` of 1e-6, and "
        "its steps; in brackets what 2,000 steps did not close.", "",
        f"| method | {' | '.join(heads)} |", "|:--|" + "--:|" * len(heads),
    ]  # fmt: skip
    for name in dict.fromkeys(m for v in found.values() for m in v["methods"]):
        out.append(f"| `{name}` | {' | '.join(cell(v['methods'].get(name)) for v in found.values())} |")
    return [*out, ""]


def nist_lines(found: list[dict[str, Any]]) -> list[str]:
    """Correct digits, both ways."""
    return [
        "### Correct digits on NIST's problems", "",
        "`lam=0`; 15 digits at the most. Against the exact solution of the numbers in memory:", "",
        nist_page.table(found, 1), "",
        "Against the certified values, which belong to the decimals as printed. What is lost where decimals become "
        "doubles, no solver wins back:", "",
        nist_page.table(found, 0), "",
    ]  # fmt: skip


def residual_lines(found: dict[str, float]) -> list[str]:
    """Residual ratios, a row a path."""
    return [
        "### Residual ratios", "",
        "‖residual‖ / (‖A‖ ‖x‖ eps size), the largest over condition numbers from 1 to 1e15 and NIST's designs. "
        "LAPACK's own tests reject 30. *units apart*: columns up to 1e12 apart in size, under a coupling that "
        "outweighs all but the largest, each column judged in its own unit.", "",
        residuals_page.table(found), "",
        "Not shown up to 1e15: conjugate gradients, which leave alone what has less than 1e-13 of the largest "
        "curvature; least squares with `lam=0`, refused at 1e15, where the columns do not determine the answer; "
        "processes, shown to 1e12 and refused beyond 1e14. Solves inside interior-point and factored methods have no "
        "row: the certificate judges what comes of them.", "",
    ]  # fmt: skip


def peer_lines(found: list[dict[str, Any]]) -> list[str]:
    """Other packages, a row a solver."""
    out = [
        "### Peers", "",
        "Relative gap, by our certificate, of other packages' answers to one problem of 80 rows, 40 features, 4 tasks.",
        "",
        "| package | solver | as our | at its defaults | at its tightest | |", "|:--|:--|:--|--:|--:|:--|",
    ]  # fmt: skip
    for r in found:
        verdict = "right" if r["tightest"] <= 1e-6 else ", ".join(r["diagnosis"]) or "not optimal"
        names = f"| {r['package']} {r['version']} | `{r['solver']}` | `{r['method']}` "
        out.append(f"{names}| {sci(r['default'])} | {sci(r['tightest'])} | {verdict} |")
    return [*out, "", "Faults found in others are told in {doc}`provenance`.", ""]


def object_lines(found: list[dict[str, Any]]) -> list[str]:
    """Other packages' proximal operators, a row an operator."""
    out = [
        "### Peers' proximal operators", "",
        "`mt.verify.laws.run_penalty` on other packages' penalties: how many laws of those that they should obey were "
        "tried, and which are broken. What is behind it is told in {doc}`provenance`.", "",
        "| package | operator | laws | broken |", "|:--|:--|--:|:--|",
    ]  # fmt: skip
    for r in found:
        if r["broken"]:
            broken = ", ".join(f"`{law}`" for law in r["broken"])
            out.append(f"| {r['package']} {r['version']} | `{r['name']}` | {r['laws']} | {broken} |")
    whole = [f"{r['package']} `{r['name']}` ({r['laws']})" for r in found if not r["broken"]]
    return [*out, "", f"Every law holds for {', '.join(whole)}.", ""]


def endurance_lines(found: dict[str, Any]) -> list[str]:
    """Our own solvers on drawn problems, a row a method."""
    refuted = sum(r["refuted"] for r in found.values())
    out = [
        "### Our own solvers on drawn problems", "",
        "`mtlref endure`: each method's laws, for both losses, put to problems that Hypothesis draws, awkward ones "
        "first of all. *pairs*: of a law and a loss, among which the problems are shared. *refuted*: problems on which "
        f"a law did not hold, {refuted} in all. What was refuted before, and mended, is a test: "
        "`tests/laws/test_refuted_once.py`.", "",
        "| method | problems | pairs | refuted |", "|:--|--:|--:|--:|",
    ]  # fmt: skip
    for name, r in found.items():
        out.append(f"| `{name}` | {r['problems']:,} | {r['pairs']} | {r['refuted']} |")
    return [*out, ""]


def rendered(figures: dict[str, Any]) -> str:
    """The measured part of the page."""
    versions = figures.get("versions", {})
    usual = Counter(versions.values()).most_common(1)[0][0] if versions else ""
    others = "".join(f"; {part}: {said}" for part, said in versions.items() if said != usual)
    said = f"Every figure below is written by `python docs/generate_verification.py` ({usual}{others})."
    out = ["## Measured", "", said, ""]
    if "oracles" in figures:
        out += oracle_lines(figures["oracles"], figures.get("laws", {}))
    for name, lines in SECTIONS.items():
        if figures.get(name):
            out += lines(figures[name])
    return "\n".join(out).rstrip()


def cell(entry: dict[str, Any] | None) -> str:
    """A gap and its steps; in brackets where tol was missed."""
    if entry is None:
        return ""
    text = f"{sci(entry['relative_gap'])} ({entry['steps']})"
    return text if entry["status"] == "CONVERGED" else f"[{text}]"


def mutation_lines(found: dict[str, Any]) -> list[str]:
    """The section on samples of all mutants, a row a sample and family."""
    latest = {family: r["mutants"] for sample in found.values() for family, r in sample["families"].items()}
    out = [
        "### Samples of all mutants", "",
        f"Of the {sum(latest.values()):,} mutants that mutmut makes of {', '.join(latest)}, drawn at random, each "
        "sample by a seed of its own and by the tests of its day. *equivalent*: no test can refuse it; "
        "`docs/survivors.toml` says why. *at once*: refused by the tests as they were when the sample was drawn, with "
        "the share of all mutants that are not equivalent which these tests refuse at least, by the bound of Clopper "
        "and Pearson at 95 % confidence. *since*: refused by tests that a survivor of the sample led to, of which the "
        "bound takes no account. What never ends counts as refused. "
        "Each met the tests of its own part, the laws and the methods, not the whole suite.", "",
        "| sample | part | mutants | tried | equivalent | at once | at least | since | left |",
        "|--:|:--|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    said = []
    for seed, sample in sorted(found.items()):
        rows = sample["families"]
        for family, r in rows.items():
            real = r["tried"] - r["equivalent"]
            out.append(
                f"| {seed} | {family} | {r['mutants']:,} | {r['tried']} | {r['equivalent']} | {r['at_once']} | "
                f"{100 * r['bound']:.0f} % | {r['later']} | {real - r['at_once'] - r['later']} |"
            )
        total = sum(r["tried"] - r["equivalent"] for r in rows.values())
        at_once = sum(r["at_once"] for r in rows.values())
        today = at_once + sum(r["later"] for r in rows.values())
        said.append(
            f"sample {seed}: {at_once} of {total} ({100 * at_once / total:.1f} %) at once, {today} today"
        )
    return [*out, "", f"In all, of those that are not equivalent: {'; '.join(said)}.", ""]


SECTIONS: dict[str, Callable[[Any], list[str]]] = {
    "mutants": fault_lines,
    "mutation": mutation_lines,
    "endurance": endurance_lines,
    "gaps": gap_lines,
    "nist": nist_lines,
    "residuals": residual_lines,
    "peers": peer_lines,
    "objects": object_lines,
}


def page(figures: dict[str, Any]) -> str:
    """The page's text with the measured part between the marks."""
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return f"{head}{BEGIN}\n\n{rendered(figures)}\n\n{END}{rest.split(END)[1]}"


def endurance(paths: list[Path]) -> dict[str, Any]:
    """What ``mtlref endure`` found, a row a method; a chunk that was run again counts as it was last."""
    from mtlref.verify.endurance import HELD, finished

    chunks = {(c.method, c.loss, c.law, c.number): c for path in paths for c in finished(path)}
    rows: dict[str, Any] = {}
    for c in chunks.values():
        row = rows.setdefault(c.method, {"problems": 0, "refuted": 0, "pairs": []})
        row["problems"] += c.examples
        row["refuted"] += c.status != HELD
        row["pairs"].append((c.loss, c.law))
    return {name: row | {"pairs": len(set(row["pairs"]))} for name, row in rows.items()}


def main(arguments: list[str] | None = None) -> int:
    """Measure, write or check; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, help="measure these parts alone")
    parser.add_argument(
        "--mutation", type=Path, nargs="+", help="each a sample.json of tests/mutants/sample.py"
    )
    parser.add_argument("--endurance", type=Path, nargs="+", help="each a chunks.jsonl of mtlref endure")
    parser.add_argument("--render", action="store_true", help="measure nothing")
    parser.add_argument(
        "--check", action="store_true", help="measure and write nothing, fail where the page would change"
    )
    options = parser.parse_args(arguments)
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    if options.check:
        stale = page(figures) != PAGE.read_text(encoding="utf-8")
        if stale:
            print(
                "docs/verification.md is not what its figures say: python docs/generate_verification.py --render"
            )
        return int(stale)
    sys.path.insert(0, str(ROOT / "docs"))
    if options.mutation:
        import measure_mutation

        for seed, paths in measure_mutation.by_seed(options.mutation).items():
            figures.setdefault("mutation", {})[seed] = measure_mutation.mutation(paths)
    if options.endurance:
        figures["endurance"] = endurance(options.endurance)
    taken = options.render or options.mutation or options.endurance
    parts = options.only or ([] if taken else PARTS)
    if parts:
        import measure_verification as measure
    for name in parts:
        figures[name] = measure.PARTS[name]()
        figures.setdefault("versions", {})[name] = (
            f"NumPy {version('numpy')}, SciPy {version('scipy')}, {platform.system()} {platform.machine()}"
        )
        FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
