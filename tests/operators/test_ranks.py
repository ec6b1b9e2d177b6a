"""Order statistics of windows against scipy.ndimage and scikit-image."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operator_cases import random
from scipy import ndimage

from convcli.errors import UsageError
from convcli.operators.ranks import closing, dilate, erode, median, opening, rank

# Larger than one strip, so that strips meet.
X = random(401, 300, 3)
PAIRS = [(3, 3), (5, 5), (1, 5), (7, 3)]


def each_channel(function, x=X):
    return np.stack([function(x[..., c]) for c in range(x.shape[2])], axis=2)


@pytest.mark.parametrize("size", PAIRS, ids=str)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (median, lambda x, size: ndimage.median_filter(x, size, mode="nearest")),
        (lambda x, size: rank(x, size, 0), lambda x, size: ndimage.minimum_filter(x, size, mode="nearest")),
        (lambda x, size: rank(x, size, 100), lambda x, size: ndimage.maximum_filter(x, size, mode="nearest")),
        (
            lambda x, size: rank(x, size, 30),
            lambda x, size: ndimage.rank_filter(x, round(0.3 * (np.prod(size) - 1)), size, mode="nearest"),
        ),
        (erode, lambda x, size: ndimage.grey_erosion(x, size, mode="nearest")),
        (dilate, lambda x, size: ndimage.grey_dilation(x, size, mode="nearest")),
        (opening, lambda x, size: ndimage.grey_opening(x, size, mode="nearest")),
        (closing, lambda x, size: ndimage.grey_closing(x, size, mode="nearest")),
    ],
    ids=["median", "rank 0", "rank 100", "rank 30", "erode", "dilate", "open", "close"],
)
def test_windows_are_those_of_scipy(ours, theirs, size):
    assert_array_equal(ours(X, size), each_channel(lambda channel: theirs(channel, size)))


@pytest.mark.parametrize("shape", ["ellipse", "cross"])
@pytest.mark.parametrize("size", [(5, 5), (7, 3), (9, 9)], ids=str)
def test_shaped_windows_count_nothing_outside(shape, size):
    kind = {"ellipse": cv2.MORPH_ELLIPSE, "cross": cv2.MORPH_CROSS}[shape]
    element = cv2.getStructuringElement(kind, size[::-1]) > 0
    assert 1 < element.sum() < element.size
    low = each_channel(lambda x: ndimage.grey_erosion(x, footprint=element, mode="constant", cval=np.inf))
    high = each_channel(lambda x: ndimage.grey_dilation(x, footprint=element, mode="constant", cval=-np.inf))
    assert_array_equal(erode(X, size, shape), low)
    assert_array_equal(dilate(X, size, shape), high)


@pytest.mark.parametrize("function", [erode, dilate, median, lambda x, size: rank(x, size, 30)])
def test_a_window_with_a_nan_gives_nan_and_no_other_does(function):
    x = X.copy()
    x[0, 0, 0] = x[200, 150, 1] = np.nan
    result = function(x, (5, 5))
    expected = np.zeros(x.shape, bool)
    expected[:3, :3, 0] = expected[198:203, 148:153, 1] = True
    assert_array_equal(np.isnan(result), expected)
    assert_array_equal(result[~expected], function(X, (5, 5))[~expected])


def test_windows_larger_than_the_image_see_all_of_it():
    small = X[:3, :4]
    assert_array_equal(erode(small, 31), np.broadcast_to(small.min(axis=(0, 1)), small.shape))
    assert_array_equal(dilate(small, 31), np.broadcast_to(small.max(axis=(0, 1)), small.shape))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: median(X, 4), "a window has a middle: its rows and columns are odd, not 4x4"),
        (lambda: erode(X, [3, 2]), "not 3x2"),
        (lambda: erode(X, 3, "disc"), "unknown shape 'disc'"),
        (lambda: rank(X, 3, 101), "a rank is a percentage from 0 to 100, not 101"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(call, message):
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
