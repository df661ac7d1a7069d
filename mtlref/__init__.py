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
