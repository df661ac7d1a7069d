"""Prediction of the neural estimators, in the form of the data that ``fit`` took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtlref.errors import DataError, FormError
from mtlref.nn.targets import Target
from mtlref.sklearnhooks import ScikitLearnHooks
from mtlref.tasks import TaskData

Values = NDArray[Any]
OfTask = Callable[[int, list[Values]], Values]


class _Classifying:
    """A method that an estimator has where every task has classes, so that ``hasattr`` tells what it is."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self.method = method
        self.__doc__ = method.__doc__

    def __get__(self, owner: Any, cls: type | None = None) -> Any:
        if owner is None:
            return self.method
        kinds = owner.loss.values() if isinstance(owner.loss, Mapping) else owner.loss
        words = [owner.loss] if isinstance(owner.loss, str) else list(kinds)
        if not all(w in ("logistic", "softmax") for w in words):
            raise AttributeError(
                f'{self.method.__name__} needs loss "logistic" or "softmax" in every task; got {owner.loss!r}'
            )
        return self.method.__get__(owner, cls)


class Predicting(ScikitLearnHooks):
    """What a fitted net answers. Mixed into an Estimator, whose checks of designs and task labels it uses."""

    _learned = "params_"

    loss: Any
    tasks_: tuple[Any, ...]
    _targets: list[Target]
    _form: str

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        classifier = self.loss in ("logistic", "softmax")
        return Tags(
            estimator_type="classifier" if classifier else "regressor",
            target_tags=TargetTags(required=True, multi_output=True, single_output=True),
            transformer_tags=None,
            classifier_tags=ClassifierTags(multi_class=self.loss == "softmax") if classifier else None,
            regressor_tags=None if classifier else RegressorTags(poor_score=self.loss == "rankprop"),
            input_tags=InputTags(),
            # Batches of a weighted row and of a row that is there twice are not the same batches.
            non_deterministic=self.random_state is None,  # type: ignore[attr-defined]
        )

    # -- what is answered ----------------------------------------------------------------------------------------------

    def predict(self, X: Any, tasks: Any = None) -> Any:
        """Numbers, or labels, in the form of the data that ``fit`` took; see ``Estimator.predict``."""
        return self._by_form(X, tasks, lambda k, answers: self._targets[k].predicted(answers[k]))

    @_Classifying
    def decision_function(self, X: Any, tasks: Any = None) -> Any:
        """Logits in the form that X has: (m,) a task for two classes, (m, classes) for more. Classification only."""
        return self._by_form(X, tasks, lambda k, z: _decision(z[k]), logits=True)

    @_Classifying
    def predict_proba(self, X: Any, tasks: Any = None) -> Any:
        """Probabilities (m, classes) a task: in a list, or (m, classes) for one task or rows with task labels.

        After one design for several tasks: (m, T), those of ``classes_[1]``, with loss="logistic"; else a list.
        Raises DataError where ``tasks`` labels ask for tasks with different numbers of classes.
        """

        def of(k: int, answers: list[Values]) -> Values:
            return self._targets[k].probabilities(answers[k])

        if (
            self.loss == "logistic"
            and self._form == "shared"
            and tasks is None
            and not isinstance(X, TaskData)
        ):
            return self._by_form(X, tasks, lambda k, answers: answers[k][:, 0])
        return self._by_form(X, tasks, of)

    def score(self, X: Any, y: Any = None, tasks: Any = None, sample_weight: Any = None) -> float:
        """R² or the share of right labels over all targets together; where both kinds are, the mean over tasks."""
        self._check_fitted()
        kinds = {self._targets[k].classes is None for k in self._main()}
        if len(kinds) == 1:
            return self._score_together(kinds == {False}, X, y, tasks, sample_weight)
        from mtlref.forms import as_tasks

        data = as_tasks(X, y, tasks, sample_weight)
        scores = []
        for name in data.names:
            one = data.select([name])
            classes = self._targets[self._index(name)].classes is not None
            scores.append(self._score_together(classes, one, None, None, None))
        return float(np.mean(scores))

    def _score_together(self, labels: bool, X: Any, y: Any, tasks: Any, sample_weight: Any) -> float:
        from mtlref.estimator import Estimator

        class Loss(Estimator):
            """Estimator.score with the predictions made here."""

            loss = "logistic" if labels else "squared"

            def predict(_, X: Any, tasks: Any = None) -> Any:
                return self.predict(X, tasks)

        return Loss().score(X, y, tasks, sample_weight)

    # -- forms ---------------------------------------------------------------------------------------------------------

    def _index(self, name: Any) -> int:
        return next(k for k, t in enumerate(self._targets) if t.name == name)

    def _main(self) -> list[int]:
        """The places of the tasks that are predicted among the heads."""
        return [self._index(name) for name in self.tasks_]

    def _answers(self, design: Values, logits: bool) -> list[Values]:
        me: Any = self
        x = me._shaped(me._scale.standard(design)[:, me._scale.columns]).astype(me.dtype)
        return list(me.net_.forward(me.params_, x)[0] if logits else me.net_.predict(me.params_, x))

    def _by_form(self, X: Any, tasks: Any, of: OfTask, logits: bool = False) -> Any:
        self._check_fitted()
        me: Any = self
        main = self._main()
        if isinstance(X, TaskData):
            if tasks is not None:
                raise FormError("a TaskData names its tasks; give no tasks beside it")
            me._check_p(X.p, "the data")
            where = me._places(X.names)
            return [of(main[t], self._answers(x, logits)) for t, x in zip(where, X.X, strict=True)]
        if tasks is not None:
            design = me._design(X, "X")
            labels = np.asarray(tasks)
            if labels.shape != (len(design),):
                raise DataError(
                    f"tasks must have shape ({len(design)},), a label for each row of X; got {labels.shape}"
                )
            values, codes = np.unique(labels, return_inverse=True)
            answers = self._answers(design, logits)
            each = [of(main[t], answers) for t in me._places(values.tolist())]
            if len({v.shape for v in each}) > 1:
                raise DataError(
                    "rows of tasks with different numbers of classes have no common array; use lists"
                )
            kind = np.result_type(*each) if len({v.dtype.kind for v in each}) == 1 else np.dtype(object)
            return np.stack([v.astype(kind) for v in each])[codes, np.arange(len(design))]
        if self._form == "list" and isinstance(X, (list, tuple)):
            if len(X) != len(main):
                raise DataError(
                    f"X must be a list of {len(main)} designs, one for each task of fit; got {len(X)}"
                )
            designs = [me._design(x, f"X[{t}]") for t, x in enumerate(X)]
            return [of(k, self._answers(x, logits)) for k, x in zip(main, designs, strict=True)]
        if self._form == "long" and len(main) > 1:
            raise DataError(
                "tasks must give a label for each row of X: the model was fitted on rows with task labels, so "
                "predict(X) alone does not say which task a row belongs to"
            )
        answers = self._answers(me._design(X, "X"), logits)
        each = [of(k, answers) for k in main]
        if self._form in ("single", "long"):
            return each[0]
        if any(v.ndim > 1 for v in each):
            return each
        if len({v.dtype.kind for v in each}) > 1 and any(v.dtype.kind in "USO" for v in each):
            each = [v.astype(object) for v in each]
        return np.column_stack(each)


def _decision(z: Values) -> Values:
    """(m,) for two classes, positive for the second; (m, classes) for more."""
    if z.shape[1] == 1:
        return z[:, 0]
    return z[:, 1] - z[:, 0] if z.shape[1] == 2 else z
