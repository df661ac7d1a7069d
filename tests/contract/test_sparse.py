"""Sparse designs give the answers of dense ones, and are never made dense."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse as sp

import mtlref as mt
from mtlref.sparserows import CentredRows, RowSpan
from mtlref.verify import naive

LINEAR = {name: m for name, m in mt.methods().items() if m.family == "linear" and name != "ELLA"}
ROWS = [name for name, m in LINEAR.items() if m.cls.sparse_rows]


def design(n: int, p: int, seed: int = 0) -> np.ndarray:
    """Few entries; columns of zeros, rows of zeros, and two columns that are full, one with a large mean."""
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((n, p)) < max(0.2, 3 / n), rng.standard_normal((n, p)), 0.0)
    X[:, 3] = 0.0
    X[::7] = 0.0
    X[:, 1] = rng.standard_normal(n) + 100.0
    X[:, 5] = 1.0 + rng.random(n)
    return X


def problem(n: int, p: int, loss: str, shared: bool) -> tuple[Any, Any]:
    """(dense X, y) in the list or the shared form."""
    rng = np.random.default_rng(1)
    w = np.where(np.arange(p) % 4 == 0, 1.0, 0.0)
    X = [design(n + 3 * t, p, t) for t in range(3)]
    y = [x @ (w + 0.3 * rng.standard_normal(p) * w) + rng.standard_normal(len(x)) for x in X]
    if loss == "logistic":
        y = [np.where(v > np.median(v), 1.0, -1.0) * np.where(rng.random(len(v)) < 0.15, -1, 1) for v in y]
    if not shared:
        return X, y
    return X[0], np.column_stack([y[0], np.roll(y[0], 2), y[0][::-1]])


def awkward(X: np.ndarray, how: str) -> Any:
    """The same matrix as scipy.sparse holds it, with all that it lets through."""
    if how == "csr_array":
        return sp.csr_array(X)
    if how == "csc_matrix":
        return sp.csc_matrix(X)
    rows, columns = np.nonzero(X)
    half = X[rows, columns] / 2
    zeros = np.zeros(4)
    if how == "coo_array":  # every entry in two parts, and explicit zeros
        data = np.concatenate([half, half, zeros])
        place = (np.concatenate([rows, rows, [0, 1, 0, 1]]), np.concatenate([columns, columns, [3, 3, 3, 3]]))
        return sp.coo_array((data, place), shape=X.shape)
    assert how == "csr_matrix"  # unsorted, duplicates not summed
    parts = [np.flatnonzero(x)[::-1] for x in X]
    indices = np.concatenate([np.concatenate([k, k]) for k in parts])
    data = np.concatenate([np.concatenate([x[k] / 2, x[k] / 2]) for x, k in zip(X, parts, strict=True)])
    pointers = np.concatenate([[0], np.cumsum([2 * len(k) for k in parts])])
    return sp.csr_matrix((data, indices, pointers), shape=X.shape)


# Methods solved in two ways: a gap of 1e-11 leaves its root, 3e-6, open in W.
FREER = ("MTFL", "MTRL", "CappedFeature", "JointFeature", "TraceNorm", "ClusteredMTL", "ConvexASO")


def same(a: Any, b: Any, tolerance: float) -> None:
    a, b = np.asarray(a), np.asarray(b)
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


def fitted(name: str, dense: Any, X: Any, y: Any, loss: str, **more: Any) -> tuple[Any, Any]:
    """The method on dense and on sparse data, at one lam."""
    kind = LINEAR[name]
    parameters: dict[str, Any] = {"tol": 1e-11, **more}
    if "graph" in kind.required:
        parameters["graph"] = np.ones((3, 3))
    if loss != "squared":
        parameters["loss"] = loss
    model = kind.cls(**parameters)
    model.set_params(lam=0.2 * model.lam_scale(mt.as_tasks(dense, y)))
    if "ridge" in kind.cls.degrees:
        model.set_params(ridge=0.05 * model.lam)
    plain = kind.cls(**model.get_params())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mt.NotConverged)  # some end at the rounding floor above 1e-11
        return plain.fit(dense, y), model.fit(X, y)


# What certifies far less than a gap of 1e-9, so that two runs differ by more: compared by value instead.
SLOW = {"GOMTL", "ASO", "CappedTraceNorm", "KMeansMTL"}


@pytest.mark.parametrize(
    ("name", "shared"),
    # The capped trace norm takes seconds on one design, and is served by the same moments as the others.
    [
        (name, shared)
        for name in LINEAR
        for shared in (False, True)
        if (name, shared) != ("CappedTraceNorm", True)
    ],
)
def test_squared_loss_of_any_method(name: str, shared: bool) -> None:
    dense, y = problem(30, 9, "squared", shared)
    X = awkward(dense, "coo_array") if shared else [awkward(x, h) for x, h in zip(dense, FORMS, strict=False)]
    more = {"tol": 1e-6} if name in SLOW else {}
    plain, model = fitted(name, dense, X, y, "squared", **more)
    rel = 1e-6 if name in SLOW else 1e-9
    assert model.result_.certificate.primal == pytest.approx(plain.result_.certificate.primal, rel=rel)
    if name not in SLOW:
        # A gap of 1e-11 leaves the coefficients of squared norms to 1e-6 of their size and no better.
        same(model.coef_, plain.coef_, 1e-9 if name not in ("MTFL", "MTRL") else 1e-6)
    same_predictions(model, plain, X, dense)


FORMS = ("csr_array", "csc_matrix", "csr_matrix", "coo_array")


def same_predictions(model: Any, plain: Any, X: Any, dense: Any) -> None:
    ours, theirs, again = model.predict(X), plain.predict(dense), model.predict(dense)
    for a, b, c in zip(ours, theirs, again, strict=True):
        assert type(a) is type(b)
        if model.loss == "logistic":
            assert (a == c).all()
        else:
            same(a, c, 1e-10)


@pytest.fixture
def no_dense_design(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Making anything dense that has the design's width fails; the shapes that were made dense are kept."""
    seen: list[tuple[int, ...]] = []
    plain = sp.csr_array.toarray

    def toarray(self: Any, *a: Any, **k: Any) -> Any:
        seen.append(self.shape)
        assert self.shape[1] < 600 or self.shape[0] == self.shape[1] < 1200, self.shape
        return plain(self, *a, **k)

    for kind in (sp.csr_array, sp.csc_array, sp.coo_array):
        monkeypatch.setattr(kind, "toarray", toarray)
        monkeypatch.setattr(kind, "todense", toarray)
    return seen


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize(("loss", "shared"), [("squared", False), ("squared", True), ("logistic", False)])
def test_more_features_than_rows(
    name: str, loss: str, shared: bool, no_dense_design: list[tuple[int, ...]]
) -> None:
    dense, y = problem(24, 1200, loss, shared)
    X = (
        awkward(dense, "csc_matrix")
        if shared
        else [awkward(x, h) for x, h in zip(dense, FORMS, strict=False)]
    )
    plain, model = fitted(name, dense, X, y, loss)
    assert model.result_.certificate.primal == pytest.approx(plain.result_.certificate.primal, rel=1e-9)
    assert model.result_.certificate.relative_gap <= 1e-9
    if loss == "squared":
        # The full column of mean 100 counts 1e4 times the others in the span of the rows: some digits of it go there.
        same(model.coef_, plain.coef_, 1e-9 if name not in FREER else 1e-5)
    same_predictions(model, plain, X, dense)
    assert no_dense_design


