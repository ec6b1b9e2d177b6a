"""Files that options of steps name: what is kept of them, and read again once they change."""

import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from step_cases import IMAGE, run

from convcli.image.writing import write_image
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import StepError
from convcli.pipeline.steps.files import picture, step_kernel


def test_a_kernel_is_read_again_once_its_file_has_changed(tmp_path):
    file, text = tmp_path / "own.yaml", "steps: [{filter: own.yaml}]"
    file.write_text("weights: [[0, 0, 1]]")
    assert_array_equal(run(parse_document(text, folder=tmp_path))[:, :-1], IMAGE[:, 1:])
    file.write_text("weights: [[1, 0, 0]]")
    assert_array_equal(run(parse_document(text, folder=tmp_path))[:, 1:], IMAGE[:, :-1])


def test_a_kernel_replaced_within_one_tick_of_the_clock_is_noticed(tmp_path):
    file, other = tmp_path / "own.yaml", tmp_path / "other.yaml"
    file.write_text("weights: [[0, 0, 1]]")
    other.write_text("weights: [[1, 0, 0]]")
    assert_array_equal(step_kernel(str(file)).weights, [[0, 0, 1]])
    status = file.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(other, file)
    assert_array_equal(step_kernel(str(file)).weights, [[1, 0, 0]])


def test_a_part_of_a_composite_is_read_again_once_it_has_changed(tmp_path):
    (tmp_path / "both.yaml").write_text("kernels: [part, sobel_x]\ncombine: sum")
    for middle in (3, 5):
        (tmp_path / "part.yaml").write_text(f"weights: [[{middle}]]")
        kernel = step_kernel(str(tmp_path / "both.yaml"))
        assert kernel.kernels[0].weights.max() == middle


def test_a_kernel_that_has_not_changed_is_kept(tmp_path):
    (tmp_path / "own.yaml").write_text("weights: [[0, 0, 1]]")
    assert step_kernel(str(tmp_path / "own.yaml")) is step_kernel(str(tmp_path / "own.yaml"))
    assert step_kernel("sobel_x") is step_kernel("sobel_x")
    assert step_kernel("1 2 1") is step_kernel("1 2 1")


def test_an_image_is_read_again_once_it_has_changed(tmp_path):
    mask, text = np.full(IMAGE.shape[:2], 255, np.uint8), "steps: [{mask: mask.png}]"
    for row in (3, 7):
        mask[...] = 255
        mask[row] = 0
        write_image(tmp_path / "mask.png", mask)
        masked = run(parse_document(text, folder=tmp_path))
        assert np.flatnonzero(np.isnan(masked).all(axis=(1, 2))).tolist() == [row]


def test_weights_are_read_again_once_their_file_has_changed(tmp_path):
    made = parse_document("steps: [{conv: {weights: w.npy, out: 3, kernel: 1, bias: false}}]", folder=tmp_path)
    for factor in (1, 2):
        np.save(tmp_path / "w.npy", factor * np.eye(3).reshape(3, 3, 1, 1))
        assert_array_equal(run(made), factor * IMAGE)


def test_an_image_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(StepError, match=r"a\.png"):
        picture(str(tmp_path / "a.png"))
