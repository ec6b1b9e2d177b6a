"""A chain of kernels on one image's pixels: made ready, filtered, mapped to the output's samples.

The order of work is gray, linear light, premultiply, the kernels one after the other, scale and bias, unpremultiply,
the sRGB curve again, mapping. What is not asked for is not done: one kernel on plain pixels goes from samples to
samples in one pass over the tiles, and no float image is ever held.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.alignment import laid_size
from convcli.convolution.missing import MissingOptions
from convcli.convolution.options import ConvolveOptions, available_threads
from convcli.convolution.padding import axis_geometry
from convcli.convolution.plan import ConvolutionPlan, plan_convolution, working_type
from convcli.convolution.planning.planner import ProfileKey
from convcli.errors import FilterError
from convcli.image import tone
from convcli.image.model import Image, default_roles
from convcli.image.tone import Finish
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel, parts_of, resolve_mapping
from convcli.process.picture_notes import Making, Responses, picture_notes, sampled_places
from convcli.process.tone_options import ToneOptions, _moves, gray_roles, resolve_alpha
from convcli.system.threads import run_tasks

if TYPE_CHECKING:
    from convcli.convolution.execution.missing_samples import MissingSamples
    from convcli.process.operation import Halo

# What is done with opacity where it is filtered with the colours.
_FILTERED_OPACITY = ("premultiply", "filter")

_MISSING = MissingOptions()

# As many samples as a second-level cache holds in float32, with room for what is made of them.
_STRIP_SAMPLES = 1 << 16


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


class Chain:
    """The kernels of one run, planned for one image, to be run once. Making one does all that comes before the first.

    `image` is filtered by `kernels` in turn, each with the same `options`, into samples of `dtype`: an integer type, or
    a float type for the raw response in the image's units. `cold` is said by a process that filters once, in which
    what a backend takes to load counts; `in_pipeline` of a step of a pipeline, which options of `filter` do not reach.

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
    missing : ndarray of bool or None
        After the run: which samples of the result are missing; None where none can be. They are NaN in a float result,
        and in an integer one the image's nodata value, or 0 where there is none that the type holds.
    nan_count : int
        How many samples of the image are NaN.
    notes : list of str
        After the run: whether the picture came out saturated or nearly of one value, and what to ask for instead.

    Raises
    ------
    FilterError
        Where luma is asked for of bands that are no colours, or a mask is of another size.
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
        missing: MissingOptions = _MISSING,
        mask: NDArray[Any] | None = None,
        in_pipeline: bool = False,
    ) -> None:
        self._in_pipeline = in_pipeline
        self._kernels = kernels
        self._cold = cold
        self._threads = options.threads
        self._toning = toning
        self._dtype = dtype
        roles = image.roles
        if toning.gray:
            roles = gray_roles(roles)
        pixels = tone.to_gray(image.pixels, image.alpha) if toning.gray else image.pixels
        self._source_dtype = pixels.dtype
        self._white = tone.full_range(pixels.dtype)
        self._real = working_type(pixels.dtype, options.precision)

        colours = pixels.shape[2] - image.alpha
        # Bands of data have neither a curve nor opacity.
        self._tinted = np.flatnonzero([role != "data" for role in roles[:colours]])
        self._all_tinted = len(self._tinted) == colours
        self._opacity = pixels[..., colours:]
        self._mode = resolve_alpha(toning.alpha, kernels) if image.alpha else "drop"
        self._moved = toning.alpha == "auto" and _moves(kernels)
        if self._mode == "premultiply" and self._opacity.min(initial=self._white) == self._white:
            # An opaque image is filtered as one without alpha, and stays opaque.
            self._mode = "opaque"
        if self._mode != "keep":
            self._opacity = np.empty((0, 0, 0), pixels.dtype)  # a view would hold the whole image
        self.alpha = self._mode != "drop"
        self.opacity = self._mode if image.alpha else None
        self.mapping = (
            None
            if dtype.kind == "f"
            else resolve_mapping(toning.signed, kernels, toning.bias, keeps_sign=dtype.kind == "i")
        )

        self.notes: list[str] = []
        self._source = self._before(pixels, colours)
        self._options = self._opacity_options = options
        padding = _padding_values(options, image)
        if padding is not None:
            self._options = replace(options, padding_value=self._prepared_padding(padding, image, colours))
            self._opacity_options = replace(options, padding_value=padding[-1])
        self.plans = list(self._plan())

        height, width, channels = self.plans[-1].output_size
        self.output_size = (height, width, channels + (self._mode in ("keep", "opaque")))
        kept = image.roles if self.alpha or not image.alpha else image.roles[:-1]
        self.roles = kept if len(kept) == self.output_size[2] else default_roles(self.output_size[2], alpha=self.alpha)
        self.nan_count = _count_nan(image.pixels)
        self.missing: NDArray[np.bool_] | None = None
        self._missing_value = 0.0
        self._gaps = self._find_gaps(image, missing, mask)

    def _find_gaps(
        self, image: Image, options: MissingOptions, mask: NDArray[Any] | None
    ) -> "list[MissingSamples | None]":
        """Return what is missing before each kernel; None for one that is run as if nothing were."""
        nodata = image.nodata
        marked = mask is not None or nodata is not None
        outside = self._options.padding == "none"
        floats = self._source.dtype.kind == "f" and bool(self.nan_count)
        if not (marked or outside or (floats and options.missing != "auto")):
            return [None] * len(self.plans)
        from convcli.convolution.execution.missing_samples import MissingSamples, is_sample, missing_samples

        if nodata is not None and is_sample(nodata, self._dtype):
            self._missing_value = nodata
        # What equals the nodata value is looked up before samples change; and opacity has no such value.
        changed = self._source.dtype != image.pixels.dtype or self._toning.gray or self._mode in _FILTERED_OPACITY
        if mask is not None or (nodata is not None and changed):
            mask, nodata = self._known(image, mask), None
        first = missing_samples(self._source, options, mask, nodata)
        rule, fill = options.rule(marked=marked or outside), options.holes == "fill"
        gaps = first or (MissingSamples(rule, min_coverage=options.min_coverage) if outside else None)
        if gaps is None:
            return [None] * len(self.plans)
        between = MissingSamples(rule, nan=True, min_coverage=options.min_coverage, fill=fill)
        found = [gaps, *[between] * (len(self.plans) - 1)]
        self.missing = np.zeros(self.output_size, bool)
        if self._in_one_pass:
            seen = self.missing[..., : self.plans[-1].output_size[2]]
            found[-1] = replace(found[-1], value=self._missing_value, missing=seen)
        return [*found]

    def _known(self, image: Image, mask: NDArray[Any] | None) -> NDArray[Any]:
        """Return the certainty of the samples that are filtered: a mask, and what equals the nodata value."""
        from convcli.convolution.execution.missing_samples import checked_mask, is_sample

        known = np.ones((1, 1, 1), np.float32) if mask is None else checked_mask(mask, image.size)
        known = np.broadcast_to(known, (*image.size[:2], known.shape[2]))
        nodata, colours = image.nodata, image.size[2] - image.alpha
        bands = known[..., :colours]
        if nodata is not None and is_sample(nodata, image.pixels.dtype):
            bands = bands * (image.pixels[..., :colours] != image.pixels.dtype.type(nodata))
        if self._toning.gray:
            bands = bands.min(axis=2, keepdims=True)  # a luma is known where all colours are
        if self._mode not in _FILTERED_OPACITY:
            return bands
        if nodata is None and known.shape[2] == 1:
            return known
        size = *image.size[:2], self._source.shape[2] - 1
        return np.concatenate([np.broadcast_to(bands, size), known[..., -1:]], axis=2)

    @property
    def missing_count(self) -> int:
        """How many samples of the result are missing, after the run."""
        return 0 if self.missing is None else int(np.count_nonzero(self.missing))

    @property
    def halo(self) -> "Halo | None":
        """How much of the image around it a band of the result needs; None where it needs the whole image."""
        from convcli.process.operation import Halo  # which processing whole images does not need

        options = self._options
        if self.mapping == "stretch" or options.padding == "wrap":
            return None
        reach, jump = [0, 0], [1, 1]
        for kernel, plan in zip(self._kernels, self.plans, strict=True):
            size, anchor = laid_size(kernel, options)
            for axis in (0, 1):
                dilation, stride, taps = options.dilation[axis], options.stride[axis], size[axis]
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
        for plan, gaps in zip(self.plans[:-1], self._gaps[:-1], strict=True):
            values = plan.run(values, gaps=gaps)
        source, values = values, self.plans[-1].run(values, gaps=self._gaps[-1])
        looked_at = self.mapping is not None and not any(self._gaps) and not self.plans[-1].in_products
        span = self._looked_at(source, values) if looked_at else 0.0
        del source
        if self._in_one_pass and self._mode in ("drop", "filter"):
            return values
        out = np.empty(self.output_size, self._dtype)
        if self._in_one_pass:
            by_rows(values.shape, lambda rows: np.copyto(out[rows, :, :-1], values[rows]), self._threads)
        else:
            self._after(values, out)
            if looked_at:
                self._note(out, lambda places: self._finished_at(values, places), lambda: span)
        if self._mode == "keep":
            out[..., -1:] = tone.convert_depth(self._carried_opacity(), self._dtype)
        elif self._mode == "opaque":
            out[..., -1:] = self._white if self._dtype.kind == "f" else tone.full_range(self._dtype)
        return out

    def _looked_at(self, source: NDArray[Any], values: NDArray[Any]) -> float:
        """Note what is wrong with a picture of one pass; of another response, return the span of its source."""

        def span() -> float:
            sampled = source.reshape(-1, source.shape[2])[sampled_places(source.shape[0] * source.shape[1])]
            low, high = tone.span(sampled.astype(np.float64))
            return (high - low) * tone.unit_between(self._source_dtype, self._dtype)

        if not self._in_one_pass:
            return span()

        def responses(places: NDArray[np.intp]) -> NDArray[np.float64]:
            toning, unit = self._toning, tone.unit_between(self._source_dtype, self._dtype)
            found = self.plans[-1].responses_at(source, places)
            return self._mapped((found * toning.scale + toning.bias) * unit)

        self._note(values, responses, span)
        return 0.0

    def _finished_at(self, response: NDArray[Any], places: NDArray[np.intp]) -> NDArray[np.float64]:
        """Finish some pixels of a whole float response, but for rounding and saturation."""
        colour, _ = self._toned(response.reshape(-1, 1, response.shape[2])[places])
        return self._mapped(colour[:, 0].astype(np.float64) * tone.unit_between(self._source_dtype, self._dtype))

    def _mapped(self, response: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.mapping == "abs":
            return np.abs(response)
        limits = np.iinfo(self._dtype)
        return response + (limits.max + 1 + limits.min) // 2 if self.mapping == "offset" else response

    def _note(self, samples: NDArray[Any], responses: Responses, span: Callable[[], float]) -> None:
        colours, toning = self.output_size[2] - self.alpha, self._toning
        unscaled = toning.bias == 0 and not toning.linear and not self._in_pipeline
        how = Making(
            self.mapping or "clip",
            asked=toning.signed == "clip" and not self._in_pipeline,
            scale=toning.scale if unscaled else None,
            total=self._total,
            positive=unscaled and toning.scale == 1 and all(part.figures[2] >= 0 for part in parts_of(self._kernels)),
        )
        self.notes += picture_notes(samples[..., :colours], lambda at: responses(at)[:, :colours], span, how)

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
        channels = pixels.shape[2] if self._mode in _FILTERED_OPACITY else colours
        if not toned and channels == pixels.shape[2]:
            return pixels
        out = np.empty((*pixels.shape[:2], channels), self._real if toned else pixels.dtype)

        def prepare(rows: slice) -> None:
            colour: NDArray[Any] = pixels[rows, :, :colours]
            opacity: NDArray[Any] = pixels[rows, :, colours:channels]
            if not self._all_tinted:
                out[rows] = pixels[rows, :, :channels]
                colour = colour[..., self._tinted]
            if self._toning.linear:
                colour = tone.to_linear(colour, self._white, self._real)
            if self._mode == "premultiply":
                both = tone.premultiply(colour, opacity, self._white, self._real)
                if self._all_tinted:
                    out[rows] = both
                    return
                colour = both[..., :-1]
            if self._all_tinted:
                out[rows, :, :colours] = colour
                out[rows, :, colours:] = opacity
            else:
                out[rows][..., self._tinted] = colour

        by_rows(pixels.shape, prepare, self._threads)
        return out

    def _after(self, response: NDArray[Any], out: NDArray[Any]) -> None:
        """Turn the whole float response into the output's colours and, where it was filtered too, opacity."""
        colours = response.shape[2] - (self._mode in _FILTERED_OPACITY)
        spans = self._spans(response) if self.mapping == "stretch" else ()

        def finish(rows: slice) -> None:
            colour, opacity = self._toned(response[rows])
            lost = None if self.missing is None else np.isnan(colour)
            target = out[rows, :, :colours]
            for bands, span in spans:
                stretched = np.empty((*colour.shape[:2], len(bands)), out.dtype)
                tone.stretch(colour[..., bands], span, stretched)
                target[..., bands] = stretched
            if not spans:
                self._finish()(colour, target)
            if opacity is not None:
                self._finish_opacity()(opacity, out[rows, :, colours:])
            if lost is not None and self.missing is not None:
                self.missing[rows, :, :colours] = lost
                if self._dtype.kind != "f":
                    np.copyto(target, self._dtype.type(self._missing_value), where=lost)

        by_rows(response.shape, finish, self._threads)

    def _spans(self, response: NDArray[Any]) -> list[tuple[NDArray[np.intp], tuple[float, float]]]:
        """Return what is stretched together, and between which values: the colours, and the bands of data."""
        found: list[NDArray[Any]] = []

        def search(rows: slice) -> None:
            colour = self._toned(response[rows])[0]
            found.append(np.array([tone.span(colour[..., [band]]) for band in range(colour.shape[2])]))

        by_rows(response.shape, search, self._threads)
        low, high = np.min([part[:, 0] for part in found], axis=0), np.max([part[:, 1] for part in found], axis=0)
        groups = [bands for bands in (self._tinted, np.setdiff1d(np.arange(len(low)), self._tinted)) if bands.size]
        return [(bands, (float(low[bands].min()), float(high[bands].max()))) for bands in groups]

    def _toned(self, response: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Scale, lift and, where they were premultiplied or linear, take back a part of the response, in new arrays."""
        scale, bias = self._real.type(self._toning.scale), self._real.type(self._toning.bias)
        opacity: NDArray[Any] | None = None
        if self._mode == "premultiply":
            colour, opacity = self._unpremultiplied(response, scale, bias)
        elif self._mode == "filter":
            toned = response * scale + bias
            colour, opacity = toned[..., :-1], toned[..., -1:]
        else:
            colour = response * scale + bias
        if self._toning.linear and self._dtype.kind != "f":
            if self._all_tinted:
                colour = tone.from_linear(colour, self._white)
            else:
                colour[..., self._tinted] = tone.from_linear(colour[..., self._tinted], self._white)
        return colour, opacity

    def _unpremultiplied(self, response: NDArray[Any], scale: Any, bias: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Split a response into colours, scaled and lifted where they are visible, and opacity."""
        colour, opacity = tone.unpremultiply(response, self._total, self._white)
        colour = np.where(opacity > 0, colour * scale + bias, self._real.type(0))
        if not self._all_tinted:
            data = np.setdiff1d(np.arange(colour.shape[2]), self._tinted)
            colour[..., data] = response[..., data] * scale + bias
        if self.missing is not None:
            unknown = np.isnan(response[..., -1:])
            np.copyto(colour, np.nan, where=np.isnan(response[..., :-1]) | unknown)
            np.copyto(opacity, np.nan, where=unknown)
        return colour, opacity

    @property
    def _total(self) -> float:
        """The response of the kernels to a constant 1."""
        return math.prod(part.figures[0] for part in parts_of(self._kernels))

    def _finish_opacity(self) -> Finish:
        """Finish filtered opacity as any other channel, but never stretched; premultiplied it has no sign."""
        return replace(self._finish(), mapping="clip") if self._mode == "premultiply" else self._finish()

    def _carried_opacity(self) -> NDArray[Any]:
        """Take opacity from under the kernels' anchors, so that it goes through extent and stride as the colours do."""
        opacity = self._opacity
        options = self._opacity_options
        for kernel in self._kernels:
            if options.extent == "same" and not self._moved:
                rows, columns = options.stride
                opacity = opacity[::rows, ::columns]
                continue
            opacity = np.ascontiguousarray(opacity)
            height, width, channels = opacity.shape
            finish = Finish(opacity.dtype)
            carrier = _mover(kernel) if self._moved else _carrier(kernel, options.anchor)
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


def _mover(kernel: AnyKernel) -> AnyKernel:
    """Return a kernel of one weight that moves the image as the given one does, and leaves its samples as they are."""
    assert isinstance(kernel, Kernel)
    return replace(kernel, stored=(kernel.weights != 0).astype(np.float64))


def _count_nan(pixels: NDArray[Any]) -> int:
    """Count NaN, after a quick look whether there is any: a sum of squares is NaN where one of them is."""
    if pixels.dtype.kind != "f":
        return 0
    if pixels.dtype.itemsize >= 4 and pixels.flags.c_contiguous:
        flat = pixels.reshape(-1)
        with np.errstate(over="ignore"):  # of large numbers it is infinite
            squares = np.dot(flat, flat)
        if not np.isnan(squares):
            return 0
    return int(np.count_nonzero(np.isnan(pixels)))
