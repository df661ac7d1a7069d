"""The user's own files: every form, and what is said of files that cannot be read."""

import numpy as np
import pytest
from scipy.io import savemat

import mtlref as mt
from mtlref.study.answers import read_answer
from mtlref.study.readers import read

LONG = "school,a,b,score\nnorth,1,2,3\nsouth,4,5,6\nnorth,7,8,9\n"


def write(tmp_path, text, name="f.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_long_csv(tmp_path):
    data = read(write(tmp_path, LONG), task="school", target="score")
    assert data.names == ("north", "south")
    assert data.feature_names == ("a", "b")
    assert [x.tolist() for x in data.X] == [[[1, 2], [7, 8]], [[4, 5]]]
    assert [y.tolist() for y in data.y] == [[3, 9], [6]]


def test_features_can_be_chosen(tmp_path):
    data = read(write(tmp_path, LONG), task="school", target="score", features=["b"])
    assert data.feature_names == ("b",)
    assert data.p == 1


def test_number_labels_stay_numbers(tmp_path):
    data = read(write(tmp_path, "t,x,y\n10,1,1\n9,2,2\n"), task="t", target="y")
    assert data.names == (9, 10)


def test_other_delimiters_and_marks(tmp_path):
    semicolons = "\ufeff" + LONG.replace(",", ";")
    for path in (write(tmp_path, semicolons), write(tmp_path, LONG.replace(",", "\t"), "f.tsv")):
        assert read(path, task="school", target="score").N == 3


def test_wide_csv_with_cells_not_observed(tmp_path):
    path = write(tmp_path, "x,A,B\n1,2,3\n2,,4\n3,NA,5\n4,6,nan\n")
    data = read(path, targets=["A", "B"])
    assert data.names == ("A", "B")
    assert [y.tolist() for y in data.y] == [[2, 6], [3, 4, 5]]
    assert [x.ravel().tolist() for x in data.X] == [[1, 4], [1, 2, 3]]


def test_labels_of_two_words(tmp_path):
    data = read(write(tmp_path, "t,x,y\na,1,yes\na,2,no\nb,3,no\n"), task="t", target="y")
    assert data.y[0].tolist() == ["yes", "no"]


def test_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"school": ["n", "s", "n"], "a": [1.0, 2, 3], "score": [1, 2, 3]})
    frame.to_parquet(tmp_path / "f.parquet")
    assert read(tmp_path / "f.parquet", task="school", target="score").names == ("n", "s")


@pytest.mark.parametrize("suffix", ["npz", "mat"])
def test_arrays(tmp_path, suffix):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((6, 2)), rng.standard_normal((6, 3))
    path = tmp_path / f"f.{suffix}"

    def save(**arrays):
        np.savez(path, **arrays) if suffix == "npz" else savemat(path, arrays)
        return read(path)

    assert save(X=X, Y=Y).T == 3
    long = save(X=X, y=Y[:, 0], tasks=np.array([1, 1, 2, 2, 3, 3]))
    assert long.names == (1, 2, 3)
    several = save(X0=X, y0=Y[:, 0], X1=X[:4], y1=Y[:4, 1])
    assert several.n.tolist() == [6, 4]
    assert save(X=X, y=Y[:, 0]).T == 1


