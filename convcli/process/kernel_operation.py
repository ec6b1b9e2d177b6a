"""A chain of kernels as an operation: loaded, checked, and laid on images."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import ConvolutionPlan
from convcli.errors import OutputError, UsageError, check_word
from convcli.image.formats.registry import Format
from convcli.image.model import Image
from convcli.image.reading import ReadOptions
from convcli.kernel.model import AnyKernel, CompositeKernel, shaped
from convcli.kernel.weights import NORMALIZATIONS
from convcli.process.kernel_chain import Chain
from convcli.process.output_files import (
    OutputOptions,
    OutputPlan,
    check_picture,
    file_name_part,
    options_in_words,
    output_depth,
)
from convcli.process.result import Placement, StepResult
from convcli.process.tone_options import ToneOptions, resolve_alpha

if TYPE_CHECKING:
    from convcli.process.missing_inputs import MissingInputs
    from convcli.process.missing_outputs import MissingOutputs
    from convcli.process.operation import Halo
    from convcli.process.region import Region
    from convcli.process.region_on_image import RegionOnImage

DTYPES = {
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "f32": np.float32,
    "f64": np.float64,
}

# What a picture takes besides its samples as they are read: the result's, as many, and what is made on the way.
_COPIES = 3
_FLOAT_COPIES = 4
_AT_LEAST = 32 << 20


@dataclass(frozen=True)
class FilterOptions:
    """Everything that `convcli filter` was asked for, but for the names of images.

    Parameters
    ----------
    kernels : tuple of str
        SPECs, applied one after the other.
    convolve : ConvolveOptions
        How each is laid on the image.
    tone : ToneOptions
        What is done to pixels before the kernels and to their response after them.
    output : OutputOptions
        How the result is written.
    normalize : str, optional
        `sum`, `abssum` or `posneg`: what the weights of every kernel are scaled by, whatever its file says.
    reading : ReadOptions
        How each image is read.
    missing : MissingInputs, optional
        Which samples are missing, and what becomes of them; by default those that a file names, treated as usual.
    region : Region, optional
        The part of each image that is filtered, by default all.

    Raises
    ------
    UsageError
        For no kernel, an unknown normalisation, or a region that does not go with how kernels are laid on the image.
    """

    kernels: tuple[str, ...]
    convolve: ConvolveOptions = field(default_factory=ConvolveOptions)
    tone: ToneOptions = field(default_factory=ToneOptions)
    output: OutputOptions = field(default_factory=OutputOptions)
    normalize: str | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)
    missing: "MissingInputs | None" = None
    region: "Region | None" = None

    def __post_init__(self) -> None:
        if self.normalize is not None:
            check_word("normalisation", self.normalize, NORMALIZATIONS[1:])
        if not self.kernels:
            raise UsageError("no kernel was given: name one with --kernel, such as -k sobel_x")
        if self.region is not None:
            self.region.check(self.convolve)


def load_kernels(options: FilterOptions) -> "KernelOperation":
    """Load the kernels of a run, and check what can be checked of them before any image is known.

    Raises
    ------
    KernelError
        For an unknown kernel, a bad file or a bad parameter.
    UsageError
        Where premultiplied opacity was asked of kernels that cannot weigh it, or a backend that cannot do them.
    """
    from convcli.convolution.backends.base import refusal
    from convcli.kernel.spec import load_kernel

    kernels = tuple(_normalized(load_kernel(spec), spec, options.normalize) for spec in options.kernels)
    resolve_alpha(options.tone.alpha, kernels)
    asked = options.convolve
    for spec, kernel in zip(options.kernels, kernels, strict=True):
        for part in kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,):
            reason = refusal(asked.backend, part.size, asked.stride, asked.dilation)
            if reason is not None:
                raise UsageError(reason, where=spec)
    return KernelOperation(options, kernels)


def _normalized(kernel: AnyKernel, spec: str, how: str | None) -> AnyKernel:
    """Scale the weights of a kernel, or of each part of a composite. Raises KernelError."""
    if how is None:
        return kernel
    if isinstance(kernel, CompositeKernel):
        return replace(kernel, kernels=tuple(shaped(part, f"{spec}: {part.name}", how) for part in kernel.kernels))
    return shaped(kernel, spec, how)


class KernelOperation:
    """Kernels applied one after the other.

    Parameters
    ----------
    options : FilterOptions
        What was asked for.
    kernels : sequence of AnyKernel
        The kernels of its SPECs, loaded.
    cold : bool
        Whether the process filters once, so that what a backend takes to load counts.
    """

    def __init__(self, options: FilterOptions, kernels: Sequence[AnyKernel], *, cold: bool = True) -> None:
        self.options = options
        self.kernels = kernels
        self.cold = cold

    @property
    def output(self) -> OutputOptions:
        """How results are written."""
        return self.options.output

    @property
    def name(self) -> str:
        """The names of the kernels, as a part of a file's name."""
        return file_name_part(kernel.name for kernel in self.kernels)

    @property
    def threads(self) -> int | None:
        """How many cores may be used."""
        return self.options.convolve.threads

    @property
    def reading(self) -> ReadOptions:
        """How images are read."""
        return self.options.reading

    @property
    def signed(self) -> str:
        """The mapping that was asked for."""
        return self.options.tone.signed

    @property
    def files(self) -> tuple[str, ...]:
        """The kernel files that were named."""
        from convcli.kernel.spec import split_spec

        return tuple(path for path, _ in map(split_spec, self.options.kernels) if Path(path).is_file())

    @property
    def notes(self) -> tuple[str, ...]:
        """The user's own kernels that catalogue ones hide, and what the kernels' own notations and formulas note."""
        from convcli.kernel.catalogue import hiding_notes
        from convcli.kernel.model import kernel_notes

        pairs = tuple(zip(self.options.kernels, self.kernels, strict=True))
        notes = (note for spec, kernel in pairs for note in (*hiding_notes(spec), *kernel_notes(kernel, spec)))
        return tuple(dict.fromkeys(notes))

    def in_worker(self, threads: int) -> "KernelOperation":
        """Return this for one of many processes, in which backends are loaded for many images."""
        convolve, output = replace(self.options.convolve, threads=threads), replace(self.output, existing="overwrite")
        return KernelOperation(replace(self.options, convolve=convolve, output=output), self.kernels, cold=False)

    def cache_key(self) -> str:
        """Identify what outputs depend on. Kernels count by their weights: the file behind a name may change."""
        parts: list[object] = []
        for kernel in self.kernels:
            parts += [
                kernel.mapping,
                (kernel.combine, kernel.threshold) if isinstance(kernel, CompositeKernel) else None,
            ]
            for each in kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,):
                parts += [each.size, each.data, each.anchor]
        asked = self.options
        parts += [replace(asked.convolve, threads=None), asked.tone, *self.output.cache_key()]
        parts += [asked.reading.cache_key(), asked.missing and asked.missing.cache_key(), asked.region]
        parts += [asked.kernels if self.output.stamp else ()]
        return repr(parts)

    @property
    def mask(self) -> str | None:
        """The mask, or the folder of masks, that was named."""
        return None if self.options.missing is None else self.options.missing.mask

    def with_mask(self, path: str) -> "KernelOperation":
        """Return this with the mask of one image in place of a folder of them."""
        missing = self.options.missing
        assert missing is not None  # or there would be no folder of masks
        options = replace(self.options, missing=replace(missing, mask=path))
        return KernelOperation(options, self.kernels, cold=self.cold)

    def provenance(self, plan: OutputPlan) -> str:
        """Return what was done to an image, for people and programs to read."""
        asked = self.options
        parts = [f"kernel {spec}" for spec in asked.kernels]
        parts += options_in_words(asked.convolve, leaving=("threads", "device"))
        parts += options_in_words(asked.tone, leaving=("signed",))
        if asked.missing is not None:
            parts += options_in_words(asked.missing.treatment)
        if plan.nodata is not None:
            parts.append(f"nodata={plan.nodata:g}")
        if self.mask is not None:
            parts.append(f"mask={Path(self.mask).name}")
        if asked.region is not None:
            parts.append(f"roi={asked.region}{' crop' if asked.region.crop else ''}")
        if asked.reading.bands is not None:
            parts.append(f"bands={','.join(map(str, asked.reading.bands))}")
        return "; ".join([*parts, f"mapping={plan.mapping or 'none'}", f"depth={plan.depth}"])

    def memory(self, decoded_bytes: int) -> int:
        """Estimate the memory in bytes that an image takes, by the size of its samples."""
        toning, convolve = self.options.tone, self.options.convolve
        plain = not toning.linear and convolve.precision == "single" and len(self.kernels) == 1
        plain = plain and toning.signed != "stretch" and self.output.depth != "f32"
        return decoded_bytes * (_COPIES if plain else _COPIES + _FLOAT_COPIES * _COPIES) + _AT_LEAST

    def on_image(self, image: Image, source: str, output: str, format_: Format) -> "KernelsOnImage":
        """Lay the kernels on an image. Raises FilterError and OutputError."""
        options, asked = self.options, self.options.missing
        depth, notes = output_depth(source, output, format_, image.depth, self.output)
        dtype = np.dtype(DTYPES[depth])
        nodata = image.nodata if asked is None else asked.nodata_of(image)
        if _part_is_mixed(options, dtype):
            raise OutputError(
                f"{depth} would hold the response in linear light, and the rest of the image as it is",
                where=f"--roi {options.region}",
                advice="say --crop too, or leave out --linear",
            )
        mask = None if asked is None else asked.certainty_of(image, self.threads)
        part = None if options.region is None else _part_of(image, options.region, self)
        if part is None:
            chain = self._chain(replace(image, nodata=nodata), dtype, mask)
            size = chain.output_size
        else:
            inner = replace(image, pixels=part.cut(image.pixels), nodata=nodata)
            chain = self._chain(inner, dtype, None if mask is None else part.cut(mask))
            size = part.output_size(chain.output_size[2])
        missing = _missing_outputs(image, dtype, nodata, chain, options, marked=nodata is not None or mask is not None)
        plan = OutputPlan(
            format_,
            depth,
            size,
            chain.mapping,
            chain.alpha,
            chain.opacity,
            notes=_notes_without_effect(options.tone, chain.mapping, depth)
            + _notes_on_units(options.tone, image.depth)
            + notes,
            roles=chain.roles,
            alpha_place=image.alpha_place if chain.alpha and not options.tone.gray else None,
            nodata=None if missing is None else missing.nodata,
            placement=_placement(image, self.kernels, options, part),
        )
        check_picture(output, plan)
        labels = tuple(map(_label, options.kernels, self.kernels))
        return KernelsOnImage(plan, chain, options.kernels, labels, missing, part)

    def _chain(self, image: Image, dtype: np.dtype[Any], mask: NDArray[np.float32] | None) -> Chain:
        options = self.options
        given: dict[str, Any] = {} if options.missing is None else {"missing": options.missing.treatment, "mask": mask}
        return Chain(image, self.kernels, options.convolve, options.tone, dtype, cold=self.cold, **given)


