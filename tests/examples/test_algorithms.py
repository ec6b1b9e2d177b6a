"""The page about the five algorithms says what was measured, and the script that measures works."""

import sys
from importlib import import_module

import numpy as np
import pytest
import scipy.signal
from repository import EXAMPLES

FOLDER = EXAMPLES / "algorithms"
NAMES = ("cases", "claims", "figure", "measure", "page")


@pytest.fixture
def script(monkeypatch):
    """Imports a module of the folder by name, under which no other test finds it."""
    monkeypatch.syspath_prepend(FOLDER)
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield import_module
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture
def page(script):
    return script("page")


def test_page_and_figure_are_made_of_the_numbers_beside_them(page):
    results, text = page.read_results(), page.PAGE.read_text()
    assert page.render(text, results) == text
    assert page.figure(results) == page.FIGURE.read_text()


def test_the_numbers_bear_out_the_words(script, page):
    assert list(script("claims").doubtful(page.PAGE.read_text(), page.read_results())) == []


def test_every_case_was_measured(page):
    results = page.read_results()
    for case in page.CASES:
        for algorithm in page.ALGORITHMS:
            able = algorithm != "winograd" or (page.CASES[case].kernel == 3 and page.CASES[case].stride == 1)
            assert (results.seconds(case, algorithm) is not None) == able, (case, algorithm)
            assert (results.extra(case, algorithm) is not None) == able, (case, algorithm)


def test_a_page_without_a_mark_is_refused(page):
    with pytest.raises(ValueError, match="has 0 places for verdicts, and must have one"):
        page.render("no marks", page.read_results())


@pytest.mark.parametrize(("value", "mark"), [(0.25, "++"), (0.26, "+"), (4.0, "-"), (4.1, "--"), (None, "--")])
def test_marks_follow_from_the_rules(page, value, mark):
    assert page.mark(value, page.MEMORY) == mark


@pytest.mark.parametrize("size", [((24, 17, 1), 3, None, 1), ((15, 16, 4), 3, 5, 1), ((15, 16, 4), 3, 5, 2)])
def test_a_case_is_measured_by_every_algorithm_that_can_do_it(script, monkeypatch, size):
    measure, cases = script("measure"), script("cases")
    monkeypatch.setattr(measure, "SECONDS_A_CASE", 0.01)
    monkeypatch.setattr(measure, "peak_extra_bytes", lambda *_: 1000)
    rows = measure.measure_case("a case", cases.Case(*size))
    assert [row["algorithm"] for row in rows] == list(cases.ALGORITHMS)
    for row in rows:
        if "refused" in row:
            assert row["algorithm"] == "winograd"
        else:
            assert row["max_abs_error"] <= row["allowed_error"]
            assert len(row["seconds"]) > 0


@pytest.mark.parametrize("outputs", [None, 2])
def test_a_process_for_the_memory_is_ready_to_run(script, monkeypatch, outputs):
    cases = script("cases")
    case = cases.Case((20, 21, 2 if outputs else 1), 3, outputs)
    monkeypatch.setitem(cases.CASES, "one", case)
    arrays = {"image": case.image, "weights": case.bank.weights}
    run = cases.ready(arrays, {"case": "one", "algorithm": "direct"})
    np.testing.assert_array_equal(run(), case.plan("direct").run(case.image))


def test_integers_are_correlated_exactly(script):
    random = np.random.default_rng(3)
    image, weights = random.integers(0, 256, (9, 8, 2), np.uint8), random.integers(-9, 9, (3, 2, 3, 3))
    planes = [
        sum(scipy.signal.correlate2d(image[..., i].astype(np.int64), each[i], "same") for i in range(2))
        for each in weights
    ]
    np.testing.assert_array_equal(script("measure").correlate_integers(image, weights), np.stack(planes, axis=2))
