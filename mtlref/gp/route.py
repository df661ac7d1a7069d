"""Which of the three exact routes a model and its data take."""

from __future__ import annotations

from mtlref.errors import DataError
from mtlref.gp.cells import Cells
from mtlref.gp.exact import Dense
from mtlref.gp.holes import Holes, is_cheaper
from mtlref.gp.kronecker import Kronecker
from mtlref.gp.model import Model
from mtlref.gp.spectrum import Spectrum

Route = Dense | Kronecker | Holes
ROUTES = {"kronecker": Kronecker, "holes": Holes, "dense": Dense}


def choose(model: Model, cells: Cells) -> str:
    """The cheapest route that is exact: "kronecker", "holes" or "dense"."""
    if len(model.terms) > 1:
        return "dense"
    if cells.complete:
        return "kronecker"
    return "holes" if is_cheaper(cells) else "dense"


def condition_on(
    model: Model, cells: Cells, route: str | None = None, known: Spectrum | None = None
) -> Route:
    """The model's covariance of the cells, factorised by the route given or chosen.

    known : the spectrum of the one kernel's matrix, where it is at hand; only a complete table asks for it.

    Raises IllConditioned where it is too near to singular, DataError where the route does not fit the data.
    """
    if model.T != cells.T:
        raise DataError(f"the data must have the model's {model.T} tasks; got {cells.T}")
    name = route or choose(model, cells)
    if name not in ROUTES:
        raise DataError(f"route must be one of {', '.join(ROUTES)}; got {route!r}")
    made: Route = Kronecker(model, cells, known) if name == "kronecker" else ROUTES[name](model, cells)
    return made
