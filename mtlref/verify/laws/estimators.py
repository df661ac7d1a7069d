"""Laws of estimators: what the registry's properties, the certificate and the forms of data promise of a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtlref.verify.laws.certificates import (
    certificate_closes,
    gap_bounds_suboptimality,
    primal_is_the_objective,
    scale_is_the_objective_at_zero,
    wrong_answers_are_refused,
)
from mtlref.verify.laws.forms import (
    a_path_is_its_fits,
    forms_give_the_same_bits,
    moments_give_the_answer_of_the_rows,
)
from mtlref.verify.laws.manners import (
    nothing_is_modified,
    predictions_are_linear,
    refitting_gives_the_same_bits,
)
from mtlref.verify.laws.sizes import (
    lam_max_is_where_zero_ends,
    small_lam_is_least_squares,
)
from mtlref.verify.laws.structures import (
    codes_are_lassos,
    descent_and_bound_hold,
    gap_bounds_what_a_block_gains,
    relaxation_bounds_from_below,
    stages_descend,
    weights_matter_by_their_product,
)
from mtlref.verify.laws.symmetries import (
    extreme_units_do_not_matter,
    relabelling_tasks_permutes_the_answer,
    rotating_features_rotates_the_answer,
    rotating_tasks_rotates_the_answer,
    shifts_go_into_the_intercept,
    tasks_are_separate,
    units_do_not_matter,
    weights_are_repeated_rows,
)
from mtlref.verify.strategies import Case

EstimatorLaw = Callable[[Case, np.random.Generator], None]


@dataclass(frozen=True)
class Law:
    """A law, the property that a method must declare for it to apply, and the loss it is about ("" for all)."""

    check: EstimatorLaw
    needs: str = ""
    loss: str = ""

    @property
    def name(self) -> str:
        """The function's name."""
        return str(getattr(self.check, "__name__", "law"))


ESTIMATOR_LAWS: tuple[Law, ...] = (
    Law(certificate_closes),
    Law(primal_is_the_objective),
    Law(scale_is_the_objective_at_zero),
    Law(gap_bounds_suboptimality, "convex"),
    Law(wrong_answers_are_refused, "convex"),
    Law(gap_bounds_what_a_block_gains, "factored"),
    Law(codes_are_lassos, "factored"),
    Law(descent_and_bound_hold, "factored"),
    Law(weights_matter_by_their_product, "factored"),
    Law(relaxation_bounds_from_below, "relaxed"),
    Law(stages_descend, "staged"),
    Law(refitting_gives_the_same_bits),
    Law(nothing_is_modified),
    Law(predictions_are_linear),
    Law(relabelling_tasks_permutes_the_answer, "permutation_equivariant"),
    Law(tasks_are_separate, "task_separable"),
    Law(rotating_features_rotates_the_answer, "rotation_invariant"),
    Law(rotating_tasks_rotates_the_answer, "task_rotation_invariant", "squared"),
    Law(units_do_not_matter),
    Law(extreme_units_do_not_matter),
    Law(weights_are_repeated_rows),
    Law(shifts_go_into_the_intercept),
    Law(lam_max_is_where_zero_ends, "has_lam_max"),
    Law(small_lam_is_least_squares, "convex", "squared"),
    Law(moments_give_the_answer_of_the_rows, loss="squared"),
    Law(forms_give_the_same_bits),
    Law(a_path_is_its_fits),
)


def laws_of(method: Any) -> Iterator[Law]:
    """The laws that apply to a method of the registry, from the properties that it declares."""
    for law in ESTIMATOR_LAWS:
        if not law.needs or law.needs in method.properties:
            yield law
