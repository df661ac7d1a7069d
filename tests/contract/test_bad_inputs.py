"""Every bad input of the list: refused with what must hold and what came."""

# A line of the table is a line.
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mtlref as mt

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 3))
y = RNG.standard_normal(6)
LABELS = np.array([0, 1, 0, 1, 1, 0])
TASKS = np.array([0, 0, 0, 1, 1, 1])


def put(a: Any, value: Any, where: Any = (2, 1)) -> Any:
    out = np.array(a, dtype=float)
    out[where if out.ndim == 2 else where[0]] = value
    return out


def ridge(**k: Any) -> Any:
    return mt.SingleTaskRidge(**k)


def logistic(**k: Any) -> Any:
    return mt.SingleTaskRidge(loss="logistic", **k)


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "NaN in X": (lambda: ridge().fit(put(X, np.nan), y), mt.DataError, r"X must be finite; got NaN at \[2, 1\]"),
    "infinity in X": (lambda: ridge().fit(put(X, np.inf), y), mt.DataError, r"X must be finite; got infinity at \[2, 1\]"),
    "NaN in one X of a list": (
        lambda: ridge().fit([X, put(X, np.nan)], [y, y]), mt.DataError, r"X\[1\] must be finite; got NaN at \[2, 1\]"),
    "NaN in y": (lambda: ridge().fit(X, put(y, np.nan)), mt.DataError, r"y must be finite; got NaN at \[2\]"),
    "infinity in y": (lambda: ridge().fit(X, put(y, -np.inf)), mt.DataError, r"y must be finite; got infinity at \[2\]"),
    "NaN in y of a list": (
        lambda: ridge().fit([X, X], [y, put(y, np.nan)]), mt.DataError, r"y\[1\] must be finite; got NaN"),
    "NaN in y of long form": (
        lambda: ridge().fit(X, put(y, np.nan), tasks=TASKS), mt.DataError, "y must be finite; got NaN"),
    "infinity in Y": (
        lambda: ridge().fit(X, put(np.ones((6, 2)), np.inf)), mt.DataError, "Y must be finite or NaN .*; got infinity"),
    "a column of NaN in Y": (
        lambda: ridge().fit(X, np.column_stack([y, np.full(6, np.nan)])), mt.DataError,
        r"every task needs an observed target; task 1 \(column 1 of Y\) has only NaN"),
    "masked X": (lambda: ridge().fit(np.ma.array(X, mask=X > 1), y), mt.FormError, "X must be a plain array; got a masked"),
    "masked y": (lambda: ridge().fit(X, np.ma.array(y, mask=y > 1)), mt.FormError, "y must be a plain array; got a masked"),
    "masked Y": (
        lambda: ridge().fit(X, np.ma.array(np.ones((6, 2)), mask=False)), mt.FormError, "Y must be a plain array"),
    "datetime X": (
        lambda: ridge().fit(X.astype("datetime64[s]"), y), mt.FormError, r"X must hold numbers; got dates .*datetime64"),
    "timedelta y": (
        lambda: ridge().fit(X, y.astype("timedelta64[s]")), mt.FormError, r"y must hold numbers; got dates .*timedelta"),
    "complex X": (lambda: ridge().fit(X + 1j, y), mt.DataError, "X must be real. Complex data not supported; got dtype comp"),
    "complex y": (lambda: ridge().fit(X, y * 1j), mt.DataError, "y must be real. Complex data not supported"),
    "strings in X": (lambda: ridge().fit(X.astype(str), y), mt.FormError, "X must hold numbers; got text"),
    "strings in y": (lambda: ridge().fit(X, y.astype(str)), mt.FormError, 'y must hold numbers for loss="squared"; task 0'),
    "objects in X": (
        lambda: ridge().fit(np.full((6, 3), {}, dtype=object), y), mt.FormError, "X must hold numbers; got an object array"),
    "a string among objects": (
        lambda: ridge().fit(np.array([[1, "a"], [2, 3]], dtype=object), [0, 1]), mt.FormError, "entry of type str"),
    "None in y": (lambda: ridge().fit(X, [1, 2, None, 4, 5, 6]), mt.FormError, "y must hold numbers; got an object array"),
    "ragged rows": (lambda: ridge().fit([[1.0, 2.0], [3.0]], [1.0, 2.0]), mt.FormError, "rows differ in length"),
    "tasks with other columns": (
        lambda: ridge().fit([X, X[:, :2]], [y, y]), mt.DataError, r"X\[1\] must have shape \(n_t, 3\); got \(6, 2\)"),
    "0 rows": (lambda: ridge().fit(X[:0], y[:0]), mt.DataError, r"X must have at least one row; got 0 sample"),
    "0 columns": (lambda: ridge().fit(X[:, :0], y), mt.DataError, r"X must have at least one column; got 0 feature"),
    "0 tasks": (lambda: ridge().fit([], []), mt.DataError, "at least one task; got an empty list"),
    "0 tasks in Y": (lambda: ridge().fit(X, np.empty((6, 0))), mt.DataError, "Y must have at least one column, a task"),
    "a task without rows": (
        lambda: ridge().fit([X, X[:0]], [y, y[:0]]), mt.DataError, r"X\[1\] must have at least one row"),
    "a task left without rows": (
        lambda: mt.TaskData.from_list([X, X], [y, y]).take([[0], []]), mt.DataError, "every task must keep a row; task 1"),
    "mismatched lengths": (
        lambda: ridge().fit(X, y[:5]), mt.DataError, r"y must have shape \(6,\) to match the rows of X; got \(5,\)"),
    "mismatched lengths in a list": (
        lambda: ridge().fit([X, X], [y, y[:4]]), mt.DataError, r"y\[1\] must have shape \(6,\)"),
    "mismatched rows of Y": (lambda: ridge().fit(X, np.ones((5, 2))), mt.DataError, r"Y must have shape \(6, T\)"),
    "mismatched numbers of tasks": (
        lambda: ridge().fit([X, X], [y]), mt.DataError, "one entry a task each; got 2 designs and 1 targets"),
    "mismatched task labels": (
        lambda: ridge().fit(X, y, tasks=[0, 1]), mt.DataError, r"tasks must have shape \(6,\), a label for each row"),
    "missing task labels": (
        lambda: ridge().fit(X, y, tasks=[0, 1, np.nan, 0, 1, 1]), mt.DataError, "tasks must label every row; got NaN"),
    "None among task labels": (
        lambda: ridge().fit(X, y, tasks=["a", None, "a", "b", "b", "b"]), mt.DataError, "tasks must label every row"),
    "3-D": (
        lambda: ridge().fit(np.ones((2, 6, 3)), np.ones((2, 6))), mt.FormError,
        r"array of shape \(2, 6, 3\).*TaskData.from_list"),
    "3-D in a list": (lambda: ridge().fit([np.ones((2, 6, 3))], [y]), mt.FormError, "TaskData.from_list"),
    "3-D to from_list": (
        lambda: mt.TaskData.from_list(np.ones((2, 6, 3)), np.ones((2, 6))), mt.FormError, r"shape \(2, 6, 3\)"),  # type: ignore[arg-type]
    "3-D at predict": (lambda: ridge().fit(X, y).predict(np.ones((2, 6, 3))), mt.FormError, "TaskData.from_list"),
    "1-D X": (lambda: ridge().fit(y, y), mt.DataError, "X must be 2-D.*Reshape your data"),
    "no targets": (lambda: ridge().fit(X), mt.DataError, "fit needs targets: it requires y"),
    "sparse X": (lambda: mt.SharedMLP().fit(_sparse(), y), mt.FormError, "X must be a dense array; got a sparse matrix"),
    "unknown task at predict": (
        lambda: ridge().fit(X, y, tasks=TASKS).predict(X[:1], tasks=[7]), mt.UnknownTask,
        "tasks must be among those of fit: 0, 1; got 7"),
    "unknown task in TaskData": (
        lambda: ridge().fit([X], [y]).predict(mt.TaskData.from_list([X], [y], names=["z"])), mt.UnknownTask, "got 'z'"),
    "no tasks at predict of long form": (
        lambda: ridge().fit(X, y, tasks=TASKS).predict(X), mt.DataError, "tasks must give a label for each row"),
    "predict with other p": (
        lambda: ridge().fit(X, y).predict(X[:, :2]), mt.DataError, "X must have 3 features as in fit; got 2"),
    "predict a list of another length": (
        lambda: ridge().fit([X, X], [y, y]).predict([X]), mt.DataError, "X must be a list of 2 designs"),
    "before fit": (lambda: ridge().predict(X), mt.NotFitted, "not fitted yet"),
    "one label": (lambda: logistic().fit(X, np.ones(6)), mt.DataError, "labels must take two values; got one class only"),
    "three labels": (
        lambda: logistic().fit(X, [0, 1, 2, 0, 1, 2]), mt.DataError, "labels must take two values; got 3 values: 0.0, 1.0, 2.0"),
    "continuous labels": (lambda: logistic().fit(X, y), mt.DataError, "labels must take two values; got 6 continuous"),
    "a task with one class": (
        lambda: logistic().fit(X, [0, 1, 0, 1, 1, 1], tasks=["a"] * 3 + ["b"] * 3), mt.DataError,
        "rows of both classes where an intercept is fitted: task 'b' has only"),
    "a task with one class of positive weight": (
        lambda: logistic().fit(X, LABELS, tasks=TASKS, sample_weight=[1, 1, 1, 0, 0, 1]), mt.DataError, "task 1 has only"),
    "Moments with logistic": (
        lambda: logistic().fit(mt.Moments.from_data(mt.TaskData.from_list([X], [y]))), mt.FormError, "needs the rows"),
    "text in Moments": (
        lambda: mt.Moments.from_data(mt.TaskData.from_list([X], [y.astype(str)])), mt.FormError, "numeric targets"),
    "no chunks": (lambda: mt.Moments.from_chunks([]), mt.DataError, "at least one chunk"),
    "negative lam": (lambda: ridge(lam=-1.0).fit(X, y), mt.DataError, "lam must be a finite number >= 0; got -1.0"),
    "zero lam": (lambda: mt.TraceNorm(lam=0.0).fit(X, y), mt.DataError, "lam must be > 0; got 0.0"),
    "zero lam, logistic": (lambda: logistic(lam=0.0).fit(X, LABELS), mt.DataError, "lam must be > 0; got 0.0"),
    "zero lam, dependent columns": (
        lambda: ridge(lam=0.0).fit(np.hstack([X, X]), y), mt.DataError, "lam = 0 needs columns that determine the coeff"),
    "NaN lam": (lambda: ridge(lam=np.nan).fit(X, y), mt.DataError, "lam must be a finite number >= 0; got nan"),
    "infinite lam": (lambda: ridge(lam=np.inf).fit(X, y), mt.DataError, "lam must be a finite number >= 0; got inf"),
    "text lam": (lambda: ridge(lam="1").fit(X, y), mt.FormError, "lam must be a number >= 0; got '1' of type str"),
    "array lam": (lambda: ridge(lam=np.ones(2)).fit(X, y), mt.FormError, "lam must be a number"),
    "boolean lam": (lambda: ridge(lam=True).fit(X, y), mt.FormError, "lam must be a number"),
    "negative ridge": (lambda: mt.JointFeature(ridge=-1.0).fit(X, y), mt.DataError, "ridge must be a finite number >= 0"),
    "NaN ridge": (lambda: mt.TraceNorm(ridge=np.nan).fit(X, y), mt.DataError, "ridge must be a finite number >= 0"),
    "negative lam in a path": (lambda: ridge().path((X, y), [1.0, -1.0]), mt.DataError, "lam must be a finite number"),
    "empty path": (lambda: ridge().path(X, [], y=y), mt.DataError, "lams must hold at least one value"),
    "negative tol": (lambda: ridge(tol=-1e-6).fit(X, y), mt.DataError, "tol must be a finite number >= 0; got -1e-06"),
    "zero tol": (lambda: ridge(tol=0.0).fit(X, y), mt.DataError, "tol must be > 0"),
    "NaN tol": (lambda: ridge(tol=np.nan).fit(X, y), mt.DataError, "tol must be a finite number"),
    "zero max_iter": (lambda: ridge(max_iter=0).fit(X, y), mt.DataError, "max_iter must be >= 1; got 0"),
    "fractional max_iter": (lambda: ridge(max_iter=1.5).fit(X, y), mt.FormError, "max_iter must be a whole number"),
    "unknown loss": (lambda: ridge(loss="hinge").fit(X, y), mt.DataError, "loss must be one of 'squared', 'logistic'"),
    "unknown scaling": (lambda: ridge(scaling="n").fit(X, y), mt.DataError, "scaling must be one of 'mean', 'sum'"),
    "fit_intercept as text": (lambda: ridge(fit_intercept="no").fit(X, y), mt.FormError, "fit_intercept must be True or"),
    "unknown parameter": (lambda: ridge().set_params(alpha=1.0), mt.DataError, "parameter must be one of lam.*got 'alpha'"),
    "negative weights": (
        lambda: ridge().fit(X, y, sample_weight=put(np.ones(6), -1.0)), mt.DataError, "weights must be >= 0; got.*-1.0"),
    "NaN weights": (
        lambda: ridge().fit(X, y, sample_weight=put(np.ones(6), np.nan)), mt.DataError, "weights must be finite; got NaN"),
    "zero weights": (
        lambda: ridge().fit(X, y, sample_weight=np.zeros(6)), mt.DataError, "must have a positive entry; all 6"),
    "zero weights of a task": (
        lambda: ridge().fit(X, y, tasks=TASKS, sample_weight=[1, 1, 1, 0, 0, 0]), mt.DataError, "weights of task 1 must"),
    "weights of another length": (
        lambda: ridge().fit(X, y, sample_weight=np.ones(5)), mt.DataError, r"weights must have shape \(6,\)"),
    "weights of another shape": (
        lambda: ridge().fit(X, np.ones((6, 2)), sample_weight=np.ones((6, 3))), mt.DataError, r"weights must have shape"),
    "negative weights in two columns": (
        lambda: ridge().fit(X, np.ones((6, 2)), sample_weight=-np.ones((6, 2))), mt.DataError, "must be >= 0"),
    "same names": (
        lambda: mt.TaskData.from_list([X, X], [y, y], names=["a", "a"]), mt.DataError, "names must differ.*'a'"),
    "too few names": (lambda: mt.TaskData.from_list([X, X], [y, y], names=["a"]), mt.DataError, "one label a task"),
    "graph of another size": (
        lambda: mt.GraphRegularized(np.ones((3, 3))).fit([X, X], [y, y]), mt.DataError, r"graph must have shape \(2, 2\)"),
    "graph not symmetric": (
        lambda: mt.GraphRegularized([[0, 1], [0, 0]]).fit([X, X], [y, y]), mt.DataError, "graph must be symmetric"),
    "negative graph": (
        lambda: mt.GraphRegularized([[0, -1], [-1, 0]]).fit([X, X], [y, y]), mt.DataError, "graph must be >= 0"),
    "NaN graph": (
        lambda: mt.GraphRegularized([[0, np.nan], [np.nan, 0]]).fit([X, X], [y, y]), mt.DataError, "graph must be finite"),
    "no lam_max": (lambda: ridge().lam_max(X, y=y), mt.NoClosedForm, "no lam_max in closed form"),
    "audit of coef_": (
        lambda: mt.audit(ridge(), mt.TaskData.from_list([X], [y]), np.ones((1, 3))), mt.DataError,
        r"W must have shape \(p, T\) = \(3, 1\).*coef_.T"),
    "audit of NaN": (
        lambda: mt.audit(ridge(), mt.TaskData.from_list([X], [y]), put(np.ones((3, 1)), np.nan, (0, 0))), mt.DataError,
        "W must be finite"),
    "audit with b and no intercept": (
        lambda: mt.audit(ridge(fit_intercept=False), mt.TaskData.from_list([X], [y]), np.ones((3, 1)), [1.0]),
        mt.DataError, "b must be zero with fit_intercept=False"),
    "a TaskData and y": (
        lambda: ridge().fit(mt.TaskData.from_list([X], [y]), y), mt.FormError, "a TaskData holds its own targets"),
}  # fmt: skip