@pytest.mark.parametrize(
    "name", ["SingleTaskRidge", "Pooled", "JointFeature", "TraceNorm", "MeanRegularized"]
)
def test_logistic_with_more_rows_than_features(name: str, no_dense_design: list[tuple[int, ...]]) -> None:
    dense, y = problem(40, 9, "logistic", False)
    plain, model = fitted(name, dense, [awkward(x, "csr_matrix") for x in dense], y, "logistic")
    same(model.coef_, plain.coef_, 1e-9)
    assert all(
        shape[0] == shape[1] or shape[1] <= 2 for shape in no_dense_design
    )  # products, and full columns


def test_long_form_weights_and_missing_targets() -> None:
    X, y = problem(40, 6, "squared", True)
    tasks, weights = np.arange(40) % 3, np.arange(40) % 4 + 0.5
    ridge = mt.SingleTaskRidge(lam=0.3)
    dense = ridge.fit(X, y[:, 0], tasks, weights)
    expected, shown = dense.coef_.copy(), dense.predict(X, tasks)
    lazy = ridge.fit(sp.coo_matrix(X), y[:, 0], tasks, weights)
    same(lazy.coef_, expected, 1e-12)
    same(lazy.predict(sp.csc_array(X), tasks), shown, 1e-12)
    y[::3, 1] = np.nan
    masked = mt.TaskData.from_shared(sp.csr_array(X), y)
    assert masked.sparse
    assert not masked.shared
    same(ridge.fit(masked).coef_, mt.SingleTaskRidge(lam=0.3).fit(X, y).coef_, 1e-12)
    with pytest.raises(mt.FormError, match="missing targets"):
        masked.to_shared()
    single = mt.JointFeature(lam=0.1, tol=1e-12)
    same(
        single.fit(sp.csr_array(X), y[:, 0]).coef_,
        mt.JointFeature(lam=0.1, tol=1e-12).fit(X, y[:, 0]).coef_,
        1e-9,
    )
    assert (
        mt.audit(single, mt.TaskData.from_single(sp.csr_array(X), y[:, 0]), single.coef_.T).relative_gap
        <= 1e-10
    )


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, np.float32, bool])
def test_other_numbers(dtype: type) -> None:
    X = (np.random.default_rng(0).random((30, 5)) < 0.4).astype(dtype)
    y = X @ np.arange(5.0) + 1.0
    given = sp.csr_matrix(X)
    before = given.data.copy()
    same(mt.SingleTaskRidge(lam=0.1).fit(given, y).coef_, mt.SingleTaskRidge(lam=0.1).fit(X, y).coef_, 1e-13)
    assert given.dtype == dtype
    assert (given.data == before).all()


