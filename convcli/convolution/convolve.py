"""The public functions: convolve an image with a kernel, and correlate channels with a bank."""

# What `help(convolve)` shows of the types is their names, and not the long unions that they stand for.
from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from convcli.convolution.bank import Bank
from convcli.convolution.execution.missing_samples import is_sample, missing_samples
from convcli.convolution.missing import MissingOptions
from convcli.convolution.options import SIGNED, ConvolveOptions, pair_of
from convcli.convolution.plan import SAMPLE_TYPES, ConvolutionPlan, Pad, plan_bank, plan_convolution, working_type
from convcli.convolution.planning.planner import ProfileKey
from convcli.errors import FilterError, UsageError, check_word
from convcli.image.tone import Finish, span, stretch
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel, resolve_mapping
from convcli.kernel.spec import load_kernel


def convolve(
    image: ArrayLike,
    kernel: str | AnyKernel | ArrayLike,
    *,
    padding: str = "reflect101",
    padding_value: float | tuple[float, ...] = 0.0,
    extent: str = "same",
    flip: bool = False,
    anchor: tuple[int, int] | None = None,
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
    backend: str = "auto",
    precision: str = "single",
    threads: int | None = None,
    device: str = "auto",
    out_dtype: DTypeLike | None = None,
    mask: ArrayLike | None = None,
    nodata: float | None = None,
    missing: str = "auto",
    min_coverage: float = 0.0,
    holes: str = "keep",
    signed: str = "auto",
    scale: float = 1.0,
    bias: float = 0.0,
) -> NDArray[Any]:
    """Lay a kernel on every pixel of an image and sum the products (correlation; convolution with `flip`).

    `out[y, x] = sum_uv image[y + u - a, x + v - b] * weights[u, v]`, the anchor (a, b) being the middle of the kernel
    (h // 2, w // 2) unless given.

    Parameters
    ----------
    image : array_like, shape (height, width) or (height, width, channels)
        Integers of 8, 16 or 32 bits, with a sign or without, or floats of 16, 32 or 64. Each channel is filtered by
        itself.
    kernel : str, Kernel, CompositeKernel or array_like
        A SPEC as the command line takes it (`gaussian:sigma=2`, a file, weights as text), which is read on every call;
        a kernel, as `load_kernel` returns it; or a 2-D array of weights.
    padding : str
        Where samples outside the image come from: a word of `convcli.convolution.padding.PADDINGS`.
    padding_value : float or tuple of float
        The sample outside for `constant`, in the image's units; one number, or one a channel.
    extent : {'same', 'valid', 'full'}
        `same`: as large as the image; `valid`: only where the kernel fits; `full`: wherever it touches.
    flip : bool
        Turn the kernel, with its anchor, by 180 degrees first.
    anchor : (int, int), optional
        Row and column of the weight over the output's pixel, in the kernel as given; its middle by default.
    stride, dilation : int or (int, int)
        Rows, columns; one number serves for both. A strided result is the unstrided one at
        `[::sy, ::sx]`.
    backend : str
        `auto` takes the one that is predicted to be fastest; else a name of
        `convcli.convolution.backends.registry.REGISTRY`.
    precision : {'single', 'double'}
        `double` computes in float64, as images of f64 and of 32-bit integers always are.
    threads : int, optional
        How many; as many as this process has cores for if None. The result does not depend on it.
    device : {'auto', 'cpu', 'cuda'}
        For torch: auto, cpu or cuda.
    out_dtype : dtype, optional
        An integer type asks for the result as a picture of that type, in the image's units: mapped as `signed` says,
        rounded half to even and saturated. Else it is the response itself, float32 (or float64).
    mask : array_like, shape (height, width) or (height, width, channels), optional
        How certain each sample is, from 0 (missing) to 1 (known).
    nodata : float, optional
        The sample that means missing. Missing outputs of an integer type take it where they can hold it, else the
        type's lowest value; those of a float type are NaN.
    missing, min_coverage, holes
        What is made of missing samples; see `convcli.convolution.missing.MissingOptions`.
    signed : {'auto', 'clip', 'abs', 'offset', 'stretch'}
        How a response becomes samples of an integer type: saturated; its absolute value; mid-grey added; from its least
        to its greatest sample. `auto` is what the kernel's file says, else `abs` for an unsigned type where the weights
        sum to zero and there is no `bias`, else `clip`: what `convcli filter` does.
    scale, bias : float
        The response is multiplied by `scale`, then `bias` is added, before it is mapped.

    Returns
    -------
    ndarray
        The response, of the image's number of dimensions.

    Raises
    ------
    UsageError
        An argument is wrong whatever the image.
    FilterError
        This image cannot be filtered so: it is empty, of another type, or smaller than a `valid` kernel.

    Examples
    --------
    >>> ramp = np.tile(np.arange(5, dtype=np.uint8), (4, 1))
    >>> convolve(ramp, [[-1, 0, 1]])[0].tolist()
    [0.0, 2.0, 2.0, 2.0, 0.0]
    >>> convolve(ramp, np.full((3, 3), 1 / 9), extent="valid", out_dtype=np.uint8).tolist()
    [[1, 2, 3], [1, 2, 3]]
    >>> convolve(ramp, "sobel_x", out_dtype=np.uint8, signed="stretch")[0].tolist()
    [0, 255, 255, 255, 0]
    """
    options = MissingOptions(missing, min_coverage, holes)
    pixels = np.asarray(image)
    if pixels.ndim not in (2, 3):
        raise FilterError(f"an image has 2 or 3 dimensions (height, width, channels), not {pixels.ndim}")
    channels = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    if isinstance(kernel, str):
        kernel = load_kernel(kernel)
    if isinstance(kernel, Kernel | CompositeKernel):
        weights: AnyKernel | _Weights = kernel
    else:
        array = _weights(kernel)
        weights = array.shape, array.tobytes()
    given = padding, padding_value, extent, flip, anchor, stride, dilation, backend, precision, threads, device
    words = tuple(tuple(each) if isinstance(each, list | np.ndarray) else each for each in given)
    wanted = None if out_dtype is None else np.dtype(out_dtype)
    _check_tone(wanted, signed, scale, bias)
    mapping = "clip"
    if wanted is not None and wanted.kind != "f":
        known = kernel if isinstance(kernel, Kernel | CompositeKernel) else Kernel("custom", array)
        mapping = resolve_mapping(signed, [known], bias, keeps_sign=wanted.kind != "u")
    stretched = mapping == "stretch"
    tone = _Tone(None if stretched else wanted, "clip" if stretched else mapping, scale, bias)
    height, width, count = channels.shape
    plan = _planned((height, width, count), pixels.dtype, weights, words, tone, ProfileKey())
    gaps = None
    if mask is not None or nodata is not None or pixels.dtype.kind == "f":
        held = nodata is not None and wanted is not None and is_sample(nodata, wanted)
        certainty = None if mask is None else np.asarray(mask)
        gaps = missing_samples(channels, options, certainty, nodata, nodata if held else None)
    result = plan.run(channels, gaps=gaps)
    if stretched and wanted is not None:
        response, result = result, np.empty(result.shape, wanted)
        stretch(response, span(response), result)
        if gaps is not None and gaps.value is not None:
            np.copyto(result, np.array(gaps.value).astype(wanted), where=np.isnan(response))
    return result if pixels.ndim == 3 else result[:, :, 0]


