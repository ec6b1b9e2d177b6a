"""A chain of kernels on one image's pixels: made ready, filtered, mapped to the output's samples.

The order of work is gray, linear light, premultiply, the kernels one after the other, scale and bias, unpremultiply,
the sRGB curve again, mapping. What is not asked for is not done: one kernel on plain pixels goes from samples to
samples in one pass over the tiles, and no float image is ever held.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.convolve import Plan, plan_convolution
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, UsageError, check_word
from convcli.image import tone
from convcli.image.model import Image
from convcli.image.tone import Finish
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel

SIGNED = ("auto", "clip", "abs", "offset", "stretch")
ALPHA = ("auto", "keep", "filter", "premultiply", "drop")

# A kernel whose weights sum to no more than this part of the sum of their magnitudes answers to change alone.
_ZERO_SUM = 1e-6


@dataclass(frozen=True)
class ToneOptions:
    """What is done to pixels before the kernels and to their response after them.

    `signed` is one of `SIGNED`, `alpha` one of `ALPHA`; `bias` is in the image's own units.
    """

    signed: str = "auto"
    scale: float = 1.0
    bias: float = 0.0
    gray: bool = False
    linear: bool = False
    alpha: str = "auto"

    def __post_init__(self) -> None:
        check_word("signed mapping", self.signed, SIGNED)
        check_word("alpha treatment", self.alpha, ALPHA)
        for what, value in (("scale", self.scale), ("bias", self.bias)):
            if not math.isfinite(value):
                raise UsageError(f"{what} must be finite, not {value}")


def resolve_mapping(signed: str, kernels: Sequence[AnyKernel], bias: float) -> str:
    """Decide how a response becomes a picture: as asked, else as the last kernel that says so, else by the weights.

    By the weights is `abs` where any kernel of the chain sums to zero and no bias lifts its response, else `clip`.
    """
    if signed != "auto":
        return signed
    stated = [kernel.mapping for kernel in kernels if kernel.mapping]
    if stated:
        return stated[-1]
    if bias == 0 and any(_sums_to_zero(part.weights) for part in _parts(kernels)):
        return "abs"
    return "clip"


def resolve_alpha(alpha: str, kernels: Sequence[AnyKernel]) -> str:
    """Decide what becomes of opacity: `keep`, `filter`, `premultiply` or `drop`.

    `auto` premultiplies where no weight of any kernel is negative, so that blurs have no fringes, and keeps it
    otherwise.

    Raises
    ------
    UsageError
        where `premultiply` is asked of kernels that cannot weigh opacity: their sum is not positive, or they are
        several in one, as `sobel` is.
    """
    if alpha not in ("auto", "premultiply"):
        return alpha
    averaging = [isinstance(kernel, Kernel) and float(kernel.weights.sum()) > 0 for kernel in kernels]
    if alpha == "premultiply":
        for kernel, possible in zip(kernels, averaging, strict=True):
            if not possible:
                raise UsageError(
                    f"--alpha premultiply needs weights of a positive sum, unlike {kernel.name}: use --alpha keep"
                )
        return alpha
    return "premultiply" if all(averaging) and all(k.weights.min() >= 0 for k in _parts(kernels)) else "keep"


class Chain:
    """The kernels of one run, planned for one image. Making one does all that comes before the first kernel.

    `image` is filtered by `kernels` in turn, each with the same `options`, into samples of `dtype`: an integer type, or
    a float type for the raw response in the image's units.

    Attributes
    ----------
    plans : list of Plan
        One for each kernel, with the backend chosen and why.
    mapping : str or None
        How the response becomes a picture; None for a float output, which holds the response itself.
    alpha : bool
        Whether the result's last channel is opacity.
    output_size : (int, int, int)
        Height, width and channels of the result.
    """

    def __init__(
        self,
        image: Image,
        kernels: Sequence[AnyKernel],
        options: ConvolveOptions,
        toning: ToneOptions,
        dtype: np.dtype[Any],
    ) -> None:
        self._kernels = kernels
        self._toning = toning
        self._dtype = dtype
        pixels = tone.to_gray(image.pixels, image.alpha) if toning.gray else image.pixels
        self._source_dtype = pixels.dtype
        self._white = tone.full_range(pixels.dtype)
        double = options.precision == "double" or pixels.dtype == np.float64
        self._real: np.dtype[Any] = np.dtype(np.float64 if double else np.float32)

        colours = pixels.shape[2] - image.alpha
        self._opacity = pixels[..., colours:]
        self._mode = resolve_alpha(toning.alpha, kernels) if image.alpha else "drop"
        if self._mode == "premultiply" and self._opacity.min(initial=self._white) == self._white:
            # An opaque image is filtered as one without alpha, and stays opaque.
            self._mode = "opaque"
        self.alpha = self._mode != "drop"
        self.mapping = None if dtype.kind == "f" else resolve_mapping(toning.signed, kernels, toning.bias)

        self._source = self._before(pixels, colours)
        self._options = self._opacity_options = options
        padding = _padding_values(options, image)
        if padding is not None:
            self._options = replace(options, padding_value=self._prepared_padding(padding, image, colours))
            self._opacity_options = replace(options, padding_value=padding[-1])
        self.plans = list(self._plan())

        height, width, channels = self.plans[-1].output_size
        self.output_size = (height, width, channels + (self._mode in ("keep", "opaque")))

    def run(self) -> NDArray[Any]:
        """Filter; returns (height, width, channels) samples of the output's type."""
        values = self._source
        for plan in self.plans:
            values = plan.run(values)
        if self._in_one_pass:
            colour = values
            alpha = None
        else:
            colour, alpha = self._after(values)
        if self._mode == "keep":
            alpha = tone.convert_depth(self._carried_opacity(), self._dtype)
        elif self._mode == "opaque":
            white = self._white if self._dtype.kind == "f" else tone.full_range(self._dtype)
            alpha = np.full((*colour.shape[:2], 1), white, self._dtype)
        return colour if alpha is None else np.concatenate([colour, alpha], axis=2)

    @property
    def _in_one_pass(self) -> bool:
        """Whether the last kernel's tiles can be finished one by one: nothing needs the float response as a whole."""
        return not (self._toning.linear or self._mode == "premultiply" or self.mapping == "stretch")

    def _plan(self) -> Iterator[Plan]:
        height, width, channels = self._source.shape
        size, dtype = (height, width, channels), self._source.dtype
        for number, kernel in enumerate(self._kernels, start=1):
            last = number == len(self._kernels)
            finish = self._finish(self._toning.scale, self._toning.bias) if last and self._in_one_pass else None
            plan = plan_convolution(size, dtype, kernel, self._options, finish)
            yield plan
            size, dtype = plan.output_size, self._real

    def _finish(self, scale: float = 1.0, bias: float = 0.0) -> Finish:
        unit = tone.unit_between(self._source_dtype, self._dtype)
        return Finish(self._dtype, scale=scale, bias=bias, unit=unit, mapping=self.mapping or "clip")

    def _before(self, pixels: NDArray[Any], colours: int) -> NDArray[Any]:
        """Turn pixels, gray already, into what the first kernel is laid on."""
        colour, opacity = pixels[..., :colours], pixels[..., colours:]
        if self._toning.linear:
            colour = tone.to_linear(colour, self._white, self._real)
        if self._mode == "premultiply":
            return tone.premultiply(colour, opacity, self._white, self._real)
        if self._mode == "filter":
            return np.concatenate([colour, opacity.astype(colour.dtype)], axis=2) if self._toning.linear else pixels
        return np.ascontiguousarray(colour)

    def _after(self, response: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Turn the whole float response into colour and, where it was filtered too, opacity."""
        opacity: NDArray[Any] | None = None
        colour = response
        if self._mode == "premultiply":
            total = math.prod(float(part.weights.sum()) for part in _parts(self._kernels))
            colour, opacity = tone.unpremultiply(response, total, self._white)
        elif self._mode == "filter":
            colour, opacity = response[..., :-1], response[..., -1:]
            opacity = opacity * self._real.type(self._toning.scale) + self._real.type(self._toning.bias)
        colour = colour * self._real.type(self._toning.scale) + self._real.type(self._toning.bias)
        if self._mode == "premultiply":
            colour[np.broadcast_to(opacity == 0, colour.shape)] = 0
        if self._toning.linear and self._dtype.kind != "f":
            colour = tone.from_linear(colour, self._white)
        if self.mapping == "stretch":
            mapped = tone.stretch(colour, self._dtype)
        else:
            mapped = np.empty(colour.shape, self._dtype)
            self._finish()(colour, mapped)
        return mapped, None if opacity is None else self._plain(opacity)

    def _plain(self, opacity: NDArray[Any]) -> NDArray[Any]:
        """Convert filtered opacity: as any other channel, but never stretched, and premultiplied it has no sign."""
        finish = self._finish()
        if self._mode == "premultiply" or self.mapping == "stretch":
            finish = replace(finish, mapping="clip")
        out = np.empty(opacity.shape, self._dtype)
        finish(opacity.copy(), out)
        return out

    def _carried_opacity(self) -> NDArray[Any]:
        """Take opacity from under the kernels' anchors, so that it goes through extent and stride as the colours do."""
        opacity = self._opacity
        options = self._opacity_options
        for kernel in self._kernels:
            if options.extent == "same":
                rows, columns = _pair(options.stride)
                opacity = opacity[::rows, ::columns]
                continue
            opacity = np.ascontiguousarray(opacity)
            height, width, channels = opacity.shape
            finish = Finish(opacity.dtype)
            carrier = _carrier(kernel, options.anchor)
            opacity = plan_convolution((height, width, channels), opacity.dtype, carrier, options, finish).run(opacity)
        return opacity

    def _prepared_padding(self, values: tuple[float, ...], image: Image, colours: int) -> float | tuple[float, ...]:
        """The padding value in the units of what is padded: it is one more pixel of the file, treated as any other."""
        pixel: NDArray[Any] = np.array(values, np.float64).reshape(1, 1, -1)
        if self._toning.gray:
            pixel = tone.to_gray(pixel, image.alpha)
        prepared = tuple(float(v) for v in self._before(pixel, colours).ravel())
        return prepared[0] if len(set(prepared)) == 1 else prepared


def _padding_values(options: ConvolveOptions, image: Image) -> tuple[float, ...] | None:
    """The padding value of each of the image's channels, or None where no constant is laid around it."""
    if options.padding != "constant":
        return None
    channels = image.size[2]
    values = options.padding_value
    if not isinstance(values, tuple):
        return (values,) * channels
    if len(values) != channels:
        raise FilterError(
            f"--padding-value gives {len(values)} values for {channels} channels: give one, or {channels}"
        )
    return values


def _carrier(kernel: AnyKernel, anchor: tuple[int, int] | None) -> AnyKernel:
    """A kernel as large as the given one that takes the sample under its anchor as it is."""
    if isinstance(kernel, CompositeKernel):
        # Brought to one size as the parts of the kernel are; each takes the same sample, and so does their maximum.
        parts = (_carrier(part, anchor) for part in kernel.kernels)
        return CompositeKernel("identity", tuple(p for p in parts if isinstance(p, Kernel)), combine="max")
    at = anchor or kernel.anchor or (kernel.size[0] // 2, kernel.size[1] // 2)
    weights = np.zeros(kernel.size)
    weights[at] = 1.0
    return Kernel("identity", weights, anchor=at)


def _parts(kernels: Sequence[AnyKernel]) -> Iterator[Kernel]:
    for kernel in kernels:
        yield from kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)


def _sums_to_zero(weights: NDArray[np.float64]) -> bool:
    return abs(float(weights.sum())) <= _ZERO_SUM * float(np.abs(weights).sum())


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)
