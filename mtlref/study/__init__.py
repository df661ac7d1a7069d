"""The protocol of a comparison: splits, tuning, store, statistics, tables, pictures."""

from mtlref.study.comparison import Comparison, Row
from mtlref.study.protocol import compare
from mtlref.study.related import Relatedness, relatedness

__all__ = ["Comparison", "Relatedness", "Row", "compare", "relatedness"]