def test_cell_arrays(tmp_path):
    X, Y = np.empty(2, dtype=object), np.empty(2, dtype=object)
    X[0], X[1], Y[0], Y[1] = np.eye(3), np.ones((2, 3)), np.arange(3.0), np.arange(2.0)
    savemat(tmp_path / "f.mat", {"X": X, "Y": Y})
    assert read(tmp_path / "f.mat").n.tolist() == [3, 2]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (LONG, {}, "is a table with columns school, a, b, score: say --task"),
        (LONG, {"task": "school"}, "say --task COLUMN --target"),
        (LONG, {"task": "school", "target": "mark"}, "no column 'mark'; it has school"),
        (LONG, {"task": "school", "target": "score", "features": ["c"]}, "no column 'c'"),
        (LONG, {"task": "school", "target": "score", "features": ["score"]}, "at once"),
        (LONG, {"task": "school", "target": "score", "targets": ["a"]}, "not both"),
        (
            LONG.replace("7", "x"),
            {"task": "school", "target": "score"},
            "'a' must hold numbers; row 4 holds 'x'",
        ),
        (
            LONG.replace("7", ""),
            {"task": "school", "target": "score"},
            "'a' must be complete; row 4 is empty",
        ),
        (LONG.replace("7", "inf"), {"task": "school", "target": "score"}, "row 4 is empty, NaN or infinite"),
        (
            LONG.replace("9", ""),
            {"task": "school", "target": "score"},
            "'score' must be complete in long form; row 4",
        ),
        (
            "t,x,y\na,1,r\na,2,s\na,3,u\n",
            {"task": "t", "target": "y"},
            "labels of two values; row 2 holds 'r'",
        ),
        ("x,A\n1,r\n", {"targets": ["A"]}, "'A' must hold numbers"),
        ("x,A\n1,\n", {"targets": ["A"]}, "needs an observed target"),
        ("x,A\n", {"targets": ["A"]}, "at least one row"),
        ("x,x\n1,2\n", {"targets": ["x"]}, "column names must differ"),
        ("x,A\n1\n", {"targets": ["A"]}, "row 2: must have 2 cells"),
        ("A\n1\n", {"targets": ["A"]}, "no column is left for features"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, text, options, message):
    with pytest.raises(mt.DataError, match=message):
        read(write(tmp_path, text), **options)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(mt.DataError, match="no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(mt.DataError, match="must end in one of"):
        read(write(tmp_path, "", "f.xlsx"))
    for suffix, message in (("npz", "not an NPZ"), ("mat", "not a MAT"), ("csv", "at least one row")):
        with pytest.raises(mt.DataError, match=message):
            read(
                write(tmp_path, "nonsense", f"f.{suffix}"), **({"targets": ["a"]} if suffix == "csv" else {})
            )
    np.savez(tmp_path / "odd.npz", a=np.ones(3))
    with pytest.raises(mt.DataError, match="it holds a"):
        read(tmp_path / "odd.npz")
    np.savez(tmp_path / "half.npz", X0=np.ones((3, 1)))
    with pytest.raises(mt.DataError, match="y0 is missing"):
        read(tmp_path / "half.npz")
    with pytest.raises(mt.DataError, match="holds arrays, which need none"):
        read(tmp_path / "half.npz", task="a")


W, B = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([7.0, 8.0, 9.0])


def test_answers_in_every_form(tmp_path):
    np.savez(tmp_path / "a.npz", W=W, b=B)
    np.savez(tmp_path / "c.npz", coef=W.T, intercept=B)
    savemat(tmp_path / "a.mat", {"W": W, "c": B})
    write(tmp_path, '{"coef_": [[1, 4], [2, 5], [3, 6]], "intercept_": [7, 8, 9]}', "a.json")
    write(tmp_path, ",t1,t2,t3\nf1,1,2,3\nf2,4,5,6\nintercept,7,8,9\n", "a.csv")
    for name in ("a.npz", "c.npz", "a.mat", "a.json", "a.csv"):
        found, intercepts = read_answer(tmp_path / name)
        np.testing.assert_array_equal(found, W)
        np.testing.assert_array_equal(intercepts, B)
    for text in ("1,2,3\n4,5,6\n", "t1,t2,t3\n1,2,3\n4,5,6\n"):
        found, intercepts = read_answer(write(tmp_path, text, "b.csv"))
        np.testing.assert_array_equal(found, W)
        assert intercepts is None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", "[1]", "must hold an object"),
        ("a.json", '{"V": 1}', "it holds V"),
        ("a.json", '{"W": "x"}', "array of numbers"),
        ("a.json", '{"W": [1, 2]}', "must have 2 axes"),
        ("a.csv", "1,2\n3\n", "line 2 of the numbers"),
        ("a.csv", "a,b\n", "holds no numbers"),
        ("a.doc", "1", "must be an .npz"),
        ("a.txt", "W 2 2 1 2 3", "name rows columns"),
    ],
)
def test_answers_that_cannot_be_read(tmp_path, name, text, message):
    with pytest.raises(mt.DataError, match=message):
        read_answer(write(tmp_path, text, name))
