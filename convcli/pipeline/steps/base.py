"""The base class of all steps: options read strictly, sizes and costs, and the computation itself.

A step is a small frozen structure whose fields are its options, as a document writes them. It knows nothing of other
steps, nor of its place in a document: an error that it raises is the reason alone, and the document adds the place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.pipeline.steps.properties import Pair, Shape, StepProperties
from convcli.pipeline.weights.store import WeightStore

# Feature maps: (rows, columns, channels).
Maps = NDArray[np.float32]

Positive = Annotated[int, Meta(ge=1, le=1 << 20)]
NotNegative = Annotated[int, Meta(ge=0, le=1 << 20)]
# One number for rows and columns alike, or one each. Not `tuple[Positive, Positive]`: msgspec 0.22 crashes when the
# garbage collector visits a union of a bounded number and a tuple of fixed length.
PositivePair = Positive | Annotated[tuple[Positive, ...], Meta(min_length=2, max_length=2)]
NotNegativePair = NotNegative | Annotated[tuple[NotNegative, ...], Meta(min_length=2, max_length=2)]


@dataclass(frozen=True)
class StepContext:
    """What a step is prepared with.

    Attributes
    ----------
    weights : WeightStore
        Loads the document's weights and keeps them.
    place : str
        The step's id in the document.
    white : float
        The sample value that stands for white.
    backend, threads, device
        As for `convcli.convolve`.
    """

    weights: WeightStore
    place: str = ""
    white: float = 1.0
    backend: str = "auto"
    threads: int | None = None
    device: str = "auto"


@dataclass(frozen=True)
class PreparedStep:
    """A step that is ready for inputs of known sizes.

    Attributes
    ----------
    run : callable
        Takes one float32 array (rows, columns, channels) for each input and returns another. It changes none of its
        inputs, and may return one of them.
    backend, reason : str
        How the step is computed and why, where there was a choice.
    """

    run: Callable[..., Maps]
    backend: str = ""
    reason: str = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of a pipeline.

    A subclass with a `name` is found by the registry. Its docstring is its help: a first line, snippets, paragraphs.
    It overrides `properties` where the result differs in size from the input or costs something, and `run`; where it
    needs weights or the context, `prepare` instead of `run`.

    Attributes
    ----------
    name : str
        The step's name in documents; empty for a base class.
    main : str or None
        The option that may be given alone: ``max_pool: 2`` for ``max_pool: {size: 2}``.
    main_list : str or None
        The option that a list given alone is, where `main` is another: ``add: [1, -1]`` for
        ``add: {factors: [1, -1]}``.
    implicit_defaults : dict
        For each option whose default is null, what happens where it is left out, in words.
    least_inputs, most_inputs : int
        How many inputs the step takes; `most_inputs` is None where there is no limit.
    replaces_dense : bool
        Whether a dense layer from every input sample to every output could stand in its place; `explain` compares
        the numbers of weights.
    """

    name: ClassVar[str] = ""
    main: ClassVar[str | None] = None
    main_list: ClassVar[str | None] = None
    implicit_defaults: ClassVar[dict[str, str]] = {}
    least_inputs: ClassVar[int] = 1
    most_inputs: ClassVar[int | None] = 1
    replaces_dense: ClassVar[bool] = False

    def fewest_inputs(self) -> int:
        """Return how many inputs the step needs with its options; unless overridden, `least_inputs`."""
        return self.least_inputs

    def relative_to(self, folder: Path) -> Self:
        """Return the step with the files that its options name looked for in `folder`, that of the document.

        Raises
        ------
        StepError, KernelError
            If a file is missing without which the output size is not known.
        """
        return self

    def check_files(self) -> None:
        """Check that the images which options name can be read.

        Raises
        ------
        StepError
            If one of them cannot.
        """

    def required_weights(self) -> Iterable[tuple[str, Any, str]]:
        """Return the weights that running needs.

        Returns
        -------
        iterable of (option, value, member)
            The option's name; its value, None where the weights are the document's; and their name in the document's
            file of weights, which follows the step's id and a point.
        """
        return ()

    def required_biases(self) -> Iterable[tuple[Any, Any, str]]:
        """Return the biases that running needs.

        Returns
        -------
        iterable of (value, weights, suffix)
            The value of the option; the value of the weights that the biases belong to; and what follows the step's id
            in the document's file of weights: nothing, or a point and a name.
        """
        return ()

    def properties(self, *inputs: Shape) -> StepProperties:
        """Return sizes and costs for inputs of these sizes; unless overridden, those of a step that keeps the size.

        Raises
        ------
        StepError, FilterError, UsageError
            If the step cannot take inputs of these sizes.
        """
        return StepProperties(inputs[0])

    def output(self, *inputs: Shape) -> Shape:
        """Return the size of the result: rows, columns, channels. Raises what `properties` raises."""
        return self.properties(*inputs).output

    def bank(self, *inputs: Shape, context: StepContext) -> Bank | None:
        """Return the step as one bank of kernels, up to biases and strides; None where it is not a convolution.

        Raises
        ------
        StepError
            If weights are missing or of another size.
        """
        return None

    def prepare(self, *inputs: Shape, context: StepContext) -> PreparedStep:
        """Load and check everything that running needs, so that afterwards only memory can run out.

        Raises
        ------
        StepError
            If weights are missing or of another size; and what `properties` raises.
        """
        self.output(*inputs)
        return PreparedStep(partial(self.run, threads=context.threads))

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        """Compute the result.

        Parameters
        ----------
        *inputs : arrays of float32, (rows, columns, channels)
            Of sizes that `properties` accepts; none of them is changed.
        threads : int or None
            How many threads to use; all cores if None.
        """
        raise NotImplementedError(f"{self.name} runs when it is prepared")


def pair(value: int | tuple[int, ...]) -> Pair:
    """Return (rows, columns) of one number for both, or of two.

    >>> pair(2), pair((2, 3))
    ((2, 2), (2, 3))
    """
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def size_text(shape: tuple[int, ...]) -> str:
    """Return a size as text.

    >>> size_text((480, 640, 3))
    '480x640x3'
    """
    return "x".join(map(str, shape))
