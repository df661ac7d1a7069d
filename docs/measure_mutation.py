"""What samples of all mutants found (tests/mutants/sample.py), for docs/verification.md."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def mutation(paths: list[Path]) -> dict[str, Any]:
    """What samples of all mutants found, a row a family, without the long list of the killed."""
    explained = tomllib.loads((ROOT / "docs" / "survivors.toml").read_text(encoding="utf-8"))
    families: dict[str, Any] = {}
    left = []
    for path in paths:
        record = json.loads(path.read_text(encoding="utf-8"))
        for r in record["results"]:
            family = r["name"].split(".")[1]
            row = families.setdefault(
                family,
                {"mutants": record["mutants"][family], "seed": record["seed"], "tried": 0, "equivalent": 0,
                 "at_once": 0, "timeout": 0, "later": 0},
            )  # fmt: skip
            row["tried"] += 1
            same = r["status"] == "survived" and explained.get(r["name"], {}).get("equivalent", False)
            later = r.get("later", {}).get("status", "survived") != "survived"
            row["equivalent"] += same
            row["at_once"] += r["status"] != "survived"
            row["timeout"] += r["status"] == "timeout"
            row["later"] += later and not same
            left += [r["name"]] if not (same or later) and r["status"] == "survived" else []
    for row in families.values():
        row["bound"] = at_least(row["at_once"], row["tried"] - row["equivalent"])
    return {"families": dict(sorted(families.items())), "survivors": sorted(left)}


def by_seed(paths: list[Path]) -> dict[str, list[Path]]:
    """The records of each sample, by its seed."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(str(json.loads(path.read_text(encoding="utf-8"))["seed"]), []).append(path)
    return found


def at_least(hits: int, tries: int) -> float:
    """The share that is exceeded with 95 % confidence where ``hits`` of ``tries`` have it (Clopper and Pearson)."""
    from scipy.stats import beta

    return float(beta.ppf(0.05, hits, tries - hits + 1)) if hits else 0.0
