"""``compare``: from data and a list of methods to a finished comparison."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtlref import inputs, registry
from mtlref.metrics import METRICS
from mtlref.study import provenance
from mtlref.study.bench import Bench
from mtlref.study.cluster import need_distributed
from mtlref.study.comparison import Comparison, Facts
from mtlref.study.plan import Plan
from mtlref.study.problem import Problem, check_usable, constant_column, resolve
from mtlref.study.progress import Progress
from mtlref.study.runner import available_cores, run_all
from mtlref.study.settings import BadSettings, Settings, data_hash
from mtlref.study.splits import Split, describe, published_splits, random_splits
from mtlref.study.store import Store
from mtlref.tasks import two_valued

SHOWN = {
    "regression": ("mse", "explained_variance", "explained_variance_per_task"),
    "classification": ("auc", "error_rate"),
}
BASELINES = (
    "SingleTaskRidge", "SingleTaskLasso", "Pooled", "MeanRegularized", "GraphRegularized", "JointFeature", "TraceNorm",
)  # fmt: skip
RANDOM_SPLITS = 10
TRAIN_SIZE = 0.75


def compare(
    data: Any = "digits",
    *,
    methods: str | Sequence[str] = "baselines",
    metrics: str | Sequence[str] | None = None,
    splits: int | None = None,
    train_size: float | Sequence[float] | None = None,
    loss: str = "auto",
    scaling: str = "sum",
    folds: int = 5,
    grid: int = 20,
    criterion: str = "loss",
    fit_intercept: bool | None = None,
    standardize: bool = False,
    tol: float = 1e-6,
    max_iter: int | None = None,
    seed: int = 0,
    jobs: int | None = None,
    backend: str = "loky",
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    force: bool = False,
    name: str | None = None,
    progress: bool | None = None,
    command: str | None = None,
) -> Comparison:
    """Tune, refit and score methods on data under one protocol, every fit certified.

    Parameters
    ----------
    data : the name of a data set, a path, a Dataset, a TaskData, or (X, Y) or (X, y, tasks) in a form of the contract
    methods : "baselines" (those a paper compares with first), "all" (every linear method with the loss), or
        names in the registry
    metrics : names in METRICS to show; the first one ranks the methods and is tested
    splits : outer splits; None for all published ones, or 10 random ones
    train_size : a fraction, or several for a learning curve; with random splits of each task's rows (default 0.75),
        with published splits of the published training part (default 1)
    loss : "squared", "logistic", or "auto": logistic where all targets together take two values
    scaling : "sum" (each row counts the same) or "mean" (each task does), as in the estimators
    folds, grid : inner folds and settings per method, >= 2
    criterion : "loss" (mean squared error or mean logistic loss) or a metric that the inner folds are scored with
    fit_intercept : None fits one a task unless the data bring a constant column, which then is the intercept, with the
        same penalty as every other column
    standardize : centre and scale the columns on each training part
    tol : relative gap that certifies a fit; max_iter : None for each method's own
    seed : of random splits and folds
    jobs : worker processes, None for all cores; 1 works in this process
    backend : "loky" (processes on this machine) or "dask": the cluster of the ``distributed.Client`` in force, else of
        the scheduler that DASK_SCHEDULER_ADDRESS names, else ``jobs`` local workers. The results are the same
    out : a folder for everything, or None to keep it in memory
    resume : go on in ``out`` where an earlier run stopped; force : delete what a run left in ``out`` and begin anew
    name : what to call the data; progress : show it on stderr (None: where ``out`` is given)
    command : how the run was asked for, kept in provenance.json

    Returns
    -------
    Comparison. ``print`` it for the table.

    Raises
    ------
    DataError for data or settings that make no sense, for a folder that holds another comparison, UnknownMethod.
    A method that fails does not raise; its row says how it failed.

    Examples
    --------
    >>> import mtlref as mt
    >>> data, W, b = mt.data.make_joint_features(T=4, p=10, n=40, random_state=0)
    >>> result = mt.compare(data, methods=["SingleTaskRidge", "JointFeature"], splits=3, grid=5, folds=3, jobs=1)
    >>> [row.method for row in result.rows][0]
    'JointFeature'
    """
    began, clock = provenance.now(), time.perf_counter()
    problem = resolve(data, name)
    check_usable(problem)
    settings, remarks = _settings(
        problem,
        loss=loss,
        methods=methods,
        splits=splits,
        train_size=train_size,
        scaling=scaling,
        folds=folds,
        grid=grid,
        criterion=criterion,
        fit_intercept=fit_intercept,
        standardize=standardize,
        tol=tol,
        max_iter=max_iter,
        seed=seed,
    )
    shown = _shown(metrics, settings.loss)
    parts = _splits(problem, settings)
    workers = available_cores() if jobs is None else inputs.count(jobs, "jobs")
    if inputs.choice(backend, "backend", ("loky", "dask")) == "dask":
        need_distributed()
    facts = _facts(problem, settings, parts, remarks)
    folder = None
    if out is not None:
        from mtlref.study.folder import Folder

        folder = Folder(Path(out))
        folder.prepare(resume=resume, force=force)
    bar = Progress(show=out is not None if progress is None else progress)
    with Store(None if folder is None else folder.store) as store:
        store.open_for(settings)
        runs = [*store.get("runs", []), began]
        store.put("runs", runs)
        plan = Plan(settings, store.fits(), store.failures())
        if plan.done():
            bar.say(f"resuming: {plan.done():,} jobs were done before")
        bar.start(plan.done())
        try:
            run_all(Bench(problem.tasks, parts, settings), plan, store, workers, bar, backend)
        finally:
            bar.close()
        result = Comparison(
            settings, facts, shown, tuple(store.fits()), tuple(store.failures()), store.answers()
        )
    if folder is not None:
        bar.say("writing the report")
        said = command or "mtlref.compare(...)"
        folder.write(
            result, provenance.provenance(settings, said, workers, runs, time.perf_counter() - clock)
        )
    return result


def _settings(
    problem: Problem,
    *,
    loss: str,
    methods: str | Sequence[str],
    splits: int | None,
    train_size: float | Sequence[float] | None,
    **rest: Any,
) -> tuple[Settings, list[str]]:
    """The record that a resumed run must match, and what the reader is told about choices made for them."""
    remarks = []
    inputs.choice(loss, "loss", ("auto", "squared", "logistic"))
    if loss == "auto":
        known = problem.loss
        loss = known or ("logistic" if two_valued(problem.tasks) else "squared")
        if known is None and loss == "logistic":
            remarks.append("The logistic loss was chosen because the targets take two values.")
    elif loss == "logistic" and not two_valued(problem.tasks):
        raise BadSettings("the logistic loss needs targets that take exactly two values over all tasks")
    criterion = rest["criterion"]
    if criterion != "loss":
        _metric(criterion, loss)
    if rest["fit_intercept"] is None:
        constant = None if rest["standardize"] else constant_column(problem.tasks)
        rest["fit_intercept"] = constant is None
        if constant is not None:
            remarks.append(
                f"The data bring a constant column ({constant}); it is the intercept, penalised like any other column, "
                "and no further one is fitted."
            )
    published = problem.published
    source = "random" if published is None else "published"
    sizes = train_size if train_size is not None else (TRAIN_SIZE if published is None else 1.0)
    fractions = sorted({float(s) for s in ([sizes] if isinstance(sizes, (int, float)) else sizes)})
    if not fractions:
        raise BadSettings("train_size must hold at least one fraction; got none")
    settings = Settings(
        data=problem.name,
        data_hash=data_hash(problem.tasks),
        methods=_methods(methods, loss),
        loss=loss,
        splits=inputs.count(splits, "splits")
        if splits is not None
        else len(published or range(RANDOM_SPLITS)),
        split_source=source,
        train_sizes=tuple(fractions),
        **rest,
    )
    return settings, remarks


def _methods(asked: str | Sequence[str], loss: str) -> tuple[str, ...]:
    """Names in the registry; "baselines" and "all" are those linear methods that have the loss."""
    if isinstance(asked, str):
        asked = [part.strip() for part in asked.split(",") if part.strip()]
    if list(asked) in (["baselines"], ["all"]):
        return tuple(
            name
            for name, m in registry.methods().items()
            if m.family == "linear" and loss in m.losses and (name in BASELINES or list(asked) == ["all"])
        )
    names = list(dict.fromkeys(asked))
    for name in names:
        if loss not in registry.method(name).losses:
            raise BadSettings(f"{name} has no {loss} loss")
    return tuple(names)


def _metric(name: str, loss: str) -> str:
    kind = "classification" if loss == "logistic" else "regression"
    fitting = [m.name for m in METRICS.values() if m.kind == kind]
    if name not in fitting:
        raise BadSettings(f"a metric for the {loss} loss must be one of {', '.join(fitting)}; got {name!r}")
    return name


def _shown(asked: str | Sequence[str] | None, loss: str) -> tuple[str, ...]:
    if asked is None:
        return SHOWN["classification" if loss == "logistic" else "regression"]
    names = (
        [part.strip() for part in asked.split(",") if part.strip()] if isinstance(asked, str) else list(asked)
    )
    if not names:
        raise BadSettings("metrics must name at least one metric; got none")
    return tuple(_metric(name, loss) for name in dict.fromkeys(names))


def _splits(problem: Problem, settings: Settings) -> list[Split]:
    if problem.published is not None:
        return published_splits(
            problem.tasks, problem.published, settings.splits, settings.train_sizes, settings.seed
        )
    return random_splits(problem.tasks, settings.splits, settings.train_sizes, settings.seed)


def _facts(problem: Problem, settings: Settings, parts: list[Split], remarks: list[str]) -> Facts:
    tasks, sizes = problem.tasks, range(len(settings.train_sizes))
    return Facts(
        T=tasks.T,
        p=tasks.p,
        N=tasks.N,
        n_train=tuple(float(np.mean([sum(map(len, s.train[i])) for s in parts])) for i in sizes),
        n_test=float(np.mean([sum(map(len, s.test)) for s in parts])),
        splits=describe(settings.split_source, settings.splits, settings.train_sizes, settings.seed),
        remarks=tuple(remarks),
        task_names=tuple(str(n) for n in tasks.names),
        feature_names=tuple(tasks.feature_names or ()),
        description=problem.description,
        citation=problem.citation,
    )
