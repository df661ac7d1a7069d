"""Sphinx configuration."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mtlref._version import __version__

project = "mtlref"
author = "The mtlref developers"
copyright = "2026, The mtlref developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"mtlref {release}"
html_static_path = ["_static"]
html_css_files = ["mtlref.css"]
html_show_sphinx = False

_LITERAL = re.compile(r"(``[^`]*``)")
_NOTE = re.compile(r"^(Attributes|Raises|Warns|Certificate|Cost|Departs|Source|Stops)\b.*\S")
_FIELD = re.compile(r"^\s*[\w, ]+ : ")


def _escape(line: str) -> str:
    """A line of plain English and formulae as reStructuredText: x' w_t, |w|, coef_ and 2 * p are not markup."""
    parts = _LITERAL.split(line)
    for i in range(0, len(parts), 2):
        text = parts[i].replace("\\", "\\\\").replace("*", "\\*").replace("|", "\\|").replace("`", "\\`")
        parts[i] = re.sub(r"(?<=\w)_(?!\w)", r"\\_", text)
    return "".join(parts)


def _close_parameters(lines: list[str]) -> None:
    """What follows the parameters (attributes, errors, cost ...) is notes, a paragraph each, not more parameters."""
    rules = [i for i, line in enumerate(lines) if line and set(line) == {"-"}]
    first = next((i for i, line in enumerate(lines) if _NOTE.match(line) and i + 1 not in rules), None)
    if first is None or lines[max((i for i in rules if i < first), default=1) - 1] not in (
        "Parameters",
        "Returns",
    ):
        return
    last = next((i - 1 for i in rules if i > first), len(lines))
    notes: list[str] = []
    for line in lines[first:last]:
        notes += ["", line] if _NOTE.match(line) else [line]
    lines[first:last] = ["", "Notes", "-----", *notes[1:], ""]


def _plain_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Show a page's mathematics as it stands in the file; elsewhere keep formulae from being read as markup."""
    if what == "module" and any(line.startswith("(P)") for line in lines):
        first = _escape(lines[0])
        lines[:] = [first, "", ".. code-block:: text", "", *(f"   {line}" for line in lines[2:]), ""]
        return
    _close_parameters(lines)
    in_example = False
    for i, line in enumerate(lines):
        if line.lstrip().startswith(">>>"):
            in_example = True
        elif not line.strip():
            in_example = False
        if in_example or set(line.strip()) <= {"-"}:
            continue
        if _FIELD.match(line):
            head, tail = line.split(" : ", 1)
            lines[i] = f"{head} : {_escape(tail)}"
        else:
            lines[i] = _escape(line)


def setup(app: Any) -> None:
    """Escape before napoleon (priority 500) turns sections into fields."""
    app.connect("autodoc-process-docstring", _plain_docstring, priority=400)
