"""The formulas agree with the libraries that the catalogue names."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import skimage.filters
import skimage.morphology

from convcli.kernel.catalogue import catalogue_names
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import Kernel
from convcli.kernel.spec import load_kernel


def impulse(side: int = 61) -> np.ndarray:
    image = np.zeros((side, side))
    image[side // 2, side // 2] = 1.0
    return image


def response(kernel, side: int = 61) -> np.ndarray:
    """What correlating an impulse gives: the kernel turned by 180 degrees, in the middle of zeros."""
    return scipy.ndimage.correlate(impulse(side), kernel.weights, mode="constant")


@pytest.mark.parametrize("sigma", [0.1, 0.5, 1.0, 1.37, 3.0])
@pytest.mark.parametrize("truncate", [4.0, 2.5])
def test_gaussian_is_scipys(sigma, truncate):
    kernel = load_kernel(f"gaussian:sigma={sigma},truncate={truncate}")
    expected = scipy.ndimage.gaussian_filter(impulse(), sigma, truncate=truncate, mode="constant")
    np.testing.assert_allclose(response(kernel), expected, atol=1e-16, rtol=1e-13)
    assert kernel.size == (2 * int(truncate * sigma + 0.5) + 1,) * 2


def test_gaussian_takes_a_sigma_per_axis():
    kernel = load_kernel("gaussian:sigma_x=3,sigma_y=1")
    assert kernel.size == (9, 25)
    expected = scipy.ndimage.gaussian_filter(impulse(), (1.0, 3.0), mode="constant")
    np.testing.assert_allclose(response(kernel), expected, atol=1e-16, rtol=1e-13)


def test_a_stated_size_cuts_the_gaussian_and_keeps_its_sum():
    kernel = load_kernel("gaussian:sigma=2,size=5x7")
    assert kernel.size == (5, 7)
    np.testing.assert_allclose(kernel.weights.sum(), 1.0, rtol=1e-15)
    column = cv2.getGaussianKernel(5, 2)
    row = cv2.getGaussianKernel(7, 2)
    np.testing.assert_allclose(kernel.weights, column @ row.T, rtol=1e-12)


@pytest.mark.parametrize(("sigma", "ratio"), [(1.0, 1.6), (2.0, 1.6), (1.5, 3.0)])
def test_dog_is_skimages_difference_of_gaussians(sigma, ratio):
    kernel = load_kernel(f"dog:sigma={sigma},ratio={ratio}")
    expected = skimage.filters.difference_of_gaussians(impulse(), sigma, ratio * sigma, mode="constant")
    np.testing.assert_allclose(response(kernel), expected, atol=1e-16)
    assert kernel.weights[kernel.size[0] // 2, kernel.size[1] // 2] > 0


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5])
def test_log_with_its_raw_residual_is_scipys(sigma):
    expected = scipy.ndimage.gaussian_laplace(impulse(), sigma, mode="constant")
    np.testing.assert_allclose(response(load_kernel(f"log:sigma={sigma},dc=raw")), expected, atol=1e-15)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5])
def test_log_takes_its_residual_off_as_a_multiple_of_the_gaussian(sigma):
    raw, zero = (load_kernel(f"log:sigma={sigma},dc={dc}").weights for dc in ("raw", "zero"))
    bell = load_kernel(f"gaussian:sigma={sigma}").weights
    np.testing.assert_allclose(zero, raw - raw.sum() * bell, atol=1e-15)
    np.testing.assert_allclose(zero.sum(), 0.0, atol=1e-15)
    assert zero[zero.shape[0] // 2, zero.shape[1] // 2] < 0
    np.testing.assert_array_equal(load_kernel(f"mexican_hat:sigma={sigma}").weights, -zero)


@pytest.mark.parametrize("theta", [0, 30, 45, 90, 135, -200])
@pytest.mark.parametrize("psi", [0, 90, 37])
@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_gabor_is_opencvs_turned_by_180_degrees(theta, psi, gamma):
    kernel = load_kernel(f"gabor:sigma=3,wavelength=7,theta={theta},gamma={gamma},psi={psi},size=21x19")
    expected = cv2.getGaborKernel((19, 21), 3, np.radians(theta), 7, gamma, np.radians(psi), cv2.CV_64F)
    np.testing.assert_allclose(kernel.weights, expected[::-1, ::-1], atol=1e-14)


def test_gabor_has_the_documented_defaults():
    kernel = load_kernel("gabor")
    assert kernel.size == (25, 25)
    np.testing.assert_allclose(
        kernel.weights, cv2.getGaborKernel((25, 25), 4, 0, 10, 1, 0, cv2.CV_64F)[::-1, ::-1], atol=1e-14
    )


@pytest.mark.parametrize("theta", [0, 30])
def test_morlet_is_gabor_less_a_multiple_of_its_envelope(theta):
    gabor = load_kernel(f"gabor:theta={theta}").weights
    morlet = load_kernel(f"morlet:theta={theta}").weights
    envelope = load_kernel(f"gabor:theta={theta},wavelength=1e12").weights
    np.testing.assert_allclose(morlet.sum(), 0.0, atol=1e-12)
    np.testing.assert_allclose(gabor - morlet, gabor.sum() / envelope.sum() * envelope, atol=1e-14)


@pytest.mark.parametrize(("sigma", "amount"), [(1.0, 1.0), (2.0, 0.5), (1.5, -0.7)])
def test_unsharp_is_skimages_unsharp_mask(sigma, amount):
    image = np.random.default_rng(5).uniform(0, 1, (40, 45))
    weights = load_kernel(f"unsharp:sigma={sigma},amount={amount}").weights
    expected = skimage.filters.unsharp_mask(image, radius=sigma, amount=amount, preserve_range=True)
    np.testing.assert_allclose(scipy.ndimage.correlate(image, weights, mode="reflect"), expected, atol=1e-13)


@pytest.mark.parametrize(("size", "height", "width"), [("3", 3, 3), ("4", 4, 4), ("2x5", 2, 5)])
def test_box_is_opencvs_blur(size, height, width):
    image = np.random.default_rng(6).uniform(0, 255, (20, 23))
    kernel = load_kernel(f"box:size={size}")
    found = cv2.filter2D(image, -1, kernel.weights, borderType=cv2.BORDER_REFLECT_101)
    np.testing.assert_allclose(found, cv2.blur(image, (width, height), borderType=cv2.BORDER_REFLECT_101), rtol=1e-12)


@pytest.mark.parametrize("radius", [0, 1, 2, 5])
def test_disk_is_skimages_disk_normalised(radius):
    disk = skimage.morphology.disk(radius)
    np.testing.assert_array_equal(load_kernel(f"disk:radius={radius}").weights, disk / disk.sum())


def test_disk_takes_fractional_radii():
    assert np.count_nonzero(load_kernel("disk:radius=1.5").weights) == 9
    assert load_kernel("disk:radius=2.9").size == (5, 5)


@pytest.mark.parametrize(("size", "row"), [(1, [1]), (2, [1, 1]), (3, [1, 2, 1]), (5, [1, 4, 6, 4, 1])])
def test_binomial_is_pascals_triangle(size, row):
    weights = load_kernel(f"binomial:size={size}").weights
    np.testing.assert_array_equal(weights, np.outer(row, row) / np.sum(row) ** 2)


def test_a_motion_of_whole_length_along_an_axis_is_a_mean():
    for angle, size in ((0, (1, 9)), (90, (9, 1)), (180, (1, 9)), (-90, (9, 1))):
        kernel = load_kernel(f"motion:length=9,angle={angle}")
        assert kernel.size == size
        np.testing.assert_allclose(kernel.weights, 1 / 9, rtol=1e-14)


def test_a_motion_weighs_pixels_by_their_distance_from_the_line():
    # The reference walks every pixel: 1 less the distance from the segment, if any is left.
    length, angle = 7.5, 30.0
    kernel = load_kernel(f"motion:length={length},angle={angle}")
    direction = np.array([-np.sin(np.radians(angle)), np.cos(np.radians(angle))])  # up is negative y
    expected = np.zeros((21, 21))
    for y in range(21):
        for x in range(21):
            place = np.array([y - 10.0, x - 10.0])
            along = np.clip(place @ direction, -(length - 1) / 2, (length - 1) / 2)
            expected[y, x] = max(0.0, 1.0 - np.linalg.norm(place - along * direction))
    expected /= expected.sum()
    height, width = kernel.size
    found = np.zeros((21, 21))
    found[10 - height // 2 : 11 + height // 2, 10 - width // 2 : 11 + width // 2] = kernel.weights
    np.testing.assert_allclose(found, expected, atol=1e-14)
    # As displayed, the line rises to the right.
    assert kernel.weights[0, -1] + kernel.weights[0, -2] > 0
    assert kernel.weights[0, 0] == 0


def test_a_motion_keeps_its_sum_and_symmetry_at_every_angle():
    for angle in range(0, 180, 15):
        weights = load_kernel(f"motion:length=11,angle={angle}").weights
        np.testing.assert_allclose(weights.sum(), 1.0, rtol=1e-14)
        np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-15)


def ramps() -> np.ndarray:
    return np.random.default_rng(7).uniform(0, 255, (24, 31))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("sobel_x", lambda image: cv2.Sobel(image, cv2.CV_64F, 1, 0)),
        ("sobel_y", lambda image: cv2.Sobel(image, cv2.CV_64F, 0, 1)),
        ("scharr_x", lambda image: cv2.Scharr(image, cv2.CV_64F, 1, 0)),
        ("scharr_y", lambda image: cv2.Scharr(image, cv2.CV_64F, 0, 1)),
        ("sobel_x", lambda image: scipy.ndimage.sobel(image, axis=1, mode="mirror")),
        ("sobel_y", lambda image: scipy.ndimage.sobel(image, axis=0, mode="mirror")),
        ("prewitt_x", lambda image: scipy.ndimage.prewitt(image, axis=1, mode="mirror")),
        ("prewitt_y", lambda image: scipy.ndimage.prewitt(image, axis=0, mode="mirror")),
        ("laplacian", lambda image: -scipy.ndimage.laplace(image, mode="mirror")),
        ("laplacian", lambda image: -cv2.Laplacian(image, cv2.CV_64F)),
    ],
)
def test_a_fixed_kernel_gives_what_the_named_library_gives(name, reference):
    image = ramps()
    found = scipy.ndimage.correlate(image, load_kernel(name).weights, mode="mirror")
    np.testing.assert_allclose(found, reference(image), atol=1e-9)


def test_laplacian_is_skimages():
    image = ramps()
    found = scipy.ndimage.correlate(image, load_kernel("laplacian").weights, mode="reflect")
    np.testing.assert_allclose(found, skimage.filters.laplace(image), atol=1e-9)


def test_the_roberts_magnitude_is_skimages_unscaled():
    image = ramps()
    x, y = (scipy.ndimage.correlate(image, part.weights) for part in load_kernel("roberts").kernels)
    expected = skimage.filters.roberts(image) * np.sqrt(2.0)
    # skimage convolves, so its 2x2 window lies down and right of the output pixel, ours up and left.
    np.testing.assert_allclose(np.hypot(x, y)[2:, 2:], expected[1:-1, 1:-1], rtol=1e-12)


every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)


@every_family
def test_a_family_computes_finite_weights_from_its_defaults(family):
    weights = family.build({})
    assert weights.dtype == np.float64
    assert weights.ndim == 2
    assert np.isfinite(weights).all()


@every_family
def test_a_family_describes_its_parameters_and_takes_their_defaults(family):
    assert family.formula
    for parameter in family.parameters:
        assert parameter.meaning
        assert parameter.help.startswith(parameter.meaning)
        written = "auto" if parameter.default is None else str(parameter.default)  # as a SPEC has it
        assert family.read(parameter.name, written) == parameter.read(parameter.default)


@every_family
def test_a_family_names_its_parameters_where_one_is_unknown(family):
    with pytest.raises(ValueError, match=rf"^is not one of its parameters \({family.parameters[0].name}"):
        family.read("sgima", 1)


def test_every_family_is_in_the_catalogue():
    kernels = [load_kernel(name) for name in catalogue_names()]
    assert {kernel.family for kernel in kernels if isinstance(kernel, Kernel)} - {None} == set(FAMILIES)


def test_parameters_in_their_ranges_that_give_no_finite_weights_are_refused():
    with pytest.raises(ValueError, match="gives weights that are not finite numbers: its parameters are too extreme"):
        FAMILIES["log"].build({"sigma": 1e-200})
