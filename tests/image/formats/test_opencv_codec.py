"""OpenCV as a codec: RGB order, kept axes, and nothing on standard error."""

import cv2
import numpy as np
import pytest
from image_samples import as_stored, rough

from convcli.errors import ImageReadError, ImageWriteError
from convcli.image.formats import opencv_codec


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_are_in_rgb_order_and_one_keeps_its_axis(channels):
    pixels = rough(9, 8, channels)
    encoded = opencv_codec.encode(".png", pixels)
    seen = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED).reshape(9, 8, channels)
    order = [0] if channels == 1 else [2, 1, 0, 3][:channels]
    np.testing.assert_array_equal(seen[:, :, order], pixels)
    np.testing.assert_array_equal(opencv_codec.decode(encoded.tobytes()), pixels)
    if channels == 3:
        np.testing.assert_array_equal(opencv_codec.decode(encoded.tobytes(), rgb=True), pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_any_orientation_is_undone(orientation, channels):
    upright = rough(5, 7, channels)
    np.testing.assert_array_equal(
        opencv_codec.turn_upright(as_stored(upright, orientation), orientation), upright, strict=True
    )


def test_what_cannot_be_decoded_or_encoded_is_none_or_an_error_without_a_word(capfd):
    assert opencv_codec.decode(b"\x89PNG\r\n\x1a\n" + bytes(40)) is None
    assert opencv_codec.decode(b"") is None
    with pytest.raises(ImageReadError, match="x: truncated or damaged PNG, its picture cannot be decoded"):
        opencv_codec.decode_or_raise(b"junk", "x", "PNG")
    assert opencv_codec.encode(".none", rough(4, 5)) is None
    with pytest.raises(ImageWriteError, match=r"OpenCV could not encode 5 x 4 pixels as NONE: write \.tiff"):
        opencv_codec.encode_or_raise(".none", rough(4, 5), "NONE", advice=".tiff")
    assert capfd.readouterr().err == ""


def test_the_log_level_is_restored_by_the_last_that_lowered_it():
    before = cv2.utils.logging.getLogLevel()
    with opencv_codec.quiet():
        with opencv_codec.quiet():
            assert cv2.utils.logging.getLogLevel() == 0
        assert cv2.utils.logging.getLogLevel() == 0
    assert cv2.utils.logging.getLogLevel() == before
