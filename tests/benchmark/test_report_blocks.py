"""Reports of a comparison that was made up: each format is read back by somebody else's reader."""

import base64
import csv
import io
import json
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from benchmark_samples import SHADES, comparison, plain_report, report, row, sweep_report, wrong_report
from numpy.testing import assert_array_equal
from report_readers import Page, markdown_tables

from convcli.benchmark.pictures import difference_colours
from convcli.benchmark.report_blocks import comparison_text, write_comparison
from convcli.reporting.formats import REPORT_SUFFIXES


def decoded(uri):
    kind, _, data = uri.partition(",")
    assert kind == "data:image/png;base64"
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels[..., np.newaxis]


def test_json_holds_what_the_design_fixes():
    record = json.loads(comparison_text(plain_report(), ".json"))
    assert {"machine", "image", "results", "crossovers", "warnings", "versions"} <= set(record)
    result = record["results"][1]
    assert result["kernel"] == "box"
    assert result["kernel_size"] == [3, 3]
    assert result["backend"] == "fft"
    assert result["seconds"] == {
        "median": 0.001,
        "min": 0.001,
        "max": 0.0013,
        "stdev": pytest.approx(np.std([1e-3, 1e-3, 1.3e-3], ddof=1)),
        "runs": [0.001, 0.001, 0.0013],
    }
    assert result["plan_seconds"] == 0.125
    assert (result["megapixels_per_second"], result["gigamacs_per_second"]) == (24.0, 0.216)
    assert result["peak_extra_bytes"] == 12_345_678
    assert (result["max_abs_error"], result["agrees"]) == (0.25, True)
    assert record["results"][0]["chosen"] == "fft"


def test_what_is_no_number_is_null_in_json():
    result = json.loads(comparison_text(plain_report(), ".json"))["results"][2]
    assert result["seconds"]["stdev"] is None
    assert result["peak_extra_bytes"] is None
    wrong = report([comparison([row("fft", [1.0], error=math.inf)])])
    record = json.loads(comparison_text(wrong, ".json"))
    assert (record["results"][0]["max_abs_error"], record["results"][0]["agrees"]) == (None, False)
    assert record["agrees"] is False


def test_csv_has_the_keys_of_json_joined_by_dots():
    lines = list(csv.DictReader(io.StringIO(comparison_text(plain_report(), ".csv"))))
    assert [line["backend"] for line in lines] == ["auto", "fft", "cv2.filter2D"]
    line = lines[1]
    assert float(line["seconds.median"]) == 0.001
    assert [float(run) for run in line["seconds.runs"].split()] == [0.001, 0.001, 0.0013]
    assert line["kernel_size"] == "3 3"
    assert float(lines[0]["relative_time.high"]) == pytest.approx(1.2)
    assert lines[2]["seconds.stdev"] == lines[2]["peak_extra_bytes"] == ""


@pytest.mark.parametrize("made", [plain_report, wrong_report, sweep_report])
def test_markdown_tables_have_as_many_cells_in_each_line(made):
    text = comparison_text(made(), ".md")
    tables = markdown_tables(text)
    assert tables
    for table in tables:
        assert len({len(line) for line in table}) == 1
        assert all(cell.strip("-:") == "" for cell in table[1])


def test_markdown_says_who_is_fastest_and_who_is_left_out():
    text = comparison_text(plain_report(), ".md")
    assert "| **fft** | 1.00 | 1.00 | 1.30 | 1.00 | 24.0 | 0.216 | 125 | 12.3 | 0.250 | yes |" in text
    assert "- fft is fastest: 1 ms, 24.0 MP/s" in text
    assert r"- winograd is left out: computes 3x3 \| only & none \<else>" in text


@pytest.mark.parametrize("made", [plain_report, wrong_report, sweep_report])
def test_the_page_stands_alone_and_is_well_formed(made):
    text = comparison_text(made(), ".html")
    page = Page(text)
    assert not page.all("script")
    assert not page.all("link")
    assert "http" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert all(image["src"].startswith("data:image/png;base64,") and image["alt"] for image in page.all("img"))
    assert all(chart["aria-label"] for chart in page.all("svg") if chart.get("role") == "img")
    assert page.all("html")[0]["lang"] == "en"
    assert "prefers-color-scheme: dark" in text


