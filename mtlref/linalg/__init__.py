"""Linear algebra that double precision alone would lose digits in."""

from mtlref.linalg.least_squares import LeastSquares, RankDeficient

__all__ = ["LeastSquares", "RankDeficient"]
