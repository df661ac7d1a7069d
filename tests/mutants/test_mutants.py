"""Faults put into the package one at a time, and the law that must see each.

A mutant whose text no longer occurs fails, so that the table stays true; a law that an unchanged package breaks fails
too, so that it is the fault that is seen. Several of the faults have been published in other libraries.
"""

# A line of the table is a line.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import mtlref

ROOT = Path(mtlref.__file__).parent


@dataclass(frozen=True)
class Mutant:
    """name: what is wrong. In file, old becomes new; ``law subject [loss]`` must see it."""

    name: str
    file: str
    old: str
    new: str
    law: str


(
    RIDGE, LASSO, POOLED, MEAN, GRAPH, JOINT, TRACE, MTRL, MTFL, CLUSTERED, ASO_RELAXED, KMEANS, ASO, LINF, CAPPED,
    CAPPED_TRACE,
) = (
    f"linear/{page}.py"
    for page in (
        "single_task_ridge", "single_task_lasso", "pooled", "mean_regularized", "graph_regularized", "joint_feature",
        "trace_norm", "mtrl", "mtfl", "clustered_mtl", "convex_aso", "kmeans_mtl", "aso", "joint_feature_linf",
        "capped_feature", "capped_trace_norm",
    )
)  # fmt: skip

GOMTL, FACTORED = "linear/gomtl.py", "optim/factored.py"
TASKGRAPH = "linear/taskgraph.py"

