"""What the documentation says of methods and versions is what the package says."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

import mtlref as mt

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_tables", ROOT / "docs" / "generate_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_generated_is_out_of_date(generator, capsys):
    assert generator.main(["--check"]) == 0, capsys.readouterr().out


def test_a_stale_or_orphaned_page_is_seen(generator, capsys, monkeypatch):
    files = generator.wanted()
    path = ROOT / "docs" / "methods" / "JointFeature.md"
    monkeypatch.setattr(generator, "wanted", lambda: {**files, path: files[path] + "more"})
    assert generator.main(["--check"]) == 1
    assert "JointFeature.md is out of date" in capsys.readouterr().out
    del files[path]
    monkeypatch.setattr(generator, "wanted", lambda: files)
    assert generator.main(["--check"]) == 1
    assert "describes no method" in capsys.readouterr().out


@pytest.fixture(scope="module")
def verification():
    spec = importlib.util.spec_from_file_location(
        "generate_verification", ROOT / "docs" / "generate_verification.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_verification_is_what_its_figures_say(verification, capsys, monkeypatch):
    assert verification.main(["--check"]) == 0, capsys.readouterr().out
    figures = json.loads(verification.FIGURES.read_text(encoding="utf-8"))
    assert set(figures) >= {*verification.PARTS, "versions"}
    for row in figures["nist"]:
        row["digits"]["SingleTaskRidge"] = [1.0, 1.0]
    assert verification.page(figures) != verification.PAGE.read_text(encoding="utf-8")


def test_what_is_said_of_verification_holds(verification):
    from mtlref.verify import nist, residuals

    figures = json.loads(verification.FIGURES.read_text(encoding="utf-8"))
    assert all(nist.beaten(row) == [] for row in figures["nist"])
    assert max(figures["residuals"].values()) < residuals.LIMIT
    for name, digits in figures["oracles"].items():
        assert min(digits["own gap"], digits["plain loops"]) >= 12, name
        assert digits.get("Clarabel", 16) >= 7, name


def test_the_readme_lists_exactly_the_methods():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("<!-- methods: begin")[1].split("<!-- methods: end -->")[0]
    assert re.findall(r"^\| `(\w+)`", table, flags=re.MULTILINE) == list(mt.methods())


def test_conventions_has_a_section_for_every_linear_method():
    text = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\w+)$", text, flags=re.MULTILINE)
    linear = [name for name, method in mt.methods().items() if method.family == "linear"]
    assert [s for s in sections if s in linear] == linear


def test_references_are_readable(generator):
    assert generator.cited("evgeniou2004") == "Evgeniou & Pontil 2004"
    assert generator.cited("pong2010") == "Pong et al. 2010"
    assert "(2004)" in generator.reference("evgeniou2004")


def test_the_picture_is_small_and_real():
    picture = ROOT / "docs" / "_static" / "school.svg"
    text = picture.read_text(encoding="utf-8")
    assert picture.stat().st_size < 200 * 1024
    drawn = [name for name in mt.methods() if f">{name}<" in text]
    assert len(drawn) >= 5
    # A dot for each of the ten splits.
    assert text.count("<circle") == 10 * len(drawn)


def test_no_local_path_or_registry_in_what_is_published():
    word = "|".join(["/wor" + "k/", r"\.\./sha" + "red", "py" + r"pi\.org", "session" + "s? of"])
    for folder in ("mtlref", "docs", "benchmarks", "tests", ".ci"):
        for path in (ROOT / folder).rglob("*"):
            if (
                path.is_file()
                and path.suffix in {".py", ".md", ".html", ".css", ""}
                and "_build" not in path.parts
            ):
                found = re.search(word, path.read_text(encoding="utf-8"))
                assert not found, f"{path.relative_to(ROOT)}: {found.group()}"
