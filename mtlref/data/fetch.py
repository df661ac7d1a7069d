"""Where the files of a public data set are: the user's folder, the cache, or a download that is checked.

The data themselves are no part of this package. A file in the folder that MTLREF_DATA names comes first, then the
cache (MTLREF_CACHE, else the user's cache folder), then its public origin through pooch. Files with a known SHA-256
are checked wherever they lie, so that a figure can be traced to the very bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mtlref.errors import DataError, MtlrefError

# Seconds without an answer after which an origin counts as out of reach.
TIMEOUT = 30


class MissingData(MtlrefError, FileNotFoundError):
    """A data set is neither here nor within reach; the message says which files to put where."""


@dataclass(frozen=True)
class File:
    """One file of a data set.

    path : relative to the data folder
    sha256 : of the published bytes, or None where people make the file themselves
    address : where to download it, or None
    bytes : its size
    """

    path: str
    sha256: str | None
    address: str | None
    bytes: int


def user_folder() -> Path | None:
    """The folder that MTLREF_DATA names, or None."""
    named = os.environ.get("MTLREF_DATA")
    return Path(named).expanduser() if named else None


def cache_folder() -> Path:
    """MTLREF_CACHE, else mtlref in the user's cache folder; not created here."""
    named = os.environ.get("MTLREF_CACHE")
    if named:
        return Path(named).expanduser()
    parent = os.environ.get("XDG_CACHE_HOME")
    return (Path(parent).expanduser() if parent else Path.home() / ".cache") / "mtlref"


def found(files: Sequence[File]) -> Path | None:
    """The first folder that holds all the files, or None. Their bytes are not looked at."""
    folders = [f for f in (user_folder(), cache_folder()) if f is not None]
    for folder in folders:
        if all((folder / f.path).is_file() for f in files):
            return folder
    return None


def locate(name: str, files: Sequence[File], *, origin: str, download: bool = True) -> dict[str, Path]:
    """Paths of the files by their relative name, downloaded into the cache where they are nowhere.

    Raises MissingData where they are out of reach, DataError where bytes are not the published ones.
    """
    folder = found(files)
    if folder is None:
        folder = cache_folder()
        _download(name, files, folder, origin, download)
    paths = {f.path: folder / f.path for f in files}
    for f in files:
        _check(paths[f.path], f.sha256)
    return paths


def _check(path: Path, expected: str | None) -> None:
    if expected is None:
        return
    got = hashlib.sha256(path.read_bytes()).hexdigest()
    if got != expected:
        raise DataError(f"{path} must have the SHA-256 {expected}, as published; got {got}")


def _download(name: str, files: Sequence[File], folder: Path, origin: str, download: bool) -> None:
    wanted = [f for f in files if not (folder / f.path).is_file()]
    if not download:
        raise MissingData(_advice(name, files, origin, "downloads are switched off"))
    if any(f.address is None for f in wanted):
        raise MissingData(_advice(name, files, origin, "they have no address to download these files from"))
    try:
        import pooch
    except ImportError:
        raise MissingData(
            _advice(name, files, origin, "pooch, which downloads it, is not installed")
        ) from None
    fetch = pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=False)
    pooch.get_logger().setLevel("ERROR")
    for f in wanted:
        target = folder / f.path
        try:
            pooch.retrieve(
                url=f.address,
                known_hash=None if f.sha256 is None else f"sha256:{f.sha256}",
                fname=target.name,
                path=target.parent,
                downloader=fetch,
            )
        # Whatever stands between here and the origin (no network, a proxy, a moved file), the way out is the same.
        except Exception as problem:
            reason = f"the download of {f.path} failed ({type(problem).__name__})"
            raise MissingData(_advice(name, files, origin, reason)) from None


def _advice(name: str, files: Sequence[File], origin: str, reason: str) -> str:
    named = user_folder()
    where = f"{named}, which MTLREF_DATA names," if named else "a folder that MTLREF_DATA names"
    return (
        f"the data set {name!r} is not here and {reason}. Put {', '.join(f.path for f in files)} into {where} "
        f"or into {cache_folder()}. Origin: {origin}"
    )
