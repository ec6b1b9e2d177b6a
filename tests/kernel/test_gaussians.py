"""Derivatives, directions and other ways to say a width, against SciPy, scikit-image and what they are made of."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import skimage.filters
from numpy.testing import assert_allclose

from convcli.errors import KernelError
from convcli.kernel.spec import load_kernel

EXACT = 1e-12


def noise():
    return np.random.default_rng(11).uniform(0, 255, (70, 80))


def weights(spec):
    return load_kernel(spec).weights


def close(found, expected):
    assert_allclose(found, expected, rtol=0, atol=EXACT * np.abs(expected).max())


@pytest.mark.parametrize("order_x", range(5))
@pytest.mark.parametrize("order_y", range(5))
def test_a_derivative_of_a_gaussian_is_scipys(order_x, order_y):
    kernel = load_kernel(f"gaussian:sigma_x=2.5,sigma_y=1.7,order_x={order_x},order_y={order_y}")
    # On noise: an impulse would find a mirrored kernel right, too.
    found = scipy.ndimage.correlate(noise(), kernel.weights, mode="mirror")
    close(found, scipy.ndimage.gaussian_filter(noise(), (1.7, 2.5), order=(order_y, order_x), mode="mirror"))


def test_order_is_that_along_x():
    assert_allclose(weights("gaussian:order=2"), weights("gaussian:order_x=2"), rtol=0, atol=0)


def test_fwhm_is_where_the_gaussian_falls_to_a_half():
    row = weights("gaussian:fwhm=6")[0]
    middle = len(row) // 2
    assert_allclose(row[middle + 3] / row[middle], 0.5, rtol=EXACT)


@pytest.mark.parametrize("size", [3, 5, 9, 31])
def test_a_size_without_sigma_takes_opencvs(size):
    column = cv2.getGaussianKernel(2 * size + 1, -1)
    if size == 3:  # OpenCV has a table for up to 7
        column = cv2.getGaussianKernel(7, 0.3 * ((7 - 1) * 0.5 - 1) + 0.8)
    close(weights(f"gaussian:size={2 * size + 1}"), column @ column.T)


@pytest.mark.parametrize("theta", [17, 45, 120, -30])
def test_a_turned_gaussian_has_the_covariance_of_its_turned_axes(theta):
    found = weights(f"gaussian:sigma_x=4,sigma_y=2,theta={theta},size=61")
    rows, columns = np.mgrid[-30:31, -30:31]
    turn = np.array([[np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))]])
    turn = np.vstack([turn, [-turn[0, 1], turn[0, 0]]])
    inverse = turn.T @ np.diag([1 / 16, 1 / 4]) @ turn
    places = np.stack([columns, rows])
    expected = np.exp(-0.5 * np.einsum("iyx,ij,jyx->yx", places, inverse, places))
    close(found, expected / expected.sum())


@pytest.mark.parametrize("theta", [0, 10, 45, 90, 200])
def test_steerable_kernels_are_sums_of_those_along_the_axes(theta):
    cosine, sine = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))
    x, y = (weights(f"gaussian:sigma=2,size=31,order_{axis}=1") for axis in "xy")
    close(weights(f"steerable_1:size=31,theta={theta}"), cosine * x + sine * y)
    xx, yy = (weights(f"gaussian:sigma=2,size=31,order_{axis}=2") for axis in "xy")
    xy = weights("gaussian:sigma=2,size=31,order_x=1,order_y=1")
    expected = cosine**2 * xx + 2 * cosine * sine * xy + sine**2 * yy
    close(weights(f"steerable_2:size=31,theta={theta}"), expected)


def test_dog_takes_the_wide_sigma_itself():
    assert_allclose(weights("dog:sigma=2,sigma2=5"), weights("dog:sigma=2,ratio=2.5"), rtol=1e-13, atol=1e-17)


@pytest.mark.parametrize("theta", [0, 30, 100])
@pytest.mark.parametrize(("frequency", "bandwidth"), [(0.1, 1), (0.2, 1.5)])
def test_gabor_of_a_frequency_and_bandwidth_is_skimages(theta, frequency, bandwidth):
    expected = skimage.filters.gabor_kernel(frequency, np.deg2rad(theta), bandwidth, n_stds=4)
    height, width = expected.shape
    spec = f"frequency={frequency},bandwidth={bandwidth},theta={theta},size={height}x{width}"
    peak = expected.real.max()  # skimage divides by the area under the Gaussian
    close(weights(f"gabor:{spec}"), expected.real / peak)
    close(weights(f"gabor_odd:{spec}"), expected.imag / peak)


def test_gabor_energy_is_the_magnitude_of_the_even_and_the_odd_wave():
    kernel = load_kernel("gabor_energy:theta=30,wavelength=6")
    assert kernel.combine == "magnitude"
    for part, name in zip(kernel.kernels, ("morlet", "gabor_odd"), strict=True):
        assert_allclose(part.weights, weights(f"{name}:theta=30,wavelength=6"), rtol=0, atol=0)


TURNED = {
    "gabor:theta=10,size=21,rotate=30": "gabor:theta=-20,size=21",
    "steerable_1:rotate=45": "steerable_1:theta=-45",
    "motion:angle=10,rotate=35": "motion:angle=45",
    "line:length=15,rotate=-45": "line:length=15,angle=-45",
    "log_gabor:rotate=12.5": "log_gabor:theta=-12.5",
}


@pytest.mark.parametrize("spec", TURNED)
def test_a_kernel_with_a_direction_turns_by_any_angle(spec):
    assert_allclose(weights(spec), weights(TURNED[spec]), rtol=0, atol=EXACT)


def test_a_file_turns_a_formula_by_any_angle(tmp_path):
    (tmp_path / "k.yaml").write_text("family: motion\nparameters: {length: 9}\nrotate: 22.5\n")
    assert_allclose(weights(f"{tmp_path}/k.yaml"), weights("motion:angle=22.5"), rtol=0, atol=EXACT)
    assert_allclose(weights(f"{tmp_path}/k.yaml:rotate=22.5"), weights("motion:angle=45"), rtol=0, atol=EXACT)
    (tmp_path / "k.yaml").write_text("weights: [[1, 2]]\nrotate: 22.5\n")
    with pytest.raises(KernelError, match=r"rotate: must be a multiple of 90 \(of 45 for 3x3\), not 22\.5"):
        load_kernel(f"{tmp_path}/k.yaml")
