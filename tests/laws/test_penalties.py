"""Every law of every penalty, on awkward matrices; and the solvers' own proxes against these plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import given
from hypothesis import strategies as st

from mtlref.optim.boxnorm import BoxNormTerm
from mtlref.optim.peaks import Peaks
from mtlref.optim.rowproblem import RowProblem
from mtlref.optim.sparse import Entries
from mtlref.optim.spectral import TraceNormTerm, prox_singular
from mtlref.optim.squaredtrace import SquaredTraceNormTerm
from mtlref.penalties import L1, PENALTIES, BoxNorm, GraphSpread, RowMax, RowNorm, SquaredTraceNorm, TraceNorm
from mtlref.verify.laws import PENALTY_LAWS, LawViolation, penalty_laws_of
from mtlref.verify.laws.penalties import prox_minimises, prox_obeys_moreau
from mtlref.verify.strategies import graphs, matrices


def make(kind: Any, T: int, draw: Any) -> Any:
    if kind is BoxNorm:
        return BoxNorm(draw(st.sampled_from([0.01, 0.5, 4.0])), draw(st.integers(1, 5)))
    return GraphSpread(draw(graphs(T))) if kind is GraphSpread else kind()


LAWS = [
    pytest.param(kind, law, id=f"{kind.__name__}-{law.__name__}")
    for kind in PENALTIES
    for law in penalty_laws_of(GraphSpread([[0.0]]) if kind is GraphSpread else kind())
]


@pytest.mark.parametrize(("kind", "law"), LAWS)
@given(draw=st.data())
def test_law(kind: Any, law: Any, draw: Any) -> None:
    W = draw.draw(matrices())
    V = draw.draw(matrices())
    p, T = W.shape
    V = np.resize(V, (p, T))
    penalty = make(kind, T, draw.draw)
    step = draw.draw(st.sampled_from([1e-3, 0.3, 1.0, 20.0])) * (float(np.abs(V).max()) or 1.0)
    if penalty.degree == 2:
        step = draw.draw(st.sampled_from([1e-3, 0.3, 1.0, 20.0]))
    law(penalty, W, V, step)


@pytest.mark.parametrize("kind", [kind for kind in PENALTIES if hasattr(kind, "project_polar")])
@pytest.mark.parametrize("share", [1e-3, 1e-8, 1e-15, 1e-18])
def test_a_projection_on_a_small_ball_lies_in_it(kind: Any, share: float) -> None:
    penalty = make(kind, 4, lambda strategy: [[0.0] * 4] * 4)
    V = np.random.default_rng(0).standard_normal((3, 4))
    for own in (V, V[:1], V[:, :1], V[:1, :1], np.ones((3, 4))):
        radius = share * float(np.abs(own).max())
        assert penalty.polar(penalty.project_polar(own, radius)) <= radius * (1 + 1e-13)


def test_every_law_applies_to_some_penalty() -> None:
    made = [GraphSpread([[0.0]]) if kind is GraphSpread else kind() for kind in PENALTIES]
    assert {law for penalty in made for law in penalty_laws_of(penalty)} == set(PENALTY_LAWS)


@pytest.mark.parametrize(
    ("penalty", "fast"),
    [
        (L1(), lambda V, step: Entries(np.ones(V.shape)).shrink(V, step)),
        (RowNorm(), lambda V, step: RowProblem(V, np.ones(V.shape[1])).shrink(V, step)[0]),
        (RowMax(), lambda V, step: Peaks(np.ones(V.shape[1])).shrink(V, step)),
        (TraceNorm(), lambda V, step: prox_singular(V, lambda sigma: TraceNormTerm(1.0).prox(sigma, step))),
        (
            SquaredTraceNorm(),
            lambda V, step: prox_singular(V, lambda sigma: SquaredTraceNormTerm(1.0).prox(sigma, step)),
        ),
    ],
    ids=["L1", "RowNorm", "RowMax", "TraceNorm", "SquaredTraceNorm"],
)
@given(draw=st.data())
def test_the_solvers_prox_is_the_plain_one(penalty: Any, fast: Any, draw: Any) -> None:
    V = draw.draw(matrices())
    size = float(np.abs(V).max()) or 1.0
    step = draw.draw(st.sampled_from([1e-6, 1e-2, 0.5, 1.0, 3.0])) * (size if penalty.degree == 1 else 1.0)
    # The solvers hold a task as a row. Their singular values come through a Gram matrix: half the digits of σ_1
    # where the threshold cuts, and by SVD where it is small.
    np.testing.assert_allclose(fast(V.T.copy(), step).T, penalty.prox(V, step), rtol=0, atol=1e-11 * size)
    kept = V.T.copy()
    fast(kept, step)
    assert (kept == V.T).all()


@pytest.mark.parametrize("eta", [0.01, 0.5, 4.0])
@given(draw=st.data())
def test_the_prox_of_the_box_norm_is_the_plain_one(eta: float, draw: Any) -> None:
    V, k = draw.draw(matrices()), draw.draw(st.integers(1, 5))
    step = draw.draw(st.sampled_from([1e-6, 1e-2, 0.5, 1.0, 30.0]))
    term = BoxNormTerm(eta * (1 + eta), eta, k)
    kept = V.T.copy()
    fast = prox_singular(kept, lambda sigma: term.prox(sigma, step)).T
    assert (kept == V.T).all()
    size = float(np.abs(V).max()) or 1.0
    np.testing.assert_allclose(fast, BoxNorm(eta, k).prox(V, step), rtol=0, atol=1e-11 * size)
    sigma = np.linalg.svd(V, compute_uv=False)
    assert term.value(sigma) == pytest.approx(BoxNorm(eta, k).value(V), rel=1e-11, abs=1e-28 * size**2)


class TwiceTooWide(L1):
    """The soft threshold with twice the width that a published solver had."""

    def prox(self, V: Any, step: float) -> Any:
        return super().prox(V, 2 * step)


def test_a_threshold_of_twice_the_width_breaks_both_laws() -> None:
    W, V = np.array([[1.0, -2.0]]), np.array([[3.0, -0.2]])
    with pytest.raises(LawViolation):
        prox_minimises(TwiceTooWide(), W, V, 0.5)
    with pytest.raises(LawViolation):
        prox_obeys_moreau(TwiceTooWide(), W, V, 0.5)


@pytest.mark.parametrize("penalty", [L1(), RowNorm(), RowMax(), TraceNorm()], ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 3), (3, 2)])
def test_a_witness_of_nothing_has_size_one_in_every_shape(penalty: Any, shape: tuple[int, int]) -> None:
    assert penalty.value(penalty.attains_polar(np.zeros(shape))) == pytest.approx(1.0, rel=1e-15)
