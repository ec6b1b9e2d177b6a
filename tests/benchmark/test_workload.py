"""The work that candidates share: what it is computed into, and its way to another process."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.benchmark.workload import Workload
from convcli.convolution.options import ConvolveOptions
from convcli.kernel.spec import load_kernel


def workload(dtype=np.uint8, spec="sobel", rounded=False, **options):
    pixels = np.random.default_rng(0).integers(0, 200, (90, 80, 2)).astype(dtype)
    return Workload(pixels, load_kernel(spec), ConvolveOptions(**options), rounded)


@pytest.mark.parametrize(
    ("dtype", "rounded", "precision", "expected"),
    [
        (np.uint8, False, "single", np.float32),
        (np.uint8, True, "single", np.uint8),
        (np.float32, True, "single", np.float32),
        (np.uint16, False, "double", np.float64),
        (np.float64, False, "single", np.float64),
    ],
)
def test_the_sample_type_of_the_result(dtype, rounded, precision, expected):
    assert workload(dtype, rounded=rounded, precision=precision).dtype == expected


def test_the_kernel_size_holds_every_part_and_multiply_adds_count_each():
    assert workload().kernel_size == (3, 3)
    assert workload().multiply_adds((4, 5, 2)) == 4 * 5 * 2 * 2 * 9


def test_another_process_does_the_same_work():
    case = workload(stride=(2, 1), dilation=(1, 2), padding="wrap")
    arrays, data = case.to_data()
    again = Workload.from_data(arrays, json.loads(json.dumps(data)))
    assert_array_equal(again.plan("opencv").run(again.pixels), case.plan("opencv").run(case.pixels))


def test_the_small_one_is_a_corner_large_enough_for_the_kernel():
    case = workload(spec="box:size=9", dilation=(4, 1))
    assert case.small().pixels.shape == (72, 64, 2)
    assert_array_equal(case.small().pixels, case.pixels[:72, :64])
