"""Metadata agree with each other, and importing stays cheap."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import mtlref as mt

ROOT = Path(__file__).resolve().parents[2]


def test_one_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (\S+)$", citation, flags=re.MULTILINE).group(1) == mt.__version__
    changelog = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+) \(", changelog, flags=re.MULTILINE).group(1) == mt.__version__


def test_dates_agree():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    date = re.search(r'^date-released: "?([\d-]+)"?$', citation, flags=re.MULTILINE).group(1)
    changelog = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    assert f"## {mt.__version__} ({date})" in changelog


def test_citation_has_what_the_format_requires():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for field in ("cff-version: 1.2.0", "message:", "title:", "authors:", "license: BSD-3-Clause"):
        assert re.search(rf"^{re.escape(field)}", text, flags=re.MULTILINE), field


@pytest.fixture(scope="module")
def installed():
    try:
        return metadata.metadata("mtlref")
    except metadata.PackageNotFoundError:
        pytest.skip("mtlref is not installed here")


def test_installed_metadata(installed):
    assert installed["Version"] == mt.__version__
    assert installed["License-Expression"] == "BSD-3-Clause"
    assert installed["Requires-Python"] == ">=3.11"
    required = [r for r in metadata.requires("mtlref") if "extra ==" not in r]
    assert sorted(re.split(r"[<>=]", r)[0] for r in required) == ["numpy", "scipy"]
    assert {"study", "verify", "test", "docs", "dev", "bench"} <= set(installed.get_all("Provides-Extra"))


def test_the_command_is_an_entry_point(installed):
    (entry,) = [e for e in metadata.entry_points(group="console_scripts") if e.name == "mtlref"]
    assert entry.value == "mtlref.cli:main"


def test_typed_marker_and_templates_are_inside_the_package():
    package = Path(mt.__file__).parent
    assert (package / "py.typed").is_file()
    assert list((package / "study" / "templates").glob("*.html"))


@pytest.mark.parametrize("module", ["mtlref", "mtlref.cli"])
def test_import_takes_nothing_optional_along(module):
    """Neither optional packages nor the heavy parts of SciPy are loaded before they are needed."""
    heavy = "sklearn cvxpy hypothesis matplotlib joblib tqdm pooch jinja2 pandas polars pyarrow scipy.stats scipy.io"
    code = f"import sys, {module}; print(*[m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
