"""A pipeline laid on one image: its output planned, computed, and mapped to a picture or kept as maps."""

from fractions import Fraction
from math import ceil
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.options import ConvolveOptions
from convcli.errors import OutputError
from convcli.image.formats.registry import Format
from convcli.image.model import Image
from convcli.image.tone import Finish, convert_depth, full_range, span, stretch
from convcli.kernel.model import resolve_mapping
from convcli.pipeline.document.model import ALPHA, INPUT, Document
from convcli.pipeline.execution.contact_sheet import contact_sheet, sheet_size
from convcli.pipeline.execution.program import Pipeline, Program
from convcli.pipeline.steps.base import Maps, pair, size_text
from convcli.pipeline.steps.filters import Filter
from convcli.process.kernel_chain import Chain, by_rows
from convcli.process.kernel_operation import DTYPES
from convcli.process.operation import Halo
from convcli.process.output_files import OutputPlan, check_picture, output_depth
from convcli.process.picture_notes import Making, picture_notes
from convcli.process.pipeline_options import RunOptions
from convcli.process.pipeline_result import PipelineStepResult
from convcli.process.saved_steps import StepSaver
from convcli.process.tone_options import ToneOptions

_BYTE_WHITE = 255.0


class PipelineOnImage:
    """A pipeline laid on one image, to be run once.

    A pipeline of a single filter step is a chain of one kernel: it goes from samples to samples with no float image
    between.
    """

    def __init__(
        self, pipeline: Pipeline, options: RunOptions, image: Image, source: str, output: str, format_: Format
    ) -> None:
        document = pipeline.document
        height, width, channels = image.size
        self._white = white_of(document, image.pixels.dtype)
        self._program = pipeline.program((height, width, channels - image.alpha), self._white)
        self._options = options
        self.plan = _output_plan(source, output, image, format_, self._program, options)
        self._chain = self._as_chain(image)
        self._maps: list[Maps] = []  # emptied by the run, so that the image is let go once it is read
        self._read_opacity: Maps | None = None
        self._kept_opacity: NDArray[Any] | None = None
        self._notes: list[str] = []
        self._seconds: dict[str, float] = {}
        self._saver: StepSaver | None = None
        if self._chain is None:
            self._program.check_memory()
            maps, self._read_opacity = _maps_of(image, document)
            self._maps.append(maps)
            if self.plan.alpha:
                self._kept_opacity = convert_depth(image.pixels[..., -1:], np.dtype(DTYPES[self.plan.depth]))
        if options.save_steps is not None:
            self._saver = StepSaver(
                options.save_steps,
                source,
                self._program.nodes,
                options.output,
                common_scale=options.common_scale,
                threads=options.computing.threads,
            )

    def _as_chain(self, image: Image) -> Chain | None:
        """Return the chain of kernels that the pipeline is, where it is one, and all that is wanted is its result."""
        options, plan, nodes = self._options, self.plan, self._program.nodes
        step = nodes[0].step
        if len(nodes) > 1 or nodes[0].sources != (INPUT,) or not isinstance(step, Filter):
            return None
        if options.contact_sheet or options.save_steps is not None or image.depth == "f64":
            return None
        # A kernel knows the file's units alone, and its response is as many times larger as they are.
        unit = self._white / full_range(image.pixels.dtype)
        convolve = ConvolveOptions(
            padding=step.padding,
            padding_value=step.padding_value / unit,
            extent=step.extent,
            flip=step.flip,
            anchor=step.anchor,
            stride=pair(step.stride),
            dilation=pair(step.dilation),
            backend=options.computing.backend,
            threads=options.computing.threads,
            device=options.computing.device,
        )
        dtype = np.dtype(DTYPES[plan.depth])
        toning = ToneOptions(
            signed=plan.mapping or "auto",
            scale=unit if dtype.kind == "f" else 1.0,
            alpha="keep" if plan.alpha else "drop",
        )
        return Chain(image, [step.load_kernel()], convolve, toning, dtype, in_pipeline=True)

    @property
    def halo(self) -> Halo | None:
        """How much of the image around it a band of the result needs; None where it needs the whole image."""
        whole = self.plan.mapping == "stretch" or self._options.contact_sheet or self._options.save_steps is not None
        return None if whole else _halo(self._program)

    @property
    def writing_seconds(self) -> float:
        """Seconds of the run in which the results of steps were written."""
        return 0.0 if self._saver is None else self._saver.seconds

    @property
    def late_notes(self) -> tuple[str, ...]:
        """Lines on what the run has found, after it."""
        return tuple(self._notes if self._chain is None else self._chain.notes)

    def run(self) -> NDArray[Any]:
        """Return the samples of the output. Raises FilterError."""
        if self._chain is not None:
            started = perf_counter()
            samples = self._chain.run()
            self._seconds = {self._program.nodes[0].id: perf_counter() - started}
            return samples
        maps, self._seconds = self._program.run(self._maps.pop(), self._read_opacity, self._saver)
        if self._options.contact_sheet:
            return contact_sheet(maps, common_scale=self._options.common_scale)
        if self.plan.mapping is None and self._kept_opacity is None:
            return maps
        samples = np.empty(self.plan.size, DTYPES[self.plan.depth])
        target = samples[..., : maps.shape[2]]
        write_samples(maps, target, self.plan.mapping, self._white, self._options.computing.threads)
        if self.plan.mapping != "stretch":
            unit = 1.0 if samples.dtype.kind == "f" else full_range(samples.dtype) / self._white
            self._note(maps, target, unit)
        if self._kept_opacity is not None:
            samples[..., -1:] = self._kept_opacity
        return samples

    def _note(self, maps: Maps, samples: NDArray[Any], unit: float) -> None:
        """Note what is wrong with the picture that was made of maps; one of few values is what many pipelines make."""
        if samples.dtype.kind == "f":
            return
        mapping = self.plan.mapping or "clip"
        limits = np.iinfo(samples.dtype)

        def responses(places: NDArray[np.intp]) -> NDArray[np.float64]:
            found = maps.reshape(-1, maps.shape[2])[places].astype(np.float64) * unit
            if mapping == "abs":
                return np.abs(found)
            return found + (limits.max + 1 + limits.min) // 2 if mapping == "offset" else found

        self._notes = picture_notes(samples, responses, lambda: 0.0, Making(mapping, scale=None))

    def steps(self) -> tuple[PipelineStepResult, ...]:
        """Return each step, how it was computed, and what it took."""
        results = []
        for node in self._program.nodes:
            how = self._program.prepared[node.id] if self._chain is None else self._chain.plans[0]
            results.append(
                PipelineStepResult(
                    node.id,
                    how.backend,
                    how.reason,
                    step=node.step.name,
                    size=self._program.properties[node.id].output,
                    seconds=self._seconds.get(node.id),
                )
            )
        return tuple(results)


