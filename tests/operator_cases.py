"""What tests of operators share: random images, and convolution by its definition."""

import numpy as np
from numpy.testing import assert_allclose


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def close(result, expected, tolerance=1e-5):
    assert_allclose(result, expected, rtol=0, atol=tolerance * max(np.abs(expected).max(), 1e-30))
