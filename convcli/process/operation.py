"""The interface of what is done to an image, be it a chain of kernels or a pipeline.

An `Operation` is loaded and checked before any image is known. Laid on an image it becomes an `ImageOperation`, which
knows all about its result before it computes it, and which part of the image each part of the result depends on.
"""

from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from convcli.image.formats.registry import Format
from convcli.image.model import Image
from convcli.process.output_files import OutputOptions, OutputPlan
from convcli.process.result import StepResult


class Halo(NamedTuple):
    """How far on either side of its own place on the image a part of the result depends on it.

    Row r of the result lies at row r * n of the image where the operation keeps every n-th row; columns likewise.
    """

    rows: int
    columns: int


class ImageOperation(Protocol):
    """An operation laid on one image, ready to run once."""

    @property
    def plan(self) -> OutputPlan:
        """All that is known of the output."""

    @property
    def halo(self) -> Halo | None:
        """How much of the image around it a band of the result needs; None where it needs the whole image."""

    @property
    def writing_seconds(self) -> float:
        """Seconds of `run` in which files were written."""

    def run(self) -> NDArray[Any]:
        """Compute the samples (height, width, channels) of the output. Raises FilterError. To be called once."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines on the result that a user should see, known once it is computed."""

    def steps(self) -> tuple[StepResult, ...]:
        """Return what is, or was, computed, in order."""


class Operation(Protocol):
    """A chain of kernels or a pipeline, loaded and checked. It is the same in every process, and can be pickled."""

    @property
    def output(self) -> OutputOptions:
        """How its results are written."""

    @property
    def name(self) -> str:
        """The part of an output's default name that tells what was done."""

    @property
    def threads(self) -> int | None:
        """How many cores reading, computing and writing may use; None for all."""

    @property
    def signed(self) -> str:
        """The mapping that was asked for."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it was loaded from, which no output may replace."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines that a user should see once, whatever the images."""

    def in_worker(self, threads: int) -> "Operation":
        """Return this for one of many processes: on so many cores, and with leave to replace what is there."""

    def cache_key(self) -> str:
        """Return what identifies all that the bytes of an output depend on, but for the image and the version."""

    def memory(self, decoded_bytes: int) -> int:
        """Estimate the memory in bytes that an image takes, read and computed, by the size of its samples."""

    def on_image(self, image: Image, source: str, output: str, format_: Format) -> ImageOperation:
        """Lay it on an image, to be written to `output` in a format.

        Raises
        ------
        FilterError
            This image cannot be processed so.
        OutputError
            The format cannot hold the result.
        """
