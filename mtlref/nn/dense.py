"""Dense networks, one or several side by side: h_l = act(h_{l−1} W_l + b_l), forward and backward.

Members that stand side by side (experts, a net or a tower a task) have equal widths and a leading member axis. Where
they read one input, their weights are joined to one wide matrix; where each has its own input, the product is batched.
``backward`` takes further leading axes before the member axis: a gradient for each loss at once. W (in, out), b (out,);
h (B, in), or (members, B, in).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtlref.nn.activations import Activation

Values = NDArray[Any]
Params = dict[str, Values]
# Multiplications up to which BLAS has a quick way for a small product, so that one a loss beats one for all losses.
SMALL = 900_000


class Step(NamedTuple):
    """What the backward pass of one layer needs: its input, its weights, z = input W + b, and act(z).

    W : (in, out) for one member; (members, in, out) where each has an input; (in, members out) where they are joined.
    """

    names: tuple[str, ...]
    source: Values
    W: Values
    z: Values
    a: Values


def affine(params: Params, names: tuple[str, ...], x: Values) -> tuple[Values, Values]:
    """(x W + b with the member axis where there are several members, W as in ``Step``)."""
    if len(names) == 1:
        W = params[f"{names[0]}.W"]
        return plus(x @ W, params[f"{names[0]}.b"]), W
    weights, biases = [params[f"{n}.W"] for n in names], [params[f"{n}.b"] for n in names]
    if x.ndim == 2:
        W = np.concatenate(weights, axis=1)
        return apart(plus(x @ W, np.concatenate(biases)), len(names)), W
    W = np.stack(weights)
    return plus(x @ W, np.stack(biases)[:, None, :]), W


def plus(z: Values, b: Values) -> Values:
    """z + b, in z's own memory where its type allows."""
    if b.dtype is z.dtype or np.can_cast(b.dtype, z.dtype):
        z += b
        return z
    return z + b


def apart(z: Values, members: int) -> Values:
    """(..., B, members out) as (..., members, B, out): a view."""
    return np.swapaxes(z.reshape(*z.shape[:-1], members, -1), -3, -2)


def joined(d: Values) -> Values:
    """(..., members, B, out) as (..., B, members out)."""
    moved = np.swapaxes(d, -3, -2)
    return moved.reshape(*moved.shape[:-2], -1)


def forward(
    params: Params, layers: list[tuple[str, ...]], act: Activation, x: Values
) -> tuple[Values, list[Step]]:
    """The last layer's activation, and what ``backward`` needs. ``layers``: the members' names, layer by layer."""
    steps = []
    for names in layers:
        z, W = affine(params, names, x)
        a = act.value(z)
        steps.append(Step(names, x, W, z, a))
        x = a
    return x, steps


def backward(
    steps: list[Step],
    act: Activation,
    d: Values,
    grads: Params | None,
    to_input: bool,
    each: bool = True,
    slopes: list[Values] | None = None,
    own: bool = False,
) -> Values | None:
    """The gradient in the input of the network from ``d``, that in its output; ``grads`` takes those of W and b.

    Where ``grads`` holds an array of that name already, its memory is used for one member's W and b. With ``to_input``
    False the input's gradient is not formed. It keeps the member axis, unless ``each`` is False: then
    it is the sum over members, of one input for all. ``slopes`` : those of the activations, where known already.
    ``own`` : whether ``d`` may be overwritten.
    """
    back = d
    for k in range(len(steps) - 1, -1, -1):
        names, source, W, z, a = steps[k]
        slope = act.slope(z, a) if slopes is None else slopes[k]
        # What was made here may be overwritten; what the caller gave may not, unless it says so.
        if (own or back is not d) and slope.dtype == back.dtype:
            back *= slope
        else:
            back = back * slope
        if grads is not None:
            affine_gradients(grads, names, source, back)
        if k == 0 and not to_input:
            return None
        back = into(names, source, W, back, each or k > 0)
    return back


def into(names: tuple[str, ...], x: Values, W: Values, dz: Values, each: bool = True) -> Values:
    """The gradient in the input from dz; by member, or summed over them."""
    members = len(names)
    if members == 1 and dz.ndim == 3 and x.shape[-2] * W.size <= SMALL:
        return np.asarray(np.matmul(dz, np.ascontiguousarray(W.T)))
    if members == 1 and dz.flags.c_contiguous:  # one product for all losses
        rows = dz @ W.T if dz.ndim == 2 else dz.reshape(-1, dz.shape[-1]) @ W.T
        out: Values = rows.reshape(dz.shape[:-1] + rows.shape[1:])
        return out
    if members == 1 or x.ndim == 3:
        return np.asarray(dz @ np.swapaxes(W, -1, -2))
    if not each:
        return np.asarray(joined(dz) @ W.T)
    return np.asarray(dz @ W.reshape(len(W), members, -1).transpose(1, 2, 0))


def affine_gradients(grads: Params, names: tuple[str, ...], x: Values, dz: Values) -> None:
    """x' dz for W, and the sum of dz over rows for b."""
    if len(names) == 1:
        W, b = f"{names[0]}.W", f"{names[0]}.b"
        grads[W] = np.matmul(x.swapaxes(-1, -2), dz, out=grads.get(W))
        grads[b] = over_rows(dz, grads.get(b))
        return
    bias = over_rows(dz)
    if x.ndim == 2:
        weight = apart(x.T @ joined(dz), len(names))
    else:
        weight = np.swapaxes(x, -1, -2) @ dz
    for k, name in enumerate(names):
        grads[f"{name}.W"] = weight[..., k, :, :]
        grads[f"{name}.b"] = bias[..., k, :]


def over_rows(dz: Values, out: Values | None = None) -> Values:
    """The sum over rows, (..., H) of (..., B, H); with leading axes the product with ones is the quicker way."""
    if dz.ndim == 2 or not dz.flags.c_contiguous:
        return np.asarray(np.add.reduce(dz, axis=-2, out=out))
    if out is None:
        out = np.empty(dz.shape[:-2] + dz.shape[-1:], dtype=dz.dtype)
    np.matmul(_ones(dz.shape[-2], dz.dtype), dz, out=out[..., None, :])
    return out


@lru_cache(maxsize=16)
def _ones(rows: int, dtype: Any) -> Values:
    ones = np.ones((1, rows), dtype=dtype)
    ones.setflags(write=False)
    return ones
