"""The plain calls that one would write without convcli: cv2.filter2D, scipy.ndimage.correlate, oaconvolve.

Each is written as its library's manual shows it, no better and no worse, and gives the same sample type. What takes
more than a line around the call (a slice for a stride or `valid`, zeros for a dilation) is added; what the library does
not do is named as the reason why it does not take part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcli.benchmark.workload import Workload
from convcli.convolution.padding import PADDINGS
from convcli.errors import FilterError

Run = Callable[[], NDArray[Any]]
Pair = tuple[int, int]

_CV_BORDERS = {mode.name: getattr(cv2, mode.opencv) for mode in PADDINGS if mode.opencv and mode.opencv_filters}
_CV_DEPTHS = {"float32": cv2.CV_32F, "float64": cv2.CV_64F}
_MOST_CV_CHANNELS = 128
_NDIMAGE_MODES = {mode.name: mode.scipy for mode in PADDINGS if mode.scipy}
_NUMPY_MODES = {mode.name: mode.numpy for mode in PADDINGS if mode.numpy}


@dataclass(frozen=True)
class LibraryCall:
    """A call: its name, how it is written, what it cannot do (None where it can), and what runs it.

    `seconds_a_multiply_add` is roughly what a weight costs where each costs the same, 0 for calls that transform.
    """

    name: str
    written: str
    refusal: Callable[[Workload], str | None]
    ready: Callable[[Workload], Run]
    seconds_a_multiply_add: float = 0.0


def library_run(call: LibraryCall, case: Workload) -> Run:
    """Return a function that runs a call on a workload; a failure of the library becomes a FilterError."""
    run = call.ready(case)

    def guarded() -> NDArray[Any]:
        try:
            return run()
        except (cv2.error, ValueError, TypeError, RuntimeError) as error:
            raise FilterError(f"{call.name} fails: {' '.join(str(error).split())[:200]}") from error

    return guarded


def _filter2d(case: Workload) -> Run:
    weights, anchor = _laid(case)
    border, pixels, dtype = _CV_BORDERS[case.options.padding], case.pixels, case.dtype
    depth = -1 if pixels.dtype == dtype else _CV_DEPTHS[dtype.name]

    def run() -> NDArray[Any]:
        result = cv2.filter2D(pixels, depth, weights, anchor=anchor[::-1], borderType=border)
        return _kept(result.reshape(pixels.shape), case, weights.shape, anchor)

    return run


def _filter2d_on_floats(case: Workload) -> Run:
    weights, anchor = _laid(case)
    border, pixels, dtype = _CV_BORDERS[case.options.padding], case.pixels, case.dtype
    real = np.float64 if dtype == np.float64 else np.float32

    def run() -> NDArray[Any]:
        result = cv2.filter2D(pixels.astype(real), -1, weights, anchor=anchor[::-1], borderType=border)
        return _as_samples(_kept(result.reshape(pixels.shape), case, weights.shape, anchor), dtype)

    return run


def _filter2d_refusal(case: Workload) -> str | None:
    options, source = case.options, case.pixels.dtype
    if (missing := _no_padding(case, "OpenCV's filter2D", _CV_BORDERS)) is not None:
        return missing
    if options.padding == "constant" and np.any(options.padding_value):
        return "OpenCV's filter2D lays zeros around an image, and no other constant"
    if case.pixels.shape[2] > _MOST_CV_CHANNELS:
        return f"OpenCV's filter2D takes up to {_MOST_CV_CHANNELS} channels, not {case.pixels.shape[2]}"
    if source == np.float32 and case.dtype == np.float64:
        return "OpenCV's filter2D gives no float64 for float32"
    return _not_one_kernel(case) or _not_full(case, "OpenCV's filter2D")


def _filter2d_on_floats_refusal(case: Workload) -> str | None:
    if case.pixels.dtype.kind == "f":
        return "the image is made of floats already"
    return _filter2d_refusal(case)


def _ndimage(case: Workload) -> Run:
    from scipy import ndimage  # only where it is asked for

    weights, anchor = _laid(case)
    origin = [at - size // 2 for at, size in zip(anchor, weights.shape, strict=True)]
    mode, value = _NDIMAGE_MODES[case.options.padding], _one_value(case)
    real = np.float64 if case.dtype == np.float64 else np.float32

    def run() -> NDArray[Any]:
        result = ndimage.correlate(
            case.pixels, weights[:, :, np.newaxis], output=real, mode=mode, cval=value, origin=(*origin, 0)
        )
        return _as_samples(_kept(result, case, weights.shape, anchor), case.dtype)

    return run


def _ndimage_refusal(case: Workload) -> str | None:
    return (
        _no_scipy()
        or _no_padding(case, "scipy.ndimage", _NDIMAGE_MODES)
        or _not_one_kernel(case)
        or _several_values(case)
        or _not_full(case, "scipy.ndimage")
    )


def _oaconvolve(case: Workload) -> Run:
    from scipy.signal import oaconvolve  # only where it is asked for

    weights, (top, left) = _laid(case)
    real = np.float64 if case.dtype == np.float64 else np.float32
    turned = np.ascontiguousarray(weights[::-1, ::-1, np.newaxis], real)
    height, width = weights.shape
    around = {
        "same": ((top, height - 1 - top), (left, width - 1 - left), (0, 0)),
        "valid": ((0, 0), (0, 0), (0, 0)),
        "full": ((height - 1, height - 1), (width - 1, width - 1), (0, 0)),
    }[case.options.extent]
    padding, value = case.options.padding, _one_value(case)
    (down, right), dtype = case.options.stride, case.dtype

    def run() -> NDArray[Any]:
        floats = case.pixels.astype(real, copy=False)
        if padding == "constant":
            padded = np.pad(floats, around, constant_values=value)
        else:
            padded = np.pad(floats, around, mode=_NUMPY_MODES[padding])  # type: ignore[call-overload]  # one of its words
        return _as_samples(oaconvolve(padded, turned, mode="valid", axes=(0, 1))[::down, ::right], dtype)

    return run


def _oaconvolve_refusal(case: Workload) -> str | None:
    return _no_scipy() or _no_padding(case, "numpy.pad", _NUMPY_MODES) or _not_one_kernel(case) or _several_values(case)


LIBRARY_CALLS = (
    LibraryCall("cv2.filter2D", "cv2.filter2D on the image as it is", _filter2d_refusal, _filter2d),
    LibraryCall(
        "cv2.filter2D on f32",
        "cv2.filter2D on the image converted to floats first",
        _filter2d_on_floats_refusal,
        _filter2d_on_floats,
    ),
    LibraryCall(
        "scipy.ndimage.correlate",
        "scipy.ndimage.correlate, which has one thread",
        _ndimage_refusal,
        _ndimage,
        seconds_a_multiply_add=1.3e-9,
    ),
    LibraryCall(
        "scipy.signal.oaconvolve",
        "scipy.signal.oaconvolve on the image padded by numpy.pad",
        _oaconvolve_refusal,
        _oaconvolve,
    ),
)


def _laid(case: Workload) -> tuple[NDArray[np.float64], Pair]:
    """Return the one kernel as it is laid on the image, its dilation written out as zeros, and its anchor."""
    (kernel,), options = case.parts, case.options
    (height, width), (down, right) = kernel.size, options.dilation
    y, x = options.anchor or kernel.anchor or (height // 2, width // 2)
    weights = np.zeros((down * (height - 1) + 1, right * (width - 1) + 1))
    weights[::down, ::right] = kernel.weights
    y, x = y * down, x * right
    if options.flip:
        return np.ascontiguousarray(weights[::-1, ::-1]), (weights.shape[0] - 1 - y, weights.shape[1] - 1 - x)
    return weights, (y, x)


def _kept(result: NDArray[Any], case: Workload, span: tuple[int, ...], anchor: Pair) -> NDArray[Any]:
    """Return what extent and stride leave of an output as large as the image."""
    if case.options.extent == "valid":
        (top, left), (height, width) = anchor, result.shape[:2]
        result = result[top : top + height - span[0] + 1, left : left + width - span[1] + 1]
    down, right = case.options.stride
    return result[::down, ::right]


def _as_samples(response: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round and saturate where integers are wanted."""
    if dtype.kind == "f":
        return response
    limits = np.iinfo(dtype)
    samples: NDArray[Any] = np.clip(np.rint(response), limits.min, limits.max).astype(dtype)
    return samples


def _one_value(case: Workload) -> float:
    return float(np.ravel(case.options.padding_value)[0])


def _several_values(case: Workload) -> str | None:
    if case.options.padding == "constant" and len(set(np.ravel(case.options.padding_value).tolist())) > 1:
        return "it lays one constant around all channels, not one a channel"
    return None


def _not_one_kernel(case: Workload) -> str | None:
    if len(case.parts) > 1:
        return f"it lays on one kernel, and {case.kernel.name} is {len(case.parts)} in one"
    return None


def _no_padding(case: Workload, call: str, modes: Mapping[str, object]) -> str | None:
    return None if case.options.padding in modes else f"{call} knows no {case.options.padding}"


def _not_full(case: Workload, call: str) -> str | None:
    return f"{call} knows no full extent" if case.options.extent == "full" else None


def _no_scipy() -> str | None:
    return "scipy is not installed: pip install scipy" if find_spec("scipy") is None else None
