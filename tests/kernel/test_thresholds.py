"""Unsharp masks with a threshold: hard, and soft, against what they are by definition, over SciPy's Gaussian."""

import numpy as np
import pytest
import scipy.ndimage
from commandline import done, refused
from numpy.testing import assert_allclose

from convcli import convolve, load_kernel, read_image, write_image
from convcli.errors import KernelError


def noise():
    return np.random.default_rng(5).uniform(0, 255, (40, 50))


def by_definition(image, amount, threshold, *, soft):
    detail = image - scipy.ndimage.gaussian_filter(image, 1.5, mode="mirror")
    if soft:
        return image + amount * np.sign(detail) * np.maximum(np.abs(detail) - threshold, 0)
    return image + amount * np.where(np.abs(detail) < threshold, 0, detail)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("amount", [0.7, -0.5])
@pytest.mark.parametrize("threshold", [4, 25.5])
def test_detail_below_the_threshold_is_not_added(soft, amount, threshold):
    spec = f"unsharp:sigma=1.5,amount={amount},threshold={threshold},soft={str(soft).lower()}"
    found = convolve(noise(), load_kernel(spec))
    assert_allclose(found, by_definition(noise(), amount, threshold, soft=soft), rtol=0, atol=255e-12)


def test_without_a_threshold_it_stays_one_kernel():
    plain = load_kernel("unsharp:sigma=1.5,soft=true")
    assert_allclose(convolve(noise(), plain), by_definition(noise(), 1, 0, soft=True), rtol=0, atol=255e-12)


def test_flat_noise_stays_as_it_is_and_edges_are_sharpened(tmp_path):
    image = np.full((30, 30), 100, np.uint8)
    image[:, 15:] = 180
    image += np.random.default_rng(0).integers(0, 4, image.shape, np.uint8)
    write_image(tmp_path / "a.png", image)
    done("filter", tmp_path / "a.png", "-k", "unsharp:sigma=2,threshold=10", "-o", tmp_path / "b.png")
    found = read_image(tmp_path / "b.png").pixels[..., 0]
    assert np.array_equal(found[:, :8], image[:, :8])
    assert np.array_equal(found[:, 22:], image[:, 22:])
    assert (found[:, 14] < image[:, 14] - 10).all()


def test_it_is_exported_and_read_back(tmp_path):
    spec = "unsharp:sigma=1.5,amount=0.7,threshold=4"
    done("kernels", "export", spec, "-o", tmp_path / "k.yaml")
    assert_allclose(convolve(noise(), load_kernel(str(tmp_path / "k.yaml"))), convolve(noise(), load_kernel(spec)))


def test_bad_thresholds_are_answered_in_one_line(tmp_path):
    with pytest.raises(KernelError, match=r"^unsharp: threshold must be at least 0, not -1$"):
        load_kernel("unsharp:threshold=-1")
    with pytest.raises(KernelError, match=r"^unsharp: soft must be true or false, not maybe$"):
        load_kernel("unsharp:soft=maybe")
    with pytest.raises(KernelError, match="takes no normalize beside a threshold"):
        load_kernel("unsharp:threshold=1,normalize=abssum")
    (tmp_path / "k.yaml").write_text("kernels: [identity]\ncombine: sum\nthreshold: 1\n")
    with pytest.raises(KernelError, match="threshold: belongs to combine: hard_threshold or soft_threshold"):
        load_kernel(str(tmp_path / "k.yaml"))
    (tmp_path / "k.yaml").write_text("kernels: [{family: unsharp, parameters: {threshold: 1}}]\ncombine: sum\n")
    with pytest.raises(KernelError, match="has a threshold, and so cannot be a part of another kernel"):
        load_kernel(str(tmp_path / "k.yaml"))
    write_image(tmp_path / "a.png", np.zeros((9, 9), np.uint8))
    message = refused("compare", tmp_path / "a.png", "-k", "unsharp:threshold=1")
    assert message.startswith("unsharp:threshold=1: has a threshold, at which responses jump")
