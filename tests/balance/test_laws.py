"""Every balancer obeys every law that it declares; and functions that do not are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

import mtlref as mt
from mtlref.balance.hard import KINDS, Hard, jacobians, make
from mtlref.balance.laws import LAWS, LEFT_OUT, declared
from mtlref.balance.trial import Trial
from mtlref.errors import DataError, LawViolation

B = mt.balance
BALANCERS = [
    B.MGDA(), B.MGDA("l2"), B.DualProj(), B.DualProj(convention="sum"), B.UPGrad(), B.UPGrad(convention="sum"),
    B.IMTLG(),
    B.ConFIG(), B.ConFIG(convention="mean"), B.AlignedMTL(), B.AlignedMTL(scale="rmse"), B.CAGrad(0.5), B.CAGrad(1.0),
    B.CAGrad(2.5), B.NashMTL(), B.NashMTL("unit"), B.FairGrad(0.3), B.FairGrad(1.0), B.FairGrad(2.0), B.PCGrad(),
    B.GradVac(), B.MoCo(),
]  # fmt: skip
PAIRS = [pytest.param(b, name, id=f"{b!r}-{name}") for b in BALANCERS for name in declared(b)]


@pytest.mark.parametrize(("balancer", "name"), PAIRS)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 2**32 - 1))
def test_law(balancer: Any, name: str, kind: str, seed: int) -> None:
    if kind in LEFT_OUT.get(name, ()):
        return
    rng = np.random.default_rng(seed)
    J = make(kind, rng)
    # Directions of rows that nearly cancel are determined to the square root of what their hull is away from zero.
    LAWS[name](Trial(balancer, J, rng, 1e-7, balancer.degree, declared(balancer)[name]))


def test_check_reads_a_balancers_declarations() -> None:
    done = B.check(B.MGDA(), like=B.MGDA(), count=1)
    assert set(done.laws) == {*B.MGDA.properties, "one_task"}
    assert done.jacobians == len(KINDS)


def test_every_law_applies_to_some_balancer() -> None:
    assert {name for b in BALANCERS for name in declared(b)} == set(LAWS)


def frank_wolfe(J: Any) -> Any:
    """The usual loop, with the usual stop at 1e-3."""
    w = np.full(len(J), 1 / len(J))
    for _ in range(250):
        d = w @ J
        e = np.eye(len(J))[np.argmin(J @ d)] - w
        step = e @ J
        length = step @ step
        t = min(max(-(d @ step) / length, 0.0), 1.0) if length > 0 else 0.0
        w = w + t * e
        if t * np.abs(e).sum() < 1e-3:
            break
    return w @ J


def first_row(J: Any) -> Any:
    return J[0]


def largest_entry(J: Any) -> Any:
    return np.where(np.arange(J.shape[1]) == np.argmax(np.abs(J).sum(axis=0)), J.sum(axis=0), 0.0)


def with_epsilon(J: Any) -> Any:
    """A fixed 1e-8 beside norms, as many libraries have it."""
    return (J / (np.linalg.norm(J, axis=1, keepdims=True) + 1e-8)).mean(axis=0) * np.linalg.norm(J)


def changes_its_argument(J: Any) -> Any:
    J -= J.mean(axis=0)
    return J[0]


WRONG = [
    (lambda J: J.mean(axis=0), "non_conflicting"),
    (lambda J: J.mean(axis=0), "stationary"),
    (lambda J: J.sum(axis=0), "copies"),
    (first_row, "permutation"),
    (largest_entry, "rotation"),
    (largest_entry, "span"),
    (with_epsilon, "homogeneous"),
    (lambda J: J.mean(axis=0), "hull"),
    (lambda J: J.mean(axis=0), "row_scale"),
    (lambda J: -J.mean(axis=0), "one_task"),
    (lambda J: np.zeros(J.shape[1]), "strict"),
    (lambda J: J.T @ J @ J[0] * np.nan, "rotation"),
    (lambda J: J, "permutation"),
    (changes_its_argument, "one_task"),
]


@pytest.mark.parametrize(("f", "name"), WRONG)
def test_a_wrong_direction_is_refused(f: Any, name: str) -> None:
    with pytest.raises(LawViolation, match=f"^{name}: .* at [a-z_]+ J "):
        B.check(f, [name])


def test_a_loop_that_stops_early_is_not_mgda() -> None:
    with pytest.raises(LawViolation, match="like"):
        B.check(frank_wolfe, ["span"], like=B.MGDA())


def test_values_of_properties_count() -> None:
    B.check(lambda J: J.sum(axis=0), {"copies": 2.0})
    B.check(lambda J: J.sum(axis=0) * np.linalg.norm(J), {"homogeneous": 2.0})
    with pytest.raises(LawViolation):
        B.check(lambda J: J.sum(axis=0) * np.linalg.norm(J), ["homogeneous"])


def test_a_refusal_says_what_is_broken_and_what_held() -> None:
    with pytest.raises(LawViolation) as refused:
        B.check(lambda J: J.mean(axis=0), ["permutation", "non_conflicting", "strict", "span"], count=1)
    said = str(refused.value).splitlines()
    assert said[0].startswith("non_conflicting: ⟨g_i, d⟩ / ‖g_i‖ must be >= 0; got [")
    assert said[1:] == [
        "the law: ⟨g_i, f(J)⟩ >= 0: no task is made worse.",
        "broken too: strict",
        "held: permutation, span",
    ]


def test_an_unknown_law_is_named() -> None:
    with pytest.raises(DataError, match="must be a list of names; got the text 'permutation'"):
        B.check(first_row, "permutation")
    with pytest.raises(DataError, match="properties must be among permutation"):
        B.check(first_row, ["fairness"])


def test_single_precision_passes_at_its_own_tolerance() -> None:
    def single(J: Any) -> Any:
        return B.MGDA()(np.asarray(J, dtype=np.float32))

    kinds = ["plain", "aligned", "tiny", "one_task"]
    B.check(single, ["permutation", "rotation", "homogeneous"], tol=1e-3, kinds=kinds)


def norms(J: Any) -> Any:
    return np.linalg.norm(J, axis=1)


def ordinary(J: Any) -> bool:
    """Two to five tasks of full rank and of sizes that are alike."""
    m, d = J.shape
    return 2 <= m <= 5 < d <= 9 and np.linalg.matrix_rank(J) == m and bool(np.ptp(np.log(norms(J))) < 3)


WHAT_A_KIND_IS: dict[str, Any] = {
    "plain": lambda J: ordinary(J) and 0.5 < norms(J).max() < 5,
    "tall": lambda J: J.shape == (5, 3) and norms(J).max() < 10,
    "conflicting": lambda J: J.shape[1] > 5 and np.linalg.norm(J.mean(axis=0)) < 0.4 < norms(J).max() < 10,
    "aligned": lambda J: (J @ J.mean(axis=0) > 0).all() and 2 < norms(J).max() < 30 and len(J) < 6,
    "rank_deficient": lambda J: np.linalg.matrix_rank(J) == 2 < len(J) <= 6 and norms(J).min() > 0,
    "balanced": lambda J: len(J) >= 2 and mt.balance.MGDA().solve(J).certificate.stationary,
    "opposite": lambda J: np.allclose(J[1], -0.3 * J[0]) and len(J) == 2,
    "zero_row": lambda J: not J[0].any() and norms(J[1:]).min() > 0 and J.shape[1] > 5,
    "bad_scale": lambda J: 1e5 < norms(J)[-1] / norms(J)[0] < 1e7 and np.linalg.matrix_rank(J / norms(J)[:, None]) > 1,
    "tiny": lambda J: 1e-8 < norms(J).max() < 1e-6 and ordinary(J * 1e8),
    "huge": lambda J: 1e8 < norms(J).max() < 1e10 and ordinary(J / 1e8),
    "duplicate": lambda J: (J[-1] == J[0]).all() and len(J) >= 3 and (J[1] != J[0]).all(),
    "one_task": lambda J: len(J) == 1 and J.shape[1] > 5,
    "one_parameter": lambda J: J.shape[1] == 1 and len(J) >= 2 and (J >= 0.1).all() and (J <= 1.1).all(),
    "nearly_parallel": lambda J: len(J) >= 2 and 0 < np.abs(J - J[0]).max() < 1e-2 < norms(J).min(),
}  # fmt: skip


def test_jacobians_are_of_their_kind() -> None:
    for hard in jacobians(2, 0):
        assert hard.J.ndim == 2
        assert np.isfinite(hard.J).all()
        assert str(hard).startswith(hard.kind)
    assert isinstance(next(jacobians(1, 0)), Hard)
    for kind, holds in WHAT_A_KIND_IS.items():
        rng = np.random.default_rng(1)
        made = [make(kind, rng) for _ in range(20)]
        assert all(holds(J) for J in made), kind
        others = {m for m, _ in (J.shape for J in made)} | {d for _, d in (J.shape for J in made)}
        assert kind in ("tall", "opposite") or len(others) > 2, kind
    assert set(WHAT_A_KIND_IS) == set(KINDS)
    balanced = make("balanced", np.random.default_rng(0))
    assert B.MGDA().solve(balanced).certificate.stationary
    assert not make("zero_row", np.random.default_rng(0))[0].any()
