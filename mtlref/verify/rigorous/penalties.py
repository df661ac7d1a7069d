"""Which penalty belongs to which page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mtlref.linear import (
    MTFL,
    MTRL,
    ClusteredMTL,
    ConvexASO,
    GraphRegularized,
    JointFeature,
    JointFeatureLinf,
    MeanRegularized,
    Pooled,
    SingleTaskLasso,
    SingleTaskRidge,
    TraceNorm,
)
from mtlref.verify.rigorous.norms import L1, NuclearNorm, RowMaxima, RowNorms
from mtlref.verify.rigorous.penalty import Penalty
from mtlref.verify.rigorous.quadratic import GraphSpread, MeanSpread, OneForAll, SquaredNorm
from mtlref.verify.rigorous.squared import SquaredBoxNorm, features, relation

PENALTIES: dict[type, Callable[[Mapping[str, Any], int], Penalty]] = {
    SingleTaskRidge: SquaredNorm,
    SingleTaskLasso: L1,
    Pooled: OneForAll,
    MeanRegularized: MeanSpread,
    GraphRegularized: GraphSpread,
    JointFeature: RowNorms,
    JointFeatureLinf: RowMaxima,
    TraceNorm: NuclearNorm,
    MTFL: features,
    MTRL: relation,
    ClusteredMTL: SquaredBoxNorm,
    ConvexASO: SquaredBoxNorm,
}
