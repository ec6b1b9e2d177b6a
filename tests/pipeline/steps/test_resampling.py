"""Steps that change the number of pixels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from step_cases import HE, IMAGE, SIZE, document, run, step

from convcli.operators.resample import resize
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("upsample", "[2, 3]", lambda x: x.repeat(2, axis=0).repeat(3, axis=1)),
        ("crop", "{top: 2, left: 3, height: 4}", lambda x: x[2:6, 3:]),
        ("pad", "2", lambda x: np.pad(x, ((2, 2), (2, 2), (0, 0)), mode="reflect")),
        (
            "pad",
            "{by: [0, 4], mode: constant, value: white}",
            lambda x: np.pad(x, ((0, 0), (4, 4), (0, 0)), constant_values=255),
        ),
        ("pad", "{top: 1, left: 20, mode: circular}", lambda x: np.pad(x, ((1, 0), (20, 0), (0, 0)), mode="wrap")),
        ("crop", "{top: 1} @input, cut", lambda x: x[1:5, :5]),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


def test_pixel_shuffle_is_undone_by_its_inverse():
    text = "steps: [{pixel_unshuffle: 3}, {pixel_shuffle: 3}]"
    assert_array_equal(run(parse_document(text)), IMAGE)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{resize: {}}]", "takes a size, a scale, or a second input"),
        ("[{resize: {size: 4, scale: 2}}]", "takes a size, a scale, or a second input"),
        ("[{resize: {scale: 0}}]", "scale: must be a positive number, not 0"),
        ("[{crop: {height: 40}}]", "steps[0].crop: "),
        ("[{pixel_shuffle: 2}]", "3 channels do not split into groups of 2x2"),
        ("[{pixel_unshuffle: 7}]", "12x15x3 does not split into blocks of 7x7"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "size"),
    [("[7, 9]", (7, 9)), ("{scale: 0.5}", (6, 8)), ("{scale: 2.5}", (30, 38)), (" @input, cut", (4, 5))],
)
def test_resize_gives_the_size_that_is_asked_for(options, size):
    assert_array_equal(step("resize", options), resize(IMAGE, *size))


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("mode", ["area", "nearest", "linear", "cubic", "lanczos"])
def test_a_reduction_by_a_whole_factor_reads_the_window_it_says(mode, factor):
    made = document("resize", f"{{size: [30, 30], mode: {mode}}}")
    length = 30 * factor
    properties = document_properties(made, (length, length, 1))[made.output.source]
    image = np.random.default_rng(2).random((length, length, 1)).astype(np.float32)
    before = run(made, image)[15, 15]
    read = [run(made, np.where(np.arange(length)[:, None, None] == row, image + 1, image))[15, 15] != before
            for row in range(length)]  # fmt: skip
    first = 15 * properties.stride[0] - properties.padding[0][0]
    assert np.flatnonzero(read).tolist() == list(range(first, first + properties.window[0]))
