"""Public data sets: what is in them, where they are looked for, and what is said when they are not there."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

import mtlref as mt
from mtlref.bibliography import ENTRIES
from mtlref.data import fetch, jura, school


def load(name, **options):
    try:
        return mt.data.load(name, **options)
    except mt.data.MissingData:
        pytest.skip(f"the data set {name!r} is not here")


def check_splits(data):
    for train, test in data.splits:
        for t, n in enumerate(data.tasks.n):
            both = np.concatenate([train[t], test[t]])
            assert len(np.unique(both)) == len(both)
            assert both.min() >= 0
            assert both.max() < n


def test_school():
    data = load("school", download=False)
    assert (data.tasks.T, data.tasks.p, data.tasks.N) == (139, 27, 15362)
    assert data.tasks.names[0] == "school 1"
    assert data.tasks.names[-1] == "school 139"
    assert (data.tasks.n.min(), data.tasks.n.max()) == (22, 251)
    assert len(data.splits) == 10
    check_splits(data)
    for train, test in data.splits:
        assert sum(map(len, train)) + sum(map(len, test)) == 15362
    y = np.concatenate(data.tasks.y)
    assert (y.min(), y.max()) == (1, 70)
    # One byte a number at the origin: a sum of such bytes would wrap around.
    assert data.tasks.X[0].dtype == np.float64


def test_school_features_are_named_right():
    data = load("school", download=False)
    X, y = np.vstack(data.tasks.X), np.concatenate(data.tasks.y)
    place = {name: j for j, name in enumerate(data.tasks.feature_names)}
    groups = [
        ["year 1985", "year 1986", "year 1987"],
        ["male", "female"],
        ["mixed school", "boys' school", "girls' school"],
        ["maintained", "Church of England", "Roman Catholic"],
    ]
    for group in groups:
        assert (X[:, [place[g] for g in group]].sum(axis=1) == 1).all()
    # The band of a few pupils is not known.
    bands = X[:, [place[f"VR band {k}"] for k in (1, 2, 3)]].sum(axis=1)
    assert (bands <= 1).all()
    assert (bands == 1).mean() > 0.99
    means = [y[X[:, place[f"VR band {k}"]] == 1].mean() for k in (1, 2, 3)]
    assert means[0] > means[1] > means[2]
    assert (
        np.corrcoef(X[:, place["free school meals %"]], y)[0, 1]
        < 0
        < np.corrcoef(X[:, place["VR band 1 %"]], y)[0, 1]
    )


def test_school_with_its_constant():
    data = load("school", constant=True, download=False)
    assert data.tasks.p == 28
    assert data.tasks.feature_names[-1] == "constant"
    assert all((x[:, -1] == 1).all() for x in data.tasks.X)


def test_school_known_optimum():
    """F at zero is half the sum of squares; the optimum of JointFeature at lam 1400 is known to nine digits."""
    data = load("school", constant=True, download=False)
    model = mt.JointFeature(lam=1400, scaling="sum", fit_intercept=False, tol=1e-8).fit(data.tasks)
    assert model.result_.certificate.primal == pytest.approx(1009763.659, abs=2e-2)
    assert int((~model.selected_features_).sum()) == 24


def test_landmine():
    data = load("landmine", download=False)
    assert (data.tasks.T, data.tasks.p, data.tasks.N) == (29, 9, 14820)
    assert data.loss == "logistic"
    assert data.splits is None
    y = np.concatenate(data.tasks.y)
    assert sorted(np.unique(y)) == [-1, 1]
    assert (y == 1).sum() == 904


def test_sarcos():
    data = load("sarcos", download=False)
    assert (data.tasks.T, data.tasks.p) == (7, 21)
    assert data.tasks.shared
    assert (data.tasks.n == 4449).all()


def test_jura():
    data = load("jura")
    assert (data.tasks.T, data.tasks.p) == (7, 11)
    assert data.tasks.names == ("Cd", "Co", "Cr", "Cu", "Ni", "Pb", "Zn")
    ((train, test),) = data.splits
    assert (len(train[0]), len(test[0])) == (259, 100)
    assert data.tasks.take(train).shared
    X = data.tasks.X[0]
    assert (X[:, 2:6].sum(axis=1) == 1).all()
    assert (X[:, 6:].sum(axis=1) == 1).all()


def test_digits():
    pytest.importorskip("sklearn")
    data = mt.data.load("digits")
    assert (data.tasks.T, data.tasks.p, data.tasks.N) == (10, 64, 1797)
    assert not data.tasks.shared
    assert data.loss == "logistic"
    check_splits(data)
    for train, test in data.splits:
        for t, y in enumerate(data.tasks.y):
            assert (y[train[t]] == 1).sum() == (y[train[t]] == -1).sum() == 20
            assert len(train[t]) + len(test[t]) == len(y)
            assert abs((y == 1).mean() - 0.5) < 0.03
    # No image is in two tasks.
    assert len(np.unique(np.vstack(data.tasks.X), axis=0)) == 1797


def test_digits_are_the_same_every_time():
    pytest.importorskip("sklearn")
    first, again = mt.data.load("digits"), mt.data.load("digits", n_splits=2)
    assert all((a == b).all() for a, b in zip(first.tasks.X, again.tasks.X, strict=True))
    assert all((a == b).all() for a, b in zip(first.splits[1][0], again.splits[1][0], strict=True))
    digest = hashlib.sha256(np.concatenate(first.splits[0][0]).astype("<i8").tobytes()).hexdigest()
    assert digest.startswith(DIGITS_FIRST_SPLIT), digest


DIGITS_FIRST_SPLIT = "1b654982ae2aa2d3"


@pytest.mark.parametrize(("options", "message"), [({"rows": 7}, "even number"), ({"n_splits": 0}, ">= 1")])
def test_digits_options(options, message):
    with pytest.raises(mt.DataError, match=message):
        mt.data.load("digits", **options)


def test_every_set_is_listed_with_a_citation():
    lines = mt.data.available()
    assert [i.name for i in lines] == ["digits", "school", "landmine", "sarcos", "jura"]
    for info in lines:
        assert info.citation in ENTRIES
        assert info.licence
        assert info.origin
        assert "http" not in info.origin
        assert info.bytes > 0


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(mt.DataError, match=r"digits, school, landmine, sarcos, jura.*did you mean 'school'"):
        mt.data.load("schol")


def test_an_unknown_option_is_an_error_of_one_line():
    with pytest.raises(mt.DataError, match=r"data set 'digits': .*unexpected keyword"):
        mt.data.load("digits", colour="red")


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    monkeypatch.delenv("MTLREF_DATA", raising=False)
    monkeypatch.setenv("MTLREF_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_missing_without_download_says_what_to_put_where(nowhere):
    with pytest.raises(mt.data.MissingData) as caught:
        mt.data.load("landmine", download=False)
    message = str(caught.value)
    assert "landmine/landminedata.mat" in message
    assert "MTLREF_DATA" in message
    assert str(nowhere / "cache") in message
    assert "github.com/paulruvolo/ELLA" in message
    assert "\n" not in message


def test_missing_jura_explains_the_table(nowhere):
    with pytest.raises(
        mt.data.MissingData, match=r"no address.*jura/prediction.csv.*Xloc, Yloc, Landuse, Rock"
    ):
        mt.data.load("jura")


def test_missing_without_pooch(nowhere, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pooch", None)
    with pytest.raises(mt.data.MissingData, match=r"pooch.*not installed"):
        mt.data.load("school")


def test_a_failing_download_gives_the_same_advice(nowhere, monkeypatch):
    pooch = pytest.importorskip("pooch")

    def refuse(**_):
        raise ConnectionError("no route")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    with pytest.raises(
        mt.data.MissingData, match=r"download of sarcos/.*failed \(ConnectionError\).*MTLREF_DATA"
    ):
        mt.data.load("sarcos")


def test_a_download_is_asked_for_with_its_checksum(nowhere, monkeypatch):
    pooch = pytest.importorskip("pooch")
    content = b"stand-in"
    asked = []

    def retrieve(*, url, known_hash, fname, path, downloader):
        asked.append((url, known_hash))
        Path(path).mkdir(parents=True, exist_ok=True)
        (Path(path) / fname).write_bytes(content)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    digest = hashlib.sha256(content).hexdigest()
    files = [fetch.File("set/a.bin", digest, "https://example.org/a.bin", len(content))]
    paths = fetch.locate("set", files, origin="nowhere")
    assert asked == [("https://example.org/a.bin", f"sha256:{digest}")]
    assert paths["set/a.bin"].read_bytes() == content
    fetch.locate("set", files, origin="nowhere")
    assert len(asked) == 1, "what is in the cache is not fetched again"


def test_other_bytes_are_refused(nowhere, monkeypatch):
    folder = nowhere / "mine" / "landmine"
    folder.mkdir(parents=True)
    (folder / "landminedata.mat").write_bytes(b"something else")
    monkeypatch.setenv("MTLREF_DATA", str(nowhere / "mine"))
    with pytest.raises(mt.DataError, match="SHA-256 649b8697"):
        mt.data.load("landmine")
    info = next(i for i in mt.data.available() if i.name == "landmine")
    assert info.found == nowhere / "mine"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-1], "must hold 259 places; got 258"),
        (lambda rows: [rows[0].replace("Zn", "Zinc"), *rows[1:]], "Zn not there"),
        (lambda rows: [rows[0], "0,0,7,1,1,1,1,1,1,1,1", *rows[2:]], "Landuse must hold codes 1 to 4"),
    ],
)
def test_jura_tables_are_checked(nowhere, monkeypatch, change, message):
    folder = nowhere / "mine" / "jura"
    folder.mkdir(parents=True)
    head = "Xloc,Yloc,Landuse,Rock,Cd,Co,Cr,Cu,Ni,Pb,Zn"
    rows = [head] + ["1,2,3,4,1,1,1,1,1,1,1"] * 259
    (folder / "prediction.csv").write_text("\n".join(change(rows)))
    (folder / "validation.csv").write_text("\n".join(rows[:101]))
    monkeypatch.setenv("MTLREF_DATA", str(nowhere / "mine"))
    with pytest.raises(mt.DataError, match=message):
        mt.data.load("jura")


def test_addresses_are_of_the_public_origins():
    assert len(school.FILES) == 11
    assert all(f.address.endswith(f.path) and len(f.sha256) == 64 for f in school.FILES)
    assert all(f.address is None for f in jura.FILES)
