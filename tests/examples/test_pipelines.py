"""The shipped pipelines run, and give what they say: held against OpenCV, SciPy, papers and undamaged pictures."""

import re
import shlex
import shutil

import cv2
import numpy as np
import pytest
from commandline import done
from numpy.testing import assert_allclose, assert_array_equal
from repository import ROOT
from scipy import ndimage, signal
from skimage import color, data, filters

from convcli.image.model import Image
from convcli.image.reading import read_image
from convcli.kernel.spec import load_kernel
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import load_document, parse_document
from convcli.pipeline.execution.program import Pipeline
from convcli.process.pipeline_on_image import run_image

FOLDER = ROOT / "pipelines"
DOCUMENTS = sorted(FOLDER.glob("*.yaml"))
EXAMPLES = ROOT / "examples" / "pipelines"
PAGE = (EXAMPLES / "README.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.S | re.M) for line in block.splitlines()]
BLENDED = {"other": str(EXAMPLES / "inputs" / "night.jpg"), "mask": str(EXAMPLES / "inputs" / "lamp.jpg")}
PHOTO = read_image(ROOT / "examples" / "images" / "photo.png").pixels
CROP = PHOTO[180:276, 250:390]
SOBEL_X = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])


# Those that come with scikit-image; nothing is fetched.
BUNDLED = [
    "camera",
    "astronaut",
    "coffee",
    "chelsea",
    "coins",
    "moon",
    "page",
    "clock",
    "rocket",
    "text",
    "brick",
    "grass",
    "gravel",
]
PHOTOGRAPHS = {"photo": PHOTO, **{name: getattr(data, name)() for name in BUNDLED}}


def run(document, pixels):
    """Run a document, by its name or as it is, on pixels (rows, columns[, channels])."""
    if isinstance(document, str):
        document = load_document(FOLDER / f"{document}.yaml")
    pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    return run_image(Image(np.ascontiguousarray(pixels)), Pipeline(document))


def gray(pixels):
    """BT.601 brightness, not rounded."""
    return pixels.astype(np.float64) @ (0.299, 0.587, 0.114) if pixels.ndim == 3 else pixels.astype(np.float64)


def whole_gray(pixels):
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels


def properties(name, size):
    """The properties of a document for images of a size, by the ids of its steps."""
    return document_properties(load_document(FOLDER / f"{name}.yaml"), size)


def weights_of(found, *names):
    """Parameters of some steps, or of all."""
    return sum(found[name].parameters for name in names or found)


# Every document


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.stem != "vgg16"], ids=lambda path: path.stem)
def test_every_document_runs_and_computes_all_that_it_says(path):
    document = load_document(path, BLENDED if path.stem == "blend" else {})
    assert document.name == path.stem
    assert document.summary
    assert document.notes == ()
    wanted = document.input
    pixels = cv2.resize(CROP, wanted.size[::-1]) if wanted.size else PHOTO if path.stem == "blend" else CROP
    result = run(document, pixels[..., : wanted.channels])
    size = (*pixels.shape[:2], wanted.channels or 3)
    assert result.shape == document_properties(document, size)[document.output.source].output
    assert np.isfinite(result).all()
    assert np.ptp(result) > 0


def test_vgg16_fits_together():
    # It takes half a gigabyte of weights to run: what is computed with them is held by the smaller networks.
    assert properties("vgg16", (224, 224, 3))["softmax_1"].output == (1, 1, 1000)


# Edges


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("limits", [(100, 200), (20, 60), (30.5, 99.5), (150, 150)], ids=str)
def test_canny_gives_the_edges_of_opencv_pixel_for_pixel(name, norm, limits):
    text = (FOLDER / "canny.yaml").read_text()
    low, high = limits
    changed = text.replace("low: 100, high: 200", f"low: {low}, high: {high}").replace(
        "magnitude: l1", f"magnitude: {norm}"
    )
    assert (changed == text) == (limits == (100, 200) and norm == "l1")
    edges = run(parse_document(changed), PHOTOGRAPHS[name])
    expected = cv2.Canny(whole_gray(PHOTOGRAPHS[name]), low, high, L2gradient=norm == "l2")
    assert expected.any()
    assert_array_equal(edges[..., 0], expected)


