"""A chain of kernels on one image's pixels: made ready, filtered, mapped to the output's samples.

The order of work is gray, linear light, premultiply, the kernels one after the other, scale and bias, unpremultiply,
the sRGB curve again, mapping. What is not asked for is not done: one kernel on plain pixels goes from samples to
samples in one pass over the tiles, and no float image is ever held.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions, available_threads
from convcli.convolution.padding import axis_geometry
from convcli.convolution.plan import ConvolutionPlan, aligned_weights, plan_convolution
from convcli.convolution.planning.planner import ProfileKey
from convcli.errors import FilterError, UsageError, check_word
from convcli.image import tone
from convcli.image.model import Image
from convcli.image.tone import Finish
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel, parts_of, resolve_mapping
from convcli.process.choices import ALPHA, SIGNED
from convcli.system.threads import run_tasks

if TYPE_CHECKING:
    from convcli.process.operation import Halo

# As many samples as a second-level cache holds in float32, with room for what is made of them.
_STRIP_SAMPLES = 1 << 16


@dataclass(frozen=True)
class ToneOptions:
    """Treatment of pixels before the kernels, and of their response after them.

    Parameters
    ----------
    signed : str
        One of `SIGNED`: how a response becomes a picture.
    scale, bias : float
        What the response is multiplied by, and what is added then, in the image's own units.
    gray : bool
        Whether one channel is filtered, the BT.601 luma.
    linear : bool
        Whether the sRGB curve is undone first, and redone after.
    alpha : str
        One of `ALPHA`: what becomes of opacity.

    Raises
    ------
    UsageError
        For an unknown word, or a number that is not finite.
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


