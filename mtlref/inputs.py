"""Checks of arrays and numbers at the door, each with the message that a person needs.

Nothing is repaired here: an array is either taken as it is (float64, C order or not, a view where that is possible)
or refused with what must hold and what came.
"""

from __future__ import annotations

import math
import numbers
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError

Array = NDArray[np.float64]


def _refuse_kinds(a: Any, name: str) -> None:
    """Raise on the inputs that ``np.asarray`` would turn into something else without a word."""
    if isinstance(a, np.ma.MaskedArray):
        raise FormError(
            f"{name} must be a plain array; got a masked array. Use NaN in Y of the shared form for missing "
            "targets, or leave the rows out."
        )
    if hasattr(a, "tocsr") and hasattr(a, "nnz"):
        raise FormError(
            f"{name} must be a dense array; got a sparse matrix ({type(a).__name__}). "
            f"The linear methods (SingleTaskRidge, JointFeature, ...) take sparse designs; elsewhere pass "
            f"{name}.toarray() where it fits in memory."
        )


def as_float(a: Any, name: str, ndim: int) -> Array:
    """A float64 array with ``ndim`` axes holding what ``a`` holds; never modified, copied only where dtype demands.

    Raises FormError for masked, sparse, datetime, text and object arrays and for three axes or more, DataError for
    complex numbers and for too few or too many axes otherwise.
    """
    _refuse_kinds(a, name)
    try:
        array = np.asarray(a)
    except (ValueError, TypeError) as problem:
        raise FormError(
            f"{name} must be an array of numbers with {ndim} axes; got a {type(a).__name__} whose rows differ "
            f"in length ({problem})"
        ) from None
    kind = array.dtype.kind
    if kind == "c":
        raise DataError(f"{name} must be real. Complex data not supported; got dtype {array.dtype}")
    if kind in "mM":
        raise FormError(f"{name} must hold numbers; got dates or times (dtype {array.dtype})")
    if kind in "USV":
        raise FormError(f"{name} must hold numbers; got text or records (dtype {array.dtype})")
    if kind == "O":
        array = _from_objects(array, name)
    if array.ndim != ndim:
        # A stack of designs is another form; one axis too few or too many is a slip in this one.
        raise (FormError if array.ndim >= 3 else DataError)(_axes_message(array, name, ndim))
    return array.astype(np.float64, copy=False)


def _from_objects(array: NDArray[Any], name: str) -> Array:
    for entry in array.ravel():
        if isinstance(entry, (str, bytes)) or not isinstance(entry, (numbers.Real, np.generic)):
            raise FormError(
                f"{name} must hold numbers; got an object array with an entry of type {type(entry).__name__}: "
                f"argument must be a string or a number, and here a number"
            )
    try:
        return array.astype(np.float64)
    except (ValueError, TypeError) as problem:
        raise FormError(f"{name} must hold numbers; got an object array ({problem})") from None


def _axes_message(array: NDArray[Any], name: str, ndim: int) -> str:
    if array.ndim == 3:
        return (
            f"{name} must have {ndim} axes; got an array of shape {array.shape}. For T designs of equal size use "
            "TaskData.from_list(list_of_X, list_of_y)."
        )
    hint = ""
    if ndim == 2 and array.ndim == 1:
        # The words "Reshape your data" are the ones that scikit-learn's own checks look for.
        hint = ". Reshape your data with X.reshape(-1, 1) for a single feature or X.reshape(1, -1) for a single sample"
    if ndim == 2 and array.ndim < 2:
        return f"{name} must be 2-D, (n, p). Expected 2D array, got {array.ndim}D array of shape {array.shape}{hint}"
    return f"{name} must have {ndim} axes; got shape {array.shape}{hint}"


def check_finite(a: Array, name: str) -> None:
    """Raise DataError naming the first NaN or infinity of ``a``."""
    # A sum is finite only if every entry is, and one pass of it is cheaper than a mask; a sum that overflowed
    # from finite entries is told apart by the mask.
    with np.errstate(over="ignore", invalid="ignore"):
        if a.size == 0 or math.isfinite(float(a.sum())):
            return
    bad = ~np.isfinite(a)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        kind = "NaN" if np.isnan(a[where]) else "infinity"
        place = ", ".join(map(str, where))
        raise DataError(
            f"{name} must be finite; got {kind} at [{place}] ({int(bad.sum())} NaN or infinity in all)"
        )


