"""The three routes against the dense formula written flat, and against each other."""

from __future__ import annotations

import importlib.util
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mtlref as mt
from mtlref.errors import DataError, IllConditioned
from mtlref.gp import RBF, Linear, Matern52, White, blocks, leave_out
from mtlref.gp.cells import Cells
from mtlref.gp.coregional import Coregional
from mtlref.gp.model import Model
from mtlref.gp.route import choose, condition_on
from mtlref.verify.derivative import complex_step

_spec = importlib.util.spec_from_file_location("gp_twins", Path(__file__).with_name("conftest.py"))
assert _spec is not None and _spec.loader is not None  # noqa: PT018
twins: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(twins)

CASES = [
    (route, missing, noise_rank, mean)
    for route, missing in (("kronecker", 0), ("holes", 0), ("holes", 4), ("dense", 0), ("dense", 4))
    for noise_rank in (0, 1)
    for mean in ("zero", "constant", "linear")
]


@pytest.mark.parametrize(("route", "missing", "noise_rank", "mean"), CASES)
def test_value_and_gradient(route: str, missing: int, noise_rank: int, mean: str) -> None:
    cells = twins.table_cells(1, missing=missing)
    model = twins.random_model(2, noise_rank=noise_rank, mean=mean)
    made = condition_on(model, cells, route)
    np.testing.assert_allclose(made.value, twins.flat_value(model, cells), rtol=1e-11)
    slope = complex_step(lambda t: twins.flat_value(model.with_theta(t), cells), model.theta)
    got = made.gradient()
    assert got.shape == (len(model.names),)
    np.testing.assert_allclose(got, slope, rtol=1e-9, atol=1e-10)
    np.testing.assert_array_equal(got, made.gradient())
    assert made.backward_error <= 1e-14


@pytest.mark.parametrize("terms", [1, 2, 3])
@pytest.mark.parametrize("mean", ["zero", "linear"])
def test_unaligned(loose_cells: Any, terms: int, mean: str) -> None:
    cells = loose_cells(3)
    assert not cells.once
    assert not cells.aligned
    model = twins.random_model(4, terms=terms, mean=mean)
    made = condition_on(model, cells)
    np.testing.assert_allclose(made.value, twins.flat_value(model, cells), rtol=1e-11)
    slope = complex_step(lambda t: twins.flat_value(model.with_theta(t), cells), model.theta)
    np.testing.assert_allclose(made.gradient(), slope, rtol=1e-9, atol=1e-10)


def test_places_of_their_own() -> None:
    """All inputs different: matrices over places are matrices over cells."""
    rng = np.random.default_rng(0)
    X = [rng.uniform(-1, 1, (n, 2)) for n in (5, 1, 3)]
    cells = Cells.from_tasks(mt.TaskData.from_list(X, [rng.standard_normal(len(x)) for x in X]))
    assert cells.aligned
    model = twins.random_model(4, terms=2)
    slope = complex_step(lambda t: twins.flat_value(model.with_theta(t), cells), model.theta)
    np.testing.assert_allclose(condition_on(model, cells).gradient(), slope, rtol=1e-9, atol=1e-10)


def test_cells_at_places_of_their_own_in_many_blocks() -> None:
    """Rows by twos and threes, across tasks, with a kernel that knows a place from its equal: as in one block."""
    rng = np.random.default_rng(0)
    X = [rng.uniform(-1, 1, (n, 2)) for n in (5, 1, 3)]
    cells = Cells.from_tasks(mt.TaskData.from_list(X, [rng.standard_normal(len(x)) for x in X]))
    assert cells.aligned
    B = [twins.random_coregional(rng, 3, 2) for _ in range(2)]
    kernels = (RBF([0.5, 0.8]) + White(0.3), Matern52(0.7) * Linear([1.0, 2.0]))
    model = Model.make(zip(B, kernels, strict=True), Coregional.diagonal([0.1, 0.2, 0.3]), mean="linear", p=2)
    one = condition_on(model, cells, "dense")
    slope = complex_step(lambda t: twins.flat_value(model.with_theta(t), cells), model.theta)
    before = blocks.ROOM
    try:
        for room in (1, 18, 27):
            blocks.ROOM = room
            made = condition_on(model, cells, "dense")
            assert len(made._blocks.pieces) > 1  # type: ignore[union-attr]
            np.testing.assert_allclose(made.value, one.value, rtol=1e-13)
            np.testing.assert_allclose(made.gradient(), slope, rtol=1e-9, atol=1e-10)
            value, gradient = leave_out.objective(made)  # type: ignore[arg-type]
            np.testing.assert_allclose(gradient, leave_out.objective(one)[1], rtol=1e-11, atol=1e-12)  # type: ignore[arg-type]
            np.testing.assert_allclose(value, leave_out.objective(one)[0], rtol=1e-13)  # type: ignore[arg-type]
    finally:
        blocks.ROOM = before


