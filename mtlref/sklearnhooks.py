"""What scikit-learn calls on an estimator: tags, routing of metadata, the words of its checks.

scikit-learn is imported only inside these methods, which it itself calls.
"""

from __future__ import annotations

import sys
from typing import Any, Self

from mtlref.errors import NotFitted


class ScikitLearnHooks:
    """The hooks; ``loss`` tells classifiers from regressors."""

    loss: str
    _any_sparse = False  # whether sparse X of any size is taken
    _learned = "coef_"  # what a fitted estimator has

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, self._learned)

    def _check_fitted(self) -> None:
        if not hasattr(self, self._learned):
            message = (
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments before "
                "using this estimator."
            )
            if "sklearn" in sys.modules:
                from sklearn.exceptions import NotFittedError

                raise type("NotFitted", (NotFitted, NotFittedError), {})(message)
            raise NotFitted(message)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        classifier = self.loss == "logistic"
        return Tags(
            estimator_type="classifier" if classifier else "regressor",
            target_tags=TargetTags(required=True, multi_output=True, single_output=True),
            transformer_tags=None,
            classifier_tags=ClassifierTags(multi_class=False) if classifier else None,
            regressor_tags=None if classifier else RegressorTags(),
            input_tags=InputTags(sparse=self._any_sparse),
        )

    def _request(self, method: str, **wanted: Any) -> Self:
        from sklearn.utils.metadata_routing import MetadataRequest

        request = getattr(self, "_metadata_request", None) or self._default_request()
        assert isinstance(request, MetadataRequest)
        for name, alias in wanted.items():
            if alias != "$UNCHANGED$":
                getattr(request, method).add_request(param=name, alias=alias)
        self._metadata_request = request
        return self

    def _default_request(self) -> Any:
        from sklearn.utils.metadata_routing import MetadataRequest

        try:
            request = MetadataRequest(owner=self)
        except TypeError:
            request = MetadataRequest(owner=type(self).__name__)
        for method, names in {
            "fit": ("tasks", "sample_weight"),
            "predict": ("tasks",),
            "predict_proba": ("tasks",),
            "decision_function": ("tasks",),
            "score": ("tasks", "sample_weight"),
        }.items():
            for name in names:
                getattr(request, method).add_request(param=name, alias=None)
        return request

    def get_metadata_routing(self) -> Any:
        """What scikit-learn's meta-estimators are to pass on; called by scikit-learn."""
        import copy

        return copy.deepcopy(getattr(self, "_metadata_request", None) or self._default_request())

    def set_fit_request(self, *, tasks: Any = "$UNCHANGED$", sample_weight: Any = "$UNCHANGED$") -> Self:
        """Ask scikit-learn's meta-estimators to hand ``tasks`` or ``sample_weight`` to ``fit``."""
        return self._request("fit", tasks=tasks, sample_weight=sample_weight)

    def set_predict_request(self, *, tasks: Any = "$UNCHANGED$") -> Self:
        """Ask scikit-learn's meta-estimators to hand ``tasks`` to ``predict``."""
        return self._request("predict", tasks=tasks)

    def set_score_request(self, *, tasks: Any = "$UNCHANGED$", sample_weight: Any = "$UNCHANGED$") -> Self:
        """Ask scikit-learn's meta-estimators to hand ``tasks`` or ``sample_weight`` to ``score``."""
        return self._request("score", tasks=tasks, sample_weight=sample_weight)


def names_message(fitted: tuple[str, ...], given: tuple[str, ...]) -> str:
    """What differs, in the words that scikit-learn's users know."""
    lines = ["The feature names should match those that were passed during fit."]
    unseen = [n for n in given if n not in set(fitted)]
    missing = [n for n in fitted if n not in set(given)]
    if unseen:
        lines.append("Feature names unseen at fit time:\n" + "\n".join(f"- {n}" for n in sorted(unseen)[:5]))
    if missing:
        lines.append(
            "Feature names seen at fit time, yet now missing:\n"
            + "\n".join(f"- {n}" for n in sorted(missing)[:5])
        )
    if not unseen and not missing:
        lines.append("Feature names must be in the same order as they were in fit.")
    return "\n".join(lines) + "\n"
