"""Does learning auxiliary tasks beside it help a main task, under this algorithm? A paired test with a control.

Relatedness is not a property of tasks alone: tasks are related, under an algorithm, where training on all of them makes
the main ones better on rows not seen. Each split trains three times from the same random state: on the main tasks, on
main and auxiliary ones, and on both with the auxiliary targets in an order of chance. The shuffled targets keep their
values and lose their tie to the inputs: a gain that stays with them is noise or a larger model, not information.

Source: caruana1997, sections 4 and 7; the test is that of nadeau2003 (``mtlref.study.statistics``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref import inputs
from mtlref.errors import DataError, FormError
from mtlref.estimator import Estimator
from mtlref.metrics import METRICS, Metric
from mtlref.study.splits import Split, random_splits
from mtlref.study.statistics import ALPHA, Pair, compare_pairs
from mtlref.tasks import TaskData, two_valued

Array = NDArray[np.float64]
ALONE, TOGETHER, SHUFFLED = "main tasks alone", "with the auxiliary tasks", "with their targets shuffled"


@dataclass(frozen=True)
class Relatedness:
    """What ``relatedness`` found.

    metric; alone, together, shuffled : (splits,) test scores of the main tasks; gain : how much better the mean score
    is with the auxiliary tasks than without; p : two-sided, of the paired test of that; control : how much better it is
    than with shuffled targets, and its p_control; related : whether both are gains below ``alpha``.
    """

    metric: str
    alone: Array = field(repr=False)
    together: Array = field(repr=False)
    shuffled: Array = field(repr=False)
    gain: float
    p: float
    control: float
    p_control: float
    alpha: float = ALPHA

    @property
    def related(self) -> bool:
        """Whether the auxiliary tasks help, and no longer do with shuffled targets."""
        return self.gain > 0 and self.p < self.alpha and self.control > 0 and self.p_control < self.alpha

    def __str__(self) -> str:
        lines = [f"{self.metric} of the main tasks, mean over {len(self.alone)} splits"]
        for name, scores in ((ALONE, self.alone), (TOGETHER, self.together), (SHUFFLED, self.shuffled)):
            lines.append(f"  {name:28s} {scores.mean():10.4g}")
        lines.append(f"  better than alone by {self.gain:.3g} (p = {self.p:.3g}), "
                     f"than shuffled by {self.control:.3g} (p = {self.p_control:.3g})")  # fmt: skip
        lines.append(f"  {'related' if self.related else 'not shown to be related'} under this algorithm")
        return "\n".join(lines)


def relatedness(
    main: TaskData,
    auxiliary: TaskData,
    algorithm: Estimator | Callable[[tuple[Hashable, ...]], Estimator],
    *,
    splits: int = 10,
    train_size: float = 0.5,
    metric: str | None = None,
    alpha: float = ALPHA,
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Relatedness:
    """Whether adding ``auxiliary`` to ``main`` makes ``algorithm`` better on rows of ``main`` that it has not seen.

    Parameters
    ----------
    main, auxiliary : TaskData with the same features and different task names. An auxiliary task on the design of the
        main tasks (the same rows) is cut at the main tasks' rows, so that nothing is known of a test row; others give
        all their rows to training.
    algorithm : an estimator, of which every training makes a copy; or a function of the task names that returns one,
        where the constructor's parameters depend on the tasks
    splits : >= 2, random splits of the main tasks' rows, stratified by task; default 10
    train_size : share of the main tasks' rows to train on, in (0, 1); default 0.5
    metric : a name in ``mtlref.metrics.METRICS``; default "mse", for two-valued targets "error_rate"
    alpha : level of both tests, default 0.05
    random_state : int, of splits, shuffles and the estimators that take one
    progress : called after each split with (splits that are done, all of them)

    Raises FormError for arguments of other types, DataError for names or features that do not fit.
    Cost: three trainings a split. Source: caruana1997.

    Examples
    --------
    >>> import numpy as np, mtlref as mt
    >>> rng = np.random.default_rng(0)
    >>> w = rng.standard_normal(40)
    >>> X = [rng.standard_normal((n, 40)) for n in (80, 300, 300)]
    >>> data = mt.TaskData.from_list(X, [x @ w + 2.0 * rng.standard_normal(len(x)) for x in X], names="abc")
    >>> algorithm = mt.MeanRegularized(lam=3.0, ridge=0.1)
    >>> found = mt.relatedness(data.select("a"), data.select("bc"), algorithm, train_size=0.7)
    >>> found.related, found.gain > 0
    (True, True)
    """
    _check(main, auxiliary)
    if isinstance(algorithm, type):
        raise FormError(f"algorithm must be an estimator, {algorithm.__name__}(...); got the class itself")
    if progress is not None and not callable(progress):
        raise FormError(f"progress must be a function of (done, splits), or None; got {progress!r}")
    if inputs.count(splits, "splits") < 2:
        raise DataError(f"splits must be >= 2, a test needs them; got {splits}")
    if not 0 < inputs.positive(train_size, "train_size") < 1:
        raise DataError(f"train_size must be between 0 and 1; got {train_size!r}")
    if not 0 < inputs.positive(alpha, "alpha") < 1:
        raise DataError(f"alpha must be between 0 and 1; got {alpha!r}")
    if not isinstance(random_state, (int, np.integer)) or isinstance(random_state, bool):
        raise FormError(f"random_state must be a whole number; got {random_state!r}")
    default = "error_rate" if two_valued(main) else "mse"
    score = METRICS[inputs.choice(default if metric is None else metric, "metric", tuple(METRICS))]
    cuts = random_splits(main, splits, (train_size,), int(random_state))
    scores: dict[str, list[float]] = {ALONE: [], TOGETHER: [], SHUFFLED: []}
    for k, cut in enumerate(cuts):
        rng = np.random.default_rng([int(random_state), k, 1])
        rows = _auxiliary_rows(main, auxiliary, cut)
        own = main.take(list(cut.train[0]))
        other = auxiliary.take(rows)
        moved = [y[rng.permutation(len(y))] for y in other.y]
        seed = int(rng.integers(2**31))
        for name, data in (
            (ALONE, own),
            (TOGETHER, _joined(own, other, list(other.y))),
            (SHUFFLED, _joined(own, other, moved)),
        ):
            scores[name].append(_test_score(algorithm, data, main, cut, score, seed))
        if progress is not None:
            progress(k + 1, splits)
    found = {name: np.array(values) for name, values in scores.items()}
    n_train = float(np.mean([len(r) for r in cuts[0].train[0]]))
    n_test = float(np.mean([len(r) for r in cuts[0].test]))

    def better(than: str) -> tuple[float, float]:
        pair: Pair = compare_pairs(
            {TOGETHER: found[TOGETHER], than: found[than]}, n_train, n_test, score.greater_is_better
        )[0]
        return (pair.difference if pair.winner == TOGETHER else -pair.difference), pair.alone

    (gain, p), (control, p_control) = better(ALONE), better(SHUFFLED)
    return Relatedness(
        score.name, found[ALONE], found[TOGETHER], found[SHUFFLED], gain, p, control, p_control, alpha
    )


def _check(main: Any, auxiliary: Any) -> None:
    for data, name in ((main, "main"), (auxiliary, "auxiliary")):
        if not isinstance(data, TaskData):
            raise FormError(f"{name} must be a TaskData; got a {type(data).__name__}")
    if main.p != auxiliary.p:
        raise DataError(f"auxiliary must have the {main.p} features of main; got {auxiliary.p}")
    both = set(main.names) & set(auxiliary.names)
    if both:
        raise DataError(f"main and auxiliary tasks must have different names; got {sorted(map(str, both))}")


def _auxiliary_rows(main: TaskData, auxiliary: TaskData, cut: Split) -> list[NDArray[np.intp]]:
    """All rows of a task with a design of its own; the training rows of a main task whose design it shares."""
    out = []
    for X in auxiliary.X:
        same = [t for t, M in enumerate(main.X) if M is X or np.array_equal(M, X)]
        out.append(cut.train[0][same[0]] if same else np.arange(len(X)))
    return out


def _joined(own: TaskData, other: TaskData, targets: list[NDArray[Any]]) -> TaskData:
    """One container; of one design where all tasks have it, so that a row is one row for every task."""
    X, y = [*own.X, *other.X], [*own.y, *targets]
    names = [*own.names, *other.names]
    weighted = own.weights is not None or other.weights is not None
    numbers = all(v.dtype.kind == "f" for v in y)
    if not weighted and numbers and all(np.array_equal(x, X[0]) for x in X[1:]):
        return TaskData.from_shared(X[0], np.column_stack(y), names=names, feature_names=own.feature_names)
    weights = None
    if weighted:
        weights = [*_weights(own), *_weights(other)]
    return TaskData.from_list(X, y, names=names, weights=weights, feature_names=own.feature_names)


def _weights(data: TaskData) -> list[Array]:
    return [np.ones(len(y)) for y in data.y] if data.weights is None else list(data.weights)


def _test_score(
    algorithm: Any, data: TaskData, main: TaskData, cut: Split, metric: Metric, seed: int
) -> float:
    """Train a copy on the data and score it on the test rows of the main tasks."""
    model = (
        algorithm(data.names) if not isinstance(algorithm, Estimator) and callable(algorithm) else algorithm
    )
    if not isinstance(model, Estimator):
        raise FormError(f"algorithm must be an estimator of this package, or return one; got {model!r}")
    params = model.get_params(deep=False)
    if "random_state" in params:
        params["random_state"] = seed
    copy: Any = type(model)(**params)
    model = copy.fit(data)
    names = [t for t, rows in enumerate(cut.test) if len(rows)]
    test = main.select([main.names[t] for t in names]).take([cut.test[t] for t in names])
    rows = np.vstack(test.X)
    labels = np.empty(len(rows), dtype=object)
    labels[:] = [name for name, X in zip(test.names, test.X, strict=True) for _ in range(len(X))]
    call = model.decision_function if metric.needs == "score" else model.predict
    answers = _by_task(call, data, rows, labels)
    ends = np.cumsum([len(X) for X in test.X])[:-1]
    return metric(test, np.split(answers, ends))


def _by_task(call: Callable[..., Any], data: TaskData, rows: Array, labels: NDArray[Any]) -> NDArray[Any]:
    """What ``call`` answers for each row's own task, in any form that ``fit`` saw."""
    if data.T == 1:
        answer = call([rows]) if data.form == "list" else call(rows)
        return np.ravel(answer[0] if isinstance(answer, list) else answer)
    if data.form == "shared":
        every = np.asarray(call(rows))
        place = {name: t for t, name in enumerate(data.names)}
        return np.asarray(every[np.arange(len(rows)), [place[name] for name in labels]])
    parts = call([rows] * data.T)
    out = np.empty(len(rows), dtype=np.asarray(parts[0]).dtype)
    for t, name in enumerate(data.names):
        mine = np.array([label == name for label in labels])
        out[mine] = np.asarray(parts[t])[mine]
    return out
