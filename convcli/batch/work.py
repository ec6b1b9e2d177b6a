"""What is done to each file of a batch, inside one of its processes."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import NamedTuple, Protocol

from convcli import __version__
from convcli.errors import ConvcliError, ImageWriteError
from convcli.image.header_size import decoded_bytes
from convcli.kernel.model import AnyKernel, CompositeKernel
from convcli.process import image_job as job
from convcli.process.image_job import FilterOptions, Result
from convcli.system.captured_stderr import captured_lines

# Deflate turns a byte into no more than this, and other formats that are common do not come near.
_MOST_INFLATION = 1032
# What a picture takes besides its samples as they are read: the result's, as many, and what is made on the way.
_COPIES = 3
_FLOAT_COPIES = 4
_AT_LEAST = 32 << 20


class Work(Protocol):
    """Makes an output of an input. It must be the same in every process, and what pickle takes."""

    def on_threads(self, threads: int) -> "Work":
        """Give this work on so many cores for each image, and with leave to replace what is there."""

    def key(self) -> str:
        """Identify all that the bytes of an output depend on besides the input."""

    def load(self) -> None:
        """Load what will be needed, before processes are made of this one."""

    def memory(self, decoded_bytes: int) -> int:
        """Estimate the memory that an image of so many bytes takes, by its number and type of samples."""

    def run(self, source: str, output: str, temporary_folder: str | None) -> Result:
        """Do one image. Raises ConvcliError."""


class Task(NamedTuple):
    """One file to do; `replace` says that what is at `output` already may be replaced."""

    source: str
    output: str
    bytes: int
    replace: bool


class Answer(NamedTuple):
    """A result, and size and time (ns) of the input and the output that it is of; -1 where there is none."""

    result: Result
    input_bytes: int = -1
    input_mtime_ns: int = -1
    output_bytes: int = -1
    output_mtime_ns: int = -1


@dataclass(frozen=True)
class FilterWork:
    """Filters each image by the same kernels."""

    options: FilterOptions
    kernels: Sequence[AnyKernel]

    def on_threads(self, threads: int) -> "FilterWork":
        """See Work."""
        convolve = replace(self.options.convolve, threads=threads)
        return FilterWork(replace(self.options, existing="overwrite", convolve=convolve), self.kernels)

    def key(self) -> str:
        """See Work. Kernels count by their weights: the file behind a name may change."""
        parts: list[object] = [__version__]
        for kernel in self.kernels:
            composite = isinstance(kernel, CompositeKernel)
            parts += [kernel.mapping, kernel.combine if isinstance(kernel, CompositeKernel) else None, composite]
            for each in kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,):
                parts += [each.size, each.weights.tobytes(), each.anchor]
        asked = self.options
        parts += [replace(asked.convolve, threads=None), asked.tone, asked.depth, asked.format]
        parts += [asked.quality, asked.compression]
        return repr(parts)

    def load(self) -> None:
        """See Work."""
        for module in ("formats.opencv_codec", "reading", "formats.png.codec", "formats.jpeg.codec", "writing"):
            import_module(f"convcli.image.{module}")
        import_module("convcli.convolution.backends.opencv")

    def memory(self, decoded_bytes: int) -> int:
        """See Work."""
        toning, convolve = self.options.tone, self.options.convolve
        plain = not toning.linear and convolve.precision == "single" and len(self.kernels) == 1
        plain = plain and toning.signed != "stretch" and self.options.depth != "f32"
        return decoded_bytes * (_COPIES if plain else _COPIES + _FLOAT_COPIES * _COPIES) + _AT_LEAST

    def run(self, source: str, output: str, temporary_folder: str | None) -> Result:
        """See Work."""
        return job.run(source, output, self.kernels, self.options, cold=False, temporary_folder=temporary_folder)


@dataclass(frozen=True)
class FileWork:
    """Does the work on one file, come what may: whatever goes wrong is the file's failure.

    What is not whole yet lies in `temporary_folder`, which is None where nothing is written at all. Leave is asked for
    images that take more than `share` bytes of memory.
    """

    work: Work
    temporary_folder: str | None
    share: int

    def __call__(self, task: Task, ask: Callable[[int], None]) -> Answer:
        """Do one file."""
        answer = self._answer(task, ask)
        said = captured_lines()
        if said and answer.result.error is None:  # else it is known what is wrong
            notes = answer.result.notes + tuple(f"{task.source}: a library says: {line}" for line in said)
            return answer._replace(result=replace(answer.result, notes=notes))
        return answer

    def _answer(self, task: Task, ask: Callable[[int], None]) -> Answer:
        needed = self._needed(task)
        if needed > self.share:
            ask(needed)
        source, output = task.source, task.output
        try:
            read = os.stat(source)
            if self.temporary_folder is not None:
                _check_place(task)
            result = self.work.run(source, output, self.temporary_folder)
            if result.status != "done":
                return Answer(result)
            written = os.stat(output)
        except ConvcliError as error:
            return Answer(job.failed(source, output, error))
        except OSError as error:
            return Answer(Result(source, output, "failed", error=_told(source, error)))
        except MemoryError:
            reason = f"{source}: there is not enough memory for this image: filter it by itself, or a smaller part"
            return Answer(Result(source, output, "failed", error=reason))
        except Exception as error:  # one image must not stop the others, whatever is the matter with it
            reason = f"{source}: unexpected {type(error).__name__}: {' '.join(str(error).split())}; please report it"
            return Answer(Result(source, output, "failed", error=reason))
        return Answer(result, read.st_size, read.st_mtime_ns, written.st_size, written.st_mtime_ns)

    def _needed(self, task: Task) -> int:
        """Estimate the memory that a file takes; only of one that could take much is the header looked at."""
        if self.work.memory(task.bytes * _MOST_INFLATION) <= self.share:
            return 0
        try:
            return self.work.memory(decoded_bytes(task.source, task.bytes))
        except (OSError, ValueError):  # reading it will say what is wrong
            return 0


def _check_place(task: Task) -> None:
    """Check that the output can be put where it belongs, so that nothing is read and filtered in vain."""
    folder = os.path.dirname(task.output)
    if not os.path.isdir(folder):
        raise ImageWriteError(f"{task.output}: not tried: there is no folder {folder}: has it been removed?")
    if not task.replace and os.path.lexists(task.output):
        raise ImageWriteError(f"{task.output}: has been made by somebody else meanwhile, and is not replaced")


def _told(source: str, error: OSError) -> str:
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else source
    return f"{where}: {'no such file; it was there before' if isinstance(error, FileNotFoundError) else error.strerror}"
