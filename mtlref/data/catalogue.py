"""The public data sets by name: what is here, what can be fetched, and how to load one."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from mtlref.data import digits, fetch, jura, landmine, sarcos, school
from mtlref.data.dataset import Dataset, DatasetInfo
from mtlref.errors import DataError

_SETS: dict[str, Any] = {module.NAME: module for module in (digits, school, landmine, sarcos, jura)}


def load(name: str, **options: Any) -> Dataset:
    """A public data set: "digits", "school", "landmine", "sarcos" or "jura".

    Files come from the folder that MTLREF_DATA names, else the cache, else a download with a checksum (pooch).

    Parameters
    ----------
    name : str
    options : keyword arguments of the set
        school: ``constant`` (bool), keep its column of ones; digits: ``rows`` and ``n_splits``; all but digits:
        ``download`` (bool, default True)

    Raises
    ------
    DataError
        no set has this name, or an option or the bytes of a file are not right
    MissingData
        the files are out of reach; the message says what to put where

    Examples
    --------
    >>> import mtlref as mt
    >>> mt.data.load("digits").tasks  # doctest: +SKIP
    TaskData(T=10, p=64, n_t=177..182, N=1797, form='list')
    """
    if name not in _SETS:
        close = get_close_matches(str(name), _SETS, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise DataError(f"data sets are {', '.join(_SETS)}; got {name!r}{hint}")
    try:
        dataset: Dataset = _SETS[name].load(**options)
    except TypeError as problem:
        raise DataError(f"data set {name!r}: {problem}") from None
    return dataset


def available() -> list[DatasetInfo]:
    """One DatasetInfo a set, in the order in which they are documented. Nothing is downloaded or read."""
    lines = []
    for name, module in _SETS.items():
        if module is digits:
            place, size = digits.found(), digits.BYTES
        else:
            place, size = fetch.found(module.FILES), sum(f.bytes for f in module.FILES)
        lines.append(
            DatasetInfo(name, place, module.LICENCE, module.ORIGIN, size, module.DESCRIPTION, module.CITATION)
        )
    return lines
