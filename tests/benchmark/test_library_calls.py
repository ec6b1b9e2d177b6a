"""Calls of OpenCV and SciPy, against the reference."""

from itertools import product

import numpy as np
import pytest
from oracle import NUMPY_PADDING, random_image, random_kernel

from convcli import load_kernel
from convcli.benchmark.library_calls import LIBRARY_CALLS, library_run
from convcli.benchmark.reference import compute_reference
from convcli.benchmark.workload import Workload
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError
from convcli.kernel.model import Kernel

GEOMETRIES = {
    "usual": {},
    "anchored, strided and dilated": {"anchor": (0, 0), "stride": (2, 3), "dilation": (2, 1)},
    "flipped": {"flip": True, "dilation": (1, 2)},
}
CALLS = {call.name: call for call in LIBRARY_CALLS}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("extent", ["same", "valid", "full"])
@pytest.mark.parametrize("padding", NUMPY_PADDING)
def test_a_plain_call_does_what_convcli_does_or_says_why_not(padding, extent, geometry, call):
    options = ConvolveOptions(padding=padding, padding_value=0.0, extent=extent, **geometry)
    for dtype, rounded in product((np.uint8, np.float32), (False, True)):
        image = random_image((19, 26, 3), dtype)
        case = Workload(image, Kernel("k", random_kernel((4, 3)) / 9), options, rounded)
        refusal = call.refusal(case)
        if refusal is not None:
            assert refusal.isprintable()
            continue
        exact = compute_reference(image, case.kernel, options)
        result = library_run(call, case)()
        assert result.dtype == case.dtype
        assert exact.error(result) <= exact.allowed(case.dtype)


def case_of(pixels=None, spec="box", **options):
    pixels = np.zeros((9, 9, 1), np.uint8) if pixels is None else pixels
    return Workload(pixels, load_kernel(spec), ConvolveOptions(**options))


@pytest.mark.parametrize(
    ("name", "case", "reason"),
    [
        ("cv2.filter2D", case_of(padding="wrap"), "filter2D knows no wrap"),
        ("cv2.filter2D", case_of(padding="constant", padding_value=3), "lays zeros around an image"),
        ("cv2.filter2D", case_of(extent="full"), "knows no full extent"),
        ("cv2.filter2D", case_of(spec="sobel"), "it lays on one kernel, and sobel is 2 in one"),
        ("cv2.filter2D", case_of(np.zeros((9, 9, 200), np.uint8)), "takes up to 128 channels, not 200"),
        ("cv2.filter2D", case_of(np.zeros((9, 9, 1), np.float32), precision="double"), "no float64 for float32"),
        ("cv2.filter2D on f32", case_of(np.zeros((9, 9, 1), np.float32)), "made of floats already"),
        ("scipy.ndimage.correlate", case_of(extent="full"), "knows no full extent"),
        (
            "scipy.signal.oaconvolve",
            case_of(np.zeros((9, 9, 2), np.uint8), padding="constant", padding_value=(1, 2)),
            "one constant around all channels",
        ),
    ],
)
def test_what_a_plain_call_cannot_do_is_said(name, case, reason):
    assert reason in CALLS[name].refusal(case)


def test_a_failure_of_a_library_becomes_one_line(monkeypatch):
    def fail(*_, **__):
        raise ValueError("too\nmuch")

    monkeypatch.setattr("convcli.benchmark.library_calls.cv2.filter2D", fail)
    with pytest.raises(FilterError, match=r"^cv2.filter2D fails: too much$"):
        library_run(CALLS["cv2.filter2D"], case_of())()


def test_without_scipy_its_calls_say_how_to_get_it(monkeypatch):
    monkeypatch.setattr("convcli.benchmark.library_calls.find_spec", lambda name: None)
    for name in ("scipy.ndimage.correlate", "scipy.signal.oaconvolve"):
        assert CALLS[name].refusal(case_of()) == "scipy is not installed: pip install scipy"