class _Tone(NamedTuple):
    """What is done to a response; `wanted` is None where it stays as it is computed."""

    wanted: np.dtype[Any] | None
    mapping: str
    scale: float
    bias: float

    def finish(self, computed: np.dtype[Any]) -> Finish | None:
        """Return what does it to responses of the type that they are computed in; None where that is nothing."""
        if self.wanted is None and self.scale == 1.0 and self.bias == 0.0:
            return None
        dtype = self.wanted or computed
        return Finish(dtype, self.scale, self.bias, mapping="clip" if dtype.kind == "f" else self.mapping)


def _check_tone(wanted: np.dtype[Any] | None, signed: str, scale: float, bias: float) -> None:
    check_word("signed mapping", signed, SIGNED)
    if signed != "auto" and (wanted is None or wanted.kind == "f"):
        raise UsageError(f"signed={signed!r} is how a response becomes integers: give out_dtype too")
    for what, value in (("scale", scale), ("bias", bias)):
        if not math.isfinite(value):
            raise UsageError(f"{what} must be finite, not {value}")
    if wanted is not None and wanted.name not in SAMPLE_TYPES:
        raise UsageError(f"out_dtype must be one of {', '.join(SAMPLE_TYPES)}, not {wanted}")


_Weights = tuple[tuple[int, ...], bytes]


@lru_cache(maxsize=32)  # planning is mostly Python, which takes as long as a small kernel on a large image
def _planned(
    size: tuple[int, int, int],
    dtype: np.dtype[Any],
    kernel: AnyKernel | _Weights,
    words: tuple[Any, ...],
    tone: _Tone,
    profile: ProfileKey,  # that a plan goes by, and so part of what tells plans apart
) -> ConvolutionPlan:
    padding, padding_value, extent, flip, anchor, stride, dilation, *rest = words
    options = ConvolveOptions(padding, padding_value, extent, flip, anchor, pair_of(stride), pair_of(dilation), *rest)
    if isinstance(kernel, tuple):
        shape, data = kernel
        kernel = Kernel("custom", np.frombuffer(data).reshape(shape))
    finish = tone.finish(working_type(dtype, options.precision))
    return plan_convolution(size, dtype, kernel, options, finish)


def _weights(array: ArrayLike) -> NDArray[np.float64]:
    weights = np.asarray(array, np.float64)
    if weights.ndim != 2 or weights.size == 0:
        raise UsageError(f"a kernel is a 2-D array of at least one weight, not of shape {weights.shape}")
    if not np.isfinite(weights).all():
        raise UsageError("a kernel's weights must be finite")
    return weights


def correlate_bank(
    image: NDArray[Any],
    bank: Bank,
    *,
    backend: str = "auto",
    padding: str = "constant",
    padding_value: float = 0.0,
    pad: Pad = (0, 0),
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
    threads: int | None = None,
    device: str = "auto",
    bias: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Correlate an image (height, width, inputs) with a bank, each edge padded by `pad` (rows, columns).

    The rules are those of torch.nn.functional.conv2d; pairs are rows, columns, and one of a `pad` may itself be a pair,
    before and after. `bias` holds a number for each output. Returns float32 (h, w, outputs), float64 for f64 images.

    >>> image = np.ones((3, 3, 2), np.float32)
    >>> correlate_bank(image, Bank(np.ones((1, 2, 2, 2)))).tolist()
    [[[8.0], [8.0]], [[8.0], [8.0]]]
    """
    options = ConvolveOptions(
        padding,
        padding_value,
        stride=pair_of(stride),
        dilation=pair_of(dilation),
        backend=backend,
        threads=threads,
        device=device,
    )
    if image.ndim != 3:
        raise FilterError(f"an image has 3 dimensions (height, width, channels), not {image.ndim}")
    height, width, channels = image.shape
    return plan_bank((height, width, channels), image.dtype, bank, options, pad, bias).run(image)
