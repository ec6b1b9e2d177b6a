"""A second image file as a source."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from step_cases import IMAGE, run

from convcli.image.model import Image
from convcli.image.writing import write_image
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError, StepError

SECOND = np.random.default_rng(3).integers(0, 256, (12, 15, 3), np.uint8)
OPACITY = np.random.default_rng(4).integers(0, 256, (12, 15, 1), np.uint8)


@pytest.fixture
def folder(tmp_path):
    write_image(tmp_path / "second.png", SECOND)
    write_image(tmp_path / "clear.png", Image(np.concatenate([SECOND, OPACITY], axis=2), alpha=True))
    write_image(tmp_path / "small.png", SECOND[:4, :5])
    return tmp_path


def result(text, folder, white=255.0):
    return run(parse_document(text, folder=folder), white=white)


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_white_of_a_second_image_is_that_of_the_document(folder, white):
    text = "steps: [{image: second.png, name: second}, {add: [1, -1], from: [input, second]}]"
    assert_allclose(result(text, folder, white), IMAGE - SECOND * (white / 255), rtol=1e-5, atol=1e-5 * white)


def test_a_second_image_is_taken_without_its_opacity_or_as_its_opacity(folder):
    assert_array_equal(result("steps: [{image: clear.png}]", folder), SECOND)
    text = "steps: [{image: {file: %s, part: alpha}}]"
    assert_allclose(result(text % "clear.png", folder), OPACITY / 255.0, rtol=1e-6)
    assert_array_equal(result(text % "second.png", folder), np.ones((12, 15, 1)))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{image: small.png, from: input}", "small.png: is of 4x5, and must be of 12x15 (rows x columns)"),
        ("{image: {file: small.png, size: [4, 6]}}", "small.png: is of 4x5, and must be of 4x6 (rows x columns)"),
        ("{image: {file: small.png, channels: 1}}", "small.png: has 3 channels, and must have 1"),
        ("{image: {file: second.png, size: 12}, from: input}", "size: is that of the input that from names"),
        ("{image: none.png}", "none.png"),
    ],
)
def test_another_size_than_said_is_refused_with_its_place(folder, entry, message):
    with pytest.raises(DocumentError, match=r"steps\[0\]\.image: ") as caught:
        result(f"steps: [{entry}]", folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_second_image_that_is_none_is_found_before_anything_is_run(folder):
    (node,) = parse_document("steps: [{image: none.png}]", folder=folder).nodes
    with pytest.raises(StepError, match=r"none\.png"):
        node.step.check_files()


def test_snippets_and_sizes_that_fit_are_taken(folder):
    text = "steps: [{image: {file: small.png, size: [4, 5], channels: 3}}]"
    assert_array_equal(result(text, folder), SECOND[:4, :5])
