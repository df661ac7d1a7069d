"""Priors on the parameters of a fit, each a density of the parameter itself in the user's units.

(P)  θ maximises log p(y; θ) + Σ_k log π_k(v_k),   v_k the parameter: exp θ_k of a variance or length, or a
     loading as it is; densities are per unit of v_k, not of its logarithm
(D)  ∂/∂θ_k log π_k = π_k'/π_k · v_k for a logarithm; for a loading as it is

Without priors a fit is by maximum likelihood; nothing is ever put on a parameter that was not asked for.

Source: MacKay 1998, section 4 (priors on lengths and noise); Gelman et al. 2013, appendix A (the densities).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import lgamma
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError
from mtlref.gp.model import Model

Array = NDArray[Any]


class Prior:
    """A density of one parameter. ``positive``: whether of a parameter that is above 0."""

    positive: ClassVar[bool] = True

    def log_density(self, v: Any) -> Any:
        """log π(v); analytic in v, so that complex steps can check it."""
        raise NotImplementedError

    def slope(self, v: Any) -> Any:
        """d log π / dv."""
        raise NotImplementedError


@dataclass(frozen=True)
class LogNormal(Prior):
    """log v is normal around log median with the standard deviation ``spread``; both > 0."""

    median: float
    spread: float

    def __post_init__(self) -> None:
        inputs.positive(self.median, "median")
        inputs.positive(self.spread, "spread")

    def log_density(self, v: Any) -> Any:
        """−log v − log spread − ½ log 2π − (log v/median)² / (2 spread²)."""
        z = (np.log(v) - np.log(self.median)) / self.spread
        return -np.log(v) - np.log(self.spread) - 0.5 * np.log(2 * np.pi) - 0.5 * z * z

    def slope(self, v: Any) -> Any:
        """−(1 + log(v/median) / spread²) / v."""
        return -(1 + (np.log(v) - np.log(self.median)) / self.spread**2) / v


@dataclass(frozen=True)
class _ShapeAndRate(Prior):
    """The parent of densities with a shape and a rate, both > 0."""

    shape: float
    rate: float

    def __post_init__(self) -> None:
        inputs.positive(self.shape, "shape")
        inputs.positive(self.rate, "rate")

    @property
    def _constant(self) -> float:
        """shape log rate − log Γ(shape)."""
        return float(self.shape * np.log(self.rate)) - lgamma(self.shape)


class Gamma(_ShapeAndRate):
    """rate^shape v^(shape − 1) exp(−rate v) / Γ(shape), mean shape / rate; both > 0. shape > 1 keeps v off 0."""

    def log_density(self, v: Any) -> Any:
        """shape log rate − log Γ(shape) + (shape − 1) log v − rate v."""
        return self._constant + (self.shape - 1) * np.log(v) - self.rate * v

    def slope(self, v: Any) -> Any:
        """(shape − 1) / v − rate."""
        return (self.shape - 1) / v - self.rate


class InverseGamma(_ShapeAndRate):
    """1/v is Gamma(shape, rate): keeps lengths off 0, with a heavy tail upwards; both > 0."""

    def log_density(self, v: Any) -> Any:
        """shape log rate − log Γ(shape) − (shape + 1) log v − rate / v."""
        return self._constant - (self.shape + 1) * np.log(v) - self.rate / v

    def slope(self, v: Any) -> Any:
        """−(shape + 1) / v + rate / v²."""
        return -(self.shape + 1) / v + self.rate / v**2


@dataclass(frozen=True)
class Normal(Prior):
    """For loadings, of any sign: mean, and the standard deviation ``spread`` > 0."""

    mean: float
    spread: float
    positive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        inputs.positive(self.spread, "spread")

    def log_density(self, v: Any) -> Any:
        """−½ log 2π − log spread − (v − mean)² / (2 spread²)."""
        z = (v - self.mean) / self.spread
        return -0.5 * np.log(2 * np.pi) - np.log(self.spread) - 0.5 * z * z

    def slope(self, v: Any) -> Any:
        """−(v − mean) / spread²."""
        return -(v - self.mean) / self.spread**2


@dataclass(frozen=True, eq=False)
class Attached:
    """Priors at their places in θ. terms : (place, prior, units, whether θ is the logarithm) each."""

    terms: tuple[tuple[int, Prior, float, bool], ...]

    def log_density(self, theta: Array) -> Any:
        """Σ_k log π_k; θ may be complex."""
        return sum(
            (prior.log_density(_value(theta[k], units, log)) for k, prior, units, log in self.terms), 0.0
        )

    def gradient(self, theta: Array) -> Array:
        """Its gradient in θ."""
        out = np.zeros(len(theta), dtype=np.asarray(theta).dtype)
        for k, prior, units, log in self.terms:
            v = _value(theta[k], units, log)
            out[k] = prior.slope(v) * (v if log else units)  # (D)
        return out


def _value(entry: Any, units: float, log: bool) -> Any:
    return units * np.exp(entry) if log else units * entry


def attach(priors: Mapping[str, Prior] | None, model: Model, scale: Array) -> Attached:
    """The priors of a fit at their places. scale : (T,), the units of the targets in those of the model.

    A key is a parameter's name without its indices and number of term, or the end of it after a point: "length",
    "noise.kappa", "B.A", "B1.kappa". Raises DataError for a key that is no parameter's, for two keys for one parameter,
    and for a density of positive numbers on a loading or the other way round; FormError for a value that is no prior.
    """
    if priors is not None and not isinstance(priors, Mapping):
        raise FormError(f"priors must be None or a dict of priors by parameter; got {priors!r}")
    terms: list[tuple[int, Prior, float, bool]] = []
    taken: dict[int, str] = {}
    for key, prior in (priors or {}).items():
        if not isinstance(prior, Prior):
            raise FormError(f"priors[{key!r}] must be a prior of mtlref.gp.priors; got {prior!r}")
        places = [k for k, name in enumerate(model.names) if key in _keys(name)]
        if not places:
            known = sorted({_keys(name)[1] for name in model.names if not name.startswith("beta")})
            raise DataError(f"priors must be of parameters among {', '.join(known)}; got {key!r}")
        for k in places:
            name = model.names[k]
            if k in taken:
                raise DataError(f"{name} must have one prior; got those of {taken[k]!r} and {key!r}")
            taken[k] = key
            log = ".A[" not in name
            if prior.positive != log:
                sign = "of a positive number" if log else "of a number of any sign"
                raise DataError(f"the prior of {name} must be {sign}; got {prior!r}")
            terms.append((k, prior, _units(name, scale), log))
    return Attached(tuple(terms))


def _keys(name: str) -> list[str]:
    """What a parameter is called: its name without indices, also without the term's number, and the ends of it."""
    if name.startswith("beta"):
        return []
    bare = re.sub(r"\[.*\]$", "", name)
    loose = re.sub(r"^([Bk])\d+\.", r"\1.", bare)
    parts = loose.split(".")
    return [bare, loose, *(".".join(parts[k:]) for k in range(1, len(parts)))]


def _units(name: str, scale: Array) -> float:
    """What a parameter in units of targets of variance 1 is multiplied by to be in the user's."""
    if name.startswith("k"):
        return 1.0
    task = int(re.split(r"[\[,\]]", name)[1])
    return float(scale[task] if ".A[" in name else scale[task] ** 2)