@pytest.mark.parametrize("name", list(LINEAR))
def test_predict_mirrors_the_form_of_fit(name: str) -> None:
    X, y = sp.csr_array(design(20, 6)), np.arange(20.0) % 5
    graph = {"graph": 1.0} if "graph" in LINEAR[name].required else {}
    model = LINEAR[name].cls(tol=1e-2, **graph)
    assert model.fit(X, y).predict(X).shape == (20,)
    assert model.fit(X, np.column_stack([y, y[::-1]])).predict(X).shape == (20, 2)


def test_the_callers_matrix_is_left_as_it_came() -> None:
    given = awkward(design(20, 6), "csr_matrix")
    before = [a.copy() for a in (given.data, given.indices, given.indptr)]
    mt.SingleTaskRidge(lam=1.0).fit(given, np.arange(20.0))
    for a, b in zip((given.data, given.indices, given.indptr), before, strict=True):
        assert (a == b).all()
        assert a.flags.writeable


def test_moments_lose_nothing_to_large_means_or_sizes() -> None:
    rng = np.random.default_rng(0)
    X = np.where(rng.random((50, 4)) < 0.3, rng.integers(-8, 9, (50, 4)), 0).astype(float)
    y = rng.integers(-8, 9, 50).astype(float)
    far = X.copy()
    far[:, 2] += 1e9
    plain = naive.moments(mt.TaskData.from_list([X], [y]))[0]
    weights = rng.integers(1, 5, 50).astype(float)
    chunks = [mt.TaskData.from_list([sp.csr_array(far[i : i + 9])], [y[i : i + 9]]) for i in range(0, 50, 9)]
    for moments in (
        mt.Moments.from_data(mt.TaskData.from_list([sp.csr_array(far)], [y])),
        mt.Moments.from_chunks(iter(chunks)),
    ):
        same(moments.cxx[0], plain["cxx"], 1e-13)
        same(moments.cxy[0], plain["cxy"], 1e-13)
    weighed = mt.TaskData.from_list([X], [y], weights=[weights])
    lazy = mt.TaskData.from_list([sp.csr_array(X)], [y], weights=[weights])
    same(mt.Moments.from_data(lazy).cxx, mt.Moments.from_data(weighed).cxx, 1e-14)
    huge = mt.TaskData.from_list([sp.csr_array(X * 2.0**200)], [y])
    same(
        mt.Moments.from_data(huge).cxx,
        mt.Moments.from_data(mt.TaskData.from_list([X * 2.0**200], [y])).cxx,
        1e-14,
    )


