"""The law of answers: it accepts every balancer's, and refuses an answer with any one thing wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.balance.hard import KINDS, jacobians
from mtlref.errors import LawViolation

B = mt.balance
SOLVED = [
    B.MGDA(),
    B.UPGrad(),
    B.DualProj(),
    B.CAGrad(0.5),
    B.NashMTL(),
    B.FairGrad(1.0),
    B.ConFIG(),
    B.PCGrad(),
]


class Altered:
    """A balancer whose answers are changed; remembers what it was asked."""

    def __init__(self, change: Any) -> None:
        self.change = change
        self.asked: list[tuple[Any, Any, float]] = []

    def solve(self, J: Any, losses: Any = None, *, rng: Any = None) -> Any:
        """MGDA's answer, changed."""
        self.asked.append((J, losses, rng.random()))
        return self.change(J, B.MGDA().solve(J))

    def __repr__(self) -> str:
        return "Altered()"


def size_of(J: Any, solution: Any) -> float:
    """What errors of inner products are relative to."""
    return float(np.linalg.norm(J, axis=1).max()) * float(np.linalg.norm(solution.direction))


def refused(change: Any, match: str, **options: Any) -> None:
    """The law must refuse the answer."""
    with pytest.raises(LawViolation, match=match):
        B.certified(Altered(change), kinds=["plain"], **options)


@pytest.mark.parametrize("balancer", SOLVED, ids=repr)
def test_answers_of_every_kind_are_certified(balancer: Any) -> None:
    B.certified(balancer, count=1)


def test_it_asks_for_what_it_says() -> None:
    asks = Altered(lambda J, solution: solution)
    B.certified(asks)
    cases = list(jacobians(3, 0))
    assert len(asks.asked) == len(cases) == 3 * len(KINDS)
    for (J, losses, draw), case in zip(asks.asked, cases, strict=True):
        assert (J == case.J).all()
        assert losses.tolist() == list(range(1, len(J) + 1))
        assert draw == np.random.default_rng(0).random()
    some = Altered(lambda J, solution: solution)
    B.certified(some, count=2, seed=5, kinds=("plain", "tiny"))
    wanted = [case for case in jacobians(2, 5) if case.kind in ("plain", "tiny")]
    assert len(some.asked) == len(wanted) == 4
    assert all((J == case.J).all() for (J, _, _), case in zip(some.asked, wanted, strict=True))
    assert {draw for *_, draw in some.asked} == {np.random.default_rng(5).random()}


def test_a_residual_must_be_within_tol() -> None:
    def left(residual: float) -> Any:
        return lambda J, s: replace(s, certificate=replace(s.certificate, residual=residual))

    B.certified(Altered(left(1e-9)), count=1)
    refused(left(1.01e-9), r"Altered\(\): .* must be <= 1e-09; got 1\.01e-09 at .*plain")
    refused(left(float("nan")), "got nan")
    B.certified(Altered(left(1e-3)), count=1, tol=1e-3)


def test_the_smallest_inner_product_is_what_it_is() -> None:
    def off(share: float) -> Any:
        return lambda J, s: replace(
            s, certificate=replace(s.certificate, smallest=s.certificate.smallest + share * size_of(J, s))
        )

    for share in (-0.9e-9, 0.9e-9):
        B.certified(Altered(off(share)), count=1, kinds=["plain", "bad_scale"])
    for share in (-1.1e-9, 1.1e-9):
        refused(off(share), r"Altered\(\): smallest must be")


def test_the_weights_give_the_direction() -> None:
    def off(share: float) -> Any:
        def change(J: Any, s: Any) -> Any:
            most = max(float(np.linalg.norm(J, axis=1).max()), float(np.linalg.norm(s.direction)))
            longest = int(np.argmax(np.linalg.norm(J, axis=1)))
            weights = s.weights.copy()
            weights[longest] += share * most / float(np.linalg.norm(J[longest]))
            return replace(s, weights=weights)

        return change

    B.certified(Altered(off(0.9e-9)), count=1, kinds=["plain", "bad_scale"])
    refused(off(1.1e-9), r"Altered\(\): J'weights and the direction differ by 1\.100e-09|differ by \d")
    B.certified(Altered(lambda J, s: replace(s, weights=None)), count=1)


def test_weights_are_looked_at_after_an_answer_without() -> None:
    answers = iter([True, False])

    def change(J: Any, s: Any) -> Any:
        return replace(s, weights=None if next(answers) else s.weights + 1.0)

    refused(change, "differ by", count=2)


def test_moco_alone_has_weights_of_averages() -> None:
    class Averaged(B.MoCo):
        """Weights that do not give the direction."""

        def solve(self, J: Any, losses: Any = None, *, rng: Any = None) -> Any:
            """Those of others."""
            solution = B.MGDA().solve(J)
            return replace(solution, weights=solution.weights + 1.0)

    B.certified(Averaged(), count=1, kinds=["plain"])


def test_what_a_balancer_raises_is_named() -> None:
    def fails(J: Any, s: Any) -> Any:
        raise ZeroDivisionError("nothing to divide by")

    with pytest.raises(LawViolation, match=r"Altered\(\) raised ZeroDivisionError: nothing .* at ") as caught:
        B.certified(Altered(fails))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("balancer", SOLVED, ids=repr)
def test_weights_are_given(balancer: Any) -> None:
    J = np.array([[1.0, 0.0, 0.5], [0.2, 1.0, 0.0]])
    solution = balancer.solve(J, np.ones(2), rng=np.random.default_rng(0))
    assert solution.weights is not None
    np.testing.assert_allclose(solution.weights @ J, solution.direction, rtol=1e-12)


def test_the_residual_of_imtlg_is_relative_to_the_spectral_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    from mtlref.balance import imtlg

    found = imtlg._solution
    bent: list[Any] = []

    def off(rows: Any) -> Any:
        v, x = found(rows)
        bent[:] = rows, v, 1.25 * x
        return v, 1.25 * x

    monkeypatch.setattr(imtlg, "_solution", off)
    J = np.array([[3.0, 0.0, 0.5], [0.2, 1.0, 0.0]])
    residual = B.IMTLG().solve(J).certificate.residual
    rows, v, x = bent
    G, total = rows.scaled, v.sum()
    error = np.linalg.norm(G.T @ (G @ x - rows.norms)) / abs(total)
    assert residual == pytest.approx(
        error * abs(total) / (np.linalg.svd(G)[1][0] * np.linalg.norm(rows.norms)), rel=1e-12
    )


def test_a_factor_is_no_larger_than_it_must_be() -> None:
    from mtlref.balance.jacobian import factor

    for m, d in ((2, 5), (5, 2), (3, 3)):
        units = np.random.default_rng(m).normal(size=(m, d))
        Q, R = factor(units)
        assert Q.shape == (d, min(m, d))
        np.testing.assert_allclose(Q @ R, units.T, atol=1e-14)
        np.testing.assert_allclose(Q.T @ Q, np.eye(min(m, d)), atol=1e-14)
