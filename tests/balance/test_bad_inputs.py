"""What is refused, with the words that help."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import DataError, FormError

B = mt.balance
GRADIENT = [e.cls() for e in B.BALANCERS.values() if e.gives == "direction"]
WEIGHTS = [e.cls() for e in B.BALANCERS.values() if e.gives == "weights"]
BAD = [
    (np.array([[1.0, np.nan], [0.0, 1.0]]), DataError, r"J must be finite; got NaN at \[0, 1\]"),
    (np.array([[1.0, np.inf], [0.0, 1.0]]), DataError, "J must be finite; got infinity"),
    (np.ones(3), DataError, r"J must have 2 axes, \(tasks, parameters\); got shape \(3,\)"),
    (np.ones((2, 2, 2)), DataError, r"J must have 2 axes.*got shape \(2, 2, 2\)"),
    (np.ones((0, 3)), DataError, r"at least one row.*\(0, 3\)"),
    (np.ones((3, 0)), DataError, r"at least one column.*\(3, 0\)"),
    (np.ones((2, 2)) * 1j, DataError, "J must be real"),
    ([["a", "b"]], FormError, "J must hold numbers"),
    ([[1.0], [1.0, 2.0]], FormError, "J must be an array of numbers"),
    (None, (FormError, DataError), "J must"),
]


@pytest.mark.parametrize("balancer", GRADIENT, ids=lambda b: type(b).__name__)
@pytest.mark.parametrize(("J", "error", "match"), BAD)
def test_a_bad_jacobian_is_refused(balancer: Any, J: Any, error: Any, match: str) -> None:
    for call in (balancer, balancer.solve, lambda J: balancer.update(balancer.init(2), J)):
        with pytest.raises(error, match=match):
            call(J)


@pytest.mark.parametrize("balancer", GRADIENT, ids=lambda b: type(b).__name__)
def test_the_state_knows_its_tasks(balancer: Any) -> None:
    with pytest.raises(DataError, match="a row for each of the 3 tasks of the state"):
        balancer.update(balancer.init(3), np.ones((2, 4)))
    with pytest.raises((DataError, FormError), match="T must be"):
        balancer.init(0)
    with pytest.raises(FormError, match="rng must be a numpy"):
        balancer.update(balancer.init(2), np.ones((2, 4)), None, 7)


@pytest.mark.parametrize("weighting", WEIGHTS, ids=lambda b: type(b).__name__)
def test_bad_losses_are_refused(weighting: Any) -> None:
    J, state = np.ones((2, 3)), weighting.init(2)
    if "losses" in weighting.needs:
        for losses, match in [
            ([1.0, np.nan], "losses must be finite"),
            ([1.0], r"losses must have shape \(2,\)"),
            (None, "losses must be an array"),
            ([[1.0, 2.0]], "losses must have 1 axes"),
        ]:
            with pytest.raises((DataError, FormError), match=match):
                weighting.update(state, J, losses)
        if weighting.positive:
            with pytest.raises(DataError, match=r"losses must be > 0.*got .*0\.0.* for task 1"):
                weighting.update(state, J, [1.0, 0.0])
    if "J" in weighting.needs:
        with pytest.raises(FormError, match="needs J"):
            weighting.update(state, None, [1.0, 1.0])
        with pytest.raises(DataError, match="a row for each of the 2 tasks"):
            weighting.update(state, np.ones((3, 3)), [1.0, 1.0])
    if not weighting.random:
        with pytest.raises(FormError, match="draws nothing"):
            weighting.update(state, J, [1.0, 1.0], draw=[0.0, 0.0])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: B.MGDA("l1"), "normalization must be one of"),
        (lambda: B.MGDA(convention="mine"), "convention must be one of"),
        (lambda: B.CAGrad(-0.1), "c must be a finite number >= 0"),
        (lambda: B.CAGrad(convention="2"), "convention must be one of"),
        (lambda: B.FairGrad(0.0), "alpha must be > 0"),
        (lambda: B.AlignedMTL(scale="max"), "scale must be one of"),
        (lambda: B.GradVac(beta=1.5), r"beta must be in \[0, 1\]"),
        (lambda: B.GradVac(start=1.0), r"start must be in \(-1, 1\)"),
        (lambda: B.MoCo(rho=-1.0), "rho must be"),
        (lambda: B.UW("both"), "form must be one of"),
        (lambda: B.UW(start=np.nan), "start must be finite"),
        (lambda: B.IMTLL(start=np.inf), "start must be finite"),
        (lambda: B.UW(["regression"]).init(2), "form must be one word or one for each of the 2 tasks"),
        (lambda: B.DWA(temperature=0.0), "temperature must be > 0"),
        (lambda: B.RLW("cauchy"), "distribution must be one of"),
        (lambda: B.Fixed([1.0, -1.0]).update(B.Fixed([1.0, -1.0]).init(2)), "weights must be >= 0"),
        (lambda: B.RLW("bernoulli").update(B.RLW().init(2), draw=[0.0, 0.0]), "draw must be >= 0"),
        (lambda: B.GradDrop(leak=2.0)(np.eye(2)), r"leak must be in \[0, 1\]"),
        (lambda: B.GradDrop()(np.eye(2), draw=[0.5, 1.5]), r"draw must be in \[0, 1\]"),
        (lambda: B.PCGrad()(np.eye(3), draw=[0, 1, 1]), "draw must hold permutations"),
        (lambda: B.ConFIG([1.0, -1.0])(np.eye(2)), "preference must be >= 0"),
        (lambda: B.UPGrad([1.0])(np.eye(2)), r"preference must have shape \(2,\)"),
        (lambda: B.MGDA("loss")(np.eye(2), [1.0, 0.0]), "losses must be > 0"),
        (lambda: B.MoCo().update(B.MoCo().update(B.MoCo().init(2), np.eye(2))[1], np.ones((2, 3))), "steps before"),
        (lambda: B.FAMO().observe(B.FAMO().init(2), [1.0, 1.0]), "observe must follow an update"),
        (lambda: B.FAMO(floor=1.0).update(B.FAMO().init(2), None, [2.0, 0.5]), "losses must be > floor"),
        (lambda: B.GradNorm(lr=10.0).update(B.GradNorm().init(2), np.diag([9.0, 1.0]), [1.0, 1.0]), "lr must be small"),
    ],
)  # fmt: skip
def test_bad_parameters_and_draws_are_refused(make: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        make()


NUMBERS = ("nonsense", np.nan, -np.inf, [[]], 1j)
PARAMETERS = [
    (e.cls, field.name)
    for e in B.BALANCERS.values()
    for field in dataclasses.fields(e.cls)
    if field.init and field.name != "random_state"  # NumPy says what a seed must be
]


@pytest.mark.parametrize(
    ("kind", "name"), PARAMETERS, ids=[f"{kind.__name__}-{name}" for kind, name in PARAMETERS]
)
@pytest.mark.parametrize("bad", NUMBERS, ids=str)
def test_what_no_parameter_can_be_is_refused_by_its_name(kind: Any, name: str, bad: Any) -> None:
    def use() -> None:
        made = kind(**{name: bad})  # where it depends on the number of tasks: at the first step
        made.update(made.init(2), np.eye(2) + 0.1, [1.0, 1.0])

    with pytest.raises((DataError, FormError), match=rf"^{name} must (be|hold|have) "):
        use()


def test_losses_where_none_are_read_must_still_fit() -> None:
    with pytest.raises(DataError, match=r"losses must have shape \(2,\)"):
        B.PCGrad()(np.eye(2), [1.0])
    with pytest.raises(FormError, match="losses must be an array"):
        B.MGDA("loss+")(np.eye(2))


def test_a_draw_where_nothing_is_drawn_is_refused() -> None:
    with pytest.raises(FormError, match="MGDA draws nothing"):
        B.MGDA()(np.eye(2), draw=[0, 1])
