"""Kernel files of the kinds that users hold: the right weights and anchor, by path and from standard input.

Made here byte by byte, as the tools concerned write them, with what is right for each.
"""

import io
import json

import numpy as np
import pytest
import tifffile
from commandline import done, refused
from numpy.testing import assert_allclose

from convcli import load_kernel

WEIGHTS = np.array([[0, -1, 0.5], [-1, 5, -1], [0, -1, 0.25]])
HOLED = np.array([[0, -1, 0.5], [-1, 5, -1], [0, -1, 0.25]]) * np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1]])
ROWS, COLUMNS = np.mgrid[0:15, 0:15] - 7.0
SPREAD = np.rint(np.exp(-(ROWS**2 / 2 + COLUMNS**2 / 6)) * 50000).astype(np.uint16)


def numpys(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def tiff(array):
    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="minisblack", metadata=None)
    return file.getvalue()


# name: its bytes, the weights, and the row and column of the anchor
KERNELS = {
    "kernel.txt": (b"# sharpen, lopsided\n0 -1 0.5\n-1 5 -1\n0 -1 0.25\n", WEIGHTS, (1, 1)),
    "kernel.csv": (b"0,-1,0.5\n-1,5,-1\n0,-1,0.25\n", WEIGHTS, (1, 1)),
    "excel.csv": (b"\xef\xbb\xbf0;-1;1\r\n-1;5;-1\r\n0;-1;2\r\n", [[0, -1, 1], [-1, 5, -1], [0, -1, 2]], (1, 1)),
    "kernel.json": (json.dumps(WEIGHTS.tolist()).encode(), WEIGHTS, (1, 1)),
    "kernel.npy": (numpys(WEIGHTS), WEIGHTS, (1, 1)),
    "kernel.mat": (b"3 3 16 0\n1 2 1\n2 4 2\n1 2 1\n", np.outer([1, 2, 1], [1, 2, 1]) / 16, (1, 1)),
    "kernel.im": (b"3x3+0+1: 0,-1,0.5 -1,5,-1 nan,-1,0.25\n", HOLED, (1, 0)),
    "psf16.tif": (tiff(SPREAD), SPREAD / SPREAD.sum(), (7, 7)),
    "psf.pgm": (b"P5 2 1 255\n\x01\x03", [[0.25, 0.75]], (0, 1)),
}


@pytest.fixture
def held(tmp_path, request):
    name = request.param
    (tmp_path / name).write_bytes(KERNELS[name][0])
    return tmp_path / name, *KERNELS[name]


each = pytest.mark.parametrize("held", KERNELS, indirect=True)


@each
def test_weights_and_anchor_are_the_right_ones(held):
    path, _, weights, anchor = held
    kernel = load_kernel(str(path))
    assert_allclose(kernel.weights, weights, rtol=1e-14, atol=0)
    assert kernel.origin == anchor


@each
def test_the_same_kernel_comes_from_standard_input(held, tmp_path):
    _, data, weights, anchor = held
    done("kernels", "export", "-", "-o", tmp_path / "k.yaml", stdin=data)
    kernel = load_kernel(str(tmp_path / "k.yaml"))
    assert_allclose(kernel.weights, weights, rtol=1e-14, atol=0)
    assert kernel.origin == anchor


@each
def test_parameters_may_follow_the_path(held):
    path, _, weights, _ = held
    kernel = load_kernel(f"{path}:normalize=abssum,rotate=180")
    assert_allclose(kernel.weights, np.asarray(weights)[::-1, ::-1] / np.abs(weights).sum(), rtol=1e-14, atol=0)


@each
def test_check_takes_it(held):
    path, *_ = held
    assert done("kernels", "check", path).output.decode().startswith(f"ok   {path}: ")


def test_nine_numbers_in_a_row_are_refused_by_what_to_write(tmp_path):
    (tmp_path / "flat9.txt").write_text("0 -1 0 -1 5 -1 0 -1 0\n")
    message = refused("kernels", "show", tmp_path / "flat9.txt")
    assert message == (
        f"{tmp_path / 'flat9.txt'}: is a single row of 9 numbers: write 3x3: before it for 3 rows, or 1x9: for one"
    )
