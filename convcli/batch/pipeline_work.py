"""A pipeline as the work of a batch: each image is run through it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from convcli import __version__
from convcli.errors import ConvcliError
from convcli.kernel.spec import split_spec
from convcli.pipeline.document.model import Document
from convcli.pipeline.execution.program import Pipeline
from convcli.process import pipeline_job as runner
from convcli.process.image_job import Result
from convcli.process.pipeline_job import RunOptions

# The image that memory is estimated by, where a document takes any: large enough for every document to take it.
_SIDE = 256
_CHANNELS = 3
# What maps take besides those that are held between steps: one more on the way, and the picture made of the last.
_COPIES = 2
_UNKNOWN = 256  # bytes for each sample of an image, where a document takes no image of that size
_AT_LEAST = 64 << 20


@dataclass(frozen=True)
class PipelineWork:
    """Runs each image through the document in the file `path`."""

    path: str
    options: RunOptions
    _loaded: list[Pipeline] = field(default_factory=list, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the file's name to other processes, which load it themselves."""
        return PipelineWork, (self.path, self.options)

    @property
    def document(self) -> Document:
        """The document. Raises DocumentError where it is none."""
        return self._pipeline.document

    @property
    def _pipeline(self) -> Pipeline:
        if not self._loaded:
            self._loaded.append(runner.prepare(self.path, self.options))
        return self._loaded[0]

    def on_threads(self, threads: int) -> "PipelineWork":
        """See Work."""
        computing = replace(self.options.computing, threads=threads)
        return PipelineWork(self.path, replace(self.options, existing="overwrite", computing=computing))

    def key(self) -> str:
        """See Work. The files that a document names count by size and time."""
        asked = self.options
        document = self.document
        parts: list[object] = [__version__, document.input, document.output, document.store.default]
        parts += [(node.id, node.step, node.sources) for node in document.nodes]
        parts += [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in _files(document)]
        parts += [asked.signed, asked.depth, asked.alpha, asked.contact_sheet, asked.common_scale, asked.format]
        parts += [asked.quality, asked.compression, asked.computing.backend, asked.computing.device]
        return repr(parts)

    def load(self) -> None:
        """See Work."""
        for module in ("formats.opencv_codec", "reading", "formats.png.codec", "formats.jpeg.codec", "writing"):
            import_module(f"convcli.image.{module}")

    def memory(self, decoded_bytes: int) -> int:
        """See Work. Maps grow with the image, which is taken to be of bytes."""
        wanted = self.document.input
        size = (*(wanted.size or (_SIDE, _SIDE)), wanted.channels or _CHANNELS)
        try:
            peak = runner.check_size(self._pipeline, size).peak_bytes()
        except ConvcliError:
            return decoded_bytes * _UNKNOWN + _AT_LEAST
        return decoded_bytes * _COPIES * peak // (size[0] * size[1] * size[2]) + _AT_LEAST

    def run(self, source: str, output: str, temporary_folder: str | None) -> Result:
        """See Work."""
        return runner.run_file(source, output, self._pipeline, self.options, temporary_folder=temporary_folder)


def _files(document: Document) -> list[Path]:
    """The files that a document names: kernels, weights, fields, patterns."""
    folder = Path(document.where).parent
    found = []
    for text in {*_texts(document), *([document.store.default] if isinstance(document.store.default, str) else [])}:
        for name in (text, split_spec(text)[0], text.rpartition(":")[0]):
            for path in (Path(name), folder / name):
                if name and len(name) < 4096 and "\0" not in name and "\n" not in name and path.is_file():
                    found.append(path)
    return sorted(set(found))


def _texts(document: Document) -> Iterator[str]:
    for node in document.nodes:
        for option in node.step.__struct_fields__:
            value = getattr(node.step, option)
            if isinstance(value, str):
                yield value
