"""Pipelines from Python give what `convcli run` writes."""

import cv2
import numpy as np
import pytest
from commandline import done
from numpy.testing import assert_allclose, assert_array_equal
from repository import PHOTO

from convcli import apply, convolve, read_image
from convcli.errors import FilterError, UsageError
from convcli.pipeline.document.named import find_document

PIXELS = read_image(PHOTO).pixels[100:200, 300:420]
GRAY = cv2.cvtColor(PIXELS, cv2.COLOR_RGB2GRAY)


def test_a_named_pipeline_is_applied_to_an_array():
    assert_array_equal(apply(GRAY, "canny", out_dtype=np.uint8), cv2.Canny(GRAY, 100, 200))
    constants = {"low": 20, "high": 60}
    assert_array_equal(apply(GRAY, "canny", constants=constants, out_dtype=np.uint8), cv2.Canny(GRAY, 20, 60))
    assert_array_equal(apply(GRAY, "canny:low=20,high=60", out_dtype=np.uint8), cv2.Canny(GRAY, 20, 60))


@pytest.mark.parametrize("pipeline", ["retinex", "high_pass", "gray | sobel", "sharpen"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_picture_is_the_one_that_run_writes(pipeline, dtype, tmp_path):
    pixels = PIXELS if dtype == np.uint8 else PIXELS.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), pixels[..., ::-1])
    done("run", pipeline, tmp_path / "a.png", "-o", tmp_path / "b.png")
    written = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)
    written = written[..., ::-1] if written.ndim == 3 else written[..., np.newaxis]
    assert_array_equal(apply(pixels, pipeline, out_dtype=dtype), written)


def test_without_a_type_the_result_is_the_response():
    expected = convolve(GRAY, "gaussian:sigma=2")
    found = apply(GRAY, "gaussian:sigma=2")
    assert (found.dtype, found.shape) == (np.float32, GRAY.shape)
    assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert apply(PIXELS, "gray | box").shape == (100, 120, 1)
    assert apply(GRAY, "gabor_bank").shape == (100, 120, 32)
    halved = apply(GRAY / 255, "box:size=3", out_dtype=np.float64)
    assert halved.dtype == np.float64


def test_opacity_of_an_image_is_known_as_such():
    pixels = np.full((40, 50, 4), 180, np.uint8)
    pixels[10:20, 5:30] = 0
    from convcli.image.model import Image

    assert_allclose(apply(Image(pixels, alpha=True), "inpaint"), 180, rtol=0, atol=1e-3)


def test_a_document_is_read_once_for_many_images(tmp_path):
    document = find_document("canny", {"low": "20"})
    assert_array_equal(apply(GRAY, document), apply(GRAY, "canny", constants={"low": 20}))
    path = tmp_path / "own.yaml"
    path.write_text("constants: {on: true}\nsteps: [{gray: {rounded: $on}}]")
    assert_array_equal(apply(PIXELS, path, constants={"on": True})[..., 0], GRAY)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((GRAY, "cany"), {}, "unknown pipeline 'cany'; did you mean 'canny'"),
        ((GRAY, "canny"), {"signed": "no"}, "unknown signed mapping 'no'"),
        ((GRAY, "canny"), {"signed": "abs"}, "give out_dtype too"),
        ((GRAY, "canny"), {"out_dtype": np.int64}, "out_dtype must be one of uint8"),
        ((GRAY.astype(np.int64), "canny"), {}, "samples are of uint8"),
        ((GRAY[0], "canny"), {}, "an image has 2 or 3 dimensions"),
        ((GRAY, find_document("canny")), {"constants": {"low": 3}}, "give them to find_document"),
        ((GRAY, "sharpen"), {}, "input.channels: wants 3"),
    ],
)
def test_what_is_wrong_is_said(arguments, options, message):
    with pytest.raises((UsageError, FilterError), match=message):
        apply(*arguments, **options)