MUTANTS = [
    # Pages: objective, certificate, solver.
    Mutant("ridge: penalty without its half", RIDGE, "lam / 2 * float(np.vdot(W, W))  # (P)",
           "lam * float(np.vdot(W, W))  # (P)", "primal_is_the_objective SingleTaskRidge"),
    Mutant("ridge: dual without the penalty's conjugate", RIDGE, "point.value() - float(np.vdot(G, G)) / (2 * lam)",
           "point.value()", "gap_bounds_suboptimality SingleTaskRidge"),
    Mutant("ridge: solver with another lam", RIDGE, "ridge(problem, start, lam=lam)", "ridge(problem, start, lam=2 * lam)",
           "certificate_closes SingleTaskRidge logistic"),
    Mutant("lasso: objective forgets the ridge", LASSO, "+ ridge / 2 * float(np.vdot(W, W))  # (P)", "  # (P)",
           "primal_is_the_objective SingleTaskLasso"),
    Mutant("lasso: certificate with an infeasible dual point", LASSO, "polar = np.abs(point.G - ridge * W).max(axis=0)",
           "polar = 0.5 * np.abs(point.G - ridge * W).max(axis=0)", "gap_bounds_suboptimality SingleTaskLasso"),
    Mutant("lasso: one entry too many in lam_max", LASSO, "return float(np.abs(G).max())", "return float(np.abs(G).sum())",
           "lam_max_is_where_zero_ends SingleTaskLasso"),
    Mutant("lasso: solver with twice the threshold", LASSO, "sparse_fit(problem, start, Entries, lam, ridge)",
           "sparse_fit(problem, start, Entries, 2 * lam, ridge)", "certificate_closes SingleTaskLasso"),
    Mutant("pooled: the penalty counts every task", POOLED, "lam / 2 * float(W[:, 0] @ W[:, 0])",
           "lam / 2 * float((W * W).sum())", "primal_is_the_objective Pooled"),
    Mutant("pooled: dual from one task alone", POOLED, "g = point.G.sum(axis=1)", "g = point.G[:, 0]",
           "gap_bounds_suboptimality Pooled"),
    Mutant("pooled: distance as if W were free", POOLED, "modulus=lam / W.shape[1]", "modulus=lam * 100",
           "gap_bounds_suboptimality Pooled"),
    Mutant("mean: spread about zero", MEAN, "spread = apart - apart.mean(axis=1, keepdims=True)", "spread = W",
           "primal_is_the_objective MeanRegularized"),
    Mutant("mean: dual without the mean's part", MEAN, "dual -= W.shape[1] * float(mean @ mean) / (2 * ridge)  # (D)",
           "dual -= 0.0  # (D)", "gap_bounds_suboptimality MeanRegularized"),
    Mutant("mean: what is left of a free mean costs nothing", MEAN,
           "dual -= fit.free_charge(point.G, W, together)  # (F)",
           "dual = fit.dual_point(W).value() - float(np.vdot(spread, spread)) / (2 * (lam + ridge))",
           "wrong_answers_are_refused MeanRegularized"),
    Mutant("mean: solver pulls to zero", MEAN, "lam * (apart - apart.mean(axis=0)) + ridge * V", "lam * V + ridge * V",
           "certificate_closes MeanRegularized logistic"),
    Mutant("graph: every pair counted twice", GRAPH, "np.nonzero(np.triu(graph, 1))", "np.nonzero(graph)",
           "primal_is_the_objective GraphRegularized"),
    Mutant("graph: certificate with a loose l1 ball", GRAPH, "alpha = min(1.0, lam_sparse / polar)",
           "alpha = min(1.0, 3 * lam_sparse / polar)", "gap_bounds_suboptimality GraphRegularized"),
    Mutant("graph: adjacency in place of the Laplacian", GRAPH, "lam * (np.diag(A.sum(axis=1)) - A)",
           "lam * (np.diag(A.sum(axis=1)) + A)", "certificate_closes GraphRegularized"),
    Mutant("sparse graph: every edge counted twice", GRAPH, "triu(graph, 1, format", "triu(graph + graph.T, 1, format",
           "primal_is_the_objective GraphRegularized"),
    Mutant("sparse graph: adjacency in place of the Laplacian", TASKGRAPH, "(sparse.diags_array(own) - lam * graph)",
           "(sparse.diags_array(own) + lam * graph)", "certificate_closes GraphRegularized"),
    Mutant("sparse graph: conjugate with the whole quadratic form", TASKGRAPH, "return held[0] - held[1] + left",
           "return held[0] - 2 * held[1] + left", "gap_bounds_suboptimality GraphRegularized"),
    Mutant("sparse graph: solver without the coupling", "optim/sparsegraph.py", "q.times(X) + L @ X", "q.times(X)",
           "certificate_closes GraphRegularized"),
    Mutant("joint: columns for rows", JOINT, 'np.einsum("jt,jt->j", W, W)', 'np.einsum("jt,jt->t", W, W)',
           "primal_is_the_objective JointFeature"),
    Mutant("joint: dual point not scaled into the ball", JOINT, "lam / polar) if polar > 0 else 1.0  # (F)",
           "2 * lam / polar) if polar > 0 else 1.0  # (F)", "gap_bounds_suboptimality JointFeature"),
    Mutant("joint: lam_max of columns", JOINT, "np.linalg.norm(G, axis=1).max()", "np.linalg.norm(G, axis=0).max()",
           "lam_max_is_where_zero_ends JointFeature"),
    Mutant("ragged: units of the columns undone twice", "optim/raggedproblem.py", "super().__init__(r / s, lam / s",
           "super().__init__(r / s, lam * s", "certificate_closes JointFeature"),
    Mutant("ragged: ridge not in the products", "optim/raggedproblem.py", "out += self.ridge * V", "out += 0 * self.ridge * V",
           "certificate_closes JointFeature"),
    Mutant("maxima: units of the columns undone twice", "optim/sparse.py", "penalty = kind(lam / s)",
           "penalty = kind(lam * s)", "certificate_closes JointFeatureLinf"),
    Mutant("one design: units of the columns undone twice", "optim/shareddesign.py", "RowProblem(r / s, lam / s, H=",
           "RowProblem(r / s, lam * s, H=", "certificate_closes JointFeature"),
    Mutant("one design: ridge not in the Gram matrix", "optim/shareddesign.py", "H[diagonal] += ridge", "H[diagonal] += 0 * ridge",
           "certificate_closes JointFeature"),
    Mutant("one design: block soft thresholding by twice the threshold", "optim/rowproblem.py",
           "kept = np.maximum(norms - step * self.threshold, 0.0)", "kept = np.maximum(norms - 2 * step * self.threshold, 0.0)",
           "certificate_closes JointFeature"),
    Mutant("one design: dual value without the predictions' part", "datafit/shared.py",
           'linear = quadratic + np.einsum("ti,ti->t", theta, Z)', "linear = quadratic", "certificate_closes JointFeature"),
    Mutant("trace: Frobenius norm for the nuclear one", TRACE, "lam * float(sigma.sum()) + ridge",
           "lam * float(np.sqrt(sigma @ sigma)) + ridge", "primal_is_the_objective TraceNorm"),
    Mutant("trace: ridge excess halved in the dual", TRACE, "float(excess @ excess) / (2 * ridge)",
           "float(excess @ excess) / (20 * ridge)", "gap_bounds_suboptimality TraceNorm"),
    Mutant("groups: half of the basis in the objective", GOMTL, "+ lam * float(np.vdot(W.L, W.L))",
           "+ lam / 2 * float(np.vdot(W.L, W.L))", "primal_is_the_objective GOMTL"),
    Mutant("groups: the basis' dual with half its conjugate", GOMTL, "/ (4 * lam) + length", "/ (8 * lam) + length",
           "gap_bounds_what_a_block_gains GOMTL"),
    Mutant("groups: the codes' dual point not scaled into the ball", GOMTL,
           "limit = np.divide(mu, polar", "limit = np.divide(3 * mu, polar", "codes_are_lassos GOMTL"),
    Mutant("groups: a bound that is too high", GOMTL, "kappa = 1.5**1.5 * mu", "kappa = 4 * 1.5**1.5 * mu",
           "descent_and_bound_hold GOMTL"),
    Mutant("groups: degree of lam as if S carried the units", GOMTL, '{"lam": 2, "mu": 0}', '{"lam": 1, "mu": 0}',
           "units_do_not_matter GOMTL"),
    Mutant("groups: codes with twice the threshold", FACTORED, "V = lasso(small, V, mu)", "V = lasso(small, V, 2 * mu)",
           "certificate_closes GOMTL"),
    Mutant("groups: signs of components in one factor alone", "linear/factored.py", "W.S[order] * sign[:, None]",
           "W.S[order]", "certificate_closes GOMTL"),
    Mutant("trace: smallest singular value as polar", TRACE, "np.linalg.svd(point.G - ridge * W, compute_uv=False)[0]",
           "np.linalg.svd(point.G - ridge * W, compute_uv=False)[-1]", "gap_bounds_suboptimality TraceNorm"),
    Mutant("trace: prox with twice the threshold", "optim/spectral.py",
           "np.maximum(sigma - step * self.lam, 0.0)", "np.maximum(sigma - 2 * step * self.lam, 0.0)",
           "certificate_closes TraceNorm"),
    Mutant("trace: answers left in the eigenvectors' coordinates", "optim/spectral.py",
           "(V if basis is None else V @ basis.T).T", "V.T", "certificate_closes TraceNorm"),
    Mutant("trace: steps of ADMM from another point than they lead on from", "optim/admm.py", "past.propose(v, RELAXATION * (X - Z))",
           "past.propose(v, RELAXATION * (X - U))", "certificate_closes TraceNorm"),
    Mutant("trace: inverses for one shift forget the ridge", "optim/quadratic.py",
           "total = self.ridge + shift\n        try", "total = shift\n        try", "certificate_closes TraceNorm"),
    Mutant("mtrl: trace norm without its square", MTRL, "relation = float(sigma.sum()) ** 2", "relation = float(sigma.sum())",
           "primal_is_the_objective MTRL"),
    Mutant("mtrl: Frobenius norm for the nuclear one", MTRL, "relation = float(sigma.sum()) ** 2", "relation = float(sigma @ sigma)",
           "primal_is_the_objective MTRL"),
    Mutant("mtrl: conjugate without its half", MTRL, "conjugate = m**2 / (2 * lam)", "conjugate = m**2 / (4 * lam)",
           "gap_bounds_suboptimality MTRL"),
    Mutant("mtrl: excess above the level forgotten", MTRL, "conjugate += float(excess @ excess) / (2 * ridge)", "conjugate += 0.0",
           "gap_bounds_suboptimality MTRL"),
    Mutant("mtrl: solver forgets the ridge", MTRL, "squared_trace_norm_fit(q, begin, lam, ridge)",
           "squared_trace_norm_fit(q, begin, lam, 0.0)", "certificate_closes MTRL"),
    Mutant("mtfl: penalty without its half", MTFL, "lam / 2 * float(sizes.sum()) ** 2", "lam * float(sizes.sum()) ** 2",
           "primal_is_the_objective MTFL"),
    Mutant("mtfl: smallest singular value as polar", MTFL, "float(polar.max()) ** 2", "float(polar.min()) ** 2",
           "gap_bounds_suboptimality MTFL"),
    Mutant("mtfl: threshold not of its own sum", "optim/squaredtrace.py", "np.cumsum(sizes) / (1.0 + k * weight)",
           "np.cumsum(sizes) / (1.0 + weight)", "certificate_closes MTFL"),
    Mutant("clustered: an inverse of one side only", CLUSTERED, "(eta * (1 + eta) / (eta + m))))  # (P)",
           "(1 / (eta + m))))  # (P)", "primal_is_the_objective ClusteredMTL"),
    Mutant("clustered: M without its upper bound", CLUSTERED, "- eta, 0.0, 1.0)  # (K)", "- eta, 0.0, 9.0)  # (K)",
           "primal_is_the_objective ClusteredMTL"),
    Mutant("clustered: dual with one singular value too few", CLUSTERED, "energy[:n_clusters].sum()",
           "energy[: n_clusters - 1].sum()", "gap_bounds_suboptimality ClusteredMTL"),
    Mutant("clustered: solver with half the penalty", CLUSTERED, "BoxNormTerm(lam * eta * (1 + eta), eta",
           "BoxNormTerm(lam * eta * (1 + eta) / 2, eta", "certificate_closes ClusteredMTL"),
    Mutant("aso: an inverse forgotten", ASO_RELAXED, "(eta * (1 + eta) / (eta + m))))  # (P)",
           "(eta + m)))  # (P)", "primal_is_the_objective ConvexASO"),
    Mutant("aso: dual of the whole size alone", ASO_RELAXED, "float(energy[:dim].sum())", "0.0",
           "gap_bounds_suboptimality ConvexASO"),
    Mutant("box norm: prox at the weights of the value", "optim/boxnorm.py",
           "box_weights(sigma, self.eta + beta, self.k)", "box_weights(sigma, self.eta, self.k)",
           "certificate_closes ConvexASO"),
    Mutant("box norm: ridge of another weight where M = I", "optim/boxfit.py", "2.0 * term.weight / (1.0 + term.eta)",
           "term.weight / (1.0 + term.eta)", "certificate_closes ClusteredMTL"),
    Mutant("box norm: answers left in the eigenvectors' coordinates", "optim/boxfit.py", "return Z if basis is None else Z @ basis.T",
           "return Z", "certificate_closes ConvexASO"),
    Mutant("box norm: penalty's prox at the weights of the value", "penalties/box_norm.py",
           "self.weights(sigma, self.eta + beta)", "self.weights(sigma, self.eta)", "prox_minimises BoxNorm"),
    Mutant("k-means: the size of W without eta", KMEANS, "+ eta * float(np.vdot(W, W)))  # (P)",
           "+ float(np.vdot(W, W)))  # (P)", "primal_is_the_objective KMeansMTL"),
    Mutant("k-means: a bound that bounds nothing", KMEANS, "bound=min(max(bound, relaxed.dual, 0.0), primal)",
           "bound=2 * primal", "relaxation_bounds_from_below KMeansMTL"),
    Mutant("k-means: solver for another spread", KMEANS, "labels, 2 * lam * (1 + eta), 2 * lam * eta",
           "labels, lam * (1 + eta), 2 * lam * eta", "certificate_closes KMeansMTL"),
    Mutant("aso: one singular value too many outside", ASO, "compute_uv=False)[dim:]", "compute_uv=False)[dim - 1 :]",
           "primal_is_the_objective ASO"),
    Mutant("aso: a bound that bounds nothing", ASO, "bound=min(max(bound, relaxed.dual, 0.0), primal)",
           "bound=2 * primal", "relaxation_bounds_from_below ASO"),
    Mutant("aso: solver for another subspace", ASO, "dim, 2 * lam * (1 + eta), 2 * lam * eta",
           "dim, 2 * lam * (1 + eta), 3 * lam * eta", "certificate_closes ASO"),
    Mutant("linf: sums for maxima", LINF, "lam * float(np.abs(W).max(axis=1).sum()) + ridge",
           "lam * float(np.abs(W).sum(axis=1).sum()) + ridge", "primal_is_the_objective JointFeatureLinf"),
    Mutant("linf: the polar of the sum of absolute values", LINF, "np.abs(point.G - ridge * W).sum(axis=1).max()",
           "np.abs(point.G - ridge * W).max(axis=1).max()", "gap_bounds_suboptimality JointFeatureLinf"),
    Mutant("linf: distance to a ball of twice the size", LINF, "falling.cumsum(axis=1) - lam)", "falling.cumsum(axis=1) - 2 * lam)",
           "gap_bounds_suboptimality JointFeatureLinf"),
    Mutant("linf: lam_max of the largest entry", LINF, "np.abs(G).sum(axis=1).max())", "np.abs(G).max())",
           "lam_max_is_where_zero_ends JointFeatureLinf"),
    Mutant("linf: solver with another lam", LINF, "sparse_fit(problem, start, Peaks, lam, ridge)",
           "sparse_fit(problem, start, Peaks, 2 * lam, ridge)", "certificate_closes JointFeatureLinf"),
    Mutant("capped: rows counted without their threshold", CAPPED, "size = np.minimum(np.abs(W).sum(axis=1), threshold)",
           "size = np.abs(W).sum(axis=1)", "primal_is_the_objective CappedFeature"),
    Mutant("capped: the constant of free rows forgotten", CAPPED, "constant = lam * threshold * float(free.sum())",
           "constant = 0.0 * float(free.sum())", "primal_is_the_objective CappedFeature"),
    Mutant("capped trace: tangent without its constant", CAPPED_TRACE, "constant = lam * k * threshold", "constant = 0.0 * k * threshold",
           "primal_is_the_objective CappedTraceNorm"),
    Mutant("capped trace: a slope of twice lam for what is not capped", CAPPED_TRACE, "TraceNormTerm(lam), ridge, pull",
           "TraceNormTerm(2 * lam), ridge, pull", "certificate_closes CappedTraceNorm"),
    Mutant("capped trace: tangent of the small singular values", CAPPED_TRACE, "U[:, :k] @ Vt[:k]", "U[:, k:] @ Vt[k:]",
           "primal_is_the_objective CappedTraceNorm"),
    # What the pages stand on.
    Mutant("loss: squared without its half", "losses.py", "return np.asarray((z - y) ** 2 / 2)",
           "return np.asarray((z - y) ** 2)", "value_is_the_formula squared"),
    Mutant("loss: logistic gradient of the wrong row", "losses.py", "return np.asarray(-y * expit(-y * z))",
           "return np.asarray(-y * expit(y * z))", "gradient_is_the_slope logistic"),
    Mutant("loss: logistic overflows", "losses.py", "return np.logaddexp(0.0, -y * z)",
           "return np.log1p(np.exp(np.minimum(-y * z, 20)))", "value_is_the_formula logistic"),
    Mutant("loss: curvature too large", "losses.py", "return np.asarray(expit(z) * expit(-z))",
           "return np.asarray(2 * expit(z) * expit(-z))", "curvature_is_bounded logistic"),
    Mutant("loss: conjugate finite everywhere", "losses.py", "np.where((a >= 0) & (a <= 1), inside, np.inf)",
           "np.where((a >= 0) & (a <= 1), inside, 0.0)", "conjugate_is_infinite_outside_its_domain logistic"),
    Mutant("loss: scaling by rows where weights count", "datafit/rows.py", "return self._sums(self._s)\n",
           "return self.data.n.astype(float)\n", "weights_are_repeated_rows SingleTaskRidge"),
    Mutant("loss: gap printed at another scale", "datafit/term.py", "return self.total(W, self.best_intercept(W))\n",
           "return self.total(W, self.best_intercept(W)) / self.data.N\n", "scale_is_the_objective_at_zero SingleTaskRidge"),
    Mutant("loss: intercept without weights", "datafit/rows.py", "self._sums(self._s * (self._y - z)) / self.mass", "self._sums(self._y - z) / self.data.n",
           "scale_is_the_objective_at_zero SingleTaskRidge"),
    Mutant("certificate: a negative gap passes for zero", "optim/result.py", "        elif gap <= floor:\n            gap = 0.0",
           "        gap = gap / 1e6", "gap_bounds_suboptimality JointFeature"),
    Mutant("moments: no centring", "centring.py", "    ac -= slip\n", "    ac = a * 1.0\n",
           "moments_give_the_answer_of_the_rows SingleTaskRidge"),
    Mutant("moments: chunks joined without their means", "moments.py", "cross = share * a.mass", "cross = 0 * share * a.mass",
           "moments_give_the_answer_of_the_rows MeanRegularized"),
    Mutant("tasks: select keeps the old weights", "tasks.py",
           "weights=None if self.weights is None else tuple(self.weights[t] for t in chosen)", "weights=self.weights", "relabelling_tasks_permutes_the_answer SingleTaskRidge"),
    Mutant("tasks: long form mixes targets", "taskfields.py", "\"y\": tuple(frozen(target[r]) for r in rows)",
           "\"y\": tuple(frozen(np.sort(target[r])) for r in rows)", "forms_give_the_same_bits SingleTaskRidge"),
    Mutant("run: any gap is good enough", "optim/run.py", "            if gap <= tol:\n                final, b = (certificate, b) if certify is quick else certify(W, b)\n                if final.relative_gap <= tol:",
           "            if gap <= 1e9:\n                final, b = certify(W, b)\n                if True:", "certificate_closes TraceNorm"),
    Mutant("units: extreme columns scaled by the wrong power", "linear/prepared.py",
           "(model.degrees[name] - 2) * self.ey - model.degrees[name] * self.ex", "-self.ex",
           "extreme_units_do_not_matter SingleTaskRidge"),
    Mutant("predict: intercepts of the wrong task", "estimator.py",
           "[x @ self.coef_[t] + self.intercept_[t] for x, t in zip(X.X, where, strict=True)]",
           "[x @ self.coef_[t] + self.intercept_[0] for x, t in zip(X.X, where, strict=True)]",
           "predictions_are_linear SingleTaskRidge"),
    Mutant("path: the last lam for all", "linear/model.py", "model = type(self)(**{**self.get_params(), \"lam\": lam})",
           "model = type(self)(**{**self.get_params(), \"lam\": values[-1]})", "a_path_is_its_fits SingleTaskRidge"),
    # Penalties.
    Mutant("penalty: L1 prox too wide", "penalties/l1.py", "np.abs(V) - step", "np.abs(V) - 2 * step", "prox_obeys_moreau L1"),
    Mutant("penalty: row prox changes its argument", "penalties/row_norm.py", "        out = np.zeros_like(V)\n        for j, row",
           "        out = V\n        for j, row", "arguments_are_left_alone RowNorm"),
    Mutant("penalty: polar of the trace norm", "penalties/trace_norm.py", "np.linalg.svd(G, compute_uv=False)[0])",
           "np.linalg.svd(G, compute_uv=False).sum())", "polar_is_attained TraceNorm"),
    Mutant("penalty: squared trace norm's value without its half", "penalties/squared_trace_norm.py", ".sum()) ** 2 / 2",
           ".sum()) ** 2", "prox_minimises SquaredTraceNorm"),
    Mutant("penalty: one-sided graph gradient", "penalties/graph_spread.py", "self.graph[s, t] * (W[:, t] - W[:, s])",
           "self.graph[s, t] * W[:, t]", "gradient_is_the_slope GraphSpread"),
    Mutant("penalty: mean spread without its half", "penalties/mean_spread.py", "for w in W.T)) / 2", "for w in W.T))",
           "gradient_is_the_slope MeanSpread"),
    Mutant("penalty: ridge prox", "penalties/squared_norm.py", "return V / (1.0 + step)", "return V / (1.0 + 2 * step)",
           "prox_minimises SquaredNorm"),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_law_sees_the_fault(
    mutant: Mutant, package_with: Callable[[str, str, str], Path], sees: Callable[..., None]
) -> None:
    folder = package_with(mutant.file, mutant.old, mutant.new)
    sees(folder, *mutant.law.split())


@pytest.mark.parametrize("law", sorted({m.law for m in MUTANTS}))
def test_the_law_holds_without_the_fault(law: str, run: Callable[..., None]) -> None:
    run(*law.split())


def test_every_page_has_a_fault_of_each_kind() -> None:
    for page in (RIDGE, LASSO, POOLED, MEAN, GRAPH, JOINT, TRACE, MTRL, MTFL, CLUSTERED, ASO_RELAXED, LINF):
        laws = [m.law.split()[0] for m in MUTANTS if m.file == page]
        assert len(laws) >= 2
        assert "primal_is_the_objective" in laws
        assert "gap_bounds_suboptimality" in laws
