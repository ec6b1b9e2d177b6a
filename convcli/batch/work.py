"""The processing of one file of a batch, inside one of its processes."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import NamedTuple

from convcli import __version__
from convcli.errors import ConvcliError, ImageWriteError
from convcli.image.header_size import decoded_bytes
from convcli.process.operation import Operation
from convcli.process.result import ImageResult, failed_result
from convcli.process.shell import process_image
from convcli.system.captured_stderr import captured_lines

# Deflate turns a byte into no more than this, and other formats that are common do not come near.
_MOST_INFLATION = 1032


class BatchTask(NamedTuple):
    """One file to do; `replace` says that what is at `output` already may be replaced, `mask` is a mask of its own."""

    source: str
    output: str
    bytes: int
    replace: bool
    mask: str | None = None


class TaskAnswer(NamedTuple):
    """A result, and size and time (ns) of the input and the output that it is of; -1 where there is none."""

    result: ImageResult
    input_bytes: int = -1
    input_mtime_ns: int = -1
    output_bytes: int = -1
    output_mtime_ns: int = -1


def operation_key(operation: Operation) -> str:
    """Return what identifies all that the bytes of an output depend on besides its input: options and version."""
    return f"{__version__} {operation.cache_key()}"


def load_libraries() -> None:
    """Load what most images need, before processes are made of this one."""
    for module in (
        "image.formats.opencv_codec",
        "image.reading",
        "image.formats.png.codec",
        "image.formats.jpeg.codec",
        "image.writing",
        "convolution.backends.opencv",
    ):
        import_module(f"convcli.{module}")


@dataclass(frozen=True)
class FileWorker:
    """Processes one file, come what may: whatever goes wrong is the file's failure.

    Parameters
    ----------
    operation : Operation
        What is done to each image.
    temporary_folder : str or None
        Where what is not whole yet is written; None where nothing is written at all.
    share : int
        Bytes of memory, from which on an image waits for leave.
    """

    operation: Operation
    temporary_folder: str | None
    share: int

    def __call__(self, task: BatchTask, ask: Callable[[int], None]) -> TaskAnswer:
        """Process one file; `ask` is called with the bytes of memory that it takes, where they are many."""
        answer = self._answer(task, ask)
        said = captured_lines()
        if said and answer.result.error is None:  # else it is known what is wrong
            notes = answer.result.notes + tuple(f"{task.source}: a library says: {line}" for line in said)
            return answer._replace(result=replace(answer.result, notes=notes))
        return answer

    def _answer(self, task: BatchTask, ask: Callable[[int], None]) -> TaskAnswer:
        needed = self._needed(task)
        if needed > self.share:
            ask(needed)
        source, output = task.source, task.output
        try:
            read = os.stat(source)
            if self.temporary_folder is not None:
                _check_place(task)
            operation = self.operation if task.mask is None else self.operation.with_mask(task.mask)
            result = process_image(source, output, operation, temporary_folder=self.temporary_folder)
            if result.status != "done":
                return TaskAnswer(result)
            written = os.stat(output)
        except ConvcliError as error:
            return TaskAnswer(failed_result(source, output, error))
        except OSError as error:
            return TaskAnswer(ImageResult(source, output, "failed", error=_told(source, error)))
        except MemoryError:
            reason = f"{source}: there is not enough memory for this image: filter it by itself, or a smaller part"
            return TaskAnswer(ImageResult(source, output, "failed", error=reason))
        except Exception as error:  # one image must not stop the others, whatever is the matter with it
            reason = f"{source}: unexpected {type(error).__name__}: {' '.join(str(error).split())}; please report it"
            return TaskAnswer(ImageResult(source, output, "failed", error=reason))
        return TaskAnswer(result, read.st_size, read.st_mtime_ns, written.st_size, written.st_mtime_ns)

    def _needed(self, task: BatchTask) -> int:
        """Estimate the memory that a file takes; only of one that could take much is the header looked at."""
        if self.operation.memory(task.bytes * _MOST_INFLATION) <= self.share:
            return 0
        try:
            return self.operation.memory(decoded_bytes(task.source, task.bytes))
        except (OSError, ValueError):  # reading it will say what is wrong
            return 0


def _check_place(task: BatchTask) -> None:
    """Check that the output can be put where it belongs, so that nothing is read and filtered in vain."""
    folder = os.path.dirname(task.output)
    if not os.path.isdir(folder):
        raise ImageWriteError(f"{task.output}: not tried: there is no folder {folder}: has it been removed?")
    if not task.replace and os.path.lexists(task.output):
        raise ImageWriteError(f"{task.output}: has been made by somebody else meanwhile, and is not replaced")


def _told(source: str, error: OSError) -> str:
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else source
    return f"{where}: {'no such file; it was there before' if isinstance(error, FileNotFoundError) else error.strerror}"