def check_products() -> None:
    """Every product of CentredRows and RowSpan against the dense matrix that they stand for."""
    X, rng = design(20, 7), np.random.default_rng(3)
    X[:, 5] += 1e8
    s = rng.random(20)
    centred = X - (s @ X) / s.sum()
    centred -= (s @ centred) / s.sum()  # what rounding left of a mean of 1e8
    root = np.sqrt(s)
    rows = CentredRows.of(sp.csr_array(X), s, True)
    A, dense = rows.scaled(root), root[:, None] * centred
    V, B = rng.standard_normal((7, 3)), rng.standard_normal((4, 20))
    same(A @ V, dense @ V, 1e-13)
    same(A @ V[:, 0], dense @ V[:, 0], 1e-13)
    same(B @ A, B @ dense, 1e-13)
    same(B[0] @ A, B[0] @ dense, 1e-13)
    same(A @ A.T, dense @ dense.T, 1e-13)
    same(V.T @ A.T, V.T @ dense.T, 1e-13)
    same(A.T @ B.T, dense.T @ B.T, 1e-13)
    same(A[:, np.array([5, 0, 3])], dense[:, [5, 0, 3]], 1e-13)
    same(rows.gram(s), dense.T @ dense, 1e-13)
    same(rows.squares(s), (dense**2).sum(axis=0), 1e-13)
    wide = design(8, 30)
    span, inside = RowSpan.of(sp.csr_array(wide))
    basis = span @ np.eye(span.shape[1])
    same(basis.T @ basis, np.eye(span.shape[1]), 1e-9)  # the rows' inner products hold sizes of 1 and 1e5
    same(inside @ basis.T, wide, 1e-9)
    same(span.T @ wide.T, inside.T, 1e-9)
    same(span[np.array([4, 1])], basis[[4, 1]], 1e-12)
    same(span.coordinates(sp.csr_array(wide[:3])), inside[:3], 1e-9)


def test_products() -> None:
    check_products()


def forgetful(self: CentredRows, s: Any) -> np.ndarray:
    return np.asarray((self.sparse.T @ self.sparse).toarray())


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "the Gram matrix is not centred": (CentredRows, "gram", forgetful),
    "a full column is centred by algebra too": ("mtlref.sparserows", "FULL", 1.0),
    "the rows of a transpose are summed without their mean": (
        CentredRows, "__rmatmul__", lambda self, B: np.asarray((self.sparse.T @ B.T).T)),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(MUTANTS))
def test_the_products_see_the_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, wrong = MUTANTS[fault]
    if isinstance(where, str):
        monkeypatch.setattr(f"{where}.{name}", wrong)
    else:
        monkeypatch.setattr(where, name, wrong)
    with pytest.raises(AssertionError):
        check_products()


def with_value(value: float) -> Any:
    X = sp.csr_array(design(6, 7))
    X.data[0] = value
    return X


Y = np.arange(6.0)
BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "NaN": (lambda: mt.Pooled().fit(with_value(np.nan), Y), mt.DataError, r"X must be finite; got NaN at \[\d, \d\]"),
    "infinity": (lambda: mt.Pooled().fit([with_value(-np.inf)], [Y]), mt.DataError, r"X\[0\] must be finite; got inf"),
    "complex": (lambda: mt.Pooled().fit(sp.csr_array(1j * np.eye(6)), Y), mt.DataError, "Complex data not supported"),
    "no rows": (lambda: mt.Pooled().fit(sp.csr_array((0, 3)), []), mt.DataError, "at least one row"),
    "other p": (
        lambda: mt.Pooled().fit([sp.csr_array(np.eye(2)), sp.csr_array(np.eye(3))], [[0, 1], [0, 1, 2]]),
        mt.DataError, r"X\[1\] must have shape \(n_t, 2\)"),
    "other p at predict": (
        lambda: mt.Pooled().fit(with_value(1.0), Y).predict(sp.csr_array(np.eye(6))),
        mt.DataError, "features as in fit"),
    "other rows": (lambda: mt.Pooled().fit(with_value(1.0), np.arange(5.0)), mt.DataError, "to match the rows of X"),
    "a method without sparse rows": (
        lambda: mt.GOMTL(loss="logistic").fit([with_value(1.0)] * 2, [[0, 1] * 3] * 2), mt.FormError,
        "GOMTL takes sparse X with the squared loss.*Any sparse X: SingleTaskRidge.*JointFeature"),
    "a kernel": (
        lambda: mt.MTRL(kernel=lambda a, b: a @ b.T).fit(with_value(1.0), Y), mt.FormError, "must be a dense array"),
    "neighbours": (
        lambda: mt.TaskNeighbors().fit(with_value(1.0), Y), mt.FormError, "The linear methods .* take sparse"),
    "a comparison": (
        lambda: mt.compare(mt.TaskData.from_single(with_value(1.0), Y)), mt.FormError,
        "The linear methods .* take sparse"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(BAD))
def test_bad_input(what: str) -> None:
    call, error, message = BAD[what]
    with pytest.raises(error, match=message):
        call()