def test_canny_finds_the_same_edges_in_16_bits():
    image = Image(PHOTO.astype(np.uint16) * 257)
    expected = cv2.Canny(whole_gray(PHOTO), 100, 200)
    assert_array_equal(run_image(image, Pipeline(load_document(FOLDER / "canny.yaml")))[..., 0], expected)


@pytest.mark.parametrize("name", ["photo", "camera", "coffee"])
def test_sobel_magnitude_is_that_of_opencv(name):
    brightness = gray(PHOTOGRAPHS[name])
    across, down = cv2.Sobel(brightness, cv2.CV_64F, 1, 0), cv2.Sobel(brightness, cv2.CV_64F, 0, 1)
    expected = cv2.magnitude(across, down)
    assert_allclose(run("sobel_magnitude", PHOTOGRAPHS[name])[..., 0], expected, rtol=0, atol=1e-5 * expected.max())


@pytest.mark.parametrize("name", ["kirsch", "robinson"])
def test_compass_edges_are_the_strongest_of_eight_filters(name):
    # Turned here by moving the ring of a mask on by one for each eighth of a turn, clockwise.
    mask = {"kirsch": [5, 5, 5, -3, -3, -3, -3, -3], "robinson": [1, 2, 1, 0, -1, -2, -1, 0]}[name]
    places = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    responses = []
    for turn in range(8):
        kernel = np.zeros((3, 3))
        for place, weight in zip(places, np.roll(mask, turn), strict=True):
            kernel[place] = weight
        responses.append(cv2.filter2D(gray(PHOTO), cv2.CV_64F, kernel))
    expected = np.max(responses, axis=0)
    assert_allclose(run(f"compass_{name}", PHOTO)[..., 0], expected, rtol=0, atol=1e-5 * expected.max())
    assert_allclose(
        run(parse_document(f"{{input: {{range: byte}}, steps: [gray, filter: {name}]}}"), PHOTO)[..., 0],
        expected,
        atol=0.02,
    )


@pytest.mark.parametrize("direction", range(8))
def test_compass_masks_are_told_apart_as_their_comments_say(direction):
    document = load_document(FOLDER / "compass_kirsch.yaml")
    angle = np.deg2rad(45 * direction)  # counter-clockwise from the right
    y, x = np.mgrid[:9, :9]
    slope = Image((np.cos(angle) * x - np.sin(angle) * y)[..., np.newaxis].astype(np.float32))
    maps = {}
    pipeline = Pipeline(document)
    pipeline.program((9, 9, 1)).run(slope.pixels, watch=lambda node, result: maps.setdefault(node.id, result))
    assert maps["directions"][4, 4].argmax() == direction


def test_dog_edges_are_the_changes_of_sign_that_scipy_shows():
    brightness = gray(PHOTO)
    narrow, wide = (ndimage.gaussian_filter(brightness, sigma, mode="mirror") for sigma in (2, 3.2))
    difference = narrow - wide
    expected = np.zeros(brightness.shape, bool)
    near = np.zeros(brightness.shape, bool)  # decided by less than rounding
    for axis in (0, 1):
        one, other = (np.take(difference, range(s, difference.shape[axis] - 1 + s), axis) for s in (0, 1))
        edge = (one * other < 0) & (abs(one - other) > 2.5)
        tie = (abs(abs(one) - abs(other)) < 1e-3) | (abs(one * other) < 1e-3) | (abs(abs(one - other) - 2.5) < 1e-3)
        close = tie & (abs(one - other) > 2.5 - 1e-3)
        for s, nearer in ((0, abs(one) <= abs(other)), (1, abs(one) > abs(other))):
            part = [slice(None), slice(None)]
            part[axis] = slice(s, difference.shape[axis] - 1 + s)
            expected[tuple(part)] |= edge & nearer
            near[tuple(part)] |= close
    found = run("dog_edges", PHOTO)[..., 0]
    assert near.mean() < 1e-3
    assert_array_equal(found[~near] == 255, expected[~near])
    assert 0.01 < expected.mean() < 0.1
    assert set(np.unique(found)) == {0, 255}


