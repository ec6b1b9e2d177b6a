"""The opencv backend: what it takes as a whole."""

import pytest

from convcli.convolution.backends.opencv import pads_alike


@pytest.mark.parametrize(
    ("case", "possible"),
    [
        (("uint8", "uint8", "reflect", True), True),
        (("float32", "float32", "constant", True), True),
        (("float32", "float32", "constant", False), False),
        (("uint8", "uint8", "replicate", False), True),
        (("uint8", "float32", "reflect", True), False),
        (("uint16", "uint16", "reflect", True), False),
        (("uint8", "uint8", "wrap", True), False),
    ],
)
def test_whole_images_go_to_opencv_where_it_means_the_same(case, possible):
    assert pads_alike(*case) is possible
