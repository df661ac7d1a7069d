"""Laws of directions that balance gradients, on any callable f(J) -> d: those of ``mtlref.balance.laws``."""

from __future__ import annotations

from mtlref.balance.laws import LAWS, Checked, check

__all__ = ["LAWS", "Checked", "check"]
