"""mtlref: the reference implementation of multi-task learning, every answer certified.

>>> import mtlref as mt, numpy as np
>>> data = mt.TaskData.from_list([np.eye(2), 2 * np.eye(2)], [[1.0, 0.0], [2.0, 0.1]])
>>> mt.JointFeature(lam=0.01).fit(data).result_.certificate.relative_gap <= 1e-6
True
"""

from importlib import import_module
from typing import Any

from mtlref._version import __version__
from mtlref.errors import (
    CertificateError,
    DataError,
    FitDoubt,
    FormError,
    IllConditioned,
    MtlrefError,
    NoClosedForm,
    NotConverged,
    NotFitted,
    UnknownMethod,
    UnknownTask,
)
from mtlref.folds import TaskKFold
from mtlref.forms import as_tasks
from mtlref.linear import (
    ASO,
    ELLA,
    GOMTL,
    MTFL,
    MTRL,
    CappedFeature,
    CappedTraceNorm,
    ClusteredMTL,
    ConvexASO,
    GraphRegularized,
    JointFeature,
    JointFeatureLinf,
    KMeansMTL,
    MeanRegularized,
    Pooled,
    SingleTaskLasso,
    SingleTaskRidge,
    TraceNorm,
)
from mtlref.moments import Moments
from mtlref.neighbors import TaskNeighbors
from mtlref.optim.result import Certificate, Result, Status
from mtlref.registry import Method, methods
from mtlref.tasks import TaskData

# Loaded when first asked for, so that `import mtlref` costs little more than `import numpy`.
_LAZY = {
    "MultiTaskGP": ("mtlref.gp", "MultiTaskGP"),
    "MultiTaskGPClassifier": ("mtlref.gp", "MultiTaskGPClassifier"),
    "audit": ("mtlref.verify.audit", "audit"),
    "balance": ("mtlref.balance", None),
    "compare": ("mtlref.study", "compare"),
    "data": ("mtlref.data", None),
    "gp": ("mtlref.gp", None),
    "metrics": ("mtlref.metrics", None),
    "nn": ("mtlref.nn", None),
    "relatedness": ("mtlref.study", "relatedness"),
    "SharedMLP": ("mtlref.nn", "SharedMLP"),
    "SoftSharingMLP": ("mtlref.nn", "SoftSharingMLP"),
    "CrossStitchMLP": ("mtlref.nn", "CrossStitchMLP"),
    "MoEMLP": ("mtlref.nn", "MoEMLP"),
    "MMoEModel": ("mtlref.nn", "MMoEModel"),
    "PLEModel": ("mtlref.nn", "PLEModel"),
    "SharedLSTMModel": ("mtlref.nn", "SharedLSTMModel"),
    "study": ("mtlref.study", None),
    "verify": ("mtlref.verify", None),
}

__all__ = [
    "MTFL",
    "MTRL",
    "ELLA",
    "GOMTL",
    "ASO",
    "CappedFeature",
    "CappedTraceNorm",
    "Certificate",
    "CertificateError",
    "ClusteredMTL",
    "ConvexASO",
    "DataError",
    "FitDoubt",
    "FormError",
    "GraphRegularized",
    "IllConditioned",
    "JointFeature",
    "KMeansMTL",
    "JointFeatureLinf",
    "MeanRegularized",
    "Method",
    "Moments",
    "MtlrefError",
    "NoClosedForm",
    "NotConverged",
    "NotFitted",
    "Pooled",
    "Result",
    "SingleTaskLasso",
    "SingleTaskRidge",
    "Status",
    "TaskData",
    "TaskKFold",
    "TaskNeighbors",
    "TraceNorm",
    "UnknownMethod",
    "UnknownTask",
    "__version__",
    "as_tasks",
    "methods",
    *_LAZY,
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'mtlref' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    loaded = import_module(module)
    return loaded if attribute is None else getattr(loaded, attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
