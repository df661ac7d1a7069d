"""What may import what: read from the source, not from what happens to be loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mtlref

ROOT = Path(mtlref.__file__).parent
FILES = sorted(p for p in ROOT.rglob("*.py") if "__pycache__" not in p.parts)
# Bottom to top; a module may import from its own layer and those below.
LAYERS = [
    {"errors", "_version"},
    {
        "inputs",
        "labels",
        "tasks",
        "forms",
        "folds",
        "centring",
        "extremes",
        "moments",
        "rowstatistics",
        "taskfields",
        "sparserows",
        "streaming",
        "distributed",
        "bibliography",
        "registry",
        "sklearnhooks",
        "estimator",
    },
    {"losses", "datafit", "penalties", "linalg", "metrics", "recovery", "data"},
    {"optim"},
    {"linear", "neighbors", "gp", "nn", "balance", "decision"},
    {"study"},
    {"verify"},
    {"cli", "__main__"},
]
SIBLINGS = LAYERS[4]
OPTIONAL = {
    "cvxpy", "dask", "distributed", "hypothesis", "jinja2", "joblib", "markupsafe", "matplotlib", "pandas", "polars",
    "pooch", "pyarrow", "pytest", "sklearn", "selenium", "threadpoolctl", "tqdm",
}  # fmt: skip


def part(module: str) -> str:
    """The first name below mtlref; "" for the package itself."""
    names = module.split(".")
    return names[1] if len(names) > 1 else ""


def level(name: str) -> int:
    return next(k for k, layer in enumerate(LAYERS) if name in layer)


def imports(tree: ast.AST, top_only: bool) -> Iterator[str]:
    """Names of imported modules; with top_only those that run when the module is imported."""
    stack = list(ast.iter_child_nodes(tree))
    while stack:
        node = stack.pop()
        if top_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            if node.module == "mtlref":
                yield from (f"mtlref.{alias.name}" for alias in node.names)
        stack.extend(ast.iter_child_nodes(node))


def tree_of(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_import_from_their_layer_or_below(path: Path) -> None:
    relative = path.relative_to(ROOT)
    own = relative.parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for module in imports(tree_of(path), top_only=False):
        if not module.startswith("mtlref."):
            continue
        other = part(module)
        if not (ROOT / other).is_dir() and not (ROOT / f"{other}.py").exists():
            continue  # a name of the package itself, not a module
        assert level(other) <= level(own), f"{own} imports {other}, which lies above it"
        if own in SIBLINGS and other in SIBLINGS:
            assert own == other, f"siblings do not import each other: {own} imports {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_optional_packages_are_imported_inside_functions(path: Path) -> None:
    top = {module.split(".")[0] for module in imports(tree_of(path), top_only=True)}
    assert not top & OPTIONAL


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_declared_packages_are_imported(path: Path) -> None:
    names = {module.split(".")[0] for module in imports(tree_of(path), top_only=False)}
    assert names <= set(sys.stdlib_module_names) | OPTIONAL | {"numpy", "scipy", "mtlref"}


def test_certificates_and_solvers_share_no_code() -> None:
    """datafit, from which certificates are written, knows nothing of optim; and optim nothing of datafit."""
    for path in [ROOT / "losses.py", *(ROOT / "datafit").glob("*.py")]:
        assert not any("optim" in m for m in imports(tree_of(path), top_only=False)), path.name
    for path in (ROOT / "optim").glob("*.py"):
        assert not any(
            m.startswith(("mtlref.datafit", "mtlref.losses")) for m in imports(tree_of(path), top_only=False)
        ), path.name


def test_drawers_do_not_exist() -> None:
    names = {p.stem for p in ROOT.rglob("*")}
    assert not names & {"utils", "util", "common", "helpers", "misc", "base"}


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_costs_little_more_than_numpy() -> None:
    loaded = loaded_after("import mtlref")
    heavy = OPTIONAL | {
        "scipy.optimize",
        "scipy.stats",
        "scipy.sparse",
        "sqlite3",
        "mtlref.verify",
        "mtlref.study",
    }
    assert not loaded & heavy
    assert not any(m.split(".")[0] in OPTIONAL for m in loaded)


def test_predicting_and_fitting_import_nothing_optional() -> None:
    fit = "import numpy as np, mtlref as mt; mt.JointFeature().fit(np.eye(3), np.eye(3)).predict(np.eye(3))"
    assert not {m.split(".")[0] for m in loaded_after(fit)} & OPTIONAL
