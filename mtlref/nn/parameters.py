"""A net's parameters by name: first values, checks, and names that go by task."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError
from mtlref.nn.activations import Activation
from mtlref.nn.heads import check_finite
from mtlref.nn.sizes import Shapes

Values = NDArray[Any]
Params = dict[str, Values]
# The parts that belong to one task: "tower1.0.W", "net1.0.W", "gate1.b", "level0.task1.expert0.W".
_OF_TASK = re.compile(r"(level\d+\.)?(tower|net|gate|task)(\d+)(?=\.)")


class Parameters:
    """Names and shapes of parameters. Mixed into a Net, which sets what is declared here."""

    x_axes: ClassVar[int] = 2
    gate_each: ClassVar[bool] = True
    n_in: int
    param_names: tuple[str, ...]
    _shapes: Shapes
    _act: Activation
    _head_names: tuple[str, ...]

    def init(self, rng: np.random.Generator | int, dtype: Any = np.float64) -> Params:
        """First parameters: weights uniform with variance gain² / fan-in, biases zero; every array a draw of its own.

        Raises FormError for an ``rng`` that is neither a Generator nor a seed, DataError for other dtypes than float32
        and float64. Source: Glorot & Bengio 2010; He et al. 2015 for the gain of the activations with a kink.
        """
        if isinstance(rng, bool) or not isinstance(rng, (np.random.Generator, int, np.integer)):
            raise FormError(f"rng must be a Generator or a seed; got {rng!r}")
        kind = np.dtype(dtype)
        if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise DataError(f"dtype must be float32 or float64; got {kind}")
        source = np.random.default_rng(rng)
        return {
            n: np.ascontiguousarray(self._first(n, s, source), dtype=kind) for n, s in self._shapes.items()
        }

    def _first(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Values:
        if name.endswith(".b"):
            return np.zeros(shape)
        gain = 1.0 if name[: -len(".W")] in self._head_names else self._act.gain
        bound = gain * np.sqrt(3.0 / shape[0])
        return rng.uniform(-bound, bound, shape)

    def named(self, arrays: Sequence[Any]) -> Params:
        """Parameters from arrays in the order of ``param_names``. Raises DataError for another number or shape."""
        if len(arrays) != len(self.param_names):
            raise DataError(f"arrays must be {len(self.param_names)} in number; got {len(arrays)}")
        params = {n: np.asarray(a) for n, a in zip(self.param_names, arrays, strict=True)}
        self._check_params(params)
        return params

    def renamed(self, name: str, place: Mapping[int, int]) -> str | None:
        """The name with its task k replaced by place[k]; None where place has no k."""
        found = _OF_TASK.match(name)
        if found is None or (found[2] == "gate" and not self.gate_each):
            return name
        k = int(found[3])
        return f"{found[1] or ''}{found[2]}{place[k]}{name[found.end() :]}" if k in place else None

    def _check_params(self, params: Any) -> None:
        shapes = self._shapes
        same = type(params) is dict and params.keys() == shapes.keys()
        if same and [getattr(params[n], "shape", None) for n in shapes] == [*shapes.values()]:
            return
        if not isinstance(params, Mapping):
            raise FormError(f"params must be a dict of arrays by name; got a {type(params).__name__}")
        if params.keys() != self._shapes.keys():
            missing = [n for n in self._shapes if n not in params]
            unknown = [n for n in params if n not in self._shapes]
            raise DataError(
                f"params must have the names of param_names; missing {missing[:4]}, unknown {unknown[:4]}"
            )
        for name, shape in self._shapes.items():
            if getattr(params[name], "shape", None) != shape:
                raise DataError(f"params[{name!r}] must have shape {shape}; got {np.shape(params[name])}")

    def _check_x(self, x: Any) -> Values:
        array = x if isinstance(x, np.ndarray) else np.asarray(x)
        if array.dtype.kind not in "fciub":
            raise FormError(f"x must hold numbers; got dtype {array.dtype}")
        if array.ndim != self.x_axes or array.shape[-1] != self.n_in:
            wanted = "(B, n_in)" if self.x_axes == 2 else "(B, time, n_in)"
            raise DataError(f"x must have shape {wanted} with n_in = {self.n_in}; got {array.shape}")
        if 0 in array.shape:
            raise DataError(f"x must have at least one row and one step; got shape {array.shape}")
        if array.dtype.kind in "iub":
            array = array.astype(np.float64)
        check_finite(array, "x")
        return array
