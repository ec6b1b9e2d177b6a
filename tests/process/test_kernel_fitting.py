"""Images become pairs in known units and colours, and a fit becomes a kernel and plain data."""

import json

import numpy as np
import pytest

from convcli.errors import FilterError
from convcli.image.model import Image
from convcli.kernel.fitting import FitOptions, fit_kernel
from convcli.process.kernel_fitting import kernel_of, pair_of, record


@pytest.fixture(scope="module")
def photo():
    return np.random.default_rng(3).integers(0, 256, (12, 14, 3)).astype(np.uint8)


def test_a_pair_of_files_is_brought_to_known_units_and_colours(photo):
    deep = Image((photo * np.uint16(257)).astype(np.uint16))
    assert pair_of(Image(photo), deep, "a").unit == 257.0
    assert pair_of(Image(photo), Image(photo.astype(np.float32)), "a").unit == 1.0
    assert pair_of(Image(photo.astype(np.float32)), Image(photo), "a").unit == 255.0
    assert pair_of(Image(photo), Image(photo[..., :1]), "a").before.shape[2] == 1
    with pytest.raises(FilterError, match="a: 1 channels before and 3 after: they must match, or --gray makes both"):
        pair_of(Image(photo[..., :1]), Image(photo), "a")


def test_gray_of_a_saturated_colour_counts_as_saturated():
    before = np.full((2, 2, 3), 100, np.uint8)
    after = before.copy()
    after[0, 1, 2] = 255
    pair = pair_of(Image(before), Image(after), "a", gray=True)
    np.testing.assert_array_equal(np.isnan(pair.after[..., 0]), [[False, True], [False, False]])


def test_pixels_that_are_not_opaque_are_unknown():
    rgba = np.full((3, 3, 4), 255, np.uint8)
    assert pair_of(Image(rgba, alpha=True), Image(rgba, alpha=True), "a").usable is None
    rgba[1, 2, 3] = 254
    pair = pair_of(Image(rgba, alpha=True), Image(rgba[..., :3]), "a")
    assert pair.before.shape == (3, 3, 3)
    np.testing.assert_array_equal(np.argwhere(~pair.usable), [[1, 2]])


def test_a_fit_becomes_a_kernel_that_says_where_it_comes_from(photo):
    after = photo.astype(np.float32)
    after[:, 1:] = photo[:, :-1] + np.float32(3)
    options = FitOptions((1, 3), bias=True, anchor=(0, 1))
    fit = fit_kernel([pair_of(Image(photo), Image(after), "a")], options)
    kernel = kernel_of(fit, options, ["in/a.png", "out/b.tiff", "c.png", "d.png"])
    np.testing.assert_allclose(kernel.weights, [[1, 0, 0]], atol=1e-5)
    assert kernel.anchor == (0, 1)
    assert kernel.summary == "Turns a.png into b.tiff, and 1 more pair likewise, with a bias of 3."
    assert kernel.reference.startswith(f"Least squares over {fit.counts.used} samples, residual ")


def test_the_record_of_a_fit_is_json_whatever_is_infinite(photo):
    flat = Image(np.full((9, 9, 1), 7, np.uint8))
    options = FitOptions((3, 3), ridge=1e-3)
    fit = fit_kernel([pair_of(flat, flat, "a")], options)
    told = json.loads(json.dumps(record(fit, options, ["a.png", "b.png"]), allow_nan=False))
    assert told["pairs"] == [["a.png", "b.png"]]
    assert told["bias"] is None
    assert told["explained"] is None  # a constant output has no variance
    assert told["samples"] == {"used": 49, "border": 32, "saturated": 0, "unknown": 0}
    assert told["anchor"] == [1, 1]
