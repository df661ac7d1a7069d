"""Laws of directions: what a declared property means, on any callable f(J) -> d.

    check(f, properties=("permutation", "homogeneous"))       # raises LawViolation with the smallest J that breaks one
    check(f, like=MGDA())                                     # the laws of MGDA, and its directions

``f`` takes a float64 array (m, d), a row a task's gradient, and gives (d,): a reimplementation in any framework fits
with a line of conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mtlref.balance.balancer import GradientBalancer
from mtlref.balance.hard import Hard, jacobians
from mtlref.balance.trial import Direction, Trial, is_aligned, longest, shown, units
from mtlref.errors import DataError, LawViolation
from mtlref.inputs import count as whole


def permutation(t: Trial) -> None:
    """f(P J) = f(J): the order of the tasks does not matter."""
    order = t.rng.permutation(len(t.J))
    t.agree(t.at(t.J[order]), t.at(t.J), f"f of the rows in the order {order.tolist()} and f(J)")


def rotation(t: Trial) -> None:
    """f(J Q) = f(J) Q for orthogonal Q, and f([J 0]) = [f(J) 0]: only inner products matter."""
    d = t.J.shape[1]
    Q = np.linalg.qr(t.rng.standard_normal((d, d)))[0]
    t.agree(t.at(t.J @ Q), t.at(t.J) @ Q, "f(J Q) and f(J) Q")
    wide = t.at(np.hstack([t.J, np.zeros((len(t.J), 2))]))
    t.agree(wide, np.concatenate([t.at(t.J), np.zeros(2)]), "f([J 0]) and [f(J) 0]")


def homogeneous(t: Trial) -> None:
    """f(a J) = a^k f(J) for a > 0, small and large."""
    for a in (2.0**-30, 1e-8, 3.0, 1e6):
        scaled = t.at(a * t.J) / a**t.degree
        t.agree(scaled, t.at(t.J), f"f({a} J) / {a}^{t.degree} and f(J)")


def non_conflicting(t: Trial) -> None:
    """⟨g_i, f(J)⟩ >= 0: no task is made worse."""
    d = t.at(t.J)
    slopes = units(t.J) @ d
    size = max(float(np.linalg.norm(d)), t.floor)
    t.require(slopes.min() >= -t.tol * size, f"⟨g_i, d⟩ / ‖g_i‖ must be >= 0; got {shown(slopes)}")


def strict(t: Trial) -> None:
    """⟨g_i, f(J)⟩ > 0 for every task where some direction improves all."""
    if is_aligned(t.J):
        slopes = units(t.J) @ t.at(t.J)
        t.require(slopes.min() > 0, f"⟨g_i, d⟩ / ‖g_i‖ must be > 0; got {shown(slopes)}")


def span(t: Trial) -> None:
    """f(J) is a combination of the gradients."""
    d = t.at(t.J)
    R = units(t.J)
    basis = np.linalg.svd(R, full_matrices=False)
    kept = basis[2][basis[1] > 1e-10 * basis[1].max(initial=0.0)] if R.any() else np.zeros((0, len(d)))
    rest = float(np.linalg.norm(d - kept.T @ (kept @ d)))
    size = max(float(np.linalg.norm(d)), t.floor)
    t.require(rest <= t.tol * size, f"{rest:.3e} of d = {shown(d)} lies outside the rows' span")


def stationary(t: Trial) -> None:
    """f(J) = 0 where Σ c_i g_i = 0 with c > 0: nothing improves a task without hurting another."""
    c = 0.5 + t.rng.random(len(t.J))
    J = np.vstack([t.J, -(c @ t.J)])
    d = t.at(J)
    t.require(
        np.linalg.norm(d) <= t.tol * longest(J) ** t.degree,
        f"f must be 0 at a balanced J = {J.tolist()}; got {shown(d)}",
    )


def copies(t: Trial) -> None:
    """f([J; J]) = k f(J): every task twice."""
    t.agree(t.at(np.vstack([t.J, t.J])), t.value * t.at(t.J), f"f of all tasks twice and {t.value} f(J)")


def hull(t: Trial) -> None:
    """f([J; h]) = f(J) for h in the hull of the rows."""
    w = t.rng.dirichlet(np.ones(len(t.J)))
    t.agree(t.at(np.vstack([t.J, w @ t.J])), t.at(t.J), "f with a mean of the rows added and f(J)")


def row_scale(t: Trial) -> None:
    """f(diag(s) J) = f(J) for s > 0: the units of a loss do not matter."""
    s = 10.0 ** t.rng.uniform(-3.0, 3.0, len(t.J))
    t.agree(t.at(s[:, None] * t.J), t.at(t.J), f"f of the rows times {s.tolist()} and f(J)")


def one_task(t: Trial) -> None:
    """f of one gradient points along it."""
    g = t.J[:1]
    if g.any():
        d = t.at(g)
        along = units(g)[0]
        t.require(d @ along > 0, f"f of one gradient {g.tolist()} must point along it; got {shown(d)}")
        t.agree(d, (d @ along) * along, "f of one gradient and its part along it")


LAWS: Mapping[str, Callable[[Trial], None]] = {
    law.__name__: law
    for law in (permutation, rotation, homogeneous, non_conflicting, strict, span, stationary, copies, hull, row_scale,
                one_task)
}  # fmt: skip

# Where a law's two sides are both defined by less than their digits: the kinds of Jacobian that are left out.
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "row_scale": frozenset({"bad_scale"}),
    "stationary": frozenset({"zero_row"}),
}


@dataclass(frozen=True)
class Checked:
    """laws that held, on how many Jacobians each."""

    laws: tuple[str, ...]
    jacobians: int


def declared(balancer: GradientBalancer) -> dict[str, float]:
    """The laws that a balancer declares, each with its value."""
    values = {"homogeneous": balancer.degree, "copies": balancer.copies}
    return {name: values.get(name, 1.0) for name in (*balancer.properties, "one_task")}


def check(
    f: Direction,
    properties: Iterable[str] | Mapping[str, float] | None = None,
    *,
    like: GradientBalancer | None = None,
    tol: float = 1e-8,
    count: int = 3,
    seed: int = 0,
    kinds: Iterable[str] | None = None,
) -> Checked:
    """Hold the direction f(J) to laws, on Jacobians of every hard kind; LawViolation tells which are broken or held.

    f : array (m, d) -> (d,).
    properties : names from ``LAWS``, or a mapping of them to values: the degree k of "homogeneous" and the factor of
    "copies", 1 by default. Default: every law but "hull" and "row_scale" for a plain f; those that ``like`` declares.
    like : a balancer; f must also give its directions, wherever they are determined.
    tol : relative to the longer side and to the longest row, to the power of f's degree. Default 1e-8; for float32 some
    1e-4.
    count, seed : Jacobians of each kind, and where their numbers come from.  kinds : default all of ``hard.KINDS``.

    Raises: LawViolation with the first broken law, what it says, the smallest Jacobian that breaks it, in full, and the
    names of the other laws that are broken and of those that held; DataError for an unknown law.
    """
    if isinstance(properties, str):
        raise DataError(f"properties must be a list of names; got the text {properties!r}")
    if properties is None:
        asked = declared(like) if like is not None else dict.fromkeys(set(LAWS) - {"hull", "row_scale"}, 1.0)
        asked = {name: asked[name] for name in LAWS if name in asked}
    elif isinstance(properties, Mapping):
        asked = {name: float(value) for name, value in properties.items()}
    else:
        known = declared(like) if like is not None else {}
        asked = {name: known.get(name, 1.0) for name in properties}
    for name in asked:
        if name not in LAWS:
            raise DataError(f"properties must be among {', '.join(LAWS)}; got {name!r}")
    degree = asked.get("homogeneous", like.degree if like is not None else 1.0)
    cases = [h for h in jacobians(whole(count, "count"), seed) if kinds is None or h.kind in set(kinds)]
    laws = [(name, LAWS[name], value) for name, value in asked.items()]
    if like is not None:
        laws.append(("like", _same_as(like), 1.0))
    broken: dict[str, str] = {}
    for name, law, value in laws:
        rng = np.random.default_rng([seed, len(name)])
        for case in sorted(cases, key=lambda h: h.J.size):
            if case.kind not in LEFT_OUT.get(name, ()):
                said = _broken(law, case, Trial(f, case.J, rng, tol, degree, value))
                if said is not None:
                    broken[name] = said
                    break
    if broken:
        raise LawViolation(_told(broken, [name for name, _, _ in laws if name not in broken]))
    return Checked(tuple(asked), len(cases))


def _told(broken: dict[str, str], held: list[str]) -> str:
    """The first broken law in full, the others by name."""
    first, *others = broken
    says = (
        LAWS[first].__doc__
        if first in LAWS
        else "f(J) is the direction of the balancer that it is to be like."
    )
    lines = [f"{first}: {broken[first]}", f"the law: {(says or '').strip()}"]
    lines += [f"broken too: {', '.join(others)}"] if others else []
    return "\n".join([*lines, f"held: {', '.join(held) or 'no other'}"])


def _same_as(like: GradientBalancer) -> Callable[[Trial], None]:
    def same(t: Trial) -> None:
        t.agree(t.at(t.J), like(t.J), f"f(J) and {like!r}(J)")

    return same


def _broken(law: Callable[[Trial], None], case: Hard, t: Trial) -> str | None:
    """What the law says against f at the case; None where it holds."""
    try:
        law(t)
    except LawViolation as problem:
        return f"{problem}; at {case}"
    return None
