"""One job of a comparison: a path over the settings on one inner fold, or the refit at the chosen setting."""

from __future__ import annotations

import time
import traceback
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, NotConverged
from mtlref.metrics import METRICS
from mtlref.registry import Method
from mtlref.registry import method as registered
from mtlref.study.bench import Bench, HeldOut
from mtlref.study.grid import grid_for
from mtlref.study.neural import NeuralFit
from mtlref.study.store import FINAL, Failure, Fit, Outcome
from mtlref.tasks import TaskData

# The ridge of penalties that leave the mean free, as a share of lam's natural size (logistic loss).
ANCHOR = 1e-3
# The ridge of capped penalties, as a share of the largest curvature of a task.
CAPPED_ANCHOR = 1e-4
# What is kept of the first split's answers, to be shown.
SHOWN = ("coef_", "intercept_", "task_similarity_", "task_correlation_", "labels_", "membership_")


@dataclass(frozen=True)
class Job:
    """``ks`` are settings in ascending order, that is lam descending; a refit has one, and fold FINAL."""

    size: int
    split: int
    method: str
    fold: int
    ks: tuple[int, ...]
    note: str = ""

    @property
    def unit(self) -> tuple[int, int, str]:
        """(size, split, method)."""
        return self.size, self.split, self.method


def run(bench: Bench, job: Job) -> Outcome:
    """Do the job. Whatever the method raises becomes a Failure, so that the other methods go on."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome = _refit(bench, job) if job.fold == FINAL else _path(bench, job)
        # NotConverged is told by each fit's own certificate; anything else that was said is kept with the fits.
        said = sorted({str(w.message) for w in caught if not issubclass(w.category, NotConverged)})
        if said:
            outcome = _with_note(outcome, "warned: " + "; ".join(said))
        return outcome
    except Exception as error:  # a failing method is a result
        line = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return Outcome(failure=Failure(*job.unit, job.fold, line, traceback.format_exc()), unit=job.unit)


def _path(bench: Bench, job: Job) -> Outcome:
    method = registered(job.method)
    held = bench.held_out(job.size, job.split, job.fold)
    lams = _lams(bench, job, method)
    began = time.perf_counter()
    model = _model(bench, job, method, lams[0])
    data = bench.fitted_on(method, job.size, job.split, job.fold)
    fits: list[Fit] = []
    scored = 0.0
    for k, lam, fitted in zip(job.ks, lams, model.path(data, lams), strict=True):
        mark = time.perf_counter()
        criterion = _criterion(bench.settings.criterion, bench.settings.loss, fitted, held)
        scored += time.perf_counter() - mark
        fits.append(_fit(bench, job, k, lam, fitted, criterion, len(held.y), {}))
    # A path may solve ahead of what it hands out, so its time is shared evenly among its settings.
    seconds = (time.perf_counter() - began - scored) / len(fits)
    return Outcome(fits=tuple(replace(f, seconds=seconds) for f in fits), unit=job.unit)


def _refit(bench: Bench, job: Job) -> Outcome:
    method = registered(job.method)
    data = bench.fitted_on(method, job.size, job.split, None)
    if "self_tuned" in method.properties:
        lam = float("nan")
        unfitted = _self_tuned(bench, method, bench.train(job.size, job.split))
    else:
        (lam,) = _lams(bench, job, method)
        unfitted = _model(bench, job, method, lam)
    began = time.perf_counter()
    model = unfitted.fit(data)
    seconds = time.perf_counter() - began
    test = bench.test(job.size, job.split)
    values = test_metrics(model, test, bench.settings.loss)
    for name, attribute in (("selected_features", "selected_features_"), ("rank", "rank_")):
        value = getattr(model, attribute, None)
        if value is not None:
            values[name] = float(np.sum(value))
    fit = _fit(bench, job, job.ks[0], lam, model, float("nan"), test.N, values)
    answers = {}
    if job.split == 0 and job.size == len(bench.settings.train_sizes) - 1:
        for attribute in SHOWN:
            value = getattr(model, attribute, None)
            if value is not None:
                answers[attribute] = np.asarray(value, dtype=np.float64)
    return Outcome(fits=(replace(fit, seconds=seconds, note=job.note),), answers=answers, unit=job.unit)


def test_metrics(model: Any, test: TaskData, loss: str) -> dict[str, float]:
    """Every metric of the loss's kind on the test part."""
    kind = "classification" if loss == "logistic" else "regression"
    cache: dict[str, list[NDArray]] = {}
    values = {}
    for name, metric in METRICS.items():
        if metric.kind == kind:
            if metric.needs not in cache:
                call = model.decision_function if metric.needs == "score" else model.predict
                cache[metric.needs] = list(call(test))
            values[name] = float(metric.function(test, cache[metric.needs]))
    return values


