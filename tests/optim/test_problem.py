"""What a solver is given: one design's rows pooled, sparse rows as they are or as their moments."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import mtlref as mt
from mtlref.errors import FormError
from mtlref.linear import model as page

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_one_design_is_pooled_as_its_rows_would_be(loss: str) -> None:
    X, Y = RNG.normal(size=(30, 4)), RNG.normal(size=(30, 3))
    Y = np.sign(Y) if loss == "logistic" else Y
    once = mt.Pooled(lam=0.1, loss=loss, tol=1e-12).fit(X, Y)
    apart = mt.Pooled(lam=0.1, loss=loss, tol=1e-12).fit([X.copy() for _ in range(3)], list(Y.T))
    # tol leaves half of its digits in the coefficients.
    np.testing.assert_allclose(once.coef_, apart.coef_, atol=1e-6)
    assert once.result_.certificate.primal == pytest.approx(apart.result_.certificate.primal, rel=1e-11)


def test_sparse_rows_become_moments_up_to_a_number_of_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "SMALL_GRAM", 2)
    monkeypatch.setattr(page, "DENSE_ROWS", 10**9)
    X = sp.csr_array(RNG.normal(size=(8, 5)))
    Y = RNG.normal(size=(8, 2))
    shared, listed = mt.TaskData.from_shared(X, Y), mt.TaskData.from_list([X, X.copy()], list(Y.T))
    plain = next(m.cls for m in mt.methods().values() if m.family == "linear" and not m.cls.sparse_rows)
    for data, numbers in ((shared, 25), (listed, 50)):
        monkeypatch.setattr(page, "MOST_MOMENTS", numbers)
        assert isinstance(plain()._from_sparse(data), mt.Moments)
        monkeypatch.setattr(page, "MOST_MOMENTS", numbers - 1)
        with pytest.raises(FormError, match="takes sparse X with the squared loss"):
            plain()._from_sparse(data)
