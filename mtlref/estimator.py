"""The estimator contract: parameters and the forms of ``fit`` and ``predict``.

An estimator keeps its constructor's parameters untouched and puts what it learned in attributes with a trailing
underscore.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError, UnknownTask
from mtlref.forms import as_tasks
from mtlref.moments import Moments
from mtlref.sklearnhooks import ScikitLearnHooks, names_message
from mtlref.sparserows import is_sparse
from mtlref.tasks import TaskData

Array = NDArray[np.float64]


class _ClassifierOnly:
    """A method that an estimator has with loss="logistic" alone, so that ``hasattr`` tells what it is."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.method = method
        self.__doc__ = method.__doc__

    def __get__(self, owner: Any, cls: type | None = None) -> Any:
        if owner is not None and owner.loss != "logistic":
            raise AttributeError(
                f'{self.method.__name__} exists with loss="logistic" only; got loss={owner.loss!r}'
            )
        return self.method if owner is None else self.method.__get__(owner, cls)


@cache
def _parameters(constructor: Callable[..., None]) -> tuple[str, ...]:
    """Their names but self; kept, for a signature takes a while, and a path asks for it at each lam."""
    return tuple(inspect.signature(constructor).parameters)[1:]


class Estimator(ScikitLearnHooks):
    """The parent of all estimators: everything but the model."""

    # Whether sparse X is looked at; ``_any_sparse``: whether it may be of any size.
    _takes_sparse = False

    loss: str
    coef_: Array
    intercept_: Array
    tasks_: tuple[Hashable, ...]
    classes_: NDArray[Any]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    # -- parameters --------------------------------------------------------------------------------------------------

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return list(_parameters(cls.__init__))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor parameters by name."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters. Raises DataError for a name that the constructor does not have."""
        known = self._parameter_names()
        for name, value in params.items():
            if name not in known:
                raise DataError(f"parameter must be one of {', '.join(known)}; got {name!r}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        shown = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            value = getattr(self, name, None)
            default = parameter.default
            if isinstance(value, np.ndarray):
                shown.append(f"{name}=array of shape {value.shape}")
            elif default is inspect.Parameter.empty or not _same(value, default):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    # -- forms of data -----------------------------------------------------------------------------------------------

    def _read(self, X: Any, y: Any, tasks: Any, sample_weight: Any) -> TaskData | Moments:
        """The data of ``fit`` in any form of the contract."""
        if isinstance(X, Moments):
            if y is not None or tasks is not None or sample_weight is not None:
                raise FormError("Moments hold targets and weights; give nothing beside them")
            return X
        return as_tasks(X, y, tasks, sample_weight, self._takes_sparse)

    def _encode(self, data: TaskData, y: Any) -> tuple[TaskData, NDArray[Any]]:
        """(data with labels −1 and +1, the two labels) for a classifier."""
        if isinstance(y, np.ndarray) and y.dtype.kind in "biuUSO" and data.form != "list":
            classes = np.unique(y)  # as the caller typed them: integers stay integers
        else:
            classes = np.unique(np.concatenate(data.y))
        if len(classes) != 2:
            found = ", ".join(repr(c) for c in classes.tolist()[:5])
            if len(classes) == 1:
                raise DataError(f"labels must take two values; got one class only: {found}")
            kind = "continuous values" if data.y[0].dtype.kind == "f" and _continuous(classes) else "values"
            # "Unknown label type" and "Only binary classification" are the words scikit-learn's checks look for.
            raise DataError(
                "Only binary classification is supported (Unknown label type otherwise): labels must take two values; "
                f"got {len(classes)} {kind}: {found}{', ...' if len(classes) > 5 else ''}"
            )
        upper = classes[1] if data.y[0].dtype.kind == "U" else float(classes[1])
        signs = tuple(np.where(t == upper, 1.0, -1.0) for t in data.y)
        from dataclasses import replace

        return replace(data, y=signs), classes

    def _remember(self, data: TaskData | Moments) -> dict[str, Any]:
        """The attributes that every form of data leaves."""
        learned: dict[str, Any] = {
            "tasks_": data.names,
            "n_features_in_": data.p,
            "_form": data.form if isinstance(data, TaskData) else "list",
        }
        if data.feature_names is not None:
            learned["feature_names_in_"] = np.array(data.feature_names, dtype=object)
        return learned

    def _adopt(self, learned: dict[str, Any]) -> None:
        """Replace what was learned before, all at once, so that an interrupted fit leaves the estimator as it was."""
        for name in [n for n in vars(self) if n.endswith("_") and not n.startswith("__")]:
            if name not in learned:
                delattr(self, name)
        for name, value in learned.items():
            setattr(self, name, value)

    # -- prediction --------------------------------------------------------------------------------------------------

    def _scores(self, X: Any, tasks: Any) -> list[Array] | Array:
        """x'w_t + b_t in the form that X has: a list over tasks, (m, T), or (m,)."""
        self._check_fitted()
        T = len(self.tasks_)
        if isinstance(X, TaskData):
            if tasks is not None:
                raise FormError("a TaskData names its tasks; give no tasks beside it")
            self._check_p(X.p, "the data")
            where = self._places(X.names)
            return [x @ self.coef_[t] + self.intercept_[t] for x, t in zip(X.X, where, strict=True)]
        if tasks is not None:
            design = self._design(X, "X")
            labels = np.asarray(tasks)
            if labels.shape != design.shape[:1]:
                raise DataError(
                    f"tasks must have shape ({design.shape[0]},), a label for each row of X; got {labels.shape}"
                )
            values, codes = np.unique(labels, return_inverse=True)
            if is_sparse(design):
                out = np.empty(len(labels))
                for k, t in enumerate(self._places(values.tolist())):
                    own = np.flatnonzero(codes == k)
                    out[own] = design[own] @ self.coef_[t] + self.intercept_[t]
                return out
            where_codes = np.array(self._places(values.tolist()), dtype=np.intp)[codes]
            return np.asarray(
                np.einsum("ij,ij->i", design, self.coef_[where_codes]) + self.intercept_[where_codes]
            )
        form = self._form
        if form == "list" and isinstance(X, (list, tuple)):
            if len(X) != T:
                raise DataError(
                    f"X must be a list of {T} designs, one for each task of fit; got {len(X)}. For some of the tasks "
                    "use predict(X, tasks=labels) or a TaskData with their names."
                )
            designs = [self._design(x, f"X[{t}]") for t, x in enumerate(X)]
            return [x @ self.coef_[t] + self.intercept_[t] for t, x in enumerate(designs)]
        if form == "long" and T > 1:
            raise DataError(
                "tasks must give a label for each row of X: the model was fitted on rows with task labels, so "
                "predict(X) alone does not say which task a row belongs to"
            )
        design = self._design(X, "X")
        scores = design @ self.coef_.T + self.intercept_
        return np.asarray(scores[:, 0] if form in ("single", "long") else scores)

    _form: str = "list"

    def _places(self, names: Sequence[Hashable]) -> list[int]:
        index = {name: t for t, name in enumerate(self.tasks_)}
        for name in names:
            if name not in index:
                some = ", ".join(repr(n) for n in self.tasks_[:6])
                more = f", ... ({len(self.tasks_)} in all)" if len(self.tasks_) > 6 else ""
                raise UnknownTask(f"tasks must be among those of fit: {some}{more}; got {name!r}")
        return [index[name] for name in names]

    def _design(self, X: Any, name: str) -> Any:
        if getattr(X, "ndim", None) == 3:
            inputs.as_float(X, name, 2)
        given = inputs.feature_names(X)
        design = (inputs.rows if self._takes_sparse else inputs.design)(X, name)
        self._check_p(design.shape[1], name)
        self._check_names(given)
        return design

    def _check_p(self, p: int, name: str) -> None:
        if p != self.n_features_in_:
            raise DataError(
                f"{name} must have {self.n_features_in_} features as in fit; got {p}: X has {p} features, but "
                f"{type(self).__name__} is expecting {self.n_features_in_} features as input"
            )

    def _check_names(self, given: tuple[str, ...] | None) -> None:
        fitted = getattr(self, "feature_names_in_", None)
        if fitted is None or given is None:
            return
        if tuple(fitted) != given:
            raise DataError(names_message(tuple(fitted), given))

    @_ClassifierOnly
    def decision_function(self, X: Any, tasks: Any = None) -> list[Array] | Array:
        """x'w_t + b_t, in the form that X has: positive for ``classes_[1]``. Classifiers only (loss="logistic")."""
        return self._scores(X, tasks)

    def predict(self, X: Any, tasks: Any = None) -> Any:
        """Predictions in the form of the data that ``fit`` took.

        X : a TaskData (any of the fitted tasks, by name) or a list of T designs: a list of (m_t,). One design (m, p)
        after the shared form: (m, T); after one task: (m,). With ``tasks`` (m,), a label for each row: (m,).
        Numbers, or labels of ``classes_`` with loss="logistic".

        Raises NotFitted, UnknownTask, and DataError where p or the feature names differ from those of ``fit``.
        """
        scores = self._scores(X, tasks)
        if self.loss != "logistic":
            return scores
        if isinstance(scores, list):
            return [self.classes_[(s > 0).astype(int)] for s in scores]
        return self.classes_[(scores > 0).astype(int)]

    @_ClassifierOnly
    def predict_proba(self, X: Any, tasks: Any = None) -> Any:
        """Probabilities of ``classes_``: arrays (m_t, 2) in a list, or (m, 2); classifiers only (loss="logistic").

        In the shared form the probabilities of ``classes_[1]``, (m, T), as scikit-learn has them for several outputs.
        """
        from scipy.special import expit

        scores = self._scores(X, tasks)
        if isinstance(scores, list):
            return [np.stack([expit(-s), expit(s)], axis=-1) for s in scores]
        if scores.ndim == 2:
            return np.asarray(expit(scores))
        return np.stack([expit(-scores), expit(scores)], axis=-1)

    def score(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> float:
        """R² over all targets together, or the share of right labels with loss="logistic"; NaN targets are left out."""
        predicted = self.predict(X, tasks)
        truth = X.y if isinstance(X, TaskData) else y
        if isinstance(predicted, list):
            weights = (
                None if sample_weight is None else np.concatenate([np.asarray(w) for w in sample_weight])
            )
            predicted, truth = np.concatenate(predicted), np.concatenate([np.asarray(v) for v in truth])
        else:
            predicted, truth = np.asarray(predicted), np.asarray(truth)
            weights = None if sample_weight is None else np.asarray(sample_weight)
            if predicted.shape != truth.shape:
                raise DataError(f"y must have shape {predicted.shape}; got {truth.shape}")
            if weights is not None and weights.shape != truth.shape:
                weights = np.broadcast_to(weights[:, None], truth.shape)
        if truth.dtype.kind == "f":
            seen = ~np.isnan(truth)
            predicted, truth = predicted[seen], truth[seen]
            weights = None if weights is None else weights[seen]
        if self.loss == "logistic":
            return float(np.average(predicted == truth, weights=weights))
        error = float(np.average((truth - predicted) ** 2, weights=weights))
        spread = float(np.average((truth - np.average(truth, weights=weights)) ** 2, weights=weights))
        return 1.0 - error / spread if spread > 0 else (1.0 if error == 0 else 0.0)


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and bool(a == b))


def _continuous(classes: NDArray[Any]) -> bool:
    return bool((classes != np.floor(classes)).any())
