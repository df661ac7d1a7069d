"""The grid, the choice on it, and what happens on its edge."""

import numpy as np
import pytest

import mtlref as mt
from mtlref.study.grid import EXTENSIONS, Choice, decide, grid_for

BOUNDED = grid_for(mt.methods()["JointFeature"], 20)
OPEN = grid_for(mt.methods()["SingleTaskRidge"], 20)


def settle(grid, score):
    """Decide until there is a choice, as a plan does; the settings tried and the choice."""
    curve = {}
    while not isinstance(asked := decide(grid, curve), Choice):
        if asked is None:
            return curve, None
        curve |= {k: score(k) for k in asked}
    return curve, asked


def test_every_method_gets_the_same_number_of_settings():
    for method in mt.methods().values():
        assert decide(grid_for(method, 20), {}) == list(range(20))


def test_the_grid_spans_its_range():
    assert BOUNDED.bounded
    assert BOUNDED.lam(0, 7.0) == 7.0
    assert BOUNDED.lam(19, 7.0) == pytest.approx(7e-4)
    assert not OPEN.bounded
    assert OPEN.lam(0, 2.0) == 20.0
    assert OPEN.lam(19, 2.0) == pytest.approx(2e-6)


def test_a_choice_inside_needs_no_extension():
    curve, choice = settle(BOUNDED, lambda k: (k - 8) ** 2 + 1.0)
    assert choice == Choice(8, "")
    assert len(curve) == 20


def test_a_choice_on_the_lower_edge_extends_the_grid():
    curve, choice = settle(BOUNDED, lambda k: (k - 22) ** 2 + 1.0)
    assert choice.k == 22
    assert choice.note == "grid extended downwards"
    assert max(curve) == 19 + BOUNDED.step == 24


def test_an_endless_slope_ends():
    _, choice = settle(OPEN, lambda k: 100.0 + k)
    assert choice.k == -OPEN.step * EXTENSIONS
    assert "still at the upper edge" in choice.note
    _, choice = settle(OPEN, lambda k: 100.0 - k)
    assert choice.k == 19 + OPEN.step * EXTENSIONS
    assert "still at the lower edge" in choice.note


def test_a_plateau_is_not_followed():
    curve, choice = settle(OPEN, lambda k: 100.0 + 1e-4 * k if k < 12 else 200.0)
    assert choice == Choice(0, "choice on the upper edge, where the curve is level")
    assert len(curve) == 20


def test_above_lam_max_there_is_nothing_to_find():
    curve, choice = settle(BOUNDED, lambda k: 1.0 + k)
    assert choice.k == 0
    assert len(curve) == 20
    assert "without features" in choice.note


def test_of_ties_the_most_penalised_wins():
    _, choice = settle(OPEN, lambda k: 1.0 + 1e-6 * (19 - k) if k > 5 else 2.0)
    assert choice == Choice(6, "")


def test_scores_that_are_not_finite_are_never_chosen():
    _, choice = settle(BOUNDED, lambda k: np.inf if k < 10 else float(k))
    assert choice.k == 10
    assert settle(BOUNDED, lambda k: np.inf)[1] is None


def test_negative_scores_tie_by_their_size():
    # A metric that is greater when better enters with its sign changed.
    _, choice = settle(BOUNDED, lambda k: -0.9 if k == 7 else (-0.89999 if k == 5 else -0.5))
    assert choice.k == 5


def test_a_coarse_grid_is_not_extended_out_of_sight():
    coarse = grid_for(mt.methods()["SingleTaskRidge"], 3)
    _, choice = settle(coarse, lambda k: 100.0 - k)
    assert choice.k == 5
    assert coarse.lam(choice.k, 1.0) > 1e-18
