"""Images with known responses for the tests of fitting, and the least-squares problem of a pair written out."""

import numpy as np
from scipy import ndimage


def random_kernel(size, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, size)


def response(pixels, weights):
    """The float response of every channel, as large as the image, in float64."""
    planes = [ndimage.correlate(pixels[..., c].astype(float), weights, mode="mirror") for c in range(pixels.shape[2])]
    return np.stack(planes, axis=-1)


def windows_and_targets(pair, size):
    """The whole least-squares problem of a pair of one size, one row for each window."""
    before = np.lib.stride_tricks.sliding_window_view(pair.before.astype(float), size, axis=(0, 1))
    top, left = size[0] // 2, size[1] // 2
    after = pair.after[top : top + before.shape[0], left : left + before.shape[1]]
    return before.reshape(-1, size[0] * size[1]), after.reshape(-1).astype(float)
