"""The solvers by name; a file is read when its solver is asked for."""

from __future__ import annotations

from importlib import import_module

from benchmarks.solvers.solver import Solver

PLACES = {
    "mtlref": ("mtlref_fit", "Ours"),
    "FISTA": ("plain_fista", "PlainFista"),
    "alternation": ("plain_alternation", "PlainAlternation"),
    "scikit-learn": ("scikit_learn", "ScikitLearn"),
    "celer": ("celer_rows", "Celer"),
    "celer group": ("celer_group", "CelerGroup"),
    "skglm": ("skglm_rows", "Skglm"),
    "skglm group": ("skglm_group", "SkglmGroup"),
    "adelie": ("adelie_rows", "Adelie"),
    "adelie group": ("adelie_group", "AdelieGroup"),
    "adelie group dense": ("adelie_group", "AdelieGroupDense"),
    "spams": ("spams_flat", "Spams"),
}


def solver(name: str) -> type[Solver]:
    """The class of this name."""
    file, cls = PLACES[name]
    found: type[Solver] = getattr(import_module(f"benchmarks.solvers.{file}"), cls)
    return found
