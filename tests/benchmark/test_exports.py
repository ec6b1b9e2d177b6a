"""Reports of a comparison that was made up: each form is read back by somebody else's reader."""

import base64
import csv
import io
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.benchmark import words
from convcli.benchmark.contestants import LeftOut
from convcli.benchmark.exports import SUFFIXES, render_report, write_report
from convcli.benchmark.exports.charts import spread_out
from convcli.benchmark.measure import Timing
from convcli.benchmark.pictures import Painter, difference_colours
from convcli.benchmark.reference import Reference
from convcli.benchmark.report import Comparison, Picture, Report, Row, ranked, sweep_of
from convcli.benchmark.statistics import Interval, summarize
from convcli.errors import ImageWriteError, UsageError
from convcli.kernel.spec import load_kernel

SHADES = np.arange(24, dtype=np.uint8).reshape(4, 6, 1) * 10
VOID = {"br", "img", "meta", "link", "hr", "input", "wbr"}


def row(backend, runs, *, error=0.25, kernel="box", size=3, **others):
    timing = Timing(backend, 0.125, 0.5, tuple(runs), tuple(range(len(runs))))
    picture = Picture(SHADES, np.linspace(-1.0, 1.0, 24).reshape(4, 6))
    facts = {"plan_seconds": 0.125, "chosen": backend, "form": "dense", "predicted_seconds": 0.001, "picture": picture}
    return Row(
        kernel,
        (size, size),
        backend,
        timing,
        summarize(runs),
        megapixels_per_second=24.0,
        gigamacs_per_second=0.216,
        max_abs_error=error,
        allowed_error=1.0,
        **facts | others,
    )


def comparison(rows, **others):
    facts = {"kernel": rows[0].kernel, "kernel_size": rows[0].kernel_size, "rows": ranked(rows)}
    facts |= {"output_size": (4, 6, 1), "reference": "computed <by hand>", "bound": 1.0, "picture": SHADES}
    return Comparison(left_out=(LeftOut("winograd", "computes 3x3 | only & none <else>"),), **facts | others)


def report(comparisons, **others):
    facts = {
        "machine": {"processor": "Abacus & Sons", "threads": 2, "memory_bytes": None},
        "versions": {"convcli": "0.1.0", "numpy": "2"},
        "image": {"source": "a<b>|c.png", "size": [4, 6, 1], "depth": "u8"},
        "options": {"padding": "wrap", "flip": False, "anchor": None, "stride": [1, 2], "depth": "f32"},
        "method": ("Each ran.",),
        "warnings": ("times scatter & drift",),
        "written": "2026-01-02T03:04:05+00:00",
    }
    return Report(comparisons=tuple(comparisons), **facts | others)


@pytest.fixture
def plain_report():
    rows = [
        row("auto", [0.0012, 0.0012, 0.0011], chosen="fft"),
        row("fft", [0.001, 0.001, 0.0013], peak_extra_bytes=12_345_678),
        row("cv2.filter2D", [0.5], plain=True, chosen=None, form=None, predicted_seconds=None, error=0.0),
    ]
    return report([comparison(rows)])


@pytest.fixture
def wrong_report():
    return report([comparison([row("fft", [0.001, 0.002]), row("opencv", [0.003, 0.004], error=2.0)])])


@pytest.fixture
def sweep_report():
    comparisons = [
        comparison(
            [
                row("opencv", [0.001 * size] * 3, size=size),
                row("fft", [0.01] * 3, size=size),
                row("direct", [0.5] * 3, size=size),
            ],
            size=size,
        )
        for size in (3, 7, 15)
    ]
    return report(comparisons, sweeps=(sweep_of("box", comparisons),))