def write_samples(
    maps: Maps, samples: NDArray[Any], mapping: str | None, white: float, threads: int | None = None
) -> None:
    """Map a result to samples of the output's type; a float type takes it as it is.

    Parameters
    ----------
    maps : array (rows, columns, channels) of float32
        The result, in the document's units.
    samples : array of the same shape
        Is set.
    mapping : str or None
        How the result becomes a picture; None for a float type.
    white : float
        What stands for white in the document's units.
    threads : int, optional
        How many; as many as there are cores unless given.
    """
    if mapping == "stretch":
        spans: list[tuple[float, float]] = []
        by_rows(maps.shape, lambda rows: spans.append(span(maps[rows])), threads)
        whole = min(low for low, _ in spans), max(high for _, high in spans)
        by_rows(maps.shape, lambda rows: stretch(maps[rows], whole, samples[rows]), threads)
        return
    unit = 1.0 if samples.dtype.kind == "f" else full_range(samples.dtype) / white
    finish = Finish(samples.dtype, unit=unit, mapping=mapping or "clip")
    by_rows(maps.shape, lambda rows: finish(maps[rows].copy(), samples[rows]), threads)


def run_image(image: Image, pipeline: Pipeline) -> Maps:
    """Run an image through a pipeline: the result as float32 (rows, columns, channels) in the document's units."""
    maps, alpha = _maps_of(image, pipeline.document)
    height, width, channels = maps.shape
    program = pipeline.program((height, width, channels), white_of(pipeline.document, image.pixels.dtype))
    return program.run(maps, alpha)[0]


