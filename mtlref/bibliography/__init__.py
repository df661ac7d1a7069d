"""BibTeX entries of the sources that pages, data and the protocol name by key, a file for each field."""

from __future__ import annotations

from collections.abc import Iterable

from mtlref.bibliography import balancing, linear, neural, numerics, processes, protocol
from mtlref.errors import MtlrefError

ENTRIES: dict[str, str] = {
    **linear.ENTRIES,
    **neural.ENTRIES,
    **balancing.ENTRIES,
    **processes.ENTRIES,
    **numerics.ENTRIES,
    **protocol.ENTRIES,
}


def bibtex(keys: Iterable[str]) -> str:
    """BibTeX entries for the keys, each once, in the order in which they first come. Raises MtlrefError for others."""
    chosen = dict.fromkeys(keys)
    for key in chosen:
        if key not in ENTRIES:
            raise MtlrefError(f"no bibliography entry has the key {key!r}")
    return "\n\n".join(ENTRIES[key] for key in chosen) + "\n"
