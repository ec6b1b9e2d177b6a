"""A pipeline as an operation: its document loaded, checked, and laid on images."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from convcli.errors import ConvcliError, FilterError
from convcli.image.formats.registry import Format
from convcli.image.model import Image
from convcli.image.reading import ReadOptions
from convcli.kernel.catalogue import hiding_notes
from convcli.kernel.spec import split_spec
from convcli.pipeline.catalogue import hidden_pipelines
from convcli.pipeline.document.model import Document
from convcli.pipeline.document.named import find_document
from convcli.pipeline.errors import DocumentError, StepError
from convcli.pipeline.execution.program import Pipeline, Program
from convcli.process.output_files import OutputOptions, OutputPlan, file_name_part
from convcli.process.pipeline_on_image import PipelineOnImage, white_of
from convcli.process.pipeline_options import RunOptions
from convcli.process.result import Size

# The image that memory is estimated by, where a document takes any: large enough for every document to take it.
_SIDE = 256
_CHANNELS = 3
# What maps take besides those that are held between steps: one more on the way, and the picture made of the last.
_COPIES = 2
_UNKNOWN = 256  # bytes for each sample of an image, where a document takes no image of that size
_AT_LEAST = 64 << 20
_LONGEST_NAME = 4096


def load_pipeline(pipeline: str, options: RunOptions) -> "PipelineOperation":
    """Load a pipeline, and check what can be checked before any image is known.

    Parameters
    ----------
    pipeline : str
        A name, a file, or one line of steps: see `convcli.pipeline.document.named.find_document`.
    options : RunOptions
        What was asked for.

    Raises
    ------
    DocumentError
        In one line: file, path in it, reason.
    """
    return PipelineOperation(pipeline, options, [_load_checked(pipeline, options)])


@dataclass(frozen=True)
class PipelineOperation:
    """A document, loaded when it is first needed: other processes are sent its name.

    Parameters
    ----------
    name_or_line : str
        What the document is found by.
    options : RunOptions
        What was asked for.
    """

    name_or_line: str
    options: RunOptions
    _loaded: list[Pipeline] = field(default_factory=list, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return PipelineOperation, (self.name_or_line, self.options)

    @property
    def pipeline(self) -> Pipeline:
        """The document, and how it is computed. Raises DocumentError where it is none."""
        if not self._loaded:
            self._loaded.append(_load_checked(self.name_or_line, self.options))
        return self._loaded[0]

    @property
    def document(self) -> Document:
        """The document. Raises DocumentError where it is none."""
        return self.pipeline.document

    @property
    def output(self) -> OutputOptions:
        """How results are written."""
        return self.options.output

    @property
    def name(self) -> str:
        """The document's name, as a part of a file's name."""
        return file_name_part([self.document.name])

    @property
    def threads(self) -> int | None:
        """How many cores may be used."""
        return self.options.computing.threads

    @property
    def reading(self) -> ReadOptions:
        """How images are read."""
        return self.options.reading

    @property
    def signed(self) -> str:
        """The mapping that was asked for."""
        return self.options.signed

    @property
    def mask(self) -> None:
        """Pipelines are given no mask: of their steps, partial_conv takes one."""
        return None

    @property
    def files(self) -> tuple[str, ...]:
        """The document, and the files that it names."""
        own = [self.document.file] if self.document.file is not None else []
        return tuple(map(str, (*own, *_named_files(self.document))))

    @property
    def notes(self) -> tuple[str, ...]:
        """The user's own kernels and pipelines that shipped ones hide, and what the document has in vain."""
        kernels = (kernel for node in self.pipeline.nodes if isinstance(kernel := getattr(node.step, "kernel", 0), str))
        hidden = dict.fromkeys(note for kernel in kernels for note in hiding_notes(kernel))
        own = hidden_pipelines(self.name_or_line.partition(":")[0])
        return (*own, *hidden, *(() if self.options.save_steps else self.document.notes))

    def in_worker(self, threads: int) -> "PipelineOperation":
        """Return this for one of many processes."""
        computing, output = replace(self.options.computing, threads=threads), replace(self.output, existing="overwrite")
        return PipelineOperation(self.name_or_line, replace(self.options, computing=computing, output=output))

    def cache_key(self) -> str:
        """Identify what outputs depend on. The files that a document names count by size and time."""
        asked, document = self.options, self.document
        parts: list[object] = [document.input, document.output, document.store.default]
        parts += [(node.id, node.step, node.sources) for node in document.nodes]
        parts += [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in _named_files(document)]
        parts += [asked.signed, asked.alpha, asked.contact_sheet, asked.common_scale, *self.output.cache_key()]
        parts += [asked.computing.backend, asked.computing.device, asked.reading.cache_key()]
        return repr(parts)

    def with_mask(self, path: str) -> "PipelineOperation":
        """Return this: a mask is not asked for."""
        return self

    def provenance(self, plan: OutputPlan) -> str:
        """Return what was done to an image, for people and programs to read."""
        steps = ", ".join(node.step.name for node in self.document.nodes)
        parts = [f"pipeline {self.document.name} ({steps})"]
        if self.options.contact_sheet:
            parts.append("contact-sheet")
        if self.options.reading.bands is not None:
            parts.append(f"bands={','.join(map(str, self.options.reading.bands))}")
        return "; ".join([*parts, f"mapping={plan.mapping or 'none'}", f"depth={plan.depth}"])

    def memory(self, decoded_bytes: int) -> int:
        """Estimate the memory in bytes that an image takes, by the size of its samples, which are taken to be bytes."""
        wanted = self.document.input
        height, width = wanted.size or (_SIDE, _SIDE)
        channels = wanted.channels or _CHANNELS
        try:
            peak = self.check_size((height, width, channels)).peak_bytes()
        except ConvcliError:
            return decoded_bytes * _UNKNOWN + _AT_LEAST
        return decoded_bytes * _COPIES * peak // (height * width * channels) + _AT_LEAST

    def check_size(self, size: Size) -> Program:
        """Check the whole document, weights too, for 8-bit images of a size, without any. Raises DocumentError."""
        return self.pipeline.program(size, white_of(self.document, np.dtype(np.uint8)))

    def on_image(self, image: Image, source: str, output: str, format_: Format) -> "PipelineOnImage":
        """Lay the pipeline on an image. Raises FilterError and OutputError."""
        try:
            return PipelineOnImage(self.pipeline, self.options, image, source, output, format_)
        except DocumentError as error:  # which is no fault of the document: it was checked
            raise FilterError(error.what, where=error.where, advice=error.advice) from error


