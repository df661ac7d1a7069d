"""Faults put into the Gaussian processes one at a time, and the test that must see each.

A mutant whose text no longer occurs fails, so that the table stays true; a test that an unchanged package breaks fails
too, so that it is the fault that is seen.
"""

# A line of the table is a line.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mtlref

ROOT = Path(mtlref.__file__).parent


@dataclass(frozen=True)
class Law:
    """A test of this folder with its arguments."""

    file: str
    test: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Mutant:
    """name: what is wrong. In gp/file, old becomes new; the law must see it."""

    name: str
    file: str
    old: str
    new: str
    law: Law


def kernel(test: str, *arguments: Any) -> Law:
    return Law("test_kernels.py", test, arguments)


def likelihood(route: str, missing: int, noise_rank: int, mean: str = "zero") -> Law:
    return Law("test_likelihood.py", "test_value_and_gradient", (route, missing, noise_rank, mean))


def prediction(test: str, *arguments: Any) -> Law:
    return Law("test_predict.py", test, arguments)


def estimator(test: str) -> Law:
    return Law("test_multi_task_gp.py", test)


MUTANTS = [
    # Kernels.
    Mutant("rbf: exponent without its half", "stationary.py", "K = -0.5 * s\n", "K = -s\n", kernel("test_printed_formulae")),
    Mutant("rbf: slope of another exponent", "stationary.py", "lambda rows: (-0.5, K[rows])", "lambda rows: (-1.0, K[rows])", kernel("test_pullback_to_parameters", "rbf")),
    Mutant("length: squared twice", "stationary.py", "X, Z = X / length, Z / length\n    if", "X, Z = X / length**2, Z / length**2\n    if", kernel("test_units_of_inputs_go_with_the_length", "rbf ard")),
    Mutant("lengths: gradient of all from one", "stationary.py", "squares(X[rows] / length, Z[begin:] / length, H)", "squares(X[rows] / length[0], Z[begin:] / length[0], H)", kernel("test_pullback_to_parameters", "matern32 ard")),
    Mutant("matern 1/2: division by zero distance", "stationary.py", "np.where(apart, K[rows] / np.where(apart, near, 1.0), 0.0)", "K[rows] / near", kernel("test_derivatives_where_inputs_coincide", "matern12")),
    Mutant("matern 3/2: polynomial of 1/2", "stationary.py", "return (1 + a) * e, lambda", "return e, lambda", kernel("test_printed_formulae")),
    Mutant("matern 5/2: slope without its polynomial", "stationary.py", "(-5 / 6, (1 + a[rows]) * e[rows])", "(-5 / 6, e[rows])", kernel("test_pullback_to_inputs", "matern52")),
    Mutant("rational quadratic: alpha without its logarithm", "stationary.py", "(u / (1 + u) - _log1p(u))", "(u / (1 + u))", kernel("test_pullback_to_parameters", "rq")),
    Mutant("periodic: period without its slope's sign", "stationary.py", "by_period + 2 * w", "by_period - 2 * w", kernel("test_pullback_to_parameters", "periodic")),
    Mutant("inputs: gradient to the second argument", "stationary.py", "2 * np.stack(columns, axis=1) / self.length**2", "-2 * np.stack(columns, axis=1) / self.length**2", kernel("test_pullback_to_inputs", "rbf ard")),
    Mutant("product: derivative of a sum", "kernels.py", "np.concatenate([pull_a(G * b), pull_b(G * a)])", "np.concatenate([pull_a(G), pull_b(G)])", kernel("test_pullback_to_parameters", "product")),
    Mutant("scale: not in the derivative of the rest", "kernels.py", "[v * (G * K).sum()], v * pull(G)]", "[v * (G * K).sum()], pull(G)]", kernel("test_pullback_to_parameters", "scale")),
    Mutant("white: equal inputs share their noise", "simple.py", "np.zeros((len(X), len(other)), dtype=self._theta.dtype), lambda", "v * (X[:, None] == other).all(axis=2), lambda", kernel("test_special_cases")),
    Mutant("linear: variance squared", "simple.py", "root = np.sqrt(v)", "root = v", kernel("test_printed_formulae")),
    # Covariances between tasks.
    Mutant("coregional: one-sided gradient", "coregional.py", "((G + G.T) @ self.A)", "(2 * G @ self.A)", likelihood("dense", 4, 1)),
    Mutant("coregional: kappa in place of its logarithm", "coregional.py", "np.diag(G) * self.kappa", "np.diag(G)", likelihood("kronecker", 0, 0)),
    # The dense route.
    Mutant("dense: determinant counted once", "exact.py", "log_det = 2 * float", "log_det = float", likelihood("dense", 0, 0)),
    Mutant("dense: gradient without the data", "exact.py", "self.contract(self._upper_inverse(keep), self.alpha)", "self.contract(self._upper_inverse(keep))", likelihood("dense", 0, 0)),
    Mutant("dense: noise of other tasks", "exact.py", "np.add.at(by_noise, (c.task[i], c.task[j])", "np.add.at(by_noise, (c.task[i], c.task[i])", likelihood("dense", 4, 1)),
    Mutant("dense: silent jitter", "exact.py", "        trace = float(np.trace(C))\n", "        C.flat[:: cells.N + 1] += 1e-6\n        trace = float(np.trace(C))\n", likelihood("dense", 0, 0)),
    # The table.
    Mutant("table: noise not whitened", "kronecker.py", "cells.n * log_noise + float", "float", likelihood("kronecker", 0, 0)),
    Mutant("table: whitening from one side", "kronecker.py", "lapack.dtrtrs(L, U, lower=1, trans=1)", "lapack.dtrtrs(L, U, lower=1)", likelihood("kronecker", 0, 1)),
    Mutant("table: trace term weighed by task alone", "kronecker.py", "np.sqrt(self.D @ self.lam), lower=1", "np.sqrt(self.D.sum(axis=1)), lower=1", likelihood("kronecker", 0, 0)),
    Mutant("table: noise gradient with the signal's weight", "kronecker.py", "(W * total) @ W.T", "(W * total / 7) @ W.T", likelihood("kronecker", 0, 1)),
    Mutant("table: mean's gradient of the wrong sign", "kronecker.py", "by_mean = -product(self.basis.T, self.M)", "by_mean = product(self.basis.T, self.M)", likelihood("kronecker", 0, 0, "linear")),
    Mutant("table: a kernel that is none", "spectrum.py", "if info != 0 or not -1e-10 * s[-1] <= s[0] <= s[-1] < np.inf:", "if False:", Law("test_likelihood.py", "test_a_function_that_is_no_kernel_is_an_error", ("kronecker",))),
    Mutant("nested: noise of one place", "inner.py", "log_det = inner.n * log_noise", "log_det = log_noise", Law("test_fit.py", "test_inner_value_and_derivatives_are_those_of_the_table", (0, "zero"))),
    Mutant("nested: mean's gradient in the wrong basis", "inner.py", "by_mean = -(inner.basis.T @ u) @ W.T", "by_mean = -(inner.basis.T @ u) @ W", Law("test_fit.py", "test_inner_value_and_derivatives_are_those_of_the_table", (0, "linear"))),
    Mutant("nested: the trace in second derivatives of the wrong sign", "inner.py", "turned -= 0.5 * pairs", "turned += 0.5 * pairs", Law("test_fit.py", "test_inner_value_and_derivatives_are_those_of_the_table", (0, "zero"))),
    Mutant("nested: B and noise weighed alike", "inner.py", "triples[k + j]", "triples[2 * k]", Law("test_fit.py", "test_inner_value_and_derivatives_are_those_of_the_table", (0, "zero"))),
    Mutant("nested: A taken as if B were linear in it", "inner.py", "block[entries[:, :, None], entries[:, None]] += 2 * G", "block[entries[:, :, None], entries[:, None]] += 0 * G", Law("test_fit.py", "test_inner_value_and_derivatives_are_those_of_the_table", (2, "zero"))),
    Mutant("nested: means that do not meet covariances", "inner.py", "H[places[k], places[2]] = mixed", "H[places[k], places[2]] = 0 * mixed", Law("test_fit.py", "test_inner_value_and_derivatives_are_those_of_the_table", (0, "linear"))),
    Mutant("nested: places outside forgotten", "inner.py", "pairs[2] += self.outside", "pairs[2] += 0", Law("test_fit.py", "test_inner_counts_the_places_outside_a_thin_spectrum")),
    Mutant("trust: bounds overstepped", "trust.py", "trial = np.clip(trial, low, high)", "trial = np.array(trial)", Law("test_trust.py", "test_bounds")),
    Mutant("trust: downhill by the Hessian as it is", "trust.py", "np.maximum(np.abs(values), 1e-10 * np.abs(values).max() + 1e-300)", "values + 0.0", Law("test_trust.py", "test_an_indefinite_start")),
    Mutant("trust: every step taken", "trust.py", "if gained < 0:", "if True:", Law("test_trust.py", "test_never_uphill")),
    Mutant("triangle: what is left of the diagonal never looked at", "stationary.py", "begin = first if symmetric and not G[rows, :first].any() else 0", "begin = first", kernel("test_pullback_in_blocks_of_rows", "rbf ard")),
    # Blocks of cells.
    Mutant("blocks: the diagonal counted twice", "blocks.py", "block.flat[:: len(block) + 1] *= 0.5", "block.flat[:: len(block) + 1] *= 1.0", Law("test_likelihood.py", "test_cells_at_places_of_their_own_in_many_blocks")),
    Mutant("blocks: a square counted on both sides", "blocks.py", "block = np.triu(block)", "block = np.array(block)", Law("test_likelihood.py", "test_cells_at_places_of_their_own_in_many_blocks")),
    Mutant("blocks: what is right of a square forgotten", "blocks.py", "for columns in (rows, slice(rows.stop, N))", "for columns in (rows,)", Law("test_likelihood.py", "test_cells_at_places_of_their_own_in_many_blocks")),
    Mutant("blocks: a task of rows for the tasks of columns", "blocks.py", "by_task[q][t, columns] +=", "by_task[q][0, columns] +=", Law("test_likelihood.py", "test_cells_at_places_of_their_own_in_many_blocks")),
    Mutant("noise: pairs at a place counted as their own", "exact.py", "np.where(i == j, 0.5, 1.0) * shared", "0.5 * shared", likelihood("dense", 0, 1)),
    # The thin spectrum.
    Mutant("thin: noise without the directions left out", "kronecker.py", "self.D.sum(axis=0) + self.spectrum.null", "self.D.sum(axis=0)", Law("test_spectrum.py", "test_routes_agree", (0.1, 1e-10))),
    Mutant("thin: residual outside forgotten", "kronecker.py", " + float((self.rest**2).sum())", "", Law("test_spectrum.py", "test_routes_agree", (0.1, 1e-10))),
    Mutant("thin: far more than rounding left out", "spectrum.py", "ROUNDING = 2 * EPS", "ROUNDING = 1e4 * EPS", Law("test_spectrum.py", "test_few_places_leave_out_what_is_rounding_alone", ("smooth", 100))),
    Mutant("thin: back by the reflectors of all rows", "spectrum.py", "reflectors[1:, : m - 1]", "reflectors[:-1, : m - 1]", Law("test_spectrum.py", "test_few_places_leave_out_what_is_rounding_alone", ("rough", 100))),
    Mutant("thin: what is left is not looked at", "spectrum.py", "if not np.abs(left).max() <= 100 * n * tol:", "if False:", Law("test_spectrum.py", "test_what_is_no_kernel_is_refused_still")),
    # Holes.
    Mutant("holes: determinant of the hidden cells forgotten", "holes.py", "log_det - float(part @ part)", "-float(part @ part)", likelihood("holes", 4, 0)),
    Mutant("holes: filled with zero and left at that", "holes.py", "- np.einsum(\"k,kit->it\", part, self.Q)", "- 0 * np.einsum(\"k,kit->it\", part, self.Q)", likelihood("holes", 4, 0)),
    Mutant("holes: constants of the hidden cells", "holes.py", "- len(hidden) * np.log(2 * np.pi)", "", likelihood("holes", 4, 0)),
    Mutant("holes: gradient of the complete table", "holes.py", "np.diag(complete) - gram(flat)", "np.diag(complete)", likelihood("holes", 4, 1)),
    Mutant("holes: variance of the complete table", "predict.py", "out = out - (taken**2).sum(axis=1).T", "out = out", prediction("test_mean_variance_and_covariance", "holes", 5, 0)),
    # Predictions.
    Mutant("mean: weights of the wrong task", "predict.py", "route.alpha[:, None] * B.matrix()[cells.task]", "route.alpha[:, None] * np.diag(B.matrix())", prediction("test_mean_variance_and_covariance", "dense", 5, 0)),
    Mutant("variance: noise in the function", "predict.py", "if noise else out", "", prediction("test_mean_variance_and_covariance", "dense", 0, 0)),
    Mutant("leave-one-out: the training residual", "leave_out.py", "error = np.einsum(\"gij,gj->gi\", C, alpha)", "error = alpha", prediction("test_leaving_out_is_refitting", "kronecker", 0, 0)),
    Mutant("leave-one-out: gradient from one side", "leave_out.py", "np.multiply.outer(beta, alpha) - np.multiply.outer(alpha, beta)", "2 * np.multiply.outer(beta, alpha)", prediction("test_leave_out_objectives", 1, 1, "cell")),
    Mutant("leave-place-out: each cell by itself", "leave_out.py", "singles(c) if by == \"cell\" else places(c)", "singles(c)", prediction("test_leave_out_objectives", 1, 1, "place")),
    Mutant("choice: information of a noiseless measurement", "choice.py", "np.log1p(v / noise)", "np.log1p(v)", prediction("test_choice_by_brute_force", "dense", 0)),
    # Priors.
    Mutant("prior: of the logarithm", "priors.py", "(v if log else units)", "(1.0 if log else units)", Law("test_priors.py", "test_gradient_at_a_model")),
    Mutant("prior: in units of scaled targets", "priors.py", "scale[task] if \".A[\" in name else scale[task] ** 2", "1.0", Law("test_priors.py", "test_units_are_those_of_the_targets")),
    Mutant("prior: a density of 1/v without its Jacobian", "priors.py", "- (self.shape + 1) * np.log(v)", "- (self.shape - 1) * np.log(v)", Law("test_priors.py", "test_densities_are_those_of_scipy_and_integrate_to_one", ("inverse gamma",))),
    # Labels.
    Mutant("laplace: the mode does not move", "laplace.py", "u = s - product(R, product(self.C, s))", "u = 0 * s", Law("test_laplace.py", "test_evidence_and_gradient", (1, "zero"))),
    Mutant("laplace: third derivative of the wrong sign", "laplace.py", "s = -0.5 * variance", "s = 0.5 * variance", Law("test_laplace.py", "test_evidence_and_gradient", (1, "zero"))),
    Mutant("laplace: one step of Newton", "laplace.py", "STEPS, HALVINGS = 100", "STEPS, HALVINGS = 1", Law("test_laplace.py", "test_the_mode_is_the_maximum_and_does_not_depend_on_its_start")),
    Mutant("laplace: mean's gradient without the mode's", "laplace.py", "(self.a + u)[span]", "self.a[span]", Law("test_laplace.py", "test_evidence_and_gradient", (1, "linear"))),
    Mutant("laplace: probability at the mode", "laplace.py", "np.sqrt(variance)[..., None] * nodes", "0 * nodes", Law("test_laplace.py", "test_probabilities_by_brute_force")),
    # The estimator.
    Mutant("units: loadings scaled as variances", "starts.py", "B.A * scale[:, None]", "B.A * scale[:, None] ** 2", estimator("test_a_fit_is_stationary_and_finds_the_signs")),
    Mutant("forms: the first task for all rows", "forms.py", "values[np.arange(len(values)), self.task]", "values[:, 0]", estimator("test_forms_and_what_predict_mirrors")),
    Mutant("cells: targets in the order of the rows", "cells.py", "y[order], data.T, order)", "y, data.T, order)", Law("test_likelihood.py", "test_forms_of_data_give_the_same_cells")),
    Mutant("audit: half of a trace", "../verify/processes.py", "G = 0.5 * (np.linalg.inv(C) - np.outer(alpha, alpha))", "G = 0.5 * np.linalg.inv(C) - np.outer(alpha, alpha)", Law("test_audit.py", "test_it_finds_what_the_fit_certified", ("rank 2", 0))),
    Mutant("audit: noise at one place not shared", "../verify/processes.py", "if model.noise.rank == 0 else x[:, None] == x", "if True else x[:, None] == x", Law("test_audit.py", "test_it_finds_what_the_fit_certified", ("structured noise", 0))),
    Mutant("fit: bounds in silence", "hyper.py", "said.append(f\"{model.names[k]} ended", "str(f\"{model.names[k]} ended", estimator("test_what_went_wrong_is_said")),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_law_sees_the_fault(
    mutant: Mutant, package_with: Callable[[str, str, str], Path], sees: Callable[..., None]
) -> None:
    folder = package_with(f"gp/{mutant.file}", mutant.old, mutant.new)
    sees(folder, mutant.law.file, mutant.law.test, mutant.law.arguments)


@pytest.mark.parametrize("law", sorted({m.law for m in MUTANTS}, key=repr), ids=repr)
def test_the_law_holds_without_the_fault(law: Law, run: Callable[..., None]) -> None:
    run(law.file, law.test, law.arguments)