def _criterion(criterion: str, loss: str, model: Any, held: HeldOut) -> float:
    """What the inner folds are scored with; smaller is better."""
    if criterion != "loss":
        metric = METRICS[criterion]
        call = model.decision_function if metric.needs == "score" else model.predict
        value = float(metric.function(held.data, list(call(held.data))))
        return -value if metric.greater_is_better else value
    if hasattr(model, "coef_"):
        # The public predict checks its input task by task; on a hundred tasks that costs more than the fit.
        z = np.einsum("ij,ij->i", held.X, model.coef_[held.task]) + model.intercept_[held.task]
    else:
        call = model.decision_function if loss == "logistic" else model.predict
        z = np.concatenate(list(call(held.data)))
    if loss == "squared":
        return float(np.mean((held.y - z) ** 2))
    sign = np.where(held.y == model.classes_[1], 1.0, -1.0)
    return float(np.mean(np.logaddexp(0.0, -sign * z)))


def _model(bench: Bench, job: Job, method: Method, lam: float, *, anchored: bool = True) -> Any:
    """The estimator with everything but lam at its default, and the graph of the rows that are fitted.

    Penalties that leave the tasks' mean free get a small ridge under the logistic loss: without it a feature that
    separates the classes has no finite coefficient. So do capped ones under either: what is above the cap is held by
    the data alone, which need not determine it.
    """
    s = bench.settings
    if method.family == "nn":
        return NeuralFit(
            method.cls, lam=lam, loss=s.loss, scaling=s.scaling, seed=s.seed, max_iter=s.max_iter
        )
    params: dict[str, Any] = {"lam": lam, "loss": s.loss, "scaling": s.scaling, "tol": s.tol}
    params["fit_intercept"] = s.fit_intercept
    if s.max_iter is not None:
        params["max_iter"] = s.max_iter
    for name in method.required:
        if name != "graph":
            raise DataError(f"{method.name} needs {name}, which a comparison does not choose")
        params["graph"] = bench.graph(job.size, job.split, None if job.fold == FINAL else job.fold)
    if anchored and "staged" in method.properties:
        params["ridge"] = CAPPED_ANCHOR * _scale(bench, job, registered("SingleTaskRidge"))
    elif anchored and s.loss == "logistic" and "free_mean" in method.properties:
        params["ridge"] = ANCHOR * _scale(bench, job, method)
    return method.cls(**params)


def _self_tuned(bench: Bench, method: Method, train: TaskData) -> Any:
    """An estimator that fits its own parameters: from one start, a mean for each task where intercepts are fitted."""
    s, most = bench.settings, method.cls.comparison_rows
    if most < train.N:
        raise DataError(
            f"{method.name} in a comparison takes at most {most:,} training rows, for its cost grows with their cube; "
            f"got {train.N:,}. Use a smaller train size, fewer tasks, or {method.name} by itself"
        )
    params: dict[str, Any] = {
        "mean": "constant" if s.fit_intercept else "zero",
        "n_restarts": 0,
        "tol": s.tol,
    }
    if s.max_iter is not None:
        params["max_iter"] = s.max_iter
    return method.cls(**params)


def _lams(bench: Bench, job: Job, method: Method) -> list[float]:
    grid = grid_for(method, bench.settings.grid)
    scale = _scale(bench, job, method)
    if not (np.isfinite(scale) and scale > 0):
        raise DataError(
            f"the natural scale of lam must be positive; got {scale!r} (are all targets constant?)"
        )
    return [grid.lam(k, scale) for k in job.ks]


def _scale(bench: Bench, job: Job, method: Method) -> float:
    """The natural size of lam on the training part."""

    def natural(train: TaskData) -> float:
        whole = Job(job.size, job.split, job.method, FINAL, ())
        return _model(bench, whole, method, 1.0, anchored=False).lam_scale(train)

    return bench.scale(method, job.size, job.split, natural)


def _fit(
    bench: Bench,
    job: Job,
    k: int,
    lam: float,
    model: Any,
    criterion: float,
    rows: int,
    metrics: dict[str, float],
) -> Fit:
    result = model.result_
    certificate = result.certificate
    relative = float(certificate.relative_gap)
    return Fit(
        *job.unit,
        fold=job.fold,
        k=k,
        lam=lam,
        criterion=criterion,
        rows=rows,
        metrics=metrics,
        gap=float(certificate.gap),
        relative_gap=relative,
        n_iter=int(result.n_iter),
        seconds=0.0,
        status=str(result.status.value),
        certified=bool(relative <= bench.settings.tol),
    )


def _with_note(outcome: Outcome, note: str) -> Outcome:
    noted = tuple(replace(f, note="; ".join(n for n in (f.note, note) if n)) for f in outcome.fits)
    return replace(outcome, fits=noted)