def _load_checked(text: str, options: RunOptions) -> Pipeline:
    """Load a document, and check what can be checked before any image is known. Raises DocumentError."""
    found = find_document(text, options.constants)
    pipeline = Pipeline(found, options.computing, everything=options.save_steps is not None)
    document = pipeline.document
    try:
        document.store.check_default()
    except StepError as error:
        raise _document_error(error, document.where) from error
    run = {node.id for node in pipeline.nodes}
    for node in document.nodes:
        try:
            document.store.check_files(node.step)
            if node.id in run:
                document.store.check_given(node.step.required_weights(), node.step.required_biases(), node.id)
            node.step.check_files()
        except StepError as error:
            raise _document_error(error, node.where) from error
    wanted = document.input
    if wanted.size is not None and wanted.channels is not None:
        pipeline.program((*wanted.size, wanted.channels), white_of(document, np.dtype(np.uint8)))
    return pipeline


def _document_error(error: StepError, where: str) -> DocumentError:
    placed = error.at(where)
    return DocumentError(placed.what, where=placed.where, advice=placed.advice)


def _named_files(document: Document) -> list[Path]:
    """Return the files that a document names: kernels, weights, fields, patterns."""
    folder = document.folder
    found = []
    for text in {*_texts(document), *([document.store.default] if isinstance(document.store.default, str) else [])}:
        for name in (text, split_spec(text)[0], text.rpartition(":")[0]):
            for path in (Path(name), folder / name):
                if name and len(name) < _LONGEST_NAME and "\0" not in name and "\n" not in name and path.is_file():
                    found.append(path)
    return sorted(set(found))


def _texts(document: Document) -> Iterator[str]:
    for node in document.nodes:
        for option in node.step.__struct_fields__:
            value = getattr(node.step, option)
            if isinstance(value, str):
                yield value