@pytest.mark.parametrize("missing", [0, 5])
@pytest.mark.parametrize("noise_rank", [0, 2])
def test_solves_and_blocks_of_the_inverse(missing: int, noise_rank: int) -> None:
    cells = twins.table_cells(1, n=6, T=4, missing=missing)
    model = twins.random_model(2, T=4, noise_rank=noise_rank)
    C = twins.flat_covariance(model, cells)
    P = np.linalg.inv(C)
    R = np.random.default_rng(0).standard_normal((cells.N, 3))
    groups = [np.array([[0, 5, 9], [9, 2, 4]]), np.arange(cells.N)[:, None], np.array([[1, 3]])]
    for route in ("kronecker", "holes", "dense") if missing == 0 else ("holes", "dense"):
        made = condition_on(model, cells, route)
        np.testing.assert_allclose(made.solve(R), P @ R, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(made.solve(R[:, 0]), P @ R[:, 0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(made.alpha, P @ twins.flat_residual(model, cells), rtol=1e-10, atol=1e-12)
        for stack in groups:
            for group, block in zip(stack, made.inverse_blocks(stack), strict=True):
                np.testing.assert_allclose(block, P[np.ix_(group, group)], rtol=1e-10, atol=1e-12)


def test_white_kernel_is_structured_noise() -> None:
    cells = twins.table_cells(1)
    B, Sigma = (twins.random_coregional(np.random.default_rng(k), 3, 2) for k in (0, 1))
    white = Coregional.diagonal([1e-3] * 3)
    plain = Model.make([(B, RBF(0.7))], Coregional.from_matrix(Sigma.matrix() + white.matrix()))
    by_kernel = Model.make([(B, RBF(0.7)), (Sigma, White(1.0))], white)
    one, other = condition_on(plain, cells), condition_on(by_kernel, cells)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)


def test_diagonal_coregionalisation_is_separate_processes() -> None:
    cells = twins.table_cells(5)
    rng = np.random.default_rng(1)
    scale, noise = rng.uniform(0.5, 2, 3), rng.uniform(0.1, 1, 3)
    model = Model.make([(Coregional.diagonal(scale), RBF(0.7))], Coregional.diagonal(noise))
    parts = 0.0
    for t in range(3):
        one = Model.make(
            [(Coregional.diagonal(scale[t : t + 1]), RBF(0.7))], Coregional.diagonal(noise[t : t + 1])
        )
        single = mt.TaskData.from_single(cells.X, cells.table(cells.y)[:, t])
        parts += condition_on(one, Cells.from_tasks(single)).value
    np.testing.assert_allclose(condition_on(model, cells).value, parts, rtol=1e-12)


@pytest.mark.parametrize("route", ["kronecker", "holes", "dense"])
def test_permuting_tasks_permutes(route: str) -> None:
    cells = twins.table_cells(5)
    model = twins.random_model(6, noise_rank=1, mean="constant")
    order = np.array([2, 0, 1])
    data = mt.TaskData.from_shared(cells.X, cells.table(cells.y))
    moved = Cells.from_tasks(data.select([2, 0, 1]))
    one, other = condition_on(model, cells, route), condition_on(model.permuted(order), moved, route)
    np.testing.assert_allclose(other.value, one.value, rtol=1e-12)
    shuffled = one.alpha.reshape(3, -1)[order].ravel()
    np.testing.assert_allclose(other.alpha, shuffled, rtol=1e-10, atol=1e-12)


def test_one_task_is_the_process_of_scikit_learn() -> None:
    gp = pytest.importorskip("sklearn.gaussian_process")
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    rng = np.random.default_rng(0)
    X, y = rng.uniform(-1, 1, (25, 2)), rng.standard_normal(25)
    ours = Model.make([(Coregional.diagonal([1.7]), Matern52([0.4, 0.8]))], Coregional.diagonal([0.3]))
    theirs = gp.GaussianProcessRegressor(
        kernels.ConstantKernel(1.7) * kernels.Matern([0.4, 0.8], nu=2.5) + kernels.WhiteKernel(0.3),
        optimizer=None,
        alpha=0.0,
    ).fit(X, y)
    value, gradient = theirs.log_marginal_likelihood(theirs.kernel_.theta, eval_gradient=True)
    for route in ("kronecker", "dense"):
        made = condition_on(ours, Cells.from_tasks(mt.TaskData.from_single(X, y)), route)
        np.testing.assert_allclose(-made.value, value, rtol=1e-10)
        np.testing.assert_allclose(-made.gradient(), gradient, rtol=1e-9)


def test_linear_kernel_is_the_kernel_form_of_a_task_covariance_on_coefficients() -> None:
    """w ~ N(0, Ω ⊗ I), the prior of MTRL with Ω fixed: y has covariance Σ_tu Ω_tu x'z."""
    rng = np.random.default_rng(0)
    X, Omega = rng.standard_normal((6, 2)), twins.random_coregional(rng, 3, 2).matrix()
    cells = Cells.from_tasks(mt.TaskData.from_shared(X, rng.standard_normal((6, 3))))
    model = Model.make([(Coregional.from_matrix(Omega), Linear(1.0))], Coregional.diagonal([0.5] * 3))
    design = np.kron(np.eye(3), X)
    precision = np.kron(np.linalg.inv(Omega), np.eye(2)) + design.T @ design / 0.5
    W = np.linalg.solve(precision, design.T @ cells.y / 0.5)  # ridge with the penalty tr(W Ω⁻¹ W')
    made = condition_on(model, cells)
    smooth = np.kron(Omega, X @ X.T) @ made.alpha
    np.testing.assert_allclose(smooth, design @ W, rtol=1e-10)


def test_forms_of_data_give_the_same_cells() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((6, 2)), rng.standard_normal((6, 3))
    model = twins.random_model(6)
    shared = condition_on(model, Cells.from_tasks(mt.TaskData.from_shared(X, Y)))
    listed = Cells.from_tasks(mt.TaskData.from_list([X, X[::-1], X], [Y[:, 0], Y[::-1, 1], Y[:, 2]]))
    assert listed.complete
    np.testing.assert_allclose(condition_on(model, listed).value, shared.value, rtol=1e-13)
    Y[2, 1] = Y[4, 0] = np.nan
    seen = ~np.isnan(Y)
    masked = Cells.from_tasks(mt.TaskData.from_shared(X, Y))
    ragged = Cells.from_tasks(
        mt.TaskData.from_list([X[s] for s in seen.T], [Y[s, t] for t, s in enumerate(seen.T)])
    )
    one, other = condition_on(model, masked, "dense"), condition_on(model, ragged, "dense")
    np.testing.assert_allclose(one.value, other.value, rtol=1e-13)
    assert masked.n == 6
    assert masked.N == 16


def test_the_route_is_the_cheapest_that_fits() -> None:
    model = twins.random_model(0)
    assert choose(model, twins.table_cells(0)) == "kronecker"
    assert choose(twins.random_model(0, terms=2), twins.table_cells(0)) == "dense"
    assert choose(twins.random_model(0, T=6), twins.table_cells(0, n=60, T=6, missing=4)) == "holes"
    assert choose(twins.random_model(0, T=6), twins.table_cells(0, n=60, T=6, missing=200)) == "dense"


class NoKernel(RBF):
    """1 − s: has negative eigenvalues."""

    def _profile(self, s: Any) -> Any:
        return 1 - s, lambda rows: -np.ones_like(s[rows])


@pytest.mark.parametrize("route", ["kronecker", "holes", "dense"])
def test_a_function_that_is_no_kernel_is_an_error(route: str) -> None:
    model = twins.random_model(2, kernel=NoKernel(0.3))
    with pytest.raises(IllConditioned, match="positive"):
        condition_on(model, twins.table_cells(1), route)


@pytest.mark.parametrize("route", ["kronecker", "holes", "dense"])
def test_ill_conditioned_is_right_or_an_error(route: str) -> None:
    """A length of 100 times the range, inputs twice, noise 1e-8: right to what the condition number leaves."""
    rng = np.random.default_rng(0)
    X = np.repeat(rng.uniform(0, 1, (12, 1)), 2, axis=0)
    cells = Cells.from_tasks(
        mt.TaskData.from_shared(X, np.sin(X) @ [[1.0, 2.0]] + 1e-4 * rng.standard_normal((24, 2)))
    )
    if route == "holes":
        cells = cells.subset(np.delete(np.arange(cells.N), [3, 30, 31]))
    B = Coregional([[1.0], [2.0]], [0.1, 0.1])
    model = Model.make([(B, RBF(100.0))], Coregional.diagonal([1e-8, 1e-8]))
    made = condition_on(model, cells, route)
    exact = _in_many_digits(model, cells)
    # The smallest eigenvalues, 1e-8, are known to 1e-16 times the largest, some 1e2: 1e-6 relative.
    np.testing.assert_allclose(made.value, exact, rtol=1e-5)
    with pytest.raises(IllConditioned, match="nothing is added in silence"):
        condition_on(Model.make([(B, RBF(100.0))], Coregional.diagonal([1e-14, 1e-14])), cells, route)


def _in_many_digits(model: Model, cells: Cells) -> float:
    """−log p(y) in fifty digits, by Cholesky row by row."""
    with localcontext(prec=50):
        b, noise = model.terms[0][0].matrix(), model.noise.matrix()
        x = [Decimal(float(v)) for v in cells.X[:, 0]]
        length = Decimal(float(model.terms[0][1].length[0]))
        L: list[list[Decimal]] = []
        z: list[Decimal] = []
        for i in range(cells.N):
            row: list[Decimal] = []
            for j in range(i + 1):
                t, u = cells.task[i], cells.task[j]
                d = (x[cells.place[i]] - x[cells.place[j]]) / length
                c = Decimal(float(b[t, u])) * (-d * d / 2).exp() + (
                    Decimal(float(noise[t, t])) if i == j else 0
                )
                c -= sum(
                    (a * e for a, e in zip(row[:j], L[j][:j] if j < i else row, strict=True)), Decimal(0)
                )
                row.append(c.sqrt() if i == j else c / L[j][j])
            L.append(row)
            rest = sum((a * e for a, e in zip(row[:i], z, strict=True)), Decimal(0))
            z.append((Decimal(float(cells.y[i])) - rest) / row[i])
        value = sum(v * v for v in z) / 2 + sum(L[i][i].ln() for i in range(cells.N))
        return float(value) + cells.N * float(np.log(2 * np.pi)) / 2


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Coregional([[1.0]], [0.0]), DataError, "kappa must be > 0"),
        (lambda: Coregional([[1.0]], [1.0, 2.0]), DataError, "kappa must have shape"),
        (lambda: Coregional([[np.nan]], [1.0]), DataError, "finite"),
        (lambda: Coregional.from_matrix([[1.0, 2.0], [2.0, 1.0]]), DataError, "positive definite"),
        (lambda: Coregional.from_matrix([[1.0, 2.0], [0.0, 1.0]]), DataError, "symmetric"),
        (lambda: Model.make([], Coregional.diagonal([1.0])), DataError, "at least one pair"),
        (lambda: Model.make([(RBF(), RBF())], Coregional.diagonal([1.0])), DataError, "must be a pair"),
        (
            lambda: Model.make([(Coregional.diagonal([1.0, 1.0]), RBF())], Coregional.diagonal([1.0])),
            DataError,
            "over the noise's 1 tasks",
        ),
        (
            lambda: Model.make(
                [(Coregional.diagonal([1.0]), RBF())], Coregional.diagonal([1.0]), mean="cubic"
            ),
            DataError,
            "mean must be one of",
        ),
        (lambda: condition_on(twins.random_model(0, T=2), twins.table_cells(0)), DataError, "2 tasks; got 3"),
        (
            lambda: condition_on(twins.random_model(0), twins.table_cells(0), "fast"),
            DataError,
            "route must be",
        ),
        (
            lambda: condition_on(twins.random_model(0), twins.table_cells(0, missing=2), "kronecker"),
            DataError,
            "complete table",
        ),
        (lambda: twins.random_model(0).with_theta(np.zeros(3)), DataError, "theta must have shape"),
    ],
)
def test_bad_input(make: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_structured_noise_refuses_repeats(loose_cells: Any) -> None:
    with pytest.raises(DataError, match="at most once"):
        condition_on(twins.random_model(0, noise_rank=1), loose_cells(0))
