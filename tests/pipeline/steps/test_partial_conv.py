"""The steps partial_conv and mask."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from step_cases import HE, IMAGE, SIZE, channelwise, run, with_files

from convcli.image.writing import write_image
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


def test_partial_conv_knows_nan_and_masks_and_leaves_nan_where_nothing_is_known():
    holed = IMAGE.copy()
    holed[2:9, 3:10] = np.nan
    text = "{kernel: 3, padding: 1, groups: channels, bias: false, weights: box.npy"
    weights = {"box.npy": np.full((3, 1, 3, 3), 1 / 9)}
    known = ~np.isnan(holed[..., 0])
    count = ndimage.uniform_filter(known.astype(float), 3, mode="constant")
    total = channelwise(lambda c: ndimage.uniform_filter(np.nan_to_num(c), 3, mode="constant"), holed)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(count[..., np.newaxis] > 1e-9, total / count[..., np.newaxis], np.nan)
    assert_allclose(with_files(f"steps: [{{partial_conv: {text}}}}}]", weights, holed), expected, rtol=1e-5)
    zero = with_files(f"steps: [{{partial_conv: {text}, holes: zero}}}}]", weights, holed)
    assert_allclose(zero, np.nan_to_num(expected), rtol=1e-5, atol=1e-6)
    by_alpha = f"steps: [{{partial_conv: {text}}}, from: [input, alpha]}}]"
    alpha = known[..., np.newaxis].astype(np.float32)
    assert_allclose(with_files(by_alpha, weights, IMAGE, alpha), expected, rtol=1e-5)


def test_partial_conv_by_weights_takes_a_second_input_as_certainty():
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    certainty = np.random.default_rng(6).uniform(-0.5, 1.5, (12, 15, 1)).astype(np.float32)
    certain = certainty.clip(0, 1)
    text = (
        "steps: [{partial_conv: {kernel: 3, padding: 1, groups: channels, bias: false, weights: blur.npy, "
        "normalize: weights}, from: [input, alpha]}]"
    )
    weights = {"blur.npy": np.tile(kernel, (3, 1, 1, 1))}
    total = channelwise(lambda c: ndimage.correlate(c * certain[..., 0], kernel, mode="constant"))
    share = ndimage.correlate(certain[..., 0].astype(float), kernel, mode="constant")
    assert (share > 0).all()
    assert_allclose(with_files(text, weights, IMAGE, certainty), total / share[..., np.newaxis], rtol=1e-5)
    holed = IMAGE.copy()
    holed[4, 5] = np.nan
    certainty[4, 5] = 0
    assert_allclose(
        with_files(text, weights, holed, np.ones_like(certainty)),
        with_files(text, weights, IMAGE, np.isfinite(holed[..., :1]).astype(np.float32)),
        rtol=1e-6,
    )


def test_a_mask_and_its_filling(tmp_path):
    drawn = np.full((12, 15), 255, np.uint8)
    drawn[3:5] = 0
    write_image(tmp_path / "mask.png", drawn)
    holed = run(parse_document("steps: [{mask: mask.png}]", folder=tmp_path))
    assert np.isnan(holed[3:5]).all()
    assert_array_equal(holed[:3], IMAGE[:3])
    text = "steps: [{mask: mask.png}, {fill: , from: [mask_1, other]}, {abs: , from: input, name: other}]"
    text += "\noutput: {from: fill_1}"
    assert_array_equal(run(parse_document(text, folder=tmp_path)), IMAGE)
    filled = run(parse_document("steps: [{mask: mask.png}, {fill: 7}]", folder=tmp_path))
    assert (filled[3:5] == 7).all()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            "[{max_pool: 2, name: small}, {mask: , from: [input, small]}]",
            "mask: is of 6x7x3, and must go with an input",
        ),
        (
            "[{partial_conv: {out: 1, kernel: 1}, from: [input, s]}, {max_pool: 2, from: input, name: s}]",
            "mask: is of 6",
        ),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