# Sharpening, textures, layers


@pytest.mark.parametrize("name", ["photo", "camera"])
def test_unsharp_threshold_adds_what_is_strong(name):
    picture = PHOTOGRAPHS[name].astype(np.float64)
    sigmas = (2, 2, 0)[: picture.ndim]
    detail = picture - ndimage.gaussian_filter(picture, sigmas, mode="mirror")
    expected = picture + 1.5 * np.where(abs(detail) > 4, detail, 0)
    sharpened = run("unsharp_threshold", PHOTOGRAPHS[name]).reshape(picture.shape)
    near = abs(abs(detail) - 4) < 1e-3
    assert near.mean() < 1e-3
    assert_allclose(sharpened[~near], expected[~near], rtol=0, atol=1e-3)
    flat = abs(detail) < 3.99
    assert_array_equal(sharpened[flat], picture[flat])
    assert 0.02 < flat.mean() < 0.98


def test_the_gabor_bank_is_32_filters_of_opencv():
    brightness = gray(CROP) / 255
    maps = run("gabor_bank", CROP)
    assert maps.shape[2] == 32
    for channel in range(32):
        wavelength, degrees = (4, 8, 16, 32)[channel % 4], 22.5 * (channel // 4)
        sigma = wavelength / 2
        side = 2 * int(3 * sigma + 0.5) + 1
        drawn = cv2.getGaborKernel((side, side), sigma, np.deg2rad(degrees), wavelength, 1, 0)[::-1, ::-1]
        around = cv2.getGaussianKernel(side, sigma)
        kernel = drawn - drawn.sum() * (around @ around.T)
        around_picture = np.pad(brightness, side // 2, mode="reflect")
        expected = signal.fftconvolve(around_picture, kernel[::-1, ::-1], mode="valid")
        assert_allclose(maps[..., channel], expected, rtol=0, atol=1e-5 * abs(expected).max(), err_msg=f"map {channel}")


@pytest.mark.parametrize("degrees", [0, 22.5, 45, 90, 135])
@pytest.mark.parametrize("wavelength", [4, 8, 16])
def test_the_gabor_bank_tells_waves_by_length_and_direction(wavelength, degrees):
    y, x = np.mgrid[:160, :160]
    along = x * np.cos(np.deg2rad(degrees)) + y * np.sin(np.deg2rad(degrees))
    wave = np.rint(127.5 + 100 * np.cos(2 * np.pi * along / wavelength)).astype(np.uint8)
    maps = run("gabor_bank", wave)[60:100, 60:100]
    document = load_document(FOLDER / "gabor_bank.yaml")
    specs = [document.node(source).step.kernel for source in document.nodes[-1].sources]
    kernels = [load_kernel(spec) for spec in specs]
    energy = [(maps[..., i] ** 2).mean() / (kernel.weights**2).sum() for i, kernel in enumerate(kernels)]
    strongest = specs[int(np.argmax(energy))]
    assert strongest == f"gabor:wavelength={wavelength},sigma={wavelength // 2},theta={degrees:g},dc=zero"


def test_the_layers_of_the_wavelet_sum_to_the_picture():
    maps = run("atrous_wavelet", PHOTO)
    assert_allclose(maps.sum(axis=2), gray(PHOTO) / 255, rtol=0, atol=1e-6)
    smooth = gray(PHOTO) / 255
    for layer in range(4):
        kernel = np.zeros(4 * 2**layer + 1)
        kernel[:: 2**layer] = np.array([1, 4, 6, 4, 1]) / 16
        smoother = ndimage.correlate1d(ndimage.correlate1d(smooth, kernel, 0, mode="mirror"), kernel, 1, mode="mirror")
        assert_allclose(maps[..., layer], smooth - smoother, rtol=0, atol=1e-6)
        smooth = smoother


# Arithmetic


def blurred(channel, sigma):
    return ndimage.gaussian_filter(channel.astype(np.float64), sigma, mode="mirror")


@pytest.mark.parametrize("name", ["photo", "camera"])
def test_retinex_is_the_difference_of_two_logarithms(name):
    picture = PHOTOGRAPHS[name] / 255
    light = blurred(picture, (40, 40, 0)[: picture.ndim])
    expected = np.log(np.maximum(picture, 0.004)) - np.log(np.maximum(light, 0.004))
    assert_allclose(run("retinex", PHOTOGRAPHS[name]).reshape(picture.shape), expected, rtol=0, atol=1e-5)


def test_blend_is_the_mean_of_two_pictures_by_the_mask():
    night, lamp = (read_image(EXAMPLES / "inputs" / f"{name}.jpg").pixels / 255 for name in ("night", "lamp"))
    result = run(load_document(FOLDER / "blend.yaml", BLENDED), PHOTO)
    assert_allclose(result, PHOTO / 255 * lamp + night * (1 - lamp), rtol=0, atol=1e-6)
    assert_allclose(result[lamp[..., 0] == 0], night[lamp[..., 0] == 0], rtol=0, atol=1e-6)
    assert 0.1 < (lamp == 1).mean() < 0.3
    assert (lamp == 0).mean() > 0.3


def test_the_guided_filter_is_that_of_its_paper():
    # Algorithm 1 of He, Sun and Tang, window by window: a = cov / (var + epsilon), b = mean p - a mean I.
    radius, epsilon = 8, 0.01
    guide, picture = gray(CROP) / 255, CROP / 255
    height, width = guide.shape

    def beyond(maps):
        return np.pad(maps, ((radius, radius), (radius, radius), (0, 0)), mode="reflect")

    guides, pictures = beyond(guide[..., np.newaxis]), beyond(picture)
    lines = np.empty((2, height, width, 3))
    for y, x in np.ndindex(height, width):
        window = slice(y, y + 2 * radius + 1), slice(x, x + 2 * radius + 1)
        brightness, colours = guides[window].ravel(), pictures[window].reshape(-1, 3)
        covariance = (brightness[:, np.newaxis] * colours).mean(axis=0) - brightness.mean() * colours.mean(axis=0)
        lines[0, y, x] = covariance / (brightness.var() + epsilon)
        lines[1, y, x] = colours.mean(axis=0) - lines[0, y, x] * brightness.mean()
    around = [beyond(line) for line in lines]
    expected = np.empty(picture.shape)
    for y, x in np.ndindex(height, width):
        window = slice(y, y + 2 * radius + 1), slice(x, x + 2 * radius + 1)
        slope, offset = (line[window].reshape(-1, 3).mean(axis=0) for line in around)
        expected[y, x] = slope * guide[y, x] + offset
    assert_allclose(run("guided_filter", CROP), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["photo", "camera"])
def test_local_contrast_is_the_detail_by_its_deviation(name):
    brightness = gray(PHOTOGRAPHS[name]) / 255
    detail = brightness - blurred(brightness, 9)
    expected = detail / np.maximum(np.sqrt(blurred(detail**2, 9)), 0.02)
    assert_allclose(run("local_contrast", PHOTOGRAPHS[name])[..., 0], expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["photo", "camera", "coins"])
def test_frangi_gives_the_vesselness_of_scikit_image(name):
    brightness = gray(PHOTOGRAPHS[name]) / 255
    scales = [filters.frangi(brightness, sigmas=[sigma], gamma=0.02, mode="mirror") for sigma in (2, 4)]
    expected = np.maximum(*scales)
    found = run("frangi", PHOTOGRAPHS[name])[..., 0]
    # Where a line turns from dark to bright the vesselness jumps, and rounding decides the sign. At the edges, where
    # the picture is mirrored, an eigenvalue is 0: scikit-image then divides 0 by 1e-10 and takes bright lines for dark.
    inside = (slice(1, -1), slice(1, -1))
    differs = abs(found - expected)[inside] > 1e-4
    assert differs.mean() < 1e-4
    assert expected.max() > 0.9


# What people look for


def units(pixels):
    return pixels.astype(np.float64) / 255


def smoothed(picture, sigma):
    """A Gaussian blur as scipy has it, along rows and columns."""
    return ndimage.gaussian_filter(picture, (sigma, sigma, 0)[: picture.ndim], mode="mirror")


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_harris_is_the_determinant_of_the_structure_tensor_less_its_trace(name):
    brightness = gray(PHOTOGRAPHS[name][:200, :200]) / 255
    across, down = (ndimage.correlate(brightness, turned, mode="mirror") for turned in (SOBEL_X, SOBEL_X.T))
    xx, yy, xy = (smoothed(each, 1.5) for each in (across**2, down**2, across * down))
    expected = np.maximum(xx * yy - xy**2 - 0.05 * (xx + yy) ** 2, 0)
    found = run("harris", PHOTOGRAPHS[name][:200, :200])[..., 0].astype(np.float64) ** 4
    assert_allclose(found, expected, rtol=0, atol=2e-5 * (xx + yy).max() ** 2)


def test_harris_finds_the_corners_of_a_square_alone():
    square = np.zeros((60, 80), np.uint8)
    square[20:40, 20:60] = 200
    found = run("harris", square)[..., 0]
    strong = np.argwhere(found > 0.9 * found.max())
    corners = np.array([(y, x) for y in (20, 40) for x in (20, 60)])
    distances = np.abs(strong[:, np.newaxis] - corners).max(axis=2)
    assert (distances.min(axis=1) <= 3).all()
    assert (distances.min(axis=0) <= 3).all()


@pytest.mark.parametrize(
    ("name", "operation", "size"),
    [("top_hat", cv2.MORPH_TOPHAT, 15), ("morphological_gradient", cv2.MORPH_GRADIENT, 3)],
)
def test_morphology_is_that_of_opencv(name, operation, size):
    window = np.ones((size, size), np.uint8)
    assert_array_equal(run(name, PHOTO), cv2.morphologyEx(PHOTO, operation, window))


def test_adaptive_threshold_is_that_of_opencv_but_where_the_mean_is_rounded():
    plain = whole_gray(PHOTO)
    found = run("adaptive_threshold", plain)[..., 0]
    mean = cv2.blur(plain.astype(np.float64), (31, 31), borderType=cv2.BORDER_REPLICATE)
    clear = np.abs(plain - (mean - 10)) > 0.51
    method = cv2.ADAPTIVE_THRESH_MEAN_C
    expected = cv2.adaptiveThreshold(plain, 255, method, cv2.THRESH_BINARY, 31, 10)
    assert clear.mean() > 0.9
    assert_array_equal(found[clear], expected[clear])


def test_difference_of_gaussians_is_that_of_scikit_image():
    expected = filters.difference_of_gaussians(gray(PHOTO), 1, 1.6, mode="mirror")
    assert_allclose(run("difference_of_gaussians", PHOTO)[..., 0], expected, rtol=0, atol=1e-3)


def test_high_pass_and_glow_are_their_formulas():
    assert_allclose(run("high_pass", PHOTO), PHOTO - smoothed(PHOTO.astype(np.float64), 10), rtol=0, atol=1e-3)
    light = 1 - (1 - units(PHOTO)) * (1 - 0.6 * smoothed(units(PHOTO), 12))
    assert_allclose(run("glow", PHOTO), light, rtol=0, atol=1e-5)


def test_emboss_is_a_derivative_along_the_diagonal():
    weights = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]])
    expected = 0.5 * ndimage.correlate(gray(PHOTO), weights, mode="mirror")
    assert_allclose(run("emboss", PHOTO)[..., 0], expected, rtol=0, atol=1e-3)


