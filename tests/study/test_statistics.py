"""The corrected t-test and Holm's rule against other sources and against simulation."""

import numpy as np
import pytest
from scipy import stats

from mtlref.errors import DataError
from mtlref.study import statistics


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.2 times 4, 3, 2, 1, made monotone.
    adjusted = statistics.holm(np.array([0.03, 0.01, 0.2, 0.02]))
    np.testing.assert_allclose(adjusted, [0.06, 0.04, 0.2, 0.06])


def test_holm_leaves_nan_out():
    adjusted = statistics.holm(np.array([np.nan, 0.01, 0.5]))
    assert np.isnan(adjusted[0])
    np.testing.assert_allclose(adjusted[1:], [0.02, 0.5])


def test_without_overlap_the_test_is_the_paired_t_test():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal(8), rng.standard_normal(8) + 0.5
    (pair,) = statistics.compare_pairs({"a": a, "b": b}, n_train=1e18, n_test=1, greater_is_better=False)
    assert pair.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert pair.difference == pytest.approx(abs((a - b).mean()))


def test_the_correction_is_the_published_factor():
    # Nadeau & Bengio: 1/J + n_test/n_train; ten 75/25 splits give 0.1 + 1/3.
    assert statistics.correction(75, 25, 10) == pytest.approx(0.1 + 1 / 3)
    scores = np.arange(10.0)
    found = statistics.mean(scores, 75, 25)
    assert found.error == pytest.approx(scores.std(ddof=1) * (0.1 + 1 / 3) ** 0.5)


@pytest.mark.parametrize("bad", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_the_correction_refuses_nonsense(bad):
    with pytest.raises(DataError, match="must be positive"):
        statistics.correction(*bad)


def test_direction_follows_the_metric():
    scores = {"low": np.array([1.0, 1.1, 0.9]), "high": np.array([2.0, 2.1, 1.9])}
    assert statistics.compare_pairs(scores, 3, 1, greater_is_better=False)[0].winner == "low"
    assert statistics.compare_pairs(scores, 3, 1, greater_is_better=True)[0].winner == "high"


def test_equal_methods_are_never_told_apart():
    scores = np.array([3.0, 4.0, 5.0])
    (pair,) = statistics.compare_pairs(
        {"a": scores, "b": scores * (1 + 1e-13)}, 3, 1, greater_is_better=False
    )
    assert pair.p == 1.0
    assert not pair.claimed


def test_one_split_claims_nothing():
    (pair,) = statistics.compare_pairs({"a": np.array([1.0]), "b": np.array([9.0])}, 3, 1, False)
    assert np.isnan(pair.p)
    assert not pair.claimed
    assert np.isnan(statistics.mean(np.array([1.0]), 3, 1).error)


def test_correction_keeps_the_false_claims_of_overlapping_splits_down():
    # Two equally good rules that estimate a mean from random halves: the plain t-test claims far too often.
    rng = np.random.default_rng(0)
    claims = plain = 0
    for _ in range(300):
        x = rng.standard_normal(40)
        gains = []
        for _ in range(10):
            order = rng.permutation(40)
            train, test = x[order[:30]], x[order[30:]]
            gains.append(np.mean((test - train[:15].mean()) ** 2 - (test - train[15:].mean()) ** 2))
        gain = np.array(gains)
        (pair,) = statistics.compare_pairs({"a": gain, "b": np.zeros(10)}, 30, 10, False)
        claims += pair.claimed
        plain += stats.ttest_1samp(gain, 0).pvalue < 0.05
    assert claims <= 0.05 * 300 + 10
    assert claims <= plain


def test_the_marked_methods_are_those_the_best_does_not_beat():
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.standard_normal((4, 10))
    scores = {
        name: level + noise[i] for i, (name, level) in enumerate([("a", 1), ("b", 1.001), ("c", 2), ("d", 3)])
    }
    pairs = statistics.compare_pairs(scores, 3, 1, greater_is_better=False)
    assert statistics.not_worse("a", list(scores), pairs) == {"a", "b"}