def _sparse() -> Any:
    from scipy.sparse import csr_array

    return csr_array(X)


@pytest.mark.parametrize("what", BAD)
def test_bad_input(what: str) -> None:
    call, error, message = BAD[what]
    if what == "negative lam in a path":
        data = mt.TaskData.from_single(X, y)
        call = lambda: ridge().path(data, [1.0, -1.0])  # noqa: E731
    with pytest.raises(error, match=message) as caught:
        call()
    # NotImplementedError and LookupError put nothing in front of the words, and all are errors of this package.
    assert isinstance(caught.value, mt.MtlrefError)
    # A kind that Python's users expect: wrong values are ValueErrors, wrong forms TypeErrors.
    if error in (mt.DataError, mt.UnknownTask):
        assert isinstance(caught.value, ValueError)
    if error is mt.FormError:
        assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("name", list(mt.methods()))
@pytest.mark.parametrize("bad", [-1.0, float("nan"), 0.0, "1"])
def test_every_method_checks_lam_and_tol(name: str, bad: Any) -> None:
    method = mt.methods()[name]
    graph = {"graph": 1.0} if method.required else {}
    least_squares = bad == 0.0 and name in ("SingleTaskRidge", "Pooled")  # lam = 0 has a meaning
    for parameter in ("tol",) if least_squares else ("lam", "tol"):
        with pytest.raises((mt.DataError, mt.FormError), match=f"{parameter} must be"):
            method.cls(**graph, **{parameter: bad}).fit(X, y)
    for weight in set(method.degrees) - {"lam"}:
        if bad != 0.0:
            with pytest.raises((mt.DataError, mt.FormError), match=f"{weight} must be"):
                method.cls(**graph, **{weight: bad}).fit(X, y)


def test_refitting_with_other_p_starts_anew() -> None:
    model = ridge().fit(X, y)
    model.fit(X[:, :2], y)
    assert model.coef_.shape == (1, 2)
    with pytest.raises(mt.DataError, match="X must have 2 features as in fit; got 3"):
        model.predict(X)


def test_a_failed_refit_leaves_the_estimator_as_it_was() -> None:
    model = ridge().fit(X, y)
    before = dict(vars(model))
    with pytest.raises(mt.DataError):
        model.fit(put(X, np.nan), y)
    assert vars(model) == before


def test_nan_is_missing_in_shared_form_only() -> None:
    Y = np.column_stack([y, y])
    Y[0, 1] = np.nan
    assert ridge().fit(X, Y).tasks_ == (0, 1)
    with pytest.raises(mt.DataError, match="y must be finite"):
        ridge().fit(X, Y[:, 1])


def test_one_class_is_fine_without_an_intercept() -> None:
    labels = [0, 1, 0, 1, 1, 1]
    model = logistic(fit_intercept=False).fit(X, labels, tasks=TASKS)
    assert model.result_.converged
