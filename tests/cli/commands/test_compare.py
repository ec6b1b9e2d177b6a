"""`convcli compare`, from the command line to tables, JSON, reports and exit status."""

import csv
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
from commandline import done, refused, run

from convcli.benchmark import report_blocks, workload
from convcli.benchmark.comparison import CompareOptions, compare
from convcli.benchmark.synthetic import synthetic_image
from convcli.cli.app import run as run_app
from convcli.convolution.options import BACKENDS
from convcli.convolution.planning.profile import profile_path
from convcli.errors import FilterError, ImageWriteError
from convcli.reporting.formats import REPORT_SUFFIXES

PIXELS = np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8)
QUICK = ("--backends", "auto,fft,opencv", "--runs", "3", "--no-memory")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a small picture."""
    monkeypatch.chdir(tmp_path)
    assert cv2.imwrite("photo.png", PIXELS)
    assert cv2.imwrite("sprite.png", np.dstack([PIXELS, PIXELS[..., :1]]))
    Path("text.png").write_text("hello")
    return tmp_path


def results(*arguments):
    return json.loads(done("compare", *arguments, *QUICK, "--json").output)


@pytest.fixture
def wrong_fft(monkeypatch):
    """A backend whose result is off by one."""
    plan_convolution = workload.plan_convolution

    def plan(size, dtype, kernel, options, finish=None):
        right = plan_convolution(size, dtype, kernel, options, finish)
        if options.backend != "fft":
            return right
        facts = {name: getattr(right, name) for name in ("backend", "form", "reason", "seconds", "measure")}
        return SimpleNamespace(run=lambda pixels: right.run(pixels) + 1, **facts)

    monkeypatch.setattr(workload, "plan_convolution", plan)


def test_a_table_shows_every_backend_with_what_auto_chose_and_that_all_agree():
    outcome = done("compare", "photo.png", "-k", "gaussian:sigma=2", *QUICK, "-q")
    text = outcome.output.decode()
    lines = text.splitlines()
    assert lines[0] == "photo.png: 32 x 24 RGB u8 -> u8"
    assert "gaussian:sigma=2, 17x17, 3 runs each" in lines
    names = {line.split()[0] for line in lines if line and not line.startswith(" ")}
    assert {"auto", "fft", "opencv"} <= names
    assert "all 3 agree with the float64 reference" in text
    assert outcome.messages == ""


@pytest.mark.parametrize("spread", ["4%", "1234%"])
def test_a_piped_table_is_plain_and_fits_80_columns(spread, monkeypatch):
    monkeypatch.setattr("convcli.benchmark.report_text.spread", lambda row: spread)
    monkeypatch.setattr("convcli.benchmark.report_text.interval", lambda relative: "10.24..20.48")
    text = done("compare", "photo.png", "-k", "gaussian:sigma=2", *QUICK, "--baseline").output.decode()
    assert "\x1b" not in text
    tables = [line for line in text.splitlines() if not line.startswith("  ")]
    assert max(map(len, tables)) <= 80


def test_a_measured_profile_that_is_damaged_is_told_of(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = profile_path()
    path.parent.mkdir(parents=True)
    path.write_text("not a profile")
    messages = done("compare", "photo.png", "-k", "box:size=5", *QUICK).messages
    assert f"convcli: note: {path} is not used: " in messages
    assert "note" not in done("compare", "photo.png", "-k", "box:size=5", *QUICK, "-q").messages


def test_json_holds_each_result_as_the_design_says():
    record = results("photo.png", "-k", "box:size=5", "-k", "sobel")
    assert [(r["kernel"], r["backend"]) for r in record["results"]] == [
        (kernel, backend) for kernel in ("box:size=5", "sobel") for backend in ("auto", "fft", "opencv")
    ]
    assert record["image"] == {"source": "photo.png", "size": [24, 32, 3], "depth": "u8"}
    for result in record["results"]:
        assert len(result["seconds"]["runs"]) == 3
        assert result["agrees"]
        assert result["seconds"]["min"] <= result["seconds"]["median"] <= result["seconds"]["max"]
        size = result["kernel_size"]
        rate = 24 * 32 / result["seconds"]["median"]
        assert result["megapixels_per_second"] == pytest.approx(rate / 1e6)
        kernels = 2 if result["kernel"] == "sobel" else 1
        assert result["gigamacs_per_second"] == pytest.approx(rate * 3 * size[0] * size[1] * kernels / 1e9)
    assert record["results"][0]["kernel_size"] == [5, 5]
    assert record["results"][0]["chosen"] in BACKENDS


@pytest.mark.parametrize(
    ("arguments", "depth", "output"),
    [
        (["--synthetic", "20x30x2:u16"], "u16", [20, 30, 2]),
        (["--synthetic", "20x30:f32", "--precision", "double"], "f64", [20, 30, 1]),
        (["photo.png", "--depth", "f32", "--padding", "wrap"], "f32", [24, 32, 3]),
        (["photo.png", "--gray", "--extent", "valid", "--stride", "2"], "u8", [24, 32, 1]),
        (["photo.png", "--flip", "--anchor", "0,1", "--dilation", "2,1", "--threads", "1"], "u8", [24, 32, 3]),
        (["sprite.png", "--padding", "constant", "--padding-value", "1,2,3,4"], "u8", [24, 32, 4]),
    ],
)
def test_options_reach_every_backend_and_all_agree(arguments, depth, output):
    record = results(*arguments, "-k", "1 2 0; 0 -1 3")
    assert record["agrees"]
    assert record["options"]["depth"] == depth
    assert record["image"]["size"] == output


def test_opacity_is_said_to_be_filtered_as_any_other_channel():
    outcome = done("compare", "sprite.png", "-k", "box", *QUICK)
    assert "convcli: note: opacity is filtered as any other channel here" in outcome.lines


def test_plain_calls_stand_in_the_same_table_or_are_left_out_with_the_reason():
    record = results("photo.png", "-k", "gaussian", "-k", "sobel", "--baseline")
    plain = [r for r in record["results"] if r["plain"]]
    assert [r["backend"] for r in plain] == [
        *("cv2.filter2D", "cv2.filter2D on f32", "scipy.ndimage.correlate", "scipy.signal.oaconvolve"),
    ]
    assert all(r["agrees"] and r["kernel"] == "gaussian" for r in plain)
    assert {out["kernel"] for out in record["left_out"]} == {"sobel"}


def test_a_backend_that_cannot_do_it_is_left_out_with_one_line():
    text = done("compare", "photo.png", "-k", "box:size=5", "--backends", "winograd,opencv", "--runs", "1").output
    assert "  winograd is left out: winograd computes 3x3 kernels only, and this one is 5x5" in text.decode()


def test_peak_memory_is_measured_in_a_process_of_its_own():
    record = json.loads(
        done(
            "compare",
            "--synthetic",
            "700x900x1",
            "-k",
            "box",
            "--depth",
            "f32",
            "--backends",
            "opencv",
            "--runs",
            "1",
            "--json",
        ).output
    )
    # The output alone takes 2.5 MB.
    assert 2e6 < record["results"][0]["peak_extra_bytes"] < 70e6


def test_a_disagreement_is_named_and_ends_with_status_1(wrong_fft):
    outcome = run("compare", "photo.png", "-k", "box", "--depth", "f32", *QUICK, "-q", "--report", "r.html")
    assert outcome.status == 1
    (line,) = outcome.lines
    assert line.startswith("convcli: error: box: fft disagrees with the reference: it is off by 1.00, and ")
    assert "WRONG" in outcome.output.decode()
    assert "Not all agree." in Path("r.html").read_text(encoding="utf-8")


def test_reports_of_all_forms_are_written_from_one_run():
    names = [f"r{suffix}" for suffix in REPORT_SUFFIXES]
    reports = [part for name in names for part in ("--report", name)]
    outcome = done("compare", "photo.png", "-k", "box", *QUICK, *reports)
    assert [line for line in outcome.lines if line.startswith("wrote")] == [f"wrote {name}" for name in names]
    record = json.loads(Path("r.json").read_text())
    rows = list(csv.DictReader(io.StringIO(Path("r.csv").read_text())))
    assert [float(r["seconds.median"]) for r in rows] == [r["seconds"]["median"] for r in record["results"]]
    assert "| **" in Path("r.md").read_text()
    assert Path("r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_sweep_shows_one_table_a_kernel_and_names_the_crossovers():
    text = done("compare", "photo.png", "-k", "box", "-k", "gaussian", "--kernel-sizes", "5,3", *QUICK, "-q").output
    lines = text.decode().splitlines()
    for kernel in ("box", "gaussian"):
        start = lines.index(f"{kernel}: median ms by size")
        assert lines[start + 1].split() == ["size", "auto", "fft", "opencv"]
        assert [line.split()[0] for line in lines[start + 3 : start + 5]] == ["3", "5"]
        assert lines[start + 5].startswith(f"  * fastest. {kernel}: ")
    record = results("photo.png", "-k", "box", "--kernel-sizes", "5,3")
    assert [r["kernel_size"] for r in record["results"]] == [[3, 3]] * 3 + [[5, 5]] * 3
    assert {r["kernel"] for r in record["results"]} == {"box"}
    assert record["sweeps"][0]["sentence"].startswith("box: ")


def test_verbose_tells_the_reasons_the_machine_and_the_method():
    text = done("compare", "photo.png", "-k", "box", *QUICK, "-v").output.decode()
    assert "reference computed in float64 by the definition" in text
    assert "predicted" in text
    assert "Relative times are medians of the ratios of runs in the same round" in text


def test_standard_input_is_an_image_too():
    outcome = run("compare", "-", "-k", "box", *QUICK, stdin=Path("photo.png").read_bytes())
    assert outcome.status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["photo.png", "-k", "box", "--backends", "opncv"],
            "--backends: unknown backend 'opncv': expected auto, direct",
        ),
        (["photo.png", "-k", "box", "--backends", ","], "--backends is empty: name some of auto, direct, "),
        (["photo.png", "-k", "bxo"], "unknown kernel 'bxo'; did you mean 'box'?"),
        (["photo.png"], "missing option '--kernel' / '-k', such as -k sobel_x; `convcli kernels list` shows them all"),
        (["-k", "box"], "no image was given: name one, or have one made with --synthetic 2048x2048x1"),
        (["photo.png", "--synthetic", "9x9x1", "-k", "box"], "--synthetic stands in place of an image, and photo.png"),
        (["--synthetic", "9", "-k", "box"], "--synthetic takes rows x columns x channels, such as 2048x2048x1"),
        (["--synthetic", "9x0x1", "-k", "box"], "--synthetic takes rows x columns x channels"),
        (["--synthetic", "9x9x1:i64", "-k", "box"], "--synthetic 9x9x1:i64: unknown depth 'i64': expected u8, u16"),
        (["photo.png", "-k", "box", "--runs", "0"], "--runs must be at least 1, not 0"),
        (["photo.png", "-k", "box", "--depth", "u16"], "unknown depth 'u16': expected f32, same"),
        (["photo.png", "-k", "box", "--kernel-sizes", "3,x"], "--kernel-sizes takes whole numbers, such as 3,7,15"),
        (
            ["photo.png", "-k", "kirsch_x", "--kernel-sizes", "3"],
            "kirsch_x: has no parameter `size` for --kernel-sizes",
        ),
        (
            ["photo.png", "-k", "box", "--report", "no/r.md"],
            "--report no/r.md: no such folder; to make it: mkdir -p no",
        ),
        (
            ["photo.png", "-k", "box", "--report", "r.txt"],
            f"--report r.txt: a report is written as {', '.join(REPORT_SUFFIXES)}",
        ),
        (["photo.png", "-k", "box", "--report", "."], "--report .: a report is written as .json"),
        (["photo.png", "-k", "box", "-q", "-v"], "--quiet and --verbose exclude each other: choose one"),
        (["photo.png", "-k", "box", "--device", "cuda", "--backends", "fft"], "--device cuda is for the torch backend"),
        (["photo.png", "-k", "box", "--padding", "wrp"], "unknown padding 'wrp': expected reflect101"),
    ],
)
def test_wrong_usage_is_one_line_with_status_2(arguments, message):
    assert refused("compare", *arguments).startswith(message)


def test_a_misspelt_backend_gets_the_nearest_name():
    message = refused("compare", "photo.png", "-k", "box", "--backends", "fft,opncv")
    assert message.endswith("; did you mean 'opencv'?")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png", "-k", "box"], "missing.png: no such file"),
        (["text.png", "-k", "box"], "text.png: not an image: it is text"),
        (["photo.png", "-k", "box:size=99", "--extent", "valid"], "a kernel that spans 99 pixels does not fit into 24"),
        (
            ["photo.png", "-k", "box:size=5", "--backends", "winograd"],
            "box:size=5: there is nobody to compare: winograd",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_line_with_status_1(arguments, message):
    assert refused("compare", *arguments, status=1).startswith(message)


def test_an_image_is_never_replaced_by_a_report(folder):
    (folder / "photo.md").write_bytes((folder / "photo.png").read_bytes())
    message = refused("compare", "photo.md", "-k", "box", "--report", "./photo.md")
    assert message == "--report ./photo.md: that is one of the images: choose another name"


def test_nothing_is_measured_before_all_kernels_are_known_to_be_right(monkeypatch):
    monkeypatch.setattr("convcli.benchmark.comparison.race", lambda *_, **__: pytest.fail("measured too early"))
    message = refused("compare", "photo.png", "-k", "box", "-k", "box:size=99", "--extent", "valid", status=1)
    assert "spans 99 pixels" in message


def test_somebody_slow_is_left_out_unless_named(monkeypatch):
    monkeypatch.setattr("convcli.benchmark.candidates.TOO_LONG", 0.0)
    pixels = synthetic_image((20, 20, 1), np.dtype(np.uint8))
    options = CompareOptions(runs=1, memory=False)
    (found,) = compare(pixels, "made", ["box"], options).comparisons
    assert [row.backend for row in found.rows] == ["auto"]
    assert all("a run are predicted: name it in --backends" in out.reason for out in found.left_out)
    named = CompareOptions(backends=("fft",), runs=1, memory=False)
    (found,) = compare(pixels, "made", ["box"], named).comparisons
    assert [row.backend for row in found.rows] == ["fft"]


def test_a_synthetic_image_is_the_same_every_time_and_fills_its_range():
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)):
        first, second = (synthetic_image((70, 50, 3), np.dtype(dtype)) for _ in range(2))
        assert first.shape == (70, 50, 3)
        assert first.dtype == dtype
        np.testing.assert_array_equal(first, second)
        assert first.min() >= 0
        assert 0.95 * white < first.max() <= white


def test_a_synthetic_image_that_does_not_fit_is_refused():
    with pytest.raises(FilterError, match="does not fit into memory"):
        synthetic_image((999_999_999, 999_999_999, 9), np.dtype(np.uint8))


def test_a_report_that_cannot_be_written_costs_neither_the_table_nor_the_other_reports(monkeypatch):
    write_comparison = report_blocks.write_comparison

    def refuse(report, path):
        if path.endswith(".md"):
            raise ImageWriteError(f"--report {path}: No space left on device")
        write_comparison(report, path)

    monkeypatch.setattr(report_blocks, "write_comparison", refuse)
    outcome = run("compare", "photo.png", "-k", "box", *QUICK, "--report", "a.md", "--report", "a.csv")
    assert outcome.status == 1
    assert "all 3 agree" in outcome.output.decode()
    assert [line for line in outcome.lines if line.startswith("wrote")] == ["wrote a.csv"]
    assert outcome.lines[-1] == "convcli: error: --report a.md: No space left on device"


def test_a_closed_standard_output_is_no_reason_to_fail():
    with mock.patch.object(sys, "stdout", None):
        assert run_app(["compare", "photo.png", "-k", "box", *QUICK, "-q"]) == 0


def test_a_sweep_says_once_who_is_left_out():
    chosen = ("--backends", "opencv,winograd", "--runs", "1", "--no-memory")
    text = done("compare", "photo.png", "-k", "box", "--kernel-sizes", "3,5,7", *chosen).output.decode()
    (line,) = [line for line in text.splitlines() if "left out" in line]
    assert line.startswith("  winograd is left out at size 5, 7: winograd computes 3x3 kernels only")


def test_two_that_agree_are_both():
    text = done("compare", "photo.png", "-k", "box", "--backends", "opencv,fft", "--runs", "1", "--no-memory").output
    assert "both agree with the float64 reference" in text.decode()
