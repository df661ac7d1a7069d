"""School with its ten splits against figures that were measured by other programs."""

import numpy as np
import pytest

import mtlref as mt
from mtlref.study import compare

# Test MSE, pooled explained variance, explained variance per school, as measured elsewhere by the same protocol.
MEASURED = {
    "SingleTaskRidge": (105.1, 0.357, 0.214),
    "Pooled": (107.5, 0.342, 0.189),
    "MeanRegularized": (101.6, 0.379, 0.236),
}


@pytest.fixture(scope="module")
def school():
    if not any(info.name == "school" and info.found for info in mt.data.available()):
        pytest.skip("the data set school is not here")
    return compare("school", methods=list(MEASURED), folds=3, jobs=1)


@pytest.mark.parametrize("method", MEASURED)
def test_the_table_lies_within_one_standard_error(school, method):
    row = next(r for r in school.rows if r.method == method)
    assert row.certified == row.fits
    for metric, value in zip(school.metrics, MEASURED[method], strict=True):
        found = row.scores[metric]
        # The naive error of a mean over ten splits, which is smaller than the corrected one.
        assert abs(found.mean - value) <= found.deviation / np.sqrt(10)


def test_it_says_who_beats_whom(school):
    said = " ".join(school.sentences())
    assert "MeanRegularized beats SingleTaskRidge" in said
    assert "SingleTaskRidge beats Pooled" in said
    assert [row.method for row in school.rows] == ["MeanRegularized", "SingleTaskRidge", "Pooled"]
    assert [row.top for row in school.rows] == [True, False, False]
