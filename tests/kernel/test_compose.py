"""The one kernel that a chain of kernels equals."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from convcli.errors import KernelError
from convcli.kernel.compose import compose
from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel


def correlate(image: np.ndarray, kernel: Kernel) -> np.ndarray:
    """Correlate with the kernel's own anchor, as the definition has it, zeros outside."""
    height, width = kernel.size
    y, x = kernel.anchor or (height // 2, width // 2)
    origin = (y - height // 2, x - width // 2)
    # scipy's origin moves the kernel, ours the anchor: the signs are opposite.
    return scipy.ndimage.correlate(
        image, kernel.weights, mode="constant", origin=tuple(-o for o in (-origin[0], -origin[1]))
    )


CHAINS = [
    ["sobel_x"],
    ["gaussian", "sobel_x"],
    ["1 1", "1 1"],
    ["1 1; 1 0", "2 3; 5 7", "1 -1; 2 1"],
    ["emboss", "gabor:size=5,psi=30", "1 2 3"],
    ["roberts_x", "box:size=4"],
    ["motion:length=7,angle=20", "kirsch_x"],
]


@pytest.mark.parametrize("chain", CHAINS, ids=" then ".join)
def test_the_composed_kernel_equals_the_chain_away_from_the_edges(chain):
    kernels = [load_kernel(spec) for spec in chain]
    image = np.random.default_rng(8).uniform(-1, 1, (50, 60))
    expected = image
    for kernel in kernels:
        expected = correlate(expected, kernel)
    one = compose(kernels)
    inner = (slice(20, -20), slice(20, -20))
    scale = np.abs(one.weights).sum()
    np.testing.assert_allclose(correlate(image, one)[inner], expected[inner], atol=1e-13 * scale)


def test_the_weights_are_the_full_convolution_and_the_anchors_add_up():
    one, other = load_kernel("1 2; 3 4"), load_kernel("1 0 -1")
    found = compose([one, other])
    np.testing.assert_array_equal(found.weights, scipy.signal.convolve2d(one.weights, other.weights))
    assert found.anchor is None  # (1, 1) + (0, 1) is the middle of 2x4
    assert compose([load_kernel("1 1"), load_kernel("1 1")]).anchor == (0, 2)


def test_an_anchor_of_its_own_is_respected():
    pulled = Kernel("pulled", np.array([[1.0, 2.0, 4.0]]), anchor=(0, 0))
    found = compose([pulled, load_kernel("1 1 1")])
    assert found.anchor == (0, 1)
    image = np.random.default_rng(9).uniform(0, 1, (12, 20))
    expected = correlate(correlate(image, pulled), load_kernel("1 1 1"))
    np.testing.assert_allclose(correlate(image, found)[:, 6:-6], expected[:, 6:-6], rtol=1e-13)


def test_what_cannot_be_composed_is_refused():
    with pytest.raises(KernelError, match=r"^sobel: the magnitude of several responses is not one kernel"):
        compose([load_kernel("gaussian"), load_kernel("sobel")])
    with pytest.raises(KernelError, match="no kernel to compose"):
        compose([])
    with pytest.raises(KernelError, match="makes a kernel of 1801x1801: too large to compose"):
        compose([load_kernel("box:size=901"), load_kernel("box:size=901")])
