"""What is counted: the terms of each backend for a few banks, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.convolution.backends.base import get_backend
from convcli.convolution.backends.registry import backend_names
from convcli.convolution.bank import Bank
from convcli.convolution.planning.cost_model import (
    COEFFICIENTS,
    BankSummary,
    ComputingForm,
    CorrelationRequest,
    CostedForm,
    WholeImageRequest,
    summarize,
    tile_terms,
)


def terms_of(backend, weights, output, form="dense", channels=1, groups=1, **request):
    """Terms of one form without those of `run` and of reading tiles; `weights` a kernel, or (outputs, inputs, h, w)."""
    weights = np.asarray(weights, np.float64)
    bank = Bank(weights, groups) if weights.ndim == 4 else Bank.depthwise(weights, channels)
    (costed,) = [
        each
        for each in get_backend(backend).costed_forms(summarize(bank), CorrelationRequest(output, **request))
        if (each.form.name, each.form.whole) == (form, "whole" in request)
    ]
    assert costed.terms.pop(f"{backend}.run") == 1
    return {term.partition(".")[2]: count for term, count in costed.terms.items() if not term.startswith("tile.")}


RAMP = np.arange(1.0, 16.0).reshape(3, 5) ** 2  # 15 weights of 15 sizes, of full rank
SOBEL = np.outer([1.0, 2.0, 1.0], [-1.0, 0.0, 1.0])  # 6 weights of 2 sizes
BANK = np.ones((4, 3, 3, 3))  # 3 channels to 4
FULL_BANK = np.ones((16, 32, 1, 5))


@pytest.mark.parametrize(
    ("backend", "weights", "output", "options", "expected"),
    [
        # One tile of 100 x 200. A kernel's passes: each weight, and each magnitude once.
        ("direct", SOBEL, (100, 200), {}, {"sample": 20_000, "pass": 20_000 * 8, "call": 8}),
        # Three channels have tiles of 682 columns; double precision counts twice.
        (
            "direct",
            SOBEL,
            (100, 700),
            {"channels": 3, "itemsize": 8},
            {"sample": 420_000, "pass": 420_000 * 8, "call": 16},
        ),
        # Three rows of five weights, a run each: 3 x (4 + 0.9 x 5) passes, fewer than 30.
        ("direct", RAMP, (100, 200), {}, {"sample": 20_000, "pass": 20_000 * 25.5, "call": 25.5}),
        # 7 as 4 + 2 + 1 is 5 additions, 5 as 4 + 1 is 4.
        ("direct", np.ones((7, 5)), (10, 10), {"form": "box"}, {"sample": 100, "pass": 900, "call": 12}),
        # A bank of 3 x 3 has runs: 3 x (4 + 0.9 x 3) = 20.1 passes, more than two a weight, for each of 3 inputs.
        ("direct", BANK, (10, 10), {}, {"sample": 400, "pass": 400 * 54, "call": 54 * 4}),
        # Unrolled along 5 columns, 100 rows read 102: stride 1 counts all of the output's rows, and no more.
        ("im2col", RAMP, (100, 200), {}, {"sample": 20_000, "unroll": 100_000, "window": 300_000, "call": 10}),
        # At stride 2 every row between the outputs' is unrolled, but only the columns that are kept.
        (
            "im2col",
            RAMP,
            (50, 100),
            {"stride": (2, 2)},
            {"sample": 5_000, "unroll": 99 * 100 * 5, "window": 75_000, "call": 10},
        ),
        # Few channels are unrolled weight by weight, many along the columns.
        (
            "im2col",
            BANK,
            (10, 10),
            {},
            {"sample": 400, "bank_unroll": 100 * 9 * 3, "product": 100 * 9 * 3 * 4, "call": 9, "weight": 9 * 12},
        ),
        (
            "im2col",
            FULL_BANK,
            (10, 10),
            {},
            {"sample": 1600, "bank_unroll": 100 * 5 * 32, "product": 100 * 5 * 512, "call": 5, "weight": 5 * 512},
        ),
        # Bands of 16 columns over each of 3 rows reach 5 + 15 samples.
        ("kn2row", RAMP, (100, 200), {}, {"sample": 20_000, "pass": 60_000, "level": 60_000 * 20, "call": 6}),
        # Bands of 8 rows under each of 3 columns reach 3 + 7 samples; sobel_x has weights in 2 columns.
        ("kn2row", SOBEL, (100, 200), {}, {"sample": 20_000, "pass": 40_000, "band": 40_000 * 10, "call": 4}),
        # 100 weights in a column go in 3 parts, of at most 48 for a single column.
        (
            "kn2row",
            np.ones((100, 1)),
            (10, 10),
            {},
            {"sample": 100, "pass": 300, "band": 100 * (100 + 15 * 3), "call": 6},
        ),
        (
            "kn2row",
            BANK,
            (10, 10),
            {},
            {"sample": 400, "tap": 900 * 7, "product": 900 * 12, "call": 18, "weight": 9 * 12},
        ),
        (
            "winograd",
            SOBEL,
            (10, 10),
            {"channels": 2},
            {"input": 200, "output": 200, "product": 200, "call": 1, "weight": 2},
        ),
        ("winograd", BANK, (10, 10), {}, {"input": 300, "output": 400, "product": 1200, "call": 1, "weight": 12}),
        # 60 + 4 rows and columns fit one transform of 64 x 64: n (log2 n + 8) there and back, of each channel.
        ("fft", RAMP[:, :3].repeat(2, 0)[:5, :], (60, 62), {}, {"transform": 4096 * 20, "sample": 4096, "call": 2}),
        ("opencv", SOBEL, (100, 200), {}, {"tile": 102 * 202, "call": 3, "dense": 102 * 202, "tap": 102 * 202 * 6}),
        # Both factors are mirrored, which halves their work: 2 + 2 multiplications.
        (
            "opencv",
            SOBEL,
            (100, 200),
            {"form": "passes"},
            {"tile": 102 * 202, "call": 3, "pass": 102 * 202, "length": 102 * 202 * 4, "add": 0},
        ),
        # A box of at most 5 takes 0.4 of the time of a larger one.
        (
            "opencv",
            np.ones((3, 3)),
            (100, 200),
            {"form": "box"},
            {"tile": 102 * 202, "call": 3, "box": 102 * 202 * 0.4},
        ),
        # From 130 weights on spectra are multiplied, in double precision from 50 on.
        ("opencv", np.ones((13, 10)), (8, 9), {}, {"tile": 20 * 18, "call": 3, "spectrum": 20 * 18}),
        (
            "opencv",
            np.ones((10, 5)),
            (8, 9),
            {"itemsize": 8},
            {"tile": 17 * 13 * 2, "call": 3, "double_spectrum": 17 * 13 * 2},
        ),
        (
            "opencv",
            np.ones((7, 7)),
            (8, 9),
            {"itemsize": 8},
            {"tile": 14 * 15 * 2, "call": 3, "dense": 14 * 15 * 2, "double_tap": 14 * 15 * 2 * 49},
        ),
        # A bank: for each of 4 outputs a filter2D on each of 3 inputs.
        (
            "opencv",
            BANK,
            (10, 10),
            {},
            {"dense": 1200, "tap": 1200 * 9, "plane": 1200, "call": 24},
        ),
        (
            "opencv",
            SOBEL,
            (100, 200),
            {"whole": WholeImageRequest("uint8", "uint8", "reflect"), "channels": 3},
            {"call": 1, "byte": 60_000, "byte_tap": 360_000},
        ),
        (
            "opencv",
            SOBEL,
            (100, 200),
            {"whole": WholeImageRequest("uint8", "uint8", "reflect"), "form": "passes"},
            {"call": 1, "byte_pass": 20_000, "byte_length": 80_000},
        ),
        (
            "opencv",
            np.full((5, 5), 1 / 25),
            (100, 200),
            {"whole": WholeImageRequest("uint8", "uint8", "reflect"), "form": "box"},
            {"call": 1, "byte_box": 5000},
        ),
        (
            "opencv",
            np.ones((13, 10)),
            (100, 200),
            {"whole": WholeImageRequest("uint8", "uint8", "reflect")},
            {"call": 1, "byte": 20_000, "byte_spectrum": 20_000},
        ),
        (
            "opencv",
            np.ones((3, 7)),
            (100, 200),
            {"whole": WholeImageRequest("float32", "float32", "reflect"), "form": "box"},
            {"call": 1, "whole_box": 20_000},
        ),
        ("torch", BANK, (10, 10), {}, {"sample": 700, "product": 100 * 9 * 12, "call": 1}),
    ],
)
def test_terms_are_what_one_counts_by_hand(backend, weights, output, options, expected):
    assert terms_of(backend, weights, output, **options) == pytest.approx(expected)


def test_passes_count_a_column_over_all_that_the_row_reads_then_the_row():
    # Four rows of response more would be read at stride 1; columns are 200 + 4 wide before the row's pass.
    kernel = np.outer([1.0, 2.0, 4.0], [1.0, 3.0, 5.0, 7.0, 9.0])
    column, row = 100 * 204, 100 * 200
    assert terms_of("direct", kernel, (100, 200), "passes") == pytest.approx(
        {"sample": column + row, "pass": column * 6 + row * 8.5, "call": 6 + 8.5}
    )
    assert terms_of("im2col", kernel, (100, 200), "passes") == pytest.approx(
        {"sample": column + row, "unroll": column + row * 5, "window": column * 3 + row * 5, "call": 2 + 10}
    )


@pytest.mark.parametrize(
    ("backend", "request_", "expected"),
    [
        ("direct", CorrelationRequest((10, 20)), {"tile.read": 600}),
        ("direct", CorrelationRequest((10, 20), finished=True), {"tile.read": 600, "tile.finish": 600}),
        ("direct", CorrelationRequest((10, 20), (2, 3)), {"tile.read": 19 * 58 * 3, "tile.split": 19 * 58 * 3}),
        ("opencv", CorrelationRequest((10, 20), (2, 3), itemsize=8), {"tile.read": 19 * 58 * 6}),
    ],
)
def test_reading_splitting_and_finishing_tiles_count_alike_for_every_backend(backend, request_, expected):
    summary = summarize(Bank.depthwise(RAMP, 3))
    forms = get_backend(backend).costed_forms(summary, request_)
    assert {costed.form.name for costed in forms} == {"dense", "passes"}
    for costed in forms:
        tiles = {term: count for term, count in costed.terms.items() if term.startswith("tile.")}
        if backend == "direct" and costed.form.name == "passes":  # three products, on each of three channels
            assert tiles.pop("tile.pass") == 1800
        assert tiles == expected


def test_every_output_channel_of_a_bank_is_finished():
    summary = summarize(Bank(np.ones((6, 2, 3, 3)), groups=2))
    terms = tile_terms(summary, CorrelationRequest((10, 20), finished=True), strides=False)
    assert terms == {"tile.read": 200 * 4, "tile.finish": 200 * 6}


def test_bytes_that_become_floats_at_once_are_read_once_for_opencv():
    request = CorrelationRequest((10, 20), whole=WholeImageRequest("uint8", "float32", "reflect"))
    summary = summarize(Bank.depthwise(RAMP, 3))
    (whole,) = (each for each in get_backend("opencv").costed_forms(summary, request) if each.form.whole)
    assert whole.terms["tile.read"] == 600
    many = CorrelationRequest((2048, 2048), whole=WholeImageRequest("uint8", "float32", "reflect"))
    assert not any(each.form.whole for each in get_backend("opencv").costed_forms(summary, many))


def test_cores_share_tiles_but_not_what_is_done_once():
    costed = CostedForm(ComputingForm("dense"), {"a.run": 2.0, "a.call": 6.0}, tiles=3)
    assert costed.seconds({"a.run": 1.0, "a.call": 0.5}, cores=1) == 2.0 + 3.0
    assert costed.seconds({"a.run": 1.0, "a.call": 0.5}, cores=2) == 2.0 + 3.0 * 2 / 3
    assert costed.seconds({"a.run": 1.0, "a.call": 0.5}, cores=8) == 2.0 + 3.0 / 3


SIZES = st.tuples(st.integers(1, 120), st.integers(1, 120))


@given(
    size=SIZES,
    output=st.tuples(st.integers(1, 20000), st.integers(1, 20000)),
    stride=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    dilation=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    products=st.integers(0, 4),
    channels=st.integers(1, 300),
    shared=st.booleans(),
    itemsize=st.sampled_from([4, 8]),
    finished=st.booleans(),
)
def test_predictions_are_positive_and_know_every_term(
    size, output, stride, dilation, products, channels, shared, itemsize, finished
):
    places = size[0] * size[1]
    load = BankSummary(
        size,
        places,
        size[1],
        places,
        products,
        True,
        products == 1,
        shared,
        False,
        *((1, 1, channels) if shared else (channels, 7, 1)),
    )
    run = CorrelationRequest(output, stride, dilation, itemsize, finished=finished, cold=finished)
    for backend in backend_names():
        for way in get_backend(backend).costed_forms(load, run):
            assert set(way.terms) <= set(COEFFICIENTS)
            assert 0 < way.seconds(COEFFICIENTS, 2) < 1e9
            assert way.tiles >= 1