def _missing_outputs(
    image: Image, dtype: np.dtype[Any], nodata: float | None, chain: Chain, options: FilterOptions, *, marked: bool
) -> "MissingOutputs | None":
    """Return what becomes of missing samples in the result; None where none can be, and nothing is copied."""
    floats = image.pixels.dtype.kind == "f"
    outside = options.convolve.padding == "none"
    if not (marked or outside or floats or options.region is not None):
        return None
    from convcli.convolution.missing import MissingOptions
    from convcli.process.missing_outputs import MissingOutputs

    treatment = MissingOptions() if options.missing is None else options.missing.treatment
    rule = treatment.rule(marked=marked or outside)
    return MissingOutputs(image.pixels.dtype, dtype, nodata, rule, chain.nan_count)


def _part_of(image: Image, region: "Region", operation: KernelOperation) -> "RegionOnImage":
    from convcli.process.region_on_image import RegionOnImage  # which filtering whole images does not need

    options = operation.options
    return RegionOnImage(region, image, operation.kernels, options.convolve, options.tone)


def _placement(
    image: Image, kernels: Sequence[AnyKernel], options: FilterOptions, part: "RegionOnImage | None"
) -> Placement | None:
    """Return where the result's samples lie on the image, where anything in its file depends on it."""
    if image.metadata.tiff_tags is None:
        return None
    from convcli.process.placement import placement_of

    placement = placement_of(kernels, options.convolve)
    origin = None if part is None else part.origin
    return placement if origin is None else Placement(placement.stride, origin)


