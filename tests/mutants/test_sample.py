"""The sampling of mutants: which are left out, which tests meet one first, and what comes of it."""

from __future__ import annotations

import importlib.util
import signal
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
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        spec.loader.exec_module(module)
    return module


def test_only_words_of_messages_are_left_out(sample: Any) -> None:
    assert sample.is_wording('f"lam must be > 0; got {v}"', 'f"XXlam must be > 0; got {v}XX"')
    assert sample.is_wording('raise E("a b")', 'raise E("A B")')
    assert not sample.is_wording('loss == "squared"', 'loss == "XXsquaredXX"')
    assert not sample.is_wording('f("a b", x + 1)', 'f("a b", x - 1)')
    assert not sample.is_wording('raise E("a b")', "raise E(None)")


REACH = {
    "a": (3.0, ["m.f", "m.g"]),
    "b": (1.0, ["m.f"]),
    "c": (2.0, ["m.g"]),
    "d": (50.0, ["m.f"]),
}


def test_a_mutant_meets_the_tests_that_come_by_it_cheapest_first(sample: Any) -> None:
    assert sample.reach.order(REACH, "m.f", 100.0) == ["b", "a", "d"]
    assert sample.reach.order(REACH, "m.f", 4.0) == ["b", "a"]
    assert sample.reach.order(REACH, "m.g", 0.0) == ["c"]
    assert sample.reach.order(REACH, "m.h", 100.0) == []


def test_what_a_limit_ended_is_told_from_what_failed(sample: Any) -> None:
    assert sample.reach.outcome('["killed", "tests/x.py::y"]', 0) == ("killed", "tests/x.py::y")
    assert sample.reach.outcome("", int(signal.SIGXCPU)) == ("timeout", "")
    assert sample.reach.outcome("", int(signal.SIGSEGV)) == ("killed", "")
    assert sample.reach.outcome("", 0) is None


def test_survivors_that_are_explained_say_why() -> None:
    path = ROOT / "docs" / "survivors.toml"
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        assert name.startswith("mtlref."), name
        assert isinstance(entry["equivalent"], bool), name
        assert len(entry["reason"]) > 20, name
