"""The fft backend: small images, wisdom and transform sizes."""

import numpy as np
import pytest
from scipy import ndimage

from convcli import convolve


@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (1, 1), (2, 3)], ids=str)
def test_fft_takes_images_of_few_rows_or_columns(shape):
    image = np.random.default_rng(2).uniform(-1, 1, shape)
    for size in ((1, 1), (1, 41), (41, 1), (3, 3)):
        weights = np.random.default_rng(3).standard_normal(size)
        expected = ndimage.correlate(image, weights, mode="mirror")
        allowed = 1e-13 * np.abs(weights).sum()
        np.testing.assert_allclose(convolve(image, weights, backend="fft"), expected, rtol=0, atol=allowed)