def _part_is_mixed(options: FilterOptions, dtype: np.dtype[Any]) -> bool:
    """Whether an output would hold a region in other units than the rest of the image."""
    return options.region is not None and not options.region.crop and options.tone.linear and dtype.kind == "f"


def _notes_without_effect(toning: ToneOptions, mapping: str | None, depth: str) -> tuple[str, ...]:
    """Name what was asked for of a response and can have no effect on this output."""
    if mapping is None and toning.linear:
        return (f"{depth} holds the response in linear light: the sRGB curve is not put back",)
    if mapping == "stretch" and toning.bias:
        return ("--bias does nothing under --signed stretch",)
    return ()


def _notes_on_units(toning: ToneOptions, depth: str) -> tuple[str, ...]:
    """Note a bias that is the white of 8 bits, or its half, on samples of a wider range."""
    white = {"u16": "65535", "i16": "32767", "f16": "1.0", "f32": "1.0", "f64": "1.0"}.get(depth)
    if white is None or abs(toning.bias) not in (127.0, 127.5, 128.0, 255.0, 256.0):
        return ()
    return (f"--bias {toning.bias:g} is in the image's own units, in which {white} is white",)


class KernelsOnImage:
    """Kernels laid on one image, to be run once; `plan` is all that is known of the output."""

    writing_seconds = 0.0

    def __init__(
        self,
        plan: OutputPlan,
        chain: Chain,
        specs: tuple[str, ...],
        labels: tuple[str, ...],
        missing: "MissingOutputs | None",
        part: "RegionOnImage | None" = None,
    ) -> None:
        self.plan = plan
        self._chain = chain
        self._specs = specs
        self._labels = labels
        self._missing = missing
        self._part = part

    @property
    def halo(self) -> "Halo | None":
        """How much of the image around it a band of the result needs; None where it needs the whole image."""
        return self._chain.halo

    @property
    def late_notes(self) -> tuple[str, ...]:
        """Lines on what the run has found, after it."""
        return (*self._chain.notes, *(() if self._missing is None else self._missing.notes))

    def run(self) -> NDArray[Any]:
        """Return the samples of the output."""
        samples, treatment = self._chain.run(), self._missing
        if treatment is None:
            return samples
        missing, part = self._chain.missing, self._part
        if part is not None:
            samples, missing = part.kept(samples), None if missing is None else part.kept(missing)
        treatment.finish(samples, missing, self.plan.format)
        if part is None:
            return samples
        return part.place(samples, lambda pixels: treatment.converted(pixels, self.plan.alpha))

    def steps(self) -> tuple[StepResult, ...]:
        """Return each kernel with the backend chosen for it."""
        return tuple(map(_step, self._specs, self._labels, self._chain.plans))


@lru_cache(maxsize=64)  # images of one size are filtered alike
def _step(kernel: str, label: str, plan: ConvolutionPlan) -> StepResult:
    return StepResult(kernel, plan.backend, plan.reason, plan.seconds, plan.runner_up, label)


def _label(spec: str, kernel: AnyKernel) -> str:
    """Return a SPEC as messages show it: weights by their size, which tells at once how they were understood."""
    if kernel.name != "custom" or isinstance(kernel, CompositeKernel):
        return spec
    return f"custom {kernel.size[0]}x{kernel.size[1]}"