def _output_plan(
    source: str, output: str, image: Image, format_: Format, program: Program, options: RunOptions
) -> OutputPlan:
    """Decide how the result is written, from what is known before it is computed."""
    height, width, channels = program.output_size
    if options.contact_sheet:
        size = sheet_size(program.output_size, common_scale=options.common_scale)
        plan = OutputPlan(format_, "u8", size, opacity="drop" if image.alpha else None, keeps_metadata=False)
        check_picture(output, plan)
        return plan
    # An array takes the response itself, unless a picture was asked for.
    raw = format_.stacks == "channels" and "f32" in format_.depths and options.output.depth == "same"
    raw = raw and options.signed == "auto" and program.document.output.mapping == "auto"
    picture = channels in (1, 3) and not raw
    if not picture and not format_.stacks:
        raise OutputError(
            f"the result has {channels} channels ({size_text(program.output_size)}), which are no picture",
            where=output,
            advice="say --contact-sheet, or write .npy or .tiff",
        )
    if picture or options.output.depth != "same":
        computed = "f32" if image.depth == "f64" else image.depth  # steps compute in single precision
        depth, notes = output_depth(source, output, format_, computed, options.output)
    else:
        depth, notes = "f32", ()
    if image.depth == "f64" and options.output.depth == "same":
        notes = ("double samples are computed and written in single precision", *notes)
    if image.nodata is not None:
        notes += (f"its nodata value, {image.nodata:g}, is taken as any other: pipelines know no missing samples",)
    keeps = image.alpha and options.alpha == "keep" and not _reads_alpha(program)
    if keeps and not (picture and (height, width) == image.size[:2]):
        keeps = False
        notes += ("its opacity is dropped: the result is of another size, or no picture",)
    plan = OutputPlan(
        format_,
        depth,
        (height, width, channels + keeps),
        None if np.dtype(DTYPES[depth]).kind == "f" else pipeline_mapping(program.document, options.signed),
        alpha=keeps,
        opacity=None if not image.alpha else "keep" if keeps else "drop",
        pages=not picture and format_.stacks != "channels",
        notes=notes,
    )
    check_picture(output, plan)
    return plan


def pipeline_mapping(document: Document, signed: str) -> str:
    """Return how a result becomes a picture: as asked, as the document or a last filter's kernel says, or clipped."""
    for word in (signed, document.output.mapping):
        if word != "auto":
            return word
    last = document.node(document.output.source).step
    return resolve_mapping("auto", [last.load_kernel()]) if isinstance(last, Filter) else "clip"


def _reads_alpha(program: Program) -> bool:
    """Whether opacity went into the result, so that it is not to be laid over it again."""
    return any(ALPHA in node.sources for node in program.nodes)


def _halo(program: Program) -> Halo | None:
    """How far around its place a row of the result depends on the image; None where a step sees all of its input."""
    reach: dict[str, tuple[Fraction, Fraction]] = dict.fromkeys((INPUT, ALPHA), (Fraction(0), Fraction(0)))
    jump: dict[str, tuple[Fraction, Fraction]] = dict.fromkeys((INPUT, ALPHA), (Fraction(1), Fraction(1)))
    for node in program.nodes:
        facts = program.properties[node.id]
        if facts.whole or getattr(node.step, "padding", None) in ("wrap", "circular", "periodic"):
            return None
        reaches, jumps = [], []
        for axis in (0, 1):
            before = facts.padding[axis][0]
            own = max(before, facts.dilation[axis] * (facts.window[axis] - 1) - before)
            own += facts.upsampling[axis] > 1  # an output lies between two of its input
            far = max(reach[source][axis] for source in node.sources)
            step = jump[node.sources[0]][axis]
            reaches.append(far + own * step)
            jumps.append(step * Fraction(facts.stride[axis], facts.upsampling[axis]))
        reach[node.id], jump[node.id] = (reaches[0], reaches[1]), (jumps[0], jumps[1])
    rows, columns = reach[program.document.output.source]
    return Halo(ceil(rows), ceil(columns))


def white_of(document: Document, dtype: np.dtype[Any]) -> float:
    """Return the sample that stands for white in a document's units, for images of a sample type."""
    return {"unit": 1.0, "byte": _BYTE_WHITE}.get(document.input.range) or full_range(dtype)


def _maps_of(image: Image, document: Document) -> tuple[Maps, Maps | None]:
    """Return the image's colours in the document's units, and its opacity from 0 to 1."""
    colours = image.pixels[..., : image.pixels.shape[2] - image.alpha]
    maps = np.ascontiguousarray(colours, np.float32)
    factor = white_of(document, image.pixels.dtype) / full_range(image.pixels.dtype)
    if factor != 1:
        maps = maps * np.float32(factor)
    if not image.alpha or not any(ALPHA in node.sources for node in document.nodes):
        return maps, None
    return maps, np.ascontiguousarray(image.pixels[..., -1:], np.float32) / np.float32(full_range(image.pixels.dtype))
