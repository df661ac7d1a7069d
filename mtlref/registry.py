"""The one list of methods, read by the laws, the docs, the command line and the citations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeVar

from mtlref.errors import MtlrefError, UnknownMethod

C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Method:
    """What is declared of a method.

    name, family, summary; penalty : as in (P); sources : bibliography keys; losses; properties : words that the laws
    read; certificate : what is proven; degrees : the penalty's degree of homogeneity in W that each weight multiplies;
    lengths : parameters that are sizes of coefficients; required : parameters without a default, besides lam.
    """

    name: str
    cls: Any
    family: str
    summary: str
    penalty: str
    sources: tuple[str, ...]
    losses: tuple[str, ...]
    properties: frozenset[str]
    certificate: str
    degrees: Mapping[str, int]
    required: tuple[str, ...]
    lengths: tuple[str, ...] = ()


_METHODS: dict[str, Method] = {}
# Families whose entries are not convex problems over coefficients: listed on demand, loaded when first asked for.
_APART = {"nn": "mtlref.nn", "neighbors": "mtlref.neighbors", "gp": "mtlref.gp"}


def register(
    *,
    family: str,
    penalty: str,
    sources: tuple[str, ...],
    losses: tuple[str, ...] = ("squared", "logistic"),
    properties: tuple[str, ...] = (),
    certificate: str = "duality gap",
    required: tuple[str, ...] = (),
) -> Callable[[C], C]:
    """A class decorator that enters an estimator into the registry under its own name."""

    def enter(cls: C) -> C:
        name = cls.__name__
        if name in _METHODS:
            raise MtlrefError(f"method {name!r} is registered twice")
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        _METHODS[name] = Method(
            name,
            cls,
            family,
            summary,
            penalty,
            sources,
            losses,
            frozenset(properties),
            certificate,
            MappingProxyType(dict(getattr(cls, "degrees", {}))),
            required,
            tuple(getattr(cls, "lengths", ())),
        )
        return cls

    return enter


def methods(family: str | None = None) -> Mapping[str, Method]:
    """All methods by name, in the order of the catalogue; or those of one family, "nn" for the neural ones.

    Without a family the neural ones are left out: they have no penalty on coefficients, and no laws of convex problems.

    Examples
    --------
    >>> import mtlref as mt
    >>> mt.methods()["JointFeature"].penalty
    'lam Σ_j ‖W[j,:]‖_2 + ridge/2 ‖W‖_F²'
    >>> mt.methods("nn")["SharedMLP"].certificate
    'complex-step gradient check'
    """
    if family in _APART:
        import_module(_APART[family])
    if family is None:
        return MappingProxyType({n: m for n, m in _METHODS.items() if m.family not in _APART})
    return MappingProxyType({n: m for n, m in _METHODS.items() if m.family == family})


def families_apart() -> tuple[str, ...]:
    """The families that ``methods()`` leaves out: ``methods(family)`` gives them."""
    return tuple(_APART)


def method(name: str) -> Method:
    """One method. Raises UnknownMethod, naming the near ones."""
    if name not in _METHODS:
        for module in _APART.values():
            import_module(module)
    if name in _METHODS:
        return _METHODS[name]
    from difflib import get_close_matches

    near = get_close_matches(name, _METHODS, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UnknownMethod(f"method must be one of {', '.join(_METHODS)}; got {name!r}{hint}")
