"""The public sets: School, Landmine, and the digits that come with scikit-learn, expanded."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np

import mtlref as mt
from benchmarks.datasets.table import NotHere, Table, centred, listed


def school(*, constant: bool = False) -> Table:
    """139 schools; with ``constant`` as papers fit it: the constant is a penalised feature."""
    try:
        return listed(mt.data.load("school", constant=constant, download=False).tasks)
    except mt.data.MissingData:
        raise NotHere("the School data are not here") from None


def landmine() -> Table:
    """29 mine fields, labels -1 and +1."""
    try:
        return listed(mt.data.load("landmine", download=False).tasks)
    except mt.data.MissingData:
        raise NotHere("the Landmine data are not here") from None


def digits() -> Table:
    """scikit-learn's digits / 16, all products of degree <= 2 whose sd exceeds 1e-3, standardised; one-hot targets."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise NotHere("scikit-learn, which brings the digits, is not installed") from None
    bunch = load_digits()
    X = bunch.data / 16.0
    pairs = [X[:, i] * X[:, j] for i, j in combinations_with_replacement(range(X.shape[1]), 2)]
    X = np.column_stack([X, *pairs])
    sd = X.std(axis=0)
    X = X[:, sd > 1e-3]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return centred(X, (bunch.target[:, None] == np.arange(10)).astype(float))
