"""Notes on pictures that came out saturated, black or flat."""

import re

import cv2
import numpy as np
import pytest
import scipy.ndimage

from convcli.convolution.options import ConvolveOptions
from convcli.image.model import Image
from convcli.kernel.spec import load_kernel
from convcli.process.kernel_chain import Chain
from convcli.process.picture_notes import Making, picture_notes, sampled_places
from convcli.process.tone_options import ToneOptions

SIZE = (240, 320)


def photo(channels=3, dtype=np.uint8, seed=1):
    """Smooth structure and noise over most of the range, as in a photograph."""
    generator = np.random.default_rng(seed)
    picture = cv2.resize(generator.random((12, 16, channels)), SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    picture = picture.reshape(*SIZE, channels) * 190 + 20 + generator.normal(0, 6, (*SIZE, channels))
    return np.clip(picture * (np.iinfo(dtype).max / 255), 0, np.iinfo(dtype).max).astype(dtype)


def notes_of(pixels, *kernels, dtype=None, alpha=False, toning=None, **options):
    loaded = [load_kernel(kernel) for kernel in kernels]
    chain = Chain(
        Image(pixels, alpha=alpha),
        loaded,
        ConvolveOptions(**options),
        toning or ToneOptions(),
        np.dtype(dtype or pixels.dtype),
    )
    chain.run()
    return chain.notes


def saturated_share(pixels, weights, mode="mirror"):
    """The share of samples beyond 0..255, by scipy in double precision."""
    planes = [
        scipy.ndimage.correlate(plane.astype(np.float64), weights, mode=mode) for plane in np.moveaxis(pixels, 2, 0)
    ]
    return np.mean((np.stack(planes) > 255.5) | (np.stack(planes) < -0.5))


@pytest.mark.parametrize("kernel", ["emboss", "0 0 0; 0 1.6 0; 0 0 0", "-1 -1 -1; -1 10 -1; -1 -1 -1"])
def test_the_share_is_that_of_the_samples_beyond_the_range(kernel):
    pixels = photo()
    (note,) = notes_of(pixels, kernel, toning=ToneOptions(signed="auto"))
    (said,) = re.findall(r"^(?:over )?(\d+)% of the output's samples are saturated", note)
    np.testing.assert_allclose(
        int(said) / 100, saturated_share(pixels, load_kernel(kernel).weights), rtol=0.15, atol=0.02
    )


@pytest.mark.parametrize("padding", ["reflect101", "constant", "wrap", "replicate"])
@pytest.mark.parametrize("options", [{}, {"stride": (2, 3)}, {"dilation": (2, 1)}, {"extent": "full"}, {"flip": True}])
def test_responses_behind_single_samples_are_those_of_the_whole_run(padding, options):
    pixels = photo()
    for kernel in ("1 2 3 4; 5 6 7 8; 9 10 -11 12", "sobel"):
        convolve = ConvolveOptions(padding=padding, padding_value=7.0 if padding == "constant" else 0.0, **options)
        chain = Chain(Image(pixels), [load_kernel(kernel)], convolve, ToneOptions(), np.dtype(np.float32))
        plan, whole = chain.plans[0], chain.run()
        places = np.random.default_rng(0).integers(0, whole.shape[0] * whole.shape[1], 24)
        places[:2] = 0, whole.shape[0] * whole.shape[1] - 1
        np.testing.assert_allclose(
            plan.responses_at(pixels, places), whole.reshape(-1, 3)[places], rtol=2e-6, atol=2e-6 * 80 * 255
        )


def test_white_that_was_white_before_is_not_saturated():
    page = np.full((*SIZE, 1), 255, np.uint8)
    page[::7, ::5] = 0
    assert notes_of(page, "identity") == []
    assert notes_of(page, "box:size=1") == []
    assert notes_of(255 - page, "identity") == []


def test_weights_that_sum_to_much_are_told_with_their_sum():
    weights = "1 4 6 4 1; 4 16 24 16 4; 6 24 36 24 6; 4 16 24 16 4; 1 4 6 4 1"
    (note,) = notes_of(photo(), weights)
    assert note.endswith(
        "of the output's samples are saturated at white, because the weights sum to 256: ask for --normalize sum"
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_scale_that_is_advised_leaves_nothing_saturated(dtype):
    (note,) = notes_of(photo(dtype=dtype), "scharr_x")
    (scale,) = re.findall(r"saturated at white: ask for --scale ([0-9.]+) or --signed stretch$", note)
    assert notes_of(photo(dtype=dtype), "scharr_x", toning=ToneOptions(scale=float(scale))) == []


def test_a_dark_picture_is_told_with_a_scale_that_shows_it():
    (note,) = notes_of(cv2.GaussianBlur(photo(), (0, 0), 4), "log:sigma=2", toning=ToneOptions(signed="abs"))
    what, scale = re.fullmatch(
        r"the output is (.*): 99.9% of its samples are 0 to \d+ of 0..255: "
        r"ask for --scale ([0-9.]+) or --signed stretch",
        note,
    ).groups()
    assert what == "nearly black"
    assert float(scale) > 10


def test_a_flat_picture_of_a_flat_image_is_no_news():
    flat = np.full((*SIZE, 3), 77, np.uint8)
    assert notes_of(flat, "sobel") == []
    assert notes_of(flat, "box") == []


@pytest.mark.parametrize(
    ("toning", "noted"),
    [
        (ToneOptions(signed="stretch"), False),
        (ToneOptions(signed="clip"), False),  # which is asked for
        (ToneOptions(signed="offset"), True),
        (ToneOptions(linear=True), True),
        (ToneOptions(bias=10.0), True),
    ],
)
def test_what_cannot_saturate_or_was_asked_to_is_not_noted(toning, noted):
    assert bool(notes_of(photo(), "0 0 0; 0 3 0; 0 0 -1", toning=toning)) == noted


def test_the_response_itself_has_no_notes():
    assert notes_of(photo(), "0 0 0; 0 9 0; 0 0 0", dtype=np.float32) == []


@pytest.mark.parametrize("mode", ["keep", "filter", "premultiply", "drop"])
def test_opacity_counts_for_nothing(mode):
    pixels = np.concatenate([photo(), np.full((*SIZE, 1), 255, np.uint8)], axis=2)
    pixels[:9, :9, 3] = 0
    assert notes_of(pixels, "identity", alpha=True, toning=ToneOptions(alpha=mode)) == []
    (note,) = notes_of(pixels, "0 0 0; 0 2 0; 0 0 0", alpha=True, toning=ToneOptions(alpha=mode))
    assert "saturated at white" in note


def test_a_chain_is_judged_by_its_last_response():
    assert notes_of(photo(), "0 0 0; 0 9 0; 0 0 0", "0 0 0; 0 1/9 0; 0 0 0") == []
    assert "saturated" in notes_of(photo(), "gaussian", "0 0 0; 0 9 0; 0 0 0")[0]


@pytest.mark.parametrize("pixels", [64, 1000, 65536, 10**7])
def test_the_places_are_spread_and_in_step_with_no_pattern(pixels):
    places = sampled_places(pixels)
    assert places.min() >= 0
    assert places.max() < pixels
    assert 0.8 * len(places) < len(set(places.tolist())) <= 2048
    counts = np.bincount(places * 8 // pixels, minlength=8)
    assert np.ptp(counts) <= 2 + len(places) // 100
    for period in (2, 3, 4, 8, 16):
        assert len(set((places % period).tolist())) == period


def test_a_picture_of_few_pixels_has_no_notes():
    white = np.full((4, 4, 1), 255, np.uint8)
    assert picture_notes(white, lambda at: np.full((len(at), 1), 999.0), lambda: 255.0, Making("clip")) == []
