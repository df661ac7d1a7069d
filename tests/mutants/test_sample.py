"""The sampling of mutants: which are left out, and which tests meet one first."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sample() -> Any:
    spec = importlib.util.spec_from_file_location("sample", Path(__file__).with_name("sample.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_words_of_messages_are_left_out(sample: Any) -> None:
    assert sample.is_wording('f"lam must be > 0; got {v}"', 'f"XXlam must be > 0; got {v}XX"')
    assert sample.is_wording('raise E("a b")', 'raise E("A B")')
    assert not sample.is_wording('loss == "squared"', 'loss == "XXsquaredXX"')
    assert not sample.is_wording('f("a b", x + 1)', 'f("a b", x - 1)')
    assert not sample.is_wording('raise E("a b")', "raise E(None)")


def test_a_mutant_meets_its_own_tests_first(sample: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    if not (ROOT / "mtlref" / "linear").is_dir():
        pytest.skip("the sources are not beside the tests")
    first = [arguments[0] for arguments in sample.tests_for("mtlref.linear.pooled")]
    assert first[0] == "tests/methods/test_pooled.py"
    assert "tests/methods/test_trace_norm.py" not in first
    shared = [arguments[0] for arguments in sample.tests_for("mtlref.optim.quadratic")]
    assert {"tests/methods/test_trace_norm.py", "tests/methods/test_mtrl.py"} <= set(shared)
    assert sample.tests_for("mtlref.losses")[0] == ["tests/laws/test_losses.py"]
    assert sample.tests_for("mtlref.linalg.least_squares")[0] == ["tests/linalg"]
    assert sample.tests_for("mtlref.balance.mgda")[0] == ["tests/balance/test_mgda.py"]
    classes = sample.tests_for("mtlref.linear.mtrl")[-2][2]
    assert "MTRL" in classes.split(" or ")


def test_survivors_that_are_explained_say_why() -> None:
    path = ROOT / "docs" / "survivors.toml"
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        assert name.startswith("mtlref."), name
        assert isinstance(entry["equivalent"], bool), name
        assert len(entry["reason"]) > 20, name
