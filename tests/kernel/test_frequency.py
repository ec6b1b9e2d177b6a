"""The formulas written in frequencies agree with SciPy's designs, scikit-image's filters, or their response."""

import numpy as np
import pytest
import scipy.signal
import skimage.filters
from numpy.testing import assert_allclose

from convcli.kernel.spec import load_kernel

EXACT = 1e-12


@pytest.mark.parametrize("cutoff", [0.03, 0.1, 0.25, 0.4])
@pytest.mark.parametrize("size", [5, 21, 61])
def test_lanczos_is_scipys_windowed_design(cutoff, size):
    row = scipy.signal.firwin(size, cutoff, window="lanczos", fs=1.0)
    assert_allclose(load_kernel(f"lanczos:cutoff={cutoff},size={size}").weights, np.outer(row, row), rtol=0, atol=EXACT)


@pytest.mark.parametrize("cutoff", [0.03, 0.1, 0.25, 0.4])
@pytest.mark.parametrize("beta", [0, 5, 8.6])
def test_kaiser_is_scipys_windowed_design(cutoff, beta):
    column, row = (scipy.signal.firwin(size, cutoff, window=("kaiser", beta), fs=1.0) for size in (21, 41))
    found = load_kernel(f"kaiser:cutoff={cutoff},beta={beta},size=21x41").weights
    assert_allclose(found, np.outer(column, row), rtol=0, atol=EXACT)


@pytest.mark.parametrize(("spec", "size"), [("lanczos:cutoff=0.1", 31), ("kaiser:cutoff=0.1", 41)])
def test_a_low_pass_reaches_as_far_as_it_says(spec, size):
    assert load_kernel(spec).size == (size, size)


def impulse(side: int) -> np.ndarray:
    image = np.zeros((side, side))
    image[side // 2, side // 2] = 1.0
    return image


def skimages(side, cutoff, order, **options):
    return skimage.filters.butterworth(impulse(side), cutoff, order=order, **options)


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("cutoff", [0.05, 0.1, 0.3])
def test_butterworth_is_skimages(order, cutoff):
    spec = f"butterworth:cutoff={cutoff},order={order},size=61"
    low = skimages(61, cutoff, order, high_pass=False)
    assert_allclose(load_kernel(spec).weights, low, rtol=0, atol=EXACT)
    assert_allclose(load_kernel(f"{spec},kind=high").weights, skimages(61, cutoff, order), rtol=0, atol=EXACT)
    band = skimage.filters.butterworth(low, 0.4, high_pass=False, order=order)
    band = skimage.filters.butterworth(skimages(61, cutoff, order, high_pass=True), 0.4, high_pass=False, order=order)
    found = load_kernel(f"{spec},kind=band,cutoff2=0.4").weights
    assert_allclose(found, band, rtol=0, atol=EXACT)
    assert load_kernel(f"{spec},kind=band").parameters["cutoff2"] == min(2 * cutoff, 0.5)


def response(weights):
    """The response of a kernel, laid on as it is written, to waves of the frequencies of a transform of its size."""
    height, width = weights.shape
    rows, columns = np.arange(height) - height // 2, np.arange(width) - width // 2
    down = np.exp(2j * np.pi * np.outer(np.fft.fftfreq(height), rows))
    across = np.exp(2j * np.pi * np.outer(columns, np.fft.fftfreq(width)))
    return down @ weights @ across


@pytest.mark.parametrize("theta", [0, 30, 90, 200])
@pytest.mark.parametrize(("wavelength", "ratio", "spread"), [(10, 0.55, 30), (5, 0.7, 15)])
def test_log_gabor_has_the_response_of_its_formula(theta, wavelength, ratio, spread):
    spec = f"log_gabor:theta={theta},wavelength={wavelength},ratio={ratio},spread={spread},size=31x45"
    even, odd = (load_kernel(f"{spec},part={part}").weights for part in ("even", "odd"))
    expected = np.zeros((31, 45))
    for i, v in enumerate(np.fft.fftfreq(31)):
        for j, u in enumerate(np.fft.fftfreq(45)):
            if u or v:
                off = np.angle(np.exp(1j * (np.arctan2(v, u) - np.deg2rad(theta))))
                radial = np.exp(-(np.log(np.hypot(u, v) * wavelength) ** 2) / (2 * np.log(ratio) ** 2))
                expected[i, j] = radial * np.exp(-(off**2) / (2 * np.deg2rad(spread) ** 2))
    # Laid on as written, the odd part answers a quarter of a cycle later than the even one.
    assert_allclose(response(even) - 1j * response(odd), expected, rtol=0, atol=EXACT)
    assert_allclose(even, even[::-1, ::-1], rtol=0, atol=EXACT)
    assert_allclose(odd, -odd[::-1, ::-1], rtol=0, atol=EXACT)


def test_odd_kernels_answer_positively_where_brightness_rises_towards_theta():
    rows, columns = np.mgrid[-30:31, -30:31]
    for theta in (0, 45, 90, 180, 300):
        rise = np.tanh((columns * np.cos(np.deg2rad(theta)) + rows * np.sin(np.deg2rad(theta))) / 2)
        for spec in (f"log_gabor:part=odd,size=61,theta={theta}", f"gabor_odd:size=61,theta={theta}"):
            assert (load_kernel(spec).weights * rise).sum() > 0.1
        assert (load_kernel(f"steerable_1:size=61,theta={theta}").weights * rise).sum() > 0.1
