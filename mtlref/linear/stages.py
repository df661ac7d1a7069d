"""What capped penalties share: stages of convex problems, each certified, until one changes nothing.

Such a penalty is concave in what it caps, so that at any W its tangent is a convex majoriser M_W of F: M_W >= F
everywhere, M_W(W) = F(W). A stage minimises the majoriser made at the last stage's answer, so that F descends:
F(W⁺) <= M_W(W⁺) <= M_W(W) = F(W). The first one is made at zero, where the tangent is the convex parent's penalty.
Where stages creep, a page may leap: any point with a smaller F will do to make the next majoriser at.
What can be proven of the limit is that W is optimal for M_W itself: the gap of that convex problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.linear.model import LinearModel
from mtlref.linear.prepared import Prepared, Start
from mtlref.optim.result import Certificate, Status
from mtlref.optim.run import Outcome, run

Array = NDArray[np.float64]
# A stage is solved this much more tightly than the limit is certified.
STAGE_SHARE = 0.1
# A stage that has begun is given so many iterations, so that it has an answer.
FEWEST = 20
# Stages in a row that find no minimum, as where nothing holds what is free, before there is none.
FAILED = 2


@dataclass(frozen=True)
class Stage:
    """One stage. objective : F at its answer; certificate : the duality gap of its convex problem, M at that answer."""

    objective: float
    certificate: Certificate


class StagedModel(LinearModel):
    """Stages of majorisers. ``certificate`` and ``iterates`` of such a page take ``at`` (p, T): where M is made.

    certificate : at=None is W itself, which certifies stationarity.  iterates : at=None is zero, the convex parent.
    """

    # (problem, W, b, ...) -> where to make the next majoriser, None for W, and the iterations that it took.
    leap: ClassVar[Callable[..., tuple[Start | None, int]] | None] = None
    lengths: ClassVar[tuple[str, ...]] = ("threshold",)
    threshold: float
    stages_: tuple[Stage, ...]

    def _weights(self) -> dict[str, Any]:
        threshold = (
            float(self.threshold)
            if self.threshold == np.inf
            else inputs.positive(self.threshold, "threshold")
        )
        return {**super()._weights(), "threshold": threshold}

    def _run(
        self, ready: Prepared, here: dict[str, Any], start: Start | None
    ) -> tuple[Outcome, dict[str, Any]]:
        _, certify = ready.certifiers(self, here)
        at = np.zeros((ready.data.p, ready.data.T))
        stages: list[Stage] = []
        history: list[tuple[int, float]] = []
        spent = failed = 0
        while True:
            by = ready.certifiers(self, {**here, "at": at})
            stage = run(
                self.iterates(ready.problem, start, at=at, **here),
                *by,
                STAGE_SHARE * self.tol,
                max(self.max_iter - spent, FEWEST),
            )
            spent += stage.n_iter
            failed = 0 if stage.status is Status.CONVERGED else failed + 1
            final, b = certify(stage.W, stage.b)
            stages.append(Stage(final.primal, stage.certificate))
            history.append((spent, final.relative_gap))
            if final.relative_gap <= self.tol:
                status = Status.CONVERGED
            elif spent >= self.max_iter:
                status = Status.MAX_ITER
            elif failed == FAILED or (at == stage.W).all():
                status = Status.FLOOR
            else:
                at, start = stage.W, (stage.W, stage.b)
                if self.leap is not None:
                    ahead, steps = self.leap(ready.problem, stage.W, stage.b, **here)
                    spent += steps
                    if ahead is not None:
                        landed = ready.fit.best_intercept(ahead[0])
                        if self.objective(ready.fit, ahead[0], landed, **here) < final.primal:
                            at, start = ahead[0], (ahead[0], landed)
                continue
            outcome = Outcome(stage.W, b, status, final, spent, tuple(history))
            shift = (2 * ready.ey, ready.ey - ready.ex)
            rescaled = tuple(
                Stage(float(np.ldexp(s.objective, shift[0])), s.certificate.rescaled(*shift)) for s in stages
            )
            return outcome, {"stages_": rescaled}
