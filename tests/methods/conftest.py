"""What the tests of pages share: known optima, and real data in the settings of the published figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mtlref as mt


@pytest.fixture
def check_known(regression_cases: tuple[mt.TaskData, list[dict[str, Any]]]) -> Callable[[str, int], None]:
    """check_known(name, count): every known optimum to 1e-8 of its value, certified to 1e-10, rows and Moments."""
    data, entries = regression_cases

    def check(name: str, count: int) -> None:
        own = [entry for entry in entries if entry["method"] == name]
        assert len(own) == count
        for entry in own:
            settings = {key: entry[key] for key in ("loss", "scaling", "fit_intercept")}
            model = mt.methods()[name].cls(**entry["params"], **settings, tol=1e-10)
            for given in (data, mt.Moments.from_data(data)):
                certificate = model.fit(given).result_.certificate
                assert certificate.relative_gap <= 1e-10
                assert abs(certificate.primal - entry["optimum"]) <= 1e-8 * entry["optimum"]

    return check


@pytest.fixture
def check_landmine(landmine: mt.TaskData) -> Callable[..., None]:
    """check_landmine(name, **weights): the logistic loss on all mine fields for three lams, certified to 1e-10."""

    def check(name: str, **weights: Any) -> None:
        method = mt.methods()[name]
        graph = {"graph": np.full((29, 29), 1 / 29)} if method.required else {}
        model = method.cls(**graph, **weights, loss="logistic", tol=1e-10)
        scale = model.lam_scale(landmine)
        for fitted in model.path(landmine, [scale * r for r in (0.5, 0.1, 0.02)]):
            assert fitted.result_.certificate.relative_gap <= 1e-10
            assert fitted.classes_.tolist() == [0.0, 1.0]

    return check
