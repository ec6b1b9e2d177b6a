"""What every step of a pipeline has: options read strictly, a size rule, facts, and the work itself.

A step is a small frozen structure whose fields are its options as a document writes them. It knows nothing of files,
other steps or places in a document: an error it raises is a bare reason, to which the document adds file and path.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.errors import UsageError
from convcli.pipeline.steps.properties import Facts, Pair, Shape

if TYPE_CHECKING:
    from convcli.pipeline.weights.store import WeightStore

Maps = NDArray[np.float32]  # (rows, columns, channels)

Positive = Annotated[int, Meta(ge=1, le=1 << 20)]
NotNegative = Annotated[int, Meta(ge=0, le=1 << 20)]
# One number for rows and columns alike, or one each. Not `tuple[Positive, Positive]`: msgspec 0.22 crashes when it
# collects a union of a bounded number and a tuple of fixed length.
PositivePair = Positive | Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=2)]
NotNegativePair = NotNegative | Annotated[tuple[NotNegative, ...], Meta(min_length=2, max_length=2)]


class StepError(UsageError):
    """Options, sizes or weights that a step cannot work with: the reason, without the place."""


@dataclass(frozen=True)
class Setting:
    """Where a step is prepared.

    `place` is its id in the document, `white` the sample value that stands for white, `weights` what loads and keeps
    weights. `backend`, `threads` and `device` are those of `convolve`.
    """

    weights: "WeightStore"
    place: str = ""
    white: float = 1.0
    backend: str = "auto"
    threads: int | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Prepared:
    """A step that is ready for inputs of known sizes: `run` takes one array for each input and gives the result.

    Arrays are float32 (rows, columns, channels). `run` changes none of its inputs, and may return one of them.
    `backend` and `reason` say how it is computed, where there was a choice.
    """

    run: Callable[..., Maps]
    backend: str = ""
    reason: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of all steps.

    A subclass has a `name`, as documents write it; says how many inputs it takes; and has `output` and, where it has
    more to say, `facts`. What needs no weights and no setting has `run`; others have `prepare`.

    `main` names the option that may be given alone: `max_pool: 2` for `max_pool: {size: 2}`. `unless_told` says for
    people what an option without a default value is, or does, where it is not given.
    """

    name: ClassVar[str] = ""
    main: ClassVar[str | None] = None
    unless_told: ClassVar[dict[str, str]] = {}
    least_inputs: ClassVar[int] = 1
    most_inputs: ClassVar[int | None] = 1  # None: any number

    def located(self, folder: Path) -> Self:
        """Give the step with the files that its options name looked for in the folder of its document.

        Raises StepError for files without which not even sizes can be told.
        """
        return self

    def check_files(self) -> None:
        """Look whether the images that options name can be read, before one is put through. Raises StepError."""

    def wanted(self) -> Iterable[tuple[str, Any, str]]:
        """Give the weights without which this does not run: option, what it is given as, and member of a file.

        What is given as None comes from the document. The member's name follows the step's id and a point.
        """
        return ()

    def biased(self) -> Iterable[tuple[Any, Any, str]]:
        """Give the biases without which this does not run: as given, the weights they belong to, and where those lie.

        That is what follows the step's id in a file, nothing or a point and a name.
        """
        return ()

    def output(self, *inputs: Shape) -> Shape:
        """Tell the size of the result; of one input, as large as that unless a step says otherwise.

        Raises StepError where the step cannot take such inputs.
        """
        return inputs[0]

    def facts(self, *inputs: Shape) -> Facts:
        """Tell what can be said of the step on inputs of these sizes. Raises StepError as `output` does."""
        return Facts(self.output(*inputs))

    def bank(self, *inputs: Shape, setting: Setting) -> Bank | None:
        """Give the step as one bank of kernels laid on its input, up to biases and strides; None where it is none.

        Raises StepError for weights that are missing or of another size.
        """
        return None

    def prepare(self, *inputs: Shape, setting: Setting) -> Prepared:
        """Load and check everything that running needs, so that nothing but memory can fail afterwards.

        Raises StepError as `output` does, and for weights that are missing or of another size.
        """
        self.output(*inputs)
        return Prepared(partial(self.run, threads=setting.threads))

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        """Compute the result of inputs that `output` accepts, in so many threads, by default all."""
        raise NotImplementedError(f"{self.name} runs when it is prepared")


def pair(value: int | tuple[int, ...]) -> Pair:
    """Take one number for rows and columns alike, or two.

    >>> pair(2), pair((2, 3))
    ((2, 2), (2, 3))
    """
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def size_text(shape: Shape) -> str:
    """Write a size for people.

    >>> size_text((480, 640, 3))
    '480x640x3'
    """
    return "x".join(map(str, shape))
