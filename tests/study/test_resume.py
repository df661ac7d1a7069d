"""A comparison that is killed at any moment goes on to the same results, and does nothing twice."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from mtlref.study.folder import STORE

for needed in ("joblib", "matplotlib", "jinja2"):
    pytest.importorskip(needed)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(0)
    arrays = {}
    for t in range(5):
        arrays[f"X{t}"] = X = rng.standard_normal((24, 5))
        arrays[f"y{t}"] = X @ np.arange(5) + rng.standard_normal(24)
    path = tmp_path_factory.mktemp("data") / "small.npz"
    np.savez(path, **arrays)
    return path


def command(data, out, *more, jobs=1):
    methods = "SingleTaskRidge,Pooled,SingleTaskLasso"
    options = ["--methods", methods, "--splits", "3", "--grid", "6", "--folds", "3", "--jobs", str(jobs)]
    return [
        sys.executable,
        "-W",
        "error",
        "-m",
        "mtlref",
        "compare",
        str(data),
        *options,
        "--out",
        str(out),
        *more,
    ]


def fits(out):
    with sqlite3.connect(out / STORE) as db:
        columns = "size, split, method, fold, k, lam, criterion, metrics, relative_gap, n_iter, status"
        rows = db.execute(f"SELECT {columns} FROM fits ORDER BY size, split, method, fold, k").fetchall()
    db.close()
    return rows


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    subprocess.run(command(data, out), check=True, capture_output=True)
    return out


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_kill_and_resume(data, uninterrupted, tmp_path):
    """With one worker, then with two: how many work on it is no part of a comparison."""
    out = tmp_path / "out"
    rng = np.random.default_rng(1)
    seen = 0
    for jobs in (1, 2):
        run = subprocess.Popen(
            command(data, out, "--resume", jobs=jobs),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for_fits(out, seen + 1, run)
        time.sleep(rng.uniform(0, 0.08))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        kept = fits(out)
        assert len(kept) >= seen, f"killed with {jobs} at work, it lost fits"
        seen = len(kept)
    final = subprocess.run(command(data, out, "--resume", jobs=2), check=True, capture_output=True, text=True)
    assert "resuming:" in final.stderr
    assert fits(out) == fits(uninterrupted)
    assert (out / "report.html").exists()
    runs = json.loads((out / "provenance.json").read_text())["times"]["runs"]
    assert len(runs) == 3


def wait_for_fits(out, count, run):
    for _ in range(600):
        try:
            if len(fits(out)) >= count or run.poll() is not None:
                return
        except sqlite3.Error:
            pass  # not there yet, or being made
        time.sleep(0.05)
    raise AssertionError("the comparison did not begin within 30 seconds")


def test_a_finished_comparison_resumes_to_nothing(data, uninterrupted):
    before = (uninterrupted / "results.csv").read_bytes()
    done = subprocess.run(
        command(data, uninterrupted, "--resume"), check=True, capture_output=True, text=True
    )
    assert "SingleTaskRidge" in done.stdout
    assert (uninterrupted / "results.csv").read_bytes() == before


def test_a_folder_is_never_overwritten_by_accident(data, uninterrupted):
    done = subprocess.run(command(data, uninterrupted), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "already holds a comparison" in done.stderr
    assert "--resume" in done.stderr
    assert done.stderr.count("\n") == 1


def test_other_settings_do_not_resume(data, uninterrupted):
    done = subprocess.run(
        command(data, uninterrupted, "--resume", "--seed", "5"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "seed was 0, now 5" in done.stderr


def test_interrupting_keeps_what_is_finished(data, tmp_path):
    out = tmp_path / "out"
    run = subprocess.Popen(command(data, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for_fits(out, 1, run)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=30)
    if run.returncode != 0:  # it may have been done already
        assert run.returncode == 130
        assert "--resume goes on" in said
    assert fits(out)
