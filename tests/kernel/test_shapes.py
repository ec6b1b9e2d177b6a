"""Flat shapes: against scikit-image's, or counted by whole numbers alone."""

import math
from fractions import Fraction

import numpy as np
import pytest
import skimage.draw
import skimage.morphology
from numpy.testing import assert_allclose

from convcli.kernel.spec import load_kernel


@pytest.mark.parametrize(("radius", "inner"), [(5, 3), (1, 0), (9, 8), (12, 1)])
def test_a_ring_is_skimages_disk_less_its_inside(radius, inner):
    outside = skimage.morphology.disk(radius).astype(float)
    outside -= np.pad(skimage.morphology.disk(inner), radius - inner)
    found = load_kernel(f"ring:radius={radius},inner={inner}").weights
    assert_allclose(found, outside / outside.sum(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("length", [1, 2, 5, 9, 20])
@pytest.mark.parametrize("angle", [0, 45, 90, 135, -45, 180])
def test_a_line_along_an_axis_or_a_diagonal_is_skimages(length, angle):
    weights = load_kernel(f"line:length={length},angle={angle}").weights
    height, width = weights.shape
    rising = angle in (45,)
    ends = (height - 1, 0, 0, width - 1) if rising else (0, 0, height - 1, width - 1)
    expected = np.zeros(weights.shape)
    expected[skimage.draw.line(*ends)] = 1
    assert_allclose(weights, expected / expected.sum(), rtol=1e-15, atol=0)


@pytest.mark.parametrize("angle", [10, 33, 60, 100, 161])
def test_a_line_has_the_pixel_nearest_to_it_in_each_column_or_row(angle):
    weights = load_kernel(f"line:length=21,angle={angle}").weights
    height, width = weights.shape
    turn = math.radians(angle)
    assert (width // 2, height // 2) == (round(10 * abs(math.cos(turn))), round(10 * abs(math.sin(turn))))
    steep = height > width
    painted = np.argwhere(weights.T if steep else weights)
    assert len(painted) == max(height, width)
    slope = Fraction(min(height, width) // 2, max(height, width) // 2)
    sense = 1 if angle > 90 else -1  # downward, where it falls to the right
    for y, x in painted.tolist():
        off = (y - min(height, width) // 2) - sense * slope * (x - max(height, width) // 2)
        assert abs(off) <= Fraction(1, 2)
    assert_allclose(weights, weights[::-1, ::-1], rtol=0, atol=0)
    assert_allclose(weights.sum(), 1.0, rtol=1e-14)


def test_checker_is_positive_and_negative_squares_in_turn():
    one = load_kernel("checker").weights
    assert (16 * one[:2, :2]).tolist() == [[1, -1], [-1, 1]]
    assert one.sum() == 0.0
    two = load_kernel("checker:size=4x6,cell=2").weights
    assert_allclose(two, np.kron([[1, -1, 1], [-1, 1, -1]], np.ones((2, 2))) / 24, rtol=1e-15)