def test_the_page_shows_outputs_and_differences_as_they_are():
    page = Page(comparison_text(plain_report(), ".html"))
    pictures = {image["alt"]: decoded(image["src"]) for image in page.all("img")}
    assert_array_equal(pictures["Output of the float64 reference"], SHADES)
    assert_array_equal(pictures["Output of fft"], SHADES)
    # The largest error is 0.25 of what is allowed, so that full colour is 0.3 of it.
    expected = difference_colours(np.linspace(-1.0, 1.0, 24).reshape(4, 6), 0.3)
    assert_array_equal(pictures["Difference of fft from the reference"], expected)
    assert "Full colour of a difference is 0.3 of the allowed error" in page.text


def test_what_names_hold_is_text_on_the_page():
    page = Page(comparison_text(plain_report(), ".html"))
    assert "a<b>|c.png: 6 x 4 gray u8 -> f32" in page.text
    assert "winograd is left out: computes 3x3 | only & none <else>" in page.text
    assert "Abacus & Sons" in page.text


def test_a_disagreement_is_marked_in_every_form():
    page = Page(comparison_text(wrong_report(), ".html"))
    assert "Not all agree." in page.text
    assert "opencv disagrees with the reference: it is off by 2.00, and 1.00 is allowed" in page.text
    assert "✗ no" in page.text
    assert any("wrong" in each.get("class", "") for each in page.all("rect"))
    assert "**no**" in comparison_text(wrong_report(), ".md")
    assert [line["agrees"] for line in csv.DictReader(io.StringIO(comparison_text(wrong_report(), ".csv")))] == [
        "True",
        "False",
    ]


def test_a_sweep_has_curves_a_legend_and_its_crossovers():
    record = json.loads(comparison_text(sweep_report(), ".json"))
    (crossing,) = record["crossovers"]
    assert (crossing["before"], crossing["after"], crossing["between"]) == ("opencv", "fft", [7, 15])
    assert crossing["near"] == pytest.approx(10.0)
    page = Page(comparison_text(sweep_report(), ".html"))
    sentence = "box: opencv is fastest up to 7, fft from 15 on (they cross near 10)"
    assert sentence in page.text
    assert sentence in comparison_text(sweep_report(), ".md")
    assert "kernel size [pixels], logarithmic" in page.text
    assert "median time [ms], logarithmic" in page.text
    wide = [
        chart for chart in page.all("svg") if chart.get("aria-label", "").startswith("Median time over kernel size")
    ]
    assert [chart["width"] for chart in wide] == ["900", "366"]


@pytest.mark.parametrize("seconds", [[1e-6, 1e-6], [0.001, 0.02], [0.001, 9.0], [100.0, 100.5]])
def test_bars_stay_inside_their_chart(seconds):
    rows = [row(f"fft{n}", [each, 1.4 * each]) for n, each in enumerate(seconds)]
    page = Page(comparison_text(report([comparison(rows)]), ".html"))
    charts = [float(chart["width"]) for chart in page.all("svg")]
    bars = [float(bar["x"]) + float(bar["width"]) for bar in page.all("rect") if "bar" in bar["class"]]
    assert all(0 < bar <= charts[0] for bar in bars)
    assert len(bars) == 2 * len(rows)


@pytest.mark.parametrize("suffix", REPORT_SUFFIXES)
def test_a_report_is_written_to_a_file(tmp_path, suffix):
    write_comparison(plain_report(), str(tmp_path / f"r{suffix}"))
    assert (tmp_path / f"r{suffix}").read_text(encoding="utf-8") == comparison_text(plain_report(), suffix)


def test_a_name_that_is_not_utf8_does_not_stop_a_report():
    odd = replace(plain_report(), image=plain_report().image | {"source": "caf\udce9.png"})
    assert "caf?.png" in comparison_text(odd, ".html")
    assert "caf\udce9.png" in comparison_text(odd, ".md")
