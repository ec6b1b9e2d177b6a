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
from convcli.errors import UsageError
from convcli.image.formats.registry import Format
from convcli.image.model import Image
from convcli.kernel.model import AnyKernel, CompositeKernel
from convcli.process.kernel_chain import Chain, ToneOptions, resolve_alpha
from convcli.process.output_files import OutputOptions, OutputPlan, check_picture, file_name_part, output_depth
from convcli.process.result import StepResult

if TYPE_CHECKING:
    from convcli.process.operation import Halo

DTYPES = {"u8": np.uint8, "u16": np.uint16, "i16": np.int16, "f32": np.float32, "f64": np.float64}

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

    Raises
    ------
    UsageError
        For no kernel.
    """

    kernels: tuple[str, ...]
    convolve: ConvolveOptions = field(default_factory=ConvolveOptions)
    tone: ToneOptions = field(default_factory=ToneOptions)
    output: OutputOptions = field(default_factory=OutputOptions)

    def __post_init__(self) -> None:
        if not self.kernels:
            raise UsageError("no kernel was given: name one with --kernel, such as -k sobel_x")


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

    kernels = tuple(load_kernel(spec) for spec in options.kernels)
    resolve_alpha(options.tone.alpha, kernels)
    asked = options.convolve
    for spec, kernel in zip(options.kernels, kernels, strict=True):
        for part in kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,):
            reason = refusal(asked.backend, part.size, asked.stride, asked.dilation)
            if reason is not None:
                raise UsageError(reason, where=spec)
    return KernelOperation(options, kernels)


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
        parts += [replace(self.options.convolve, threads=None), self.options.tone, *self.output.cache_key()]
        return repr(parts)

    def memory(self, decoded_bytes: int) -> int:
        """Estimate the memory in bytes that an image takes, by the size of its samples."""
        toning, convolve = self.options.tone, self.options.convolve
        plain = not toning.linear and convolve.precision == "single" and len(self.kernels) == 1
        plain = plain and toning.signed != "stretch" and self.output.depth != "f32"
        return decoded_bytes * (_COPIES if plain else _COPIES + _FLOAT_COPIES * _COPIES) + _AT_LEAST

    def on_image(self, image: Image, source: str, output: str, format_: Format) -> "KernelsOnImage":
        """Lay the kernels on an image. Raises FilterError and OutputError."""
        depth, notes = output_depth(source, output, format_, image.depth, self.output)
        toning = self.options.tone
        chain = Chain(image, self.kernels, self.options.convolve, toning, np.dtype(DTYPES[depth]), cold=self.cold)
        plan = OutputPlan(
            format_,
            depth,
            chain.output_size,
            chain.mapping,
            chain.alpha,
            chain.opacity,
            notes=_notes_without_effect(toning, chain.mapping, depth) + _notes_on_units(toning, image.depth) + notes,
        )
        check_picture(output, plan)
        return KernelsOnImage(plan, chain, self.options.kernels, tuple(map(_label, self.options.kernels, self.kernels)))


def _notes_without_effect(toning: ToneOptions, mapping: str | None, depth: str) -> tuple[str, ...]:
    """Name what was asked for of a response and can have no effect on this output."""
    if mapping is None and toning.linear:
        return (f"{depth} holds the response in linear light: the sRGB curve is not put back",)
    if mapping == "stretch" and toning.bias:
        return ("--bias does nothing under --signed stretch",)
    return ()


def _notes_on_units(toning: ToneOptions, depth: str) -> tuple[str, ...]:
    """Note a bias that is the white of 8 bits, or its half, on samples of a wider range."""
    white = {"u16": "65535", "i16": "32767", "f32": "1.0", "f64": "1.0"}.get(depth)
    if white is None or abs(toning.bias) not in (127.0, 127.5, 128.0, 255.0, 256.0):
        return ()
    return (f"--bias {toning.bias:g} is in the image's own units, in which {white} is white",)


class KernelsOnImage:
    """Kernels laid on one image, to be run once; `plan` is all that is known of the output."""

    writing_seconds = 0.0

    def __init__(self, plan: OutputPlan, chain: Chain, specs: tuple[str, ...], labels: tuple[str, ...]) -> None:
        self.plan = plan
        self._chain = chain
        self._specs = specs
        self._labels = labels

    @property
    def halo(self) -> "Halo | None":
        """How much of the image around it a band of the result needs; None where it needs the whole image."""
        return self._chain.halo

    def run(self) -> NDArray[Any]:
        """Return the samples of the output."""
        return self._chain.run()

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
