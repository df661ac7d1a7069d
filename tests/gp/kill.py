"""One test of this folder, by its file, its name and its arguments; for ../fork_server.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.sparse
import scipy.special
import scipy.stats


def run(file: str, test: str, arguments: list[Any]) -> None:
    """Raises where the test fails."""
    spec = importlib.util.spec_from_file_location("law", Path(__file__).with_name(file))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    getattr(module, test)(*arguments)


def breaks() -> tuple[type[BaseException], ...]:
    """What a test that fails raises: an assertion, or the arithmetic."""
    from mtlref.errors import IllConditioned

    return AssertionError, pytest.fail.Exception, IllConditioned, np.linalg.LinAlgError


# Loaded once, before the forks.
assert all((scipy.linalg, scipy.optimize, scipy.sparse, scipy.special, scipy.stats))