class Page(HTMLParser):
    """Reads a page, holds that tags are closed in order, and keeps what it finds."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def decoded(uri):
    kind, _, data = uri.partition(",")
    assert kind == "data:image/png;base64"
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels[..., np.newaxis]


def test_json_holds_what_the_design_fixes(plain_report):
    record = json.loads(render_report(plain_report, ".json"))
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


def test_what_is_no_number_is_null_in_json(plain_report):
    result = json.loads(render_report(plain_report, ".json"))["results"][2]
    assert result["seconds"]["stdev"] is None
    assert result["peak_extra_bytes"] is None
    wrong = report([comparison([row("fft", [1.0], error=math.inf)])])
    record = json.loads(render_report(wrong, ".json"))
    assert (record["results"][0]["max_abs_error"], record["results"][0]["agrees"]) == (None, False)
    assert record["agrees"] is False


def test_csv_has_the_keys_of_json_joined_by_dots(plain_report):
    lines = list(csv.DictReader(io.StringIO(render_report(plain_report, ".csv"))))
    assert [line["backend"] for line in lines] == ["auto", "fft", "cv2.filter2D"]
    line = lines[1]
    assert float(line["seconds.median"]) == 0.001
    assert [float(run) for run in line["seconds.runs"].split()] == [0.001, 0.001, 0.0013]
    assert line["kernel_size"] == "3 3"
    assert float(lines[0]["relative_time.high"]) == pytest.approx(1.2)
    assert lines[2]["seconds.stdev"] == lines[2]["peak_extra_bytes"] == ""


def columns(line):
    """The cells of a Markdown table's line; a bar after a backslash is text."""
    return [cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|")]


@pytest.mark.parametrize("name", ["plain_report", "wrong_report", "sweep_report"])
def test_markdown_tables_have_as_many_cells_in_each_line(name, request):
    text = render_report(request.getfixturevalue(name), ".md")
    tables, current = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            current.append(columns(line))
        elif current:
            tables.append(current)
            current = []
    assert tables
    for table in tables:
        assert len({len(line) for line in table}) == 1
        assert all(cell.strip("-:") == "" for cell in table[1])


def test_markdown_says_who_is_fastest_and_who_is_left_out(plain_report):
    text = render_report(plain_report, ".md")
    assert "| **fft** | 1.00 | 1.00 | 1.30 | 1.00 | 24.0 | 0.216 | 125 | 12.3 | 0.250 | yes |" in text
    assert "- fft is fastest: 1.00 ms, 24.0 MP/s" in text
    assert "- winograd is left out: computes 3x3 | only & none <else>" in text


def test_who_is_marked_as_fastest_comes_first_and_is_named():
    # Who is fastest goes by the medians of rounds, so that another may take 0.99 of its time side by side.
    rows = [row("a", [0.001] * 3), row("b", [0.0009] * 3)]
    best, other = (replace(each, relative=Interval(m, m, m, 0.9)) for each, m in zip(rows, (1.0, 0.99), strict=True))
    found = replace(comparison(rows), rows=(other, replace(best, fastest=True)))
    assert [each.backend for each in found.by_speed] == ["a", "b"]
    assert next(words.verdicts(found)).startswith("a is fastest")


def test_nobody_is_fastest_with_a_wrong_result():
    right, wrong = ranked([row("fft", [0.003] * 3), row("opencv", [0.001] * 3, error=2.0)])
    assert [right.fastest, wrong.fastest] == [True, False]
    assert [right.relative.median, wrong.relative.median] == pytest.approx([1, 1 / 3])


def test_auto_that_took_the_fastest_is_not_said_to_have_taken_another():
    rows = [row("auto", [0.002] * 3, chosen="fft"), row("fft", [0.001] * 3)]
    assert list(words.verdicts(comparison(rows)))[1] == "auto took fft as well, at 2.00 times the time of fft"


@pytest.mark.parametrize("name", ["plain_report", "wrong_report", "sweep_report"])
def test_the_page_stands_alone_and_is_well_formed(name, request):
    text = render_report(request.getfixturevalue(name), ".html")
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


def test_the_page_shows_outputs_and_differences_as_they_are(plain_report):
    page = Page(render_report(plain_report, ".html"))
    pictures = {image["alt"]: decoded(image["src"]) for image in page.all("img")}
    assert_array_equal(pictures["Output of the float64 reference"], SHADES)
    assert_array_equal(pictures["Output of fft"], SHADES)
    # The largest error is 0.25 of what is allowed, so that full colour is 0.3 of it.
    expected = difference_colours(np.linspace(-1.0, 1.0, 24).reshape(4, 6), 0.3)
    assert_array_equal(pictures["Difference of fft from the reference"], expected)
    assert "Full colour of a difference is 0.3 of the allowed error" in page.text


def test_what_names_hold_is_text_on_the_page(plain_report):
    page = Page(render_report(plain_report, ".html"))
    assert "a<b>|c.png: 6 x 4 gray u8 -> f32" in page.text
    assert "winograd: computes 3x3 | only & none <else>" in page.text
    assert "Abacus & Sons" in page.text


def test_a_disagreement_is_marked_in_every_form(wrong_report):
    page = Page(render_report(wrong_report, ".html"))
    assert "Not all agree." in page.text
    assert "opencv disagrees with the reference: it is off by 2.00, and 1.00 is allowed" in page.text
    assert "✗ no" in page.text
    assert any("wrong" in each.get("class", "") for each in page.all("rect"))
    assert "**no**" in render_report(wrong_report, ".md")
    assert [line["agrees"] for line in csv.DictReader(io.StringIO(render_report(wrong_report, ".csv")))] == [
        "True",
        "False",
    ]


def test_a_sweep_has_curves_a_legend_and_its_crossovers(sweep_report):
    record = json.loads(render_report(sweep_report, ".json"))
    (crossing,) = record["crossovers"]
    assert (crossing["before"], crossing["after"], crossing["between"]) == ("opencv", "fft", [7, 15])
    assert crossing["near"] == pytest.approx(10.0)
    page = Page(render_report(sweep_report, ".html"))
    sentence = "box: opencv is fastest up to 7, fft from 15 on (they cross near 10)"
    assert sentence in page.text
    assert sentence in render_report(sweep_report, ".md")
    assert "kernel size [pixels], logarithmic" in page.text
    assert "median time [ms], logarithmic" in page.text
    wide = [
        chart for chart in page.all("svg") if chart.get("aria-label", "").startswith("Median time over kernel size")
    ]
    assert [chart["width"] for chart in wide] == ["900", "366"]


@pytest.mark.parametrize("seconds", [[1e-6, 1e-6], [0.001, 0.02], [0.001, 9.0], [100.0, 100.5]])
def test_bars_stay_inside_their_chart(seconds):
    rows = [row(f"fft{n}", [each, 1.4 * each]) for n, each in enumerate(seconds)]
    page = Page(render_report(report([comparison(rows)]), ".html"))
    charts = [float(chart["width"]) for chart in page.all("svg")]
    bars = [float(bar["x"]) + float(bar["width"]) for bar in page.all("rect") if "bar" in bar["class"]]
    assert all(0 < bar <= charts[0] for bar in bars)
    assert len(bars) == 2 * len(rows)


def test_labels_that_would_overlap_are_moved_apart():
    places = spread_out([10.0, 11.0, 12.0, 99.0, 100.0], 10.0, 0.0, 100.0)
    assert all(after - before >= 10.0 for before, after in pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= 100


def test_small_pictures_show_the_sample_that_is_furthest_off():
    image = np.zeros((500, 300, 3), np.float32)
    image[..., 1] = 100
    exact = Reference(image.astype(np.float64), 1.0, "")
    result = image.copy()
    result[401, 7, 2] -= 5.0
    result[402, 8, 0] += 1.0
    picture = Painter(load_kernel("box"), np.dtype(np.uint8), image, side=100).picture(result, exact)
    assert picture.difference.shape == (100, 60)
    assert picture.difference[80, 1] == -5.0
    assert np.count_nonzero(picture.difference) == 1
    assert picture.output.shape == (100, 60, 3)
    assert_array_equal(picture.output[0, 0], [0, 100, 0])


def test_a_result_of_another_size_has_no_picture():
    exact = Reference(np.zeros((4, 4, 1)), 1.0, "")
    painter = Painter(load_kernel("box"), np.dtype(np.uint8), exact.values)
    assert painter.picture(np.zeros((4, 5, 1)), exact) is None


@pytest.mark.parametrize(
    ("kernel", "samples", "gain", "shown"),
    [
        ("box", [50.0, 250.0], 1.0, [50, 250]),
        ("1 2 1; 2 4 2; 1 2 1", [510.0, 2550.0], 0.1, [51, 255]),
        ("sobel_x", [-5.0, 2.5], 50.0, [250, 125]),
        ("sobel_x", [0.0, 0.0], 1.0, [0, 0]),
        ("box", [np.nan, np.nan], 1.0, [0, 0]),
    ],
)
def test_what_is_too_faint_or_too_strong_is_brought_into_the_range(kernel, samples, gain, shown):
    response = np.array(samples).reshape(1, 2, 1)
    painter = Painter(load_kernel(kernel), np.dtype(np.uint8), response)
    assert painter.gain == gain
    assert_array_equal(painter.output(response).ravel(), shown)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_report_is_written_to_a_file(plain_report, tmp_path, suffix):
    write_report(plain_report, str(tmp_path / f"r{suffix}"))
    assert (tmp_path / f"r{suffix}").read_text(encoding="utf-8") == render_report(plain_report, suffix)


def test_a_report_that_cannot_be_written_is_an_error(plain_report, tmp_path):
    with pytest.raises(UsageError, match=r"r\.txt: a report is written as \.json, \.csv, \.md, \.html; end its name"):
        write_report(plain_report, str(tmp_path / "r.txt"))
    with pytest.raises(ImageWriteError, match="No such file or directory"):
        write_report(plain_report, str(tmp_path / "no" / "r.md"))


def test_a_name_that_is_not_utf8_does_not_stop_a_report(plain_report):
    odd = replace(plain_report, image=plain_report.image | {"source": "caf\udce9.png"})
    assert "caf?.png" in render_report(odd, ".html")
    assert "caf\udce9.png" in render_report(odd, ".md")