def test_sharpen_changes_lightness_alone():
    lab = color.rgb2lab(units(CROP))
    lab[..., 0] = 2 * lab[..., 0] - smoothed(lab[..., 0], 1.5)
    expected = color.lab2rgb(lab)
    inside = ((expected > 0.01) & (expected < 0.99)).all(axis=2)
    assert inside.mean() > 0.5
    assert_allclose(run("sharpen", CROP)[inside], expected[inside], rtol=0, atol=2e-3)


def test_pencil_sketch_is_brightness_by_its_blur():
    brightness = gray(PHOTO) / 255
    expected = np.clip(brightness / np.maximum(smoothed(brightness, 8), 0.01), 0, 1)
    assert_allclose(run("pencil_sketch", PHOTO)[..., 0], expected, rtol=0, atol=1e-5)


def test_cartoon_is_bilateral_filters_within_lines():
    flat = PHOTO.astype(np.float32)
    for _ in range(3):
        flat = cv2.bilateralFilter(flat, -1, 20, 3, borderType=cv2.BORDER_REFLECT_101)
    found = run("cartoon", PHOTO)
    drawn = (found == 0).all(axis=2)
    assert 0.01 < drawn.mean() < 0.3
    assert_allclose(found[~drawn], flat[~drawn], rtol=0, atol=1e-2)


