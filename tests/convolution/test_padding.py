"""Padding modes: their indices against numpy.pad, their drawings, and their names in other libraries."""

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import NUMPY_PADDING
from scipy import ndimage

from convcli.convolution.options import PADDING_ALIASES, PADDING_MODES, ConvolveOptions
from convcli.convolution.padding import OUTSIDE, PADDINGS, source_indices


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
