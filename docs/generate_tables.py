"""Write what the registry knows into README.md and docs/: the table of methods and one page for each.

python docs/generate_tables.py           # write
python docs/generate_tables.py --check   # exit code 1 where something is out of date
"""

from __future__ import annotations

import argparse
import re
import sys
import unicodedata
from pathlib import Path

import mtlref as mt
from mtlref.bibliography import ENTRIES

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = ("fit", "predict", "decision_function", "predict_proba", "path", "lam_max", "lam_scale")
# LaTeX's accents as the combining characters of Unicode.
ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303"}
BEGIN, END = "<!-- methods: begin, written by docs/generate_tables.py -->", "<!-- methods: end -->"


def _field(entry: str, name: str) -> str:
    found = re.search(rf"{name}\s*=\s*\{{(.*?)\}},?\s*$", entry, flags=re.MULTILINE | re.DOTALL)
    return spelt(" ".join(found.group(1).split())) if found else ""


def spelt(text: str) -> str:
    """LaTeX's accents as letters: Daum{\\'e} is Daumé."""
    return re.sub(
        r"\{\\(['`^\"~])(\w)\}",
        lambda m: unicodedata.normalize("NFC", m.group(2) + ACCENTS[m.group(1)]),
        text,
    )


def cited(key: str) -> str:
    """An entry as running text has it: "Pong et al. 2010"."""
    authors = _field(ENTRIES[key], "author").split(" and ")
    names = [re.sub(r" (I+|Jr\.?)$", "", a.split(",")[0].strip(" {}")) for a in authors]
    who = (
        names[0]
        if len(names) == 1
        else f"{names[0]} & {names[1]}"
        if len(names) == 2
        else f"{names[0]} et al."
    )
    return f"{who} {_field(ENTRIES[key], 'year')}"


def reference(key: str) -> str:
    """An entry as a list of references has it."""
    entry = ENTRIES[key]
    authors = re.sub(r"[{}]", "", _field(entry, "author")).replace(" and ", "; ")
    title = re.sub(r"[{}]", "", _field(entry, "title"))
    place = next(
        (_field(entry, f) for f in ("journal", "booktitle", "publisher", "note") if _field(entry, f)), ""
    )
    return f"{authors} ({_field(entry, 'year')}). {title}. {place}."


def table(link: str = "") -> str:
    """The methods as a Markdown table; ``link`` with {name} in it is where each name leads."""
    lines = ["| method | penalty | source | losses | certificate |", "|:--|:--|:--|:--|:--|"]
    for name, m in mt.methods().items():
        shown = f"[{name}]({link.format(name=name)})" if link else f"`{name}`"
        # Bars and stars of the formulae are not Markdown's.
        penalty = m.penalty.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")
        sources = "; ".join(cited(k) for k in m.sources)
        lines.append(f"| {shown} | {penalty} | {sources} | {', '.join(m.losses)} | {m.certificate} |")
    return "\n".join(lines)


def contents() -> str:
    """The methods as a hidden table of contents, in the order of the catalogue."""
    return "\n".join(["```{toctree}", ":hidden:", "", *mt.methods(), "```"])


def between(text: str, content: str) -> str:
    """``text`` with ``content`` between the two marks."""
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n\n{content}\n\n{END}{tail}"


def page(name: str) -> str:
    """The page of one method: its class, its file's mathematics, its references."""
    m = mt.methods()[name]
    references = "\n".join(f"- {reference(k)}" for k in m.sources)
    methods = "\n".join(f"   .. automethod:: {member}" for member in MEMBERS)
    return f"""# {name}

```{{eval-rst}}
.. autoclass:: mtlref.{name}

{methods}
```

## The page

What the file states, and what its code lines are tagged with:

```{{eval-rst}}
.. automodule:: {m.cls.__module__}
   :no-members:
   :no-index:
```

## References

{references}

`mtlref cite {name}` prints them as BibTeX. How `lam` translates to other packages: {{doc}}`/conventions`.
"""


def wanted() -> dict[Path, str]:
    """Every file that is written, with its text."""
    readme = ROOT / "README.md"
    index = ROOT / "docs" / "methods" / "index.md"
    files = {
        readme: between(readme.read_text(encoding="utf-8"), table()),
        index: between(index.read_text(encoding="utf-8"), table("{name}.md") + "\n\n" + contents()),
    }
    for name in mt.methods():
        files[ROOT / "docs" / "methods" / f"{name}.md"] = page(name)
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail where something would change"
    )
    options = parser.parse_args(arguments)
    files = wanted()
    pages = {p for p in (ROOT / "docs" / "methods").glob("*.md") if p.name != "index.md"}
    stale = [p for p, text in files.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    orphans = sorted(pages - set(files))
    for path in orphans:
        print(f"{path.relative_to(ROOT)} describes no method of the registry")
    for path in stale:
        print(f"{path.relative_to(ROOT)} {'is out of date' if options.check else 'written'}")
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8")
    return int(bool(orphans) or (options.check and bool(stale)))


if __name__ == "__main__":
    sys.exit(main())