def test_constants_change_what_they_say():
    plain = whole_gray(CROP)
    found = run(load_document(FOLDER / "canny.yaml", {"low": "20", "high": "60"}), plain)[..., 0]
    assert_array_equal(found, cv2.Canny(plain, 20, 60))
    wide = run(load_document(FOLDER / "retinex.yaml", {"sigma": "5"}), CROP)
    logs = [np.log(np.maximum(each, 0.004)) for each in (units(CROP), smoothed(units(CROP), 5))]
    assert_allclose(wide, logs[0] - logs[1], rtol=0, atol=1e-4)


# Repair


def test_inpaint_repairs_the_scratched_photograph():
    damaged = read_image(EXAMPLES / "inputs" / "scratched.png")
    whole = PHOTO[130:310, 190:430].astype(np.float64)
    lost = damaged.pixels[..., 3] == 0
    assert 0.08 < lost.mean() < 0.15
    assert_array_equal(damaged.pixels[~lost, :3], whole[~lost])
    repaired = run_image(damaged, Pipeline(load_document(FOLDER / "inpaint.yaml")))

    def error(picture):
        return np.sqrt(((picture.astype(np.float64) - whole)[lost] ** 2).mean())

    assert_array_equal(repaired[~lost], whole[~lost])
    assert error(repaired) < error(damaged.pixels[..., :3]) / 10
    # As good as OpenCV's own.
    for method in (cv2.INPAINT_TELEA, cv2.INPAINT_NS):
        colours = np.ascontiguousarray(damaged.pixels[..., :3])
        assert error(repaired) < error(cv2.inpaint(colours, lost.astype(np.uint8), 3, method))


