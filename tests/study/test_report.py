"""The folder of a comparison, and its report in a real browser."""

import csv
import json
import re
import shutil

import numpy as np
import pytest

import mtlref as mt
from mtlref.study import compare

from .conftest import make_regression

for needed in ("matplotlib", "jinja2"):
    pytest.importorskip(needed)

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "out"
    data = make_regression(n=30)
    # Names that HTML, LaTeX and Matplotlib could each trip over.
    names = ["<b>one</b>", "$x_1$ & co", "50 %", "日本"]
    data = mt.TaskData.from_list(list(data.X), list(data.y), names=names)
    compare(
        data, methods=["SingleTaskRidge", "Pooled", "JointFeature", "TraceNorm"], splits=3, grid=5, folds=2, jobs=1,
        train_size=[0.4, 0.75], out=out, progress=False, name="a_b <c>",
    )  # fmt: skip
    return out


def test_everything_is_there(folder):
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found >= {
        *(
            "study.sqlite",
            "table.md",
            "table.tex",
            "results.csv",
            "report.html",
            "provenance.json",
            "references.bib",
        ),
        *(f"figures/{n}.png" for n in ("scores", "learning", "tuning", "coefficients", "similarity")),
    }
    assert not [name for name in found if name.endswith(".part")]


def test_results_csv_has_a_line_a_fit(folder):
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["method"] for line in lines} == {"SingleTaskRidge", "Pooled", "JointFeature", "TraceNorm"}
    refits = [line for line in lines if line["stage"] == "refit"]
    assert len(refits) == 4 * 3 * 2
    for line in refits:
        assert float(line["mse"]) == pytest.approx(float(line["rmse"]) ** 2)
        assert float(line["relative_gap"]) <= 1e-6
        assert line["certified"] == "True"
        assert int(line["n_iter"]) >= 1
        assert float(line["seconds"]) >= 0


def test_latex_escapes_what_it_must(folder):
    text = (folder / "table.tex").read_text(encoding="utf-8")
    assert r"a\_b \textless{}c\textgreater{}" in text
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 1
    assert text.count("{") == text.count("}")
    assert r"\cite{evgeniou2004}" not in text
    assert re.search(r"TraceNorm~\\cite{[a-z0-9,]+}", text)
    body = [line for line in text.splitlines() if line.rstrip().endswith(r"\\")]
    assert {line.count("&") - line.count(r"\&") for line in body} == {3}


def test_references_hold_every_key_cited(folder):

    cited = {
        k for ks in re.findall(r"\\cite{([^}]*)}", (folder / "table.tex").read_text()) for k in ks.split(",")
    }
    entries = set(re.findall(r"@\w+{([^,]+),", (folder / "references.bib").read_text(encoding="utf-8")))
    assert cited <= entries
    assert {"nadeau2003", "holm1979"} <= entries


def test_provenance(folder):
    said = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    assert said["seed"] == 0
    assert len(said["data"]["sha256"]) == 64
    assert said["versions"]["mtlref"] == mt.__version__
    assert {"command", "machine", "times", "settings"} <= set(said)


def test_the_report_is_one_page_that_asks_for_nothing(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<b>one</b>" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    for word in ("<script", '<link rel="stylesheet', 'src="', "url(http"):
        assert word not in page
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_a_comparison_in_which_all_fail_is_still_reported(tmp_path):
    data = mt.TaskData.from_list([np.eye(6)[:, :2]] * 2, [np.ones(6)] * 2)
    result = compare(data, methods=["JointFeature"], splits=2, grid=3, folds=2, jobs=1, out=tmp_path / "o",
                     progress=False)  # fmt: skip
    assert result.rows[0].error is not None
    assert "No method could be fitted" in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")


def test_force_deletes_what_a_run_left_and_nothing_else(tmp_path):
    out = tmp_path / "o"
    options = {
        "methods": ["Pooled"],
        "splits": 1,
        "grid": 2,
        "folds": 2,
        "jobs": 1,
        "out": out,
        "progress": False,
    }
    compare(make_regression(), **options)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(mt.DataError, match="already holds"):
        compare(make_regression(), **options)
    compare(make_regression(seed=1), **options, force=True)
    assert (out / "notes.txt").read_text() == "mine"
    (out / "study.sqlite").unlink()
    with pytest.raises(mt.DataError, match="nothing to resume"):
        compare(make_regression(), **options, resume=True)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver")
    selenium = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    from selenium.webdriver.chrome.service import Service

    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (
        *("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"),
        *("disable-background-networking", "disable-component-update", "disable-dev-shm-usage"),
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_in_a_browser(browser, folder, width, theme):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    )
    browser.get((folder / "report.html").as_uri())
    assert browser.get_log("browser") == []
    assert browser.title == "a_b <c>: 4 methods compared"
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    tables = browser.find_elements("css selector", "table")
    assert len(tables) >= 4
    assert all(t.find_elements("css selector", "caption") for t in tables)
    assert tables[0].is_displayed()
    assert tables[0].rect["width"] > 250
    plots = [p for p in browser.find_elements("css selector", "figure svg") if p.is_displayed()]
    # Scores, learning, and three kinds with a panel a method.
    assert len(plots) == 2 + 3 * 4
    assert all(p.rect["width"] > 200 and p.rect["height"] > 100 for p in plots)
    assert all(p.get_attribute("aria-label") for p in plots)
    # Text must stand out from its ground.
    colours = browser.execute_script(
        "const c = getComputedStyle(document.body); return [c.color, c.backgroundColor]"
    )
    ink, ground = (np.array([int(v) for v in c[c.index("(") + 1 : -1].split(",")[:3]]) for c in colours)
    assert abs(ink - ground).sum() > 450
    assert (ground.sum() > 600) == (theme == "light")