def design(X: Any, name: str, p: int | None = None) -> Array:
    """A finite float64 design (n, p) with at least one row and one column."""
    array = as_float(X, name, 2)
    if array.shape[0] == 0:
        raise DataError(
            f"{name} must have at least one row; got 0 sample(s) (shape={array.shape}) while a minimum of 1 is "
            "required."
        )
    if array.shape[1] == 0:
        raise DataError(
            f"{name} must have at least one column; got 0 feature(s) (shape={array.shape}) while a minimum of 1 is "
            "required."
        )
    if p is not None and array.shape[1] != p:
        raise DataError(f"{name} must have shape (n_t, {p}); got {array.shape}")
    check_finite(array, name)
    return array


def rows(X: Any, name: str, p: int | None = None) -> Any:
    """A design as ``design`` has it, or a sparse one: a csr_array (n, p) of float64, without duplicates or zeros.

    Any scipy.sparse array or matrix will do and is left as it is. Raises as ``design`` does.
    """
    if not (hasattr(X, "tocsr") and hasattr(X, "nnz")):
        return design(X, name, p)
    from scipy.sparse import csr_array

    if X.ndim != 2:
        raise DataError(f"{name} must be 2-D, (n, p); got a sparse array of shape {X.shape}")
    if X.dtype.kind not in "fiub":
        kind = "real. Complex data not supported" if X.dtype.kind == "c" else "numbers"
        raise DataError(f"{name} must be {kind}; got dtype {X.dtype}")
    array = csr_array(X, dtype=np.float64, copy=True)  # the caller's own is not put in order
    array.sum_duplicates()
    if p is not None and array.shape[1] != p:
        raise DataError(f"{name} must have shape (n_t, {p}); got {array.shape}")
    for size, what in zip(array.shape, ("row", "column"), strict=True):
        if size == 0:
            raise DataError(f"{name} must have at least one {what}; got shape {array.shape}")
    if not np.isfinite(array.data).all():
        at = int(np.flatnonzero(~np.isfinite(array.data))[0])
        where = int(np.searchsorted(array.indptr, at, side="right")) - 1
        kind = "NaN" if np.isnan(array.data[at]) else "infinity"
        bad = int((~np.isfinite(array.data)).sum())
        raise DataError(
            f"{name} must be finite; got {kind} at [{where}, {int(array.indices[at])}] ({bad} NaN or infinity in all)"
        )
    array.eliminate_zeros()
    return array


def vector(y: Any, name: str, n: int, *, of: str = "the rows of X") -> Array:
    """A finite float64 vector (n,)."""
    array = as_float(y, name, 1)
    if array.shape[0] != n:
        raise DataError(f"{name} must have shape ({n},) to match {of}; got {array.shape}")
    check_finite(array, name)
    return array


def row_weights(w: Any, name: str, n: int) -> Array:
    """Finite weights >= 0 (n,) with a positive sum."""
    array = vector(w, name, n)
    if (array < 0).any():
        raise DataError(f"{name} must be >= 0; got {array.min()!r}")
    if not array.any():
        raise DataError(f"{name} must have a positive entry; all {n} weights are zero")
    return array


def finite(value: Any, name: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.floating, np.integer)):
        raise FormError(f"{name} must be a number; got {value!r} of type {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number):
        raise DataError(f"{name} must be finite; got {value!r}")
    return number


def nonnegative(value: Any, name: str) -> float:
    """A finite number >= 0."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Real, np.floating, np.integer)):
        raise FormError(f"{name} must be a number >= 0; got {value!r} of type {type(value).__name__}")
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise DataError(f"{name} must be a finite number >= 0; got {value!r}")
    return number


def positive(value: Any, name: str) -> float:
    """A finite number > 0."""
    number = nonnegative(value, name)
    if number == 0:
        raise DataError(f"{name} must be > 0; got {value!r}")
    return number


def count(value: Any, name: str, least: int = 1) -> int:
    """A whole number >= ``least``."""
    if isinstance(value, bool) or not isinstance(value, (numbers.Integral, np.integer)):
        raise FormError(
            f"{name} must be a whole number >= {least}; got {value!r} of type {type(value).__name__}"
        )
    if value < least:
        raise DataError(f"{name} must be >= {least}; got {value!r}")
    return int(value)


def choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    """One of the words ``allowed``."""
    if value not in allowed:
        words = ", ".join(repr(a) for a in allowed)
        raise DataError(f"{name} must be one of {words}; got {value!r}")
    return str(value)


def flag(value: Any, name: str) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise FormError(f"{name} must be True or False; got {value!r}")
    return bool(value)


def feature_names(X: Any) -> tuple[str, ...] | None:
    """The column names of a pandas or polars frame whose names are all text, else None."""
    columns = getattr(X, "columns", None)
    if columns is None or ("pandas" not in sys.modules and "polars" not in sys.modules):
        return None
    names = tuple(columns)
    if not names or not all(isinstance(c, str) for c in names):
        return None
    return names
