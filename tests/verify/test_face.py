"""The laws as tests in a suite of somebody's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mtlref as mt

pytest.importorskip("hypothesis")

SUITE = """
import numpy as np
import pytest
import mtlref as mt


@pytest.fixture
def factor():
    return {factor}


@mt.verify.laws("SingleTaskRidge")
def test_mine(factor):
    def ridge(X, y, lam):
        eye = np.eye(X[0].shape[1])
        return factor * np.column_stack([np.linalg.solve(x.T @ x + lam * eye, x.T @ v) for x, v in zip(X, y)])

    return ridge
"""


# Of a wrong one, one law is enough to see it refused: each that fails is shrunk first, and explained.
@pytest.mark.parametrize(("factor", "laws"), [(1.0, ""), (1.5, "certificate_closes")])
def test_a_solver_fixture_becomes_one_test_a_law(factor: float, laws: str, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE.replace("{factor}", str(factor)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-k", laws,
         "test_suite.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if laws else 0), done.stdout
    if not laws:
        assert int(done.stdout.split(" passed")[0].split()[-1]) >= 6
    else:
        assert "test_mine[certificate_closes]" in done.stdout


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(mt.UnknownMethod, match="method must be one of"):
        mt.verify.laws("Nothing")
