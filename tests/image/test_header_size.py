"""How much is decoded, by the headers of files."""

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from convcli.image.header_size import peek_bytes, peek_samples


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp"])
@pytest.mark.parametrize("size", [(40, 70), (1, 1), (300, 20)])
def test_headers_tell_how_much_is_decoded(tmp_path, suffix, size):
    path = tmp_path / f"a{suffix}"
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
    exact = pixels.size if suffix != ".bmp" else pixels.size // 3 * 4  # which might hold alpha
    # Where a TIFF's bits do not fit its directory's entry, they are taken for 16.
    assert peek_bytes(str(path), 1) == exact * (2 if suffix == ".tiff" else 1)


def test_headers_of_deep_and_progressive_pictures(tmp_path):
    deep = np.zeros((50, 60), np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    # gray might turn out to have a transparent shade
    assert peek_samples(str(tmp_path / "a.png")) == (2 * deep.size, 2)
    for big in (False, True):
        for order in "<>":
            tifffile.imwrite(tmp_path / "a.tif", deep.astype(np.float32), bigtiff=big, byteorder=order)
            assert peek_samples(str(tmp_path / "a.tif")) == (deep.size, 4)
    picture = PillowImage.fromarray(np.zeros((33, 44, 3), np.uint8))
    exif = PillowImage.Exif()
    exif[0x010E] = "x" * 60_000  # the frame's header lies far behind
    picture.save(tmp_path / "a.jpg", progressive=True, exif=exif)
    assert peek_samples(str(tmp_path / "a.jpg")) == (33 * 44 * 3, 1)


@given(
    data=st.binary(max_size=60),
    start=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM", b"GIF8", b""]),
)
def test_what_is_no_header_is_never_an_error(tmp_path_factory, data, start):
    path = tmp_path_factory.mktemp("peek") / "a"
    path.write_bytes(start + data)
    assert peek_bytes(str(path), len(data)) >= 0
