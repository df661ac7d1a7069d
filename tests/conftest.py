"""Profiles of Hypothesis, and the real data and known answers that tests may find beside the project."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mtlref as mt

try:
    from hypothesis import HealthCheck, Phase, settings
except ImportError:  # without it the tests that need it skip
    pass
else:
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    settings.register_profile("dev", max_examples=25, deadline=None, suppress_health_check=quiet)
    settings.register_profile(
        "smoke", max_examples=4, deadline=None, database=None, derandomize=True, suppress_health_check=quiet
    )
    # A mutant is only to be refused: nobody reads the smallest example of it.
    settings.register_profile(
        "mutants",
        max_examples=4,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=quiet,
        phases=[Phase.explicit, Phase.generate],
    )
    settings.register_profile(
        "ci",
        max_examples=12,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=quiet,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
    settings.register_profile("nightly", max_examples=1000, deadline=None, suppress_health_check=quiet)
    settings.load_profile(os.environ.get("MTLREF_PROFILE", "dev"))


def data_folder() -> Path:
    """The folder that MTLREF_DATA names; skips the test where there is none."""
    named = os.environ.get("MTLREF_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("MTLREF_DATA does not name a folder with the public data sets")
    return Path(named)


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of problems with known answers, beside the data."""
    folder = data_folder().parent / "cases"
    if not folder.is_dir():
        pytest.skip("there is no folder of known answers (cases) beside MTLREF_DATA")
    return folder


@pytest.fixture(scope="session")
def regression_cases(shared_cases: Path) -> tuple[mt.TaskData, list[dict[str, Any]]]:
    """Four regression tasks and what is known of them."""
    arrays = np.load(shared_cases / "linear" / "regression.npz")
    data = mt.TaskData.from_list([arrays[f"X{t}"] for t in range(4)], [arrays[f"y{t}"] for t in range(4)])
    return data, json.loads((shared_cases / "linear" / "regression.json").read_text())


@pytest.fixture(scope="session")
def school() -> mt.TaskData:
    """All 15,362 pupils of the 139 schools, raw features with the constant column."""
    from scipy.io import loadmat

    path = data_folder() / "school" / "school_b.mat"
    if not path.is_file():
        pytest.skip("the School data are not in MTLREF_DATA")
    raw = loadmat(path)
    X, y = raw["x"].T.astype(float), raw["y"].ravel().astype(float)
    starts = [*(raw["task_indexes"].ravel().astype(int) - 1), len(y)]
    spans = [slice(a, b) for a, b in pairwise(starts)]
    return mt.TaskData.from_list([X[s] for s in spans], [y[s] for s in spans])


@pytest.fixture(scope="session")
def landmine() -> mt.TaskData:
    """The 29 mine fields, labels 0 and 1."""
    from scipy.io import loadmat

    folder = data_folder() / "landmine"
    found = sorted(folder.glob("*.mat")) if folder.is_dir() else []
    if not found:
        pytest.skip("the landmine data are not in MTLREF_DATA")
    raw = loadmat(found[0])
    X = [np.asarray(f, dtype=float) for f in raw["feature"].ravel()]
    y = [np.asarray(v, dtype=float).ravel() for v in raw["label"].ravel()]
    return mt.TaskData.from_list(X, y)


@pytest.fixture
def mutated(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType, str, str], ModuleType]:
    """mutated(module, old, new): a module of the same source with ``new`` in place of ``old``, which it holds once.

    Without ``old`` the source as it is.
    """

    def made(module: ModuleType, old: str, new: str) -> ModuleType:
        source = inspect.getsource(module)
        assert not old or source.count(old) == 1
        mutant = ModuleType("mutant")
        monkeypatch.setitem(sys.modules, mutant.__name__, mutant)  # where a dataclass looks for names
        exec(source.replace(old, new) if old else source, mutant.__dict__)
        return mutant

    return made


@pytest.fixture
def package_with(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """package_with(file, old, new): a folder with the package in it, with ``new`` in that file in place of ``old``.

    All else are links to what is there, whole folders and compiled modules too, so that only one file is compiled anew.
    """
    root = Path(mt.__file__).parent

    def made(file: str, old: str, new: str) -> Path:
        changed = Path(os.path.normpath(file))
        text = (root / changed).read_text(encoding="utf-8")
        assert old in text, f"{changed} no longer holds {old!r}: bring the table up to date"
        copy = tmp_path / "mtlref"
        for folder in reversed(changed.parents):
            linked(folder, copy, lambda name: not (root / changed).is_relative_to(root / folder / name))  # noqa: B023
        compiled = changed.parent / "__pycache__"
        if (root / compiled).is_dir():
            (copy / compiled).unlink()
            linked(compiled, copy, lambda name: not name.startswith(f"{changed.stem}."))
        (copy / changed).write_text(text.replace(old, new, 1), encoding="utf-8")
        return tmp_path

    def linked(folder: Path, copy: Path, wanted: Callable[[str], bool]) -> None:
        (copy / folder).mkdir()
        for name in os.listdir(root / folder):
            if wanted(name):
                os.symlink(root / folder / name, copy / folder / name)

    return made


FORKS = Path(__file__).with_name("fork_server.py")


@pytest.fixture(scope="module")
def sees(request: pytest.FixtureRequest) -> Iterator[Callable[..., None]]:
    """sees(folder, *law): the law in kill.py, beside the test, must be broken by the mtlref of that folder."""
    if not hasattr(os, "fork"):
        pytest.skip("needs os.fork")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-P", str(FORKS), str(request.path.with_name("kill.py"))]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def one(folder: Path, *law: Any) -> None:
            server.stdin.write(json.dumps([str(folder), *law]) + "\n")
            server.stdin.flush()
            code, message = json.loads(server.stdout.readline())
            assert code == 3, f"not seen by {law}: {message}"

        yield one
        server.stdin.close()


@pytest.fixture(scope="module")
def run(request: pytest.FixtureRequest) -> Callable[..., None]:
    """run(*law): the law in kill.py, beside the test, must hold for the mtlref that is under test."""
    spec = importlib.util.spec_from_file_location("kill", request.path.with_name("kill.py"))
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def one(*law: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            script.run(*law)

    return one
