"""``mtlref compare``: the main job."""

from __future__ import annotations

import argparse
from pathlib import Path

from mtlref.cli.arguments import FAILED, OK, UsageError, count, fractions, names

SUMMARY = "compare methods on data under one protocol"
EXAMPLE = """\
mtlref compare
mtlref compare school --methods SingleTaskRidge,MeanRegularized,TraceNorm
mtlref compare grades.csv --task school --target score --splits 20 --out grades
mtlref compare sensors.csv --targets temperature,humidity --features a,b,c
mtlref compare school --train-size 0.1,0.25,0.5,1 --out curve --resume"""


def options(p: argparse.ArgumentParser) -> None:
    """Its options."""
    p.add_argument(
        "data", nargs="?", default="digits", metavar="DATA",
        help="digits (default), school, landmine, sarcos, jura, or a CSV, TSV, Parquet, NPZ or MAT file",
    )  # fmt: skip
    table = p.add_argument_group("columns of a table")
    table.add_argument("--task", metavar="COL", help="long form: the column with each row's task")
    table.add_argument("--target", metavar="COL", help="long form: the column with each row's target")
    table.add_argument(
        "--targets", metavar="A,B,..", help="wide form: a column a task; empty cells are not observed"
    )
    table.add_argument("--features", metavar="A,B,..", help="columns to learn from (default: all others)")
    what = p.add_argument_group("what is compared")
    what.add_argument("--methods", default="baselines", metavar="A,B,..",
                      help="methods; baselines (default: the seven of every paper), or all")  # fmt: skip
    what.add_argument("--metric", metavar="A,B,..", help="metrics to show; the first one ranks and is tested")
    what.add_argument("--loss", default="auto", choices=("auto", "squared", "logistic"),
                      help="auto: logistic where targets take two values")  # fmt: skip
    what.add_argument("--scaling", default="sum", choices=("sum", "mean"),
                      help="sum: each row counts the same (default); mean: each task does")  # fmt: skip
    what.add_argument("--intercept", default="auto", choices=("auto", "yes", "no"),
                      help="auto: fitted, unless the data bring a constant column")  # fmt: skip
    what.add_argument(
        "--standardize", action="store_true", help="centre and scale columns on each training part"
    )
    how = p.add_argument_group("protocol")
    how.add_argument(
        "--splits", type=count, metavar="N", help="outer splits (default: published ones, else 10)"
    )
    how.add_argument("--train-size", type=fractions, metavar="F,..",
                     help="fraction of each task's rows to train on (default 0.75); several: a curve")  # fmt: skip
    how.add_argument("--folds", type=count, default=5, metavar="N", help="inner folds (default 5)")
    how.add_argument("--grid", type=count, default=20, metavar="N", help="settings per method (default 20)")
    how.add_argument("--criterion", default="loss", metavar="METRIC",
                     help="what inner folds are scored with: loss (default) or a metric")  # fmt: skip
    how.add_argument(
        "--tol", type=float, default=1e-6, help="relative gap that certifies a fit (default 1e-6)"
    )
    how.add_argument(
        "--max-iter", type=count, metavar="N", help="iterations a fit may take (default: the method's)"
    )
    how.add_argument("--seed", type=int, default=0, help="seed of random splits and folds (default 0)")
    running = p.add_argument_group("running")
    running.add_argument("--jobs", type=count, metavar="N", help="worker processes (default: all cores)")
    running.add_argument("--backend", default="loky", choices=("loky", "dask"),
                         help="loky: processes here (default); dask: the cluster at DASK_SCHEDULER_ADDRESS, "
                         "or --jobs local workers")  # fmt: skip
    running.add_argument("--out", metavar="DIR", help="folder for everything (default: mtlref-DATA)")
    running.add_argument("--resume", action="store_true", help="go on where an earlier run in DIR stopped")
    running.add_argument("--force", action="store_true", help="delete an earlier run in DIR")
    running.add_argument("--quiet", action="store_true", help="no progress on stderr")


def run(o: argparse.Namespace) -> int:
    """Do it."""
    from mtlref.study import compare
    from mtlref.study.problem import Problem, resolve
    from mtlref.study.readers import read

    if o.resume and o.force:
        raise UsageError("--resume and --force exclude each other")
    columns = {
        "task": o.task,
        "target": o.target,
        "targets": names(o.targets),
        "features": names(o.features),
    }
    given = [name for name, value in columns.items() if value]
    if Path(o.data).suffix:
        problem = Problem(Path(o.data).stem, read(o.data, **columns))
    else:
        if given:
            raise UsageError(f"--{given[0]} names a column of a file; {o.data} is not a file with a suffix")
        problem = resolve(o.data)
    out = Path(o.out) if o.out else Path(f"mtlref-{problem.name}")
    result = compare(
        problem,
        methods=o.methods,
        metrics=o.metric,
        splits=o.splits,
        train_size=o.train_size,
        loss=o.loss,
        scaling=o.scaling,
        folds=o.folds,
        grid=o.grid,
        criterion=o.criterion,
        fit_intercept={"auto": None, "yes": True, "no": False}[o.intercept],
        standardize=o.standardize,
        tol=o.tol,
        max_iter=o.max_iter,
        seed=o.seed,
        jobs=o.jobs,
        backend=o.backend,
        out=out,
        resume=o.resume,
        force=o.force,
        progress=not o.quiet,
        command=o.command_line,
    )
    print(result)
    print(
        f"\n{out}/: report.html, table.md, table.tex, results.csv, figures/, references.bib, provenance.json"
    )
    return OK if any(row.error is None for row in result.rows) else FAILED
