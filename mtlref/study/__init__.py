"""The protocol of a comparison: splits, tuning, store, statistics, tables, pictures."""

from mtlref.study.comparison import Comparison, Row
from mtlref.study.protocol import compare

__all__ = ["Comparison", "Row", "compare"]
