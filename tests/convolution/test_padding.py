"""Padding modes: their indices against numpy.pad, their drawings, and their names in other libraries.

Sizes and paddings along an axis: against counting; the formulas that are shown, against arithmetic.
"""

import itertools
import math

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import NUMPY_PADDING
from scipy import ndimage

from convcli.convolution.options import PADDING_ALIASES, PADDING_MODES, ConvolveOptions
from convcli.convolution.padding import OUTSIDE, PADDINGS, axis_geometry, size_formula, source_indices
from convcli.errors import FilterError, UsageError


@given(
    mode=st.sampled_from(sorted(NUMPY_PADDING)),
    length=st.integers(1, 9),
    before=st.integers(0, 40),
    after=st.integers(0, 40),
)
def test_indices_repeat_samples_as_numpy_pad_does(mode, length, before, after):
    samples = np.arange(length)
    extra = {"constant_values": -1} if mode == "constant" else {}
    expected = np.pad(samples, (before, after), mode=NUMPY_PADDING[mode], **extra)
    np.testing.assert_array_equal(source_indices(length, before, after, mode), expected)


@pytest.mark.parametrize("mode", PADDINGS, ids=lambda mode: mode.name)
def test_a_drawing_shows_what_the_mode_does(mode):
    drawn = mode.drawing.replace("|", "").split()
    indices = source_indices(4, 3, 3, mode.name).tolist()
    outside = "-" if mode.missing else "v"
    assert drawn == [outside if index == OUTSIDE else "abcd"[index] for index in indices]


@pytest.mark.parametrize("mode", [mode for mode in PADDINGS if mode.opencv], ids=lambda mode: mode.name)
def test_opencv_pads_alike_under_its_name(mode):
    row = np.arange(1.0, 8.0).reshape(1, -1)
    padded = cv2.copyMakeBorder(row, 0, 0, 5, 6, getattr(cv2, mode.opencv), value=9.0)
    indices = source_indices(7, 5, 6, mode.name)
    np.testing.assert_array_equal(padded[0], np.where(indices == OUTSIDE, 9.0, row[0, indices]))


@pytest.mark.parametrize("mode", [mode for mode in PADDINGS if mode.scipy], ids=lambda mode: mode.name)
def test_scipy_pads_alike_under_its_name(mode):
    samples = np.arange(1.0, 8.0)
    indices = source_indices(7, 3, 3, mode.name)
    padded = np.where(indices == OUTSIDE, 9.0, samples[indices])
    for shift in range(-3, 4):
        moved = np.eye(7)[3 + shift]
        found = ndimage.correlate1d(samples, moved, mode=mode.scipy, cval=9.0)
        np.testing.assert_array_equal(found, padded[3 + shift : 10 + shift])


def test_a_word_means_one_mode_alone():
    words = [*PADDING_MODES, *itertools.chain.from_iterable(mode.aliases for mode in PADDINGS)]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(("alias", "mode"), PADDING_ALIASES.items())
def test_words_of_other_tools_are_accepted(alias, mode):
    assert ConvolveOptions(padding=alias).padding == mode


@pytest.mark.parametrize(
    ("words", "mode"),
    [
        ("mirror", "reflect101"),
        ("symmetric symm grid-mirror", "reflect"),
        ("nearest edge clamp copy", "replicate"),
        ("zero zeros background black", "constant"),
        ("circular periodic repeat tile grid-wrap", "wrap"),
    ],
)
def test_the_words_of_scipy_numpy_pytorch_libvips_and_imagemagick_mean_what_they_mean_there(words, mode):
    assert {PADDING_ALIASES[word] for word in words.split()} == {mode}


@given(
    length=st.integers(1, 30),
    taps=st.integers(1, 6),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 4),
    extent=st.sampled_from(["same", "valid", "full"]),
    data=st.data(),
)
def test_output_sizes_count_the_places_where_the_kernel_lies(length, taps, stride, dilation, extent, data):
    anchor = data.draw(st.integers(0, taps - 1))
    span = dilation * (taps - 1) + 1
    # Every place of the kernel's first sample, counted from the image's first.
    places = {
        "same": range(-anchor * dilation, length - anchor * dilation),
        "valid": range(length - span + 1),
        "full": range(1 - span, length),
    }[extent]
    if not places:
        with pytest.raises(FilterError, match="does not fit into"):
            axis_geometry(length, taps, anchor=anchor, extent=extent, stride=stride, dilation=dilation)
        return
    axis = axis_geometry(length, taps, anchor=anchor, extent=extent, stride=stride, dilation=dilation)
    assert axis.output == len(places[::stride])
    assert -axis.before == places[0]
    assert axis.before + length + axis.after >= (axis.output - 1) * stride + span


def test_an_anchor_outside_the_kernel_is_refused():
    with pytest.raises(UsageError, match="anchor 3 lies outside a kernel of 3"):
        axis_geometry(10, 3, anchor=3)


@pytest.mark.parametrize(
    ("extent", "before", "after", "output"), [("same", 4, 6, 20), ("valid", 0, 0, 10), ("full", 10, 10, 30)]
)
def test_the_padding_of_a_dilated_even_kernel_by_hand(extent, before, after, output):
    axis = axis_geometry(20, 6, anchor=2, extent=extent, dilation=2)
    assert (axis.span, axis.stride, axis.before, axis.after, axis.output) == (11, 1, before, after, output)


@pytest.mark.parametrize(
    ("extent", "dilation", "formula"),
    [
        ("same", 1, "20 = 20"),
        ("same", 3, "20 = 20"),
        ("valid", 1, "20 - 5 + 1 = 16"),
        ("valid", 3, "20 - 3*(5 - 1) = 8"),
        ("full", 1, "20 + 5 - 1 = 24"),
        ("full", 3, "20 + 3*(5 - 1) = 32"),
    ],
)
def test_at_stride_1_a_formula_rounds_nothing(extent, dilation, formula):
    output = axis_geometry(20, 5, anchor=2, extent=extent, dilation=dilation).output
    assert size_formula(20, 5, output, extent=extent, dilation=dilation) == formula


@given(
    length=st.integers(1, 60),
    taps=st.integers(1, 9),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 4),
    extent=st.sampled_from(["same", "valid", "full"]),
)
def test_a_formula_comes_to_the_size_that_it_ends_in(length, taps, stride, dilation, extent):
    assume(extent != "valid" or dilation * (taps - 1) < length)
    output = axis_geometry(length, taps, anchor=0, extent=extent, stride=stride, dilation=dilation).output
    formula, _, shown = size_formula(length, taps, output, extent=extent, stride=stride, dilation=dilation).partition(
        " = "
    )
    assert int(shown) == output
    assert eval(formula, {"ceil": math.ceil, "floor": math.floor}) == output
