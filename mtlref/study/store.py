"""Every finished fit, kept in one SQLite file that survives a kill at any moment."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtlref.errors import DataError, MtlrefError
from mtlref.study.settings import Settings

if TYPE_CHECKING:
    import sqlite3

FINAL = -1  # the fold of a refit on the whole training part

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fits (
    size INTEGER NOT NULL, split INTEGER NOT NULL, method TEXT NOT NULL, fold INTEGER NOT NULL, k INTEGER NOT NULL,
    lam REAL, criterion REAL, rows INTEGER NOT NULL, metrics TEXT NOT NULL, gap REAL, relative_gap REAL,
    n_iter INTEGER NOT NULL, seconds REAL NOT NULL, status TEXT NOT NULL, certified INTEGER NOT NULL,
    note TEXT NOT NULL, PRIMARY KEY (size, split, method, fold, k));
CREATE TABLE IF NOT EXISTS failures (
    size INTEGER NOT NULL, split INTEGER NOT NULL, method TEXT NOT NULL, fold INTEGER NOT NULL,
    error TEXT NOT NULL, details TEXT NOT NULL, PRIMARY KEY (size, split, method, fold));
CREATE TABLE IF NOT EXISTS answers (
    size INTEGER NOT NULL, split INTEGER NOT NULL, method TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (size, split, method, name));
"""


@dataclass(frozen=True)
class Fit:
    """One finished fit: a row of the store and of results.csv.

    ``fold`` is FINAL for the refit that is scored on the test part; ``criterion`` is what the inner fold scored
    (smaller is better), on ``rows`` held-out rows; ``certified`` says whether the certificate closed to the tolerance.
    """

    size: int
    split: int
    method: str
    fold: int
    k: int
    lam: float
    criterion: float
    rows: int
    metrics: dict[str, float]
    gap: float
    relative_gap: float
    n_iter: int
    seconds: float
    status: str
    certified: bool
    note: str = ""

    @property
    def unit(self) -> tuple[int, int, str]:
        """(size, split, method)."""
        return self.size, self.split, self.method


@dataclass(frozen=True)
class Failure:
    """A method that raised: its unit, the fold (FINAL for the refit), the error in a line, the traceback."""

    size: int
    split: int
    method: str
    fold: int
    error: str
    details: str

    @property
    def unit(self) -> tuple[int, int, str]:
        """(size, split, method)."""
        return self.size, self.split, self.method


@dataclass(frozen=True)
class Outcome:
    """What one job gives back; it enters the store in one transaction."""

    fits: tuple[Fit, ...] = ()
    failure: Failure | None = None
    answers: dict[str, np.ndarray] = field(default_factory=dict)
    unit: tuple[int, int, str] = (0, 0, "")


class Store:
    """The file, or a store in memory where ``path`` is None. One process writes; anybody may read meanwhile."""

    def __init__(self, path: Path | None) -> None:
        import sqlite3

        self.path = path
        try:
            self._db: sqlite3.Connection = sqlite3.connect(
                ":memory:" if path is None else str(path), timeout=30
            )
            self._db.isolation_level = None
            if path is not None:
                self._db.execute("PRAGMA journal_mode=WAL")
                # With WAL, NORMAL loses nothing to a killed process; only a power cut could cost the last moments.
                self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as problem:
            raise MtlrefError(f"{path} is not a store of mtlref compare: {problem}") from None

    def close(self) -> None:
        """Close the file; a closed store cannot be read."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, key: str, default: Any = None) -> Any:
        """A value of the table meta."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    def put(self, key: str, value: Any) -> None:
        """Keep a value (anything JSON holds) under ``key``."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def open_for(self, settings: Settings) -> None:
        """Note the settings in an empty store; in one with settings, check that they are the same.

        Raises DataError naming what differs.
        """
        wanted, kept = settings.as_dict(), self.get("settings")
        if kept is None:
            self.put("settings", wanted)
            return
        different = [key for key in wanted if wanted[key] != kept.get(key)]
        if different:
            said = "; ".join(
                f"{key} was {_short(kept.get(key))}, now {_short(wanted[key])}" for key in different
            )
            raise DataError(
                f"cannot resume in {self.path}: it holds a comparison with other settings ({said})"
            )

    def add(self, outcome: Outcome) -> None:
        """Keep all that one job gave, or nothing of it: one transaction.

        A fit that is already there raises sqlite3.IntegrityError: nothing may be done twice.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(
                "INSERT INTO fits VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", [_row(f) for f in outcome.fits]
            )
            if outcome.failure is not None:
                f = outcome.failure
                self._db.execute(
                    "INSERT INTO failures VALUES (?,?,?,?,?,?)",
                    (f.size, f.split, f.method, f.fold, f.error, f.details),
                )
            for name, value in outcome.answers.items():
                self._db.execute(
                    "INSERT INTO answers VALUES (?,?,?,?,?)", (*outcome.unit, name, _to_bytes(value))
                )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def fits(self) -> list[Fit]:
        """All fits, ordered by size, split, method, fold and setting."""
        rows = self._db.execute("SELECT * FROM fits ORDER BY size, split, method, fold, k")
        return [_fit(r) for r in rows]

    def failures(self) -> list[Failure]:
        """All failures, ordered by size, split, method and fold."""
        rows = self._db.execute("SELECT * FROM failures ORDER BY size, split, method, fold")
        return [Failure(*r) for r in rows]

    def answers(self) -> dict[tuple[int, int, str], dict[str, np.ndarray]]:
        """Arrays that were kept (coefficients and the like) by unit and name."""
        found: dict[tuple[int, int, str], dict[str, np.ndarray]] = {}
        for size, split, method, name, value in self._db.execute("SELECT * FROM answers"):
            found.setdefault((size, split, method), {})[name] = np.load(io.BytesIO(value), allow_pickle=False)
        return found


def _row(f: Fit) -> tuple[Any, ...]:
    """Values as SQLite takes them; NaN becomes NULL and comes back as NaN."""
    return (
        *(f.size, f.split, f.method, f.fold, f.k, float(f.lam), float(f.criterion), int(f.rows)),
        json.dumps(f.metrics),
        *(
            float(f.gap),
            float(f.relative_gap),
            int(f.n_iter),
            float(f.seconds),
            f.status,
            int(f.certified),
            f.note,
        ),
    )


def _fit(r: Iterable[Any]) -> Fit:
    values = list(r)
    for i in (5, 6, 9, 10):
        values[i] = float("nan") if values[i] is None else values[i]
    values[8] = json.loads(values[8])
    values[14] = bool(values[14])
    return Fit(*values)


def _to_bytes(value: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=False)
    return buffer.getvalue()


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