def by_rows(shape: tuple[int, ...], do: Callable[[slice], None], threads: int | None) -> None:
    """Call `do` with slices that cover all rows of an array (height, width, channels), on several threads.

    Parameters
    ----------
    shape : tuple of int
        The array's shape. A slice holds as many rows as fit a second-level cache.
    do : callable
        Called with each slice once, in any order.
    threads : int or None
        How many threads; None for as many as there are cores.
    """
    rows = max(1, _STRIP_SAMPLES // (shape[1] * shape[2] or 1))
    count = -(-shape[0] // rows)
    run_tasks(
        count, lambda: lambda number: do(slice(number * rows, (number + 1) * rows)), threads or available_threads()
    )


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
    return "premultiply" if all(averaging) and all(k.weights.min() >= 0 for k in parts_of(kernels)) else "keep"


class Chain:
    """The kernels of one run, planned for one image, to be run once. Making one does all that comes before the first.

    `image` is filtered by `kernels` in turn, each with the same `options`, into samples of `dtype`: an integer type, or
    a float type for the raw response in the image's units. `cold` is said by a process that filters once, in which
    what a backend takes to load counts.

    Attributes
    ----------
    plans : list of ConvolutionPlan
        One for each kernel, with the backend chosen and why.
    mapping : str or None
        How the response becomes a picture; None for a float output, which holds the response itself.
    alpha : bool
        Whether the result's last channel is opacity.
    opacity : str or None
        What is done with the image's opacity: `keep`, `filter`, `premultiply`, `drop`, or `opaque` for an image without
        a transparent pixel, which needs nothing; None for one without alpha.
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
        *,
        cold: bool = False,
    ) -> None:
        self._kernels = kernels
        self._cold = cold
        self._threads = options.threads
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
        if self._mode != "keep":
            self._opacity = np.empty((0, 0, 0), pixels.dtype)  # a view would hold the whole image
        self.alpha = self._mode != "drop"
        self.opacity = self._mode if image.alpha else None
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

    @property
    def halo(self) -> "Halo | None":
        """How much of the image around it a band of the result needs; None where it needs the whole image."""
        from convcli.process.operation import Halo  # which processing whole images does not need

        options = self._options
        if self.mapping == "stretch" or options.padding == "wrap":
            return None
        reach, jump = [0, 0], [1, 1]
        for kernel, plan in zip(self._kernels, self.plans, strict=True):
            weights, anchor = aligned_weights(kernel, options)
            for axis in (0, 1):
                dilation, stride, taps = options.dilation[axis], options.stride[axis], weights[0].shape[axis]
                length = plan.input_size[axis]
                axes = axis_geometry(
                    length, taps, anchor=anchor[axis], extent=options.extent, stride=stride, dilation=dilation
                )
                # Padding may reflect what lies before a band's first row to rows as far behind it.
                reach[axis] += jump[axis] * max(axes.before, dilation * (taps - 1) - axes.before)
                jump[axis] *= stride
        return Halo(*reach)

    def run(self) -> NDArray[Any]:
        """Filter, once; returns (height, width, channels) samples of the output's type."""
        values = self._source
        del self._source  # or the image would be held until the result is written
        for plan in self.plans:
            values = plan.run(values)
        if self._in_one_pass and self._mode in ("drop", "filter"):
            return values
        out = np.empty(self.output_size, self._dtype)
        if self._in_one_pass:
            by_rows(values.shape, lambda rows: np.copyto(out[rows, :, :-1], values[rows]), self._threads)
        else:
            self._after(values, out)
        if self._mode == "keep":
            out[..., -1:] = tone.convert_depth(self._carried_opacity(), self._dtype)
        elif self._mode == "opaque":
            out[..., -1:] = self._white if self._dtype.kind == "f" else tone.full_range(self._dtype)
        return out

    @property
    def _in_one_pass(self) -> bool:
        """Whether the last kernel's tiles can be finished one by one: nothing needs the float response as a whole."""
        return not (self._toning.linear or self._mode == "premultiply" or self.mapping == "stretch")

    def _plan(self) -> Iterator[ConvolutionPlan]:
        height, width, channels = self._source.shape
        size, dtype = (height, width, channels), self._source.dtype
        for number, kernel in enumerate(self._kernels, start=1):
            last = number == len(self._kernels)
            finish = self._finish(self._toning.scale, self._toning.bias) if last and self._in_one_pass else None
            plan = _planned(size, dtype, kernel, self._options, finish, self._cold, ProfileKey())
            yield plan
            size, dtype = plan.output_size, self._real

    def _finish(self, scale: float = 1.0, bias: float = 0.0) -> Finish:
        unit = tone.unit_between(self._source_dtype, self._dtype)
        return Finish(self._dtype, scale=scale, bias=bias, unit=unit, mapping=self.mapping or "clip")

    def _before(self, pixels: NDArray[Any], colours: int) -> NDArray[Any]:
        """Turn pixels, gray already, into what the first kernel is laid on."""
        toned = self._toning.linear or self._mode == "premultiply"
        channels = pixels.shape[2] if self._mode in ("premultiply", "filter") else colours
        if not toned and channels == pixels.shape[2]:
            return pixels
        out = np.empty((*pixels.shape[:2], channels), self._real if toned else pixels.dtype)

        def prepare(rows: slice) -> None:
            colour: NDArray[Any] = pixels[rows, :, :colours]
            opacity: NDArray[Any] = pixels[rows, :, colours:channels]
            if self._toning.linear:
                colour = tone.to_linear(colour, self._white, self._real)
            if self._mode == "premultiply":
                out[rows] = tone.premultiply(colour, opacity, self._white, self._real)
            else:
                out[rows, :, :colours] = colour
                out[rows, :, colours:] = opacity

        by_rows(pixels.shape, prepare, self._threads)
        return out

    def _after(self, response: NDArray[Any], out: NDArray[Any]) -> None:
        """Turn the whole float response into the output's colours and, where it was filtered too, opacity."""
        colours = response.shape[2] - (self._mode in ("premultiply", "filter"))
        span = (0.0, 0.0)
        if self.mapping == "stretch":
            spans: list[tuple[float, float]] = []
            by_rows(response.shape, lambda rows: spans.append(tone.span(self._toned(response[rows])[0])), self._threads)
            span = min(low for low, _ in spans), max(high for _, high in spans)

        def finish(rows: slice) -> None:
            colour, opacity = self._toned(response[rows])
            if self.mapping == "stretch":
                tone.stretch(colour, span, out[rows, :, :colours])
            else:
                self._finish()(colour, out[rows, :, :colours])
            if opacity is not None:
                self._finish_opacity()(opacity, out[rows, :, colours:])

        by_rows(response.shape, finish, self._threads)

    def _toned(self, response: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Scale, lift and, where they were premultiplied or linear, take back a part of the response, in new arrays."""
        scale, bias = self._real.type(self._toning.scale), self._real.type(self._toning.bias)
        opacity: NDArray[Any] | None = None
        if self._mode == "premultiply":
            colour, opacity = tone.unpremultiply(response, self._total, self._white)
            colour = np.where(opacity > 0, colour * scale + bias, self._real.type(0))
        elif self._mode == "filter":
            toned = response * scale + bias
            colour, opacity = toned[..., :-1], toned[..., -1:]
        else:
            colour = response * scale + bias
        if self._toning.linear and self._dtype.kind != "f":
            colour = tone.from_linear(colour, self._white)
        return colour, opacity

    @property
    def _total(self) -> float:
        """The response of the kernels to a constant 1."""
        return math.prod(float(part.weights.sum()) for part in parts_of(self._kernels))

    def _finish_opacity(self) -> Finish:
        """Finish filtered opacity as any other channel, but never stretched; premultiplied it has no sign."""
        return replace(self._finish(), mapping="clip") if self._mode == "premultiply" else self._finish()

    def _carried_opacity(self) -> NDArray[Any]:
        """Take opacity from under the kernels' anchors, so that it goes through extent and stride as the colours do."""
        opacity = self._opacity
        options = self._opacity_options
        for kernel in self._kernels:
            if options.extent == "same":
                rows, columns = options.stride
                opacity = opacity[::rows, ::columns]
                continue
            opacity = np.ascontiguousarray(opacity)
            height, width, channels = opacity.shape
            finish = Finish(opacity.dtype)
            carrier = _carrier(kernel, options.anchor)
            opacity = plan_convolution((height, width, channels), opacity.dtype, carrier, options, finish).run(opacity)
        return opacity

    def _prepared_padding(self, values: tuple[float, ...], image: Image, colours: int) -> float | tuple[float, ...]:
        """Return the padding value in the units of what is padded: it is one more pixel of the file, treated as any."""
        pixel: NDArray[Any] = np.array(values, np.float64).reshape(1, 1, -1)
        if self._toning.gray:
            pixel = tone.to_gray(pixel, image.alpha)
        prepared = tuple(float(v) for v in self._before(pixel, colours).ravel())
        return prepared[0] if len(set(prepared)) == 1 else prepared


@lru_cache(maxsize=64)  # many small images are of few sizes, and planning takes longer than filtering one
def _planned(
    size: tuple[int, int, int],
    dtype: np.dtype[Any],
    kernel: AnyKernel,
    options: ConvolveOptions,
    finish: Finish | None,
    cold: bool,
    _profile: ProfileKey,  # that a plan goes by
) -> ConvolutionPlan:
    return plan_convolution(size, dtype, kernel, options, finish, cold=cold)


def _padding_values(options: ConvolveOptions, image: Image) -> tuple[float, ...] | None:
    """Return the padding value of each of the image's channels, or None where no constant is laid around it."""
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
    """Return a kernel as large as the given one that takes the sample under its anchor as it is."""
    if isinstance(kernel, CompositeKernel):
        # Brought to one size as the parts of the kernel are; each takes the same sample, and so does their maximum.
        parts = (_carrier(part, anchor) for part in kernel.kernels)
        return CompositeKernel("identity", tuple(p for p in parts if isinstance(p, Kernel)), combine="max")
    at = anchor or kernel.anchor or (kernel.size[0] // 2, kernel.size[1] // 2)
    weights = np.zeros(kernel.size)
    weights[at] = 1.0
    return Kernel("identity", weights, anchor=at)
