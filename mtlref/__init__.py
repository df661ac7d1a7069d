"""mtlref: the reference implementation of multi-task learning, every answer certified."""

from mtlref.errors import (
    CertificateError,
    DataError,
    FormError,
    MtlrefError,
    NoClosedForm,
    NotConverged,
    NotFitted,
    UnknownMethod,
    UnknownTask,
)
from mtlref.tasks import TaskData, TaskKFold, as_tasks
from mtlref.linear import (
    GraphRegularized,
    JointFeature,
    MeanRegularized,
    Pooled,
    SingleTaskLasso,
    SingleTaskRidge,
    TraceNorm,
)
from mtlref.moments import Moments
from mtlref.optim.result import Certificate, Result, Status
from mtlref.registry import Method, methods