def test_inpaint_leaves_a_flat_picture_flat():
    pixels = np.full((40, 50, 4), 180, np.uint8)
    pixels[10:20, 5:30] = 0
    pixels[:3] = 0
    repaired = run_image(Image(pixels, alpha=True), Pipeline(load_document(FOLDER / "inpaint.yaml")))
    assert_allclose(repaired, 180, rtol=0, atol=1e-3)


def test_what_the_pipelines_read_is_what_the_script_makes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import make_inputs

    make_inputs.main(tmp_path)
    shipped = {path.name: path for folder in (EXAMPLES / "inputs", FOLDER / "data") for path in folder.iterdir()}
    assert set(shipped) == {path.name for path in tmp_path.iterdir()}
    for name, path in shipped.items():
        if name.endswith(".npy"):
            assert_array_equal(np.load(tmp_path / name), np.load(path))
        else:
            made, kept = (cv2.imread(str(each), cv2.IMREAD_UNCHANGED) for each in (tmp_path / name, path))
            # Lines and resized pictures differ by a little between versions of OpenCV.
            assert (abs(made.astype(int) - kept) > 8).mean() < 0.01


# Networks: sizes and weights of their papers


def test_mobilenet_block_has_the_sizes_and_weights_of_its_paper():
    found = properties("mobilenet_block", (224, 224, 3))
    assert found["stem"].output == (112, 112, 32)
    assert found["depthwise"].output == (112, 112, 32)
    assert found["pointwise"].output == (112, 112, 64)
    assert weights_of(found, "depthwise", "pointwise") == 288 + 2048 == 2336


def test_network_in_network_has_the_sizes_and_weights_of_its_paper():
    found = properties("network_in_network", (32, 32, 3))
    assert [found[name].output for name in ("pool1", "pool2", "cccp6")] == [(16, 16, 96), (8, 8, 192), (8, 8, 10)]
    assert weights_of(found) == 966_986
    shares = run("network_in_network", cv2.resize(CROP, (32, 32)))
    assert shares.shape == (1, 1, 10)
    assert_allclose(shares.sum(), 1, rtol=1e-5)


def test_inception_has_the_sizes_and_weights_of_its_paper():
    found = properties("inception", (224, 224, 3))
    assert [found[name].output for name in ("conv1", "max_pool_1", "conv2", "before", "inception_3a")] == [
        (112, 112, 64),
        (56, 56, 64),
        (56, 56, 192),
        (28, 28, 192),
        (28, 28, 256),
    ]
    module = ("one", "three_reduce", "three", "five_reduce", "five", "pooled")
    biases = sum(found[name].output[2] for name in module)
    # Table 1: 159K (of 1024) parameters and 128M operations.
    assert (weights_of(found, *module) - biases) // 1024 == 159
    assert round(sum(found[name].macs for name in module) / 1e6) == 128
    assert run("inception", CROP).shape[2] == 64 + 128 + 32 + 32


def test_bottleneck_has_the_sizes_and_weights_of_resnet50():
    found = properties("bottleneck", (224, 224, 3))
    assert [found[name].output for name in ("conv1", "maxpool", "layer1.0", "layer1.1")] == [
        (112, 112, 64),
        (56, 56, 64),
        (56, 56, 256),
        (56, 56, 256),
    ]
    # torchvision.models.resnet50().layer1[0] and [1], the norms' weights counted.
    for block, expected in (("layer1.0", 75_008), ("layer1.1", 70_400)):
        assert weights_of(found, *(name for name in found if name.startswith(f"{block}."))) == expected


def test_atrous_pyramid_has_the_widths_and_rates_of_its_paper():
    found = properties("atrous_pyramid", (321, 321, 3))
    for rate in (6, 12, 18, 24):
        assert found[f"fc6_{rate}"].output == (40, 40, 1024)
        assert weights_of(found, f"fc6_{rate}") == 9 * 512 * 1024 + 1024
    assert found["scores"].output == (40, 40, 21)


@pytest.mark.parametrize("name", ["mobilenet_block", "network_in_network", "inception", "bottleneck", "lenet5"])
def test_networks_with_weights_that_are_drawn_keep_their_scale(name):
    # He et al. (2015) and Glorot and Bengio (2010): signals neither vanish nor grow without bound.
    document = load_document(FOLDER / f"{name}.yaml")
    size = document.input.size or CROP.shape[:2]
    pixels = cv2.resize(CROP, size[::-1])[..., : document.input.channels].astype(np.float32) / 255
    spread = {}

    def watch(node, maps):
        if node.step.name == "conv":
            spread[node.id] = float(np.sqrt((maps**2).mean()))

    Pipeline(document).program(pixels.shape).run(pixels, watch=watch)
    assert len(spread) >= 2
    assert all(0.02 < value < 20 for value in spread.values()), spread


# The page


def test_the_page_tells_of_every_document():
    told = set(re.findall(r"^\| \[`(\w+)`\]\(\.\./\.\./pipelines/\1\.yaml\)", PAGE, re.M))
    assert told == {path.stem for path in DOCUMENTS}


def test_the_pictures_of_the_page_are_there_and_small():
    pictures = sorted((EXAMPLES / "pictures").iterdir())
    assert {f"pictures/{path.name}" for path in pictures} == set(re.findall(r"\((pictures/[^)]+)\)", PAGE))
    assert sum(path.stat().st_size for path in pictures) < 600_000


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_works(command, place, monkeypatch):
    monkeypatch.chdir(place)
    data_between = b""
    for part in command.split(" | "):
        program, *arguments = shlex.split(part)
        assert program == "convcli"
        data_between = done(*arguments, stdin=data_between).output
    for output in re.findall(r"-o (\S+\.\w+)", command):
        assert (place / output).stat().st_size > 0
