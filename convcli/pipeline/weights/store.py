"""Weights of steps: written out in a document, read from files, or random as networks are initialised before training.

Nothing is ever unpickled. The header of a file is compared with what is needed before its numbers are read, so that no
file makes this process take more memory than the document asks for.
"""

import math
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from convcli.kernel.weights import finite, parse_number
from convcli.pipeline.errors import StepError
from convcli.pipeline.file_version import file_version
from convcli.pipeline.weights.tensor_files import (
    TensorFileError,
    check_tensor,
    is_reference,
    members,
    read_tensor,
    split_reference,
)
from convcli.system.memory import available_bytes

WEIGHT, BIAS = "weight", "bias"

# Words for random weights, where a file is expected, and the way that each means.
_INIT_WORDS = {"he": "he", "kaiming": "he", "xavier": "xavier", "glorot": "xavier", "random": "he"}


class WeightInit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Random weights, for a document without trained ones; biases are 0.

    `he`: normal, of variance 2 / fan_in (He et al. 2015, for relu). `xavier`: uniform within +-sqrt(6 / (fan_in +
    fan_out)) (Glorot and Bengio 2010). Fans are counted as torch.nn.init counts them. The numbers depend on the seed,
    the step's id and the shape alone.
    """

    init: Literal["he", "xavier"]
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] = 0


# As a step takes them: rows of numbers, a file, a way to draw them, or nothing (the document's own).
Weights = WeightInit | str | list[Any] | None


class WeightStore:
    """Finds the weights of a document's steps and keeps them for the next image.

    Parameters
    ----------
    folder : Path
        Where files are looked for.
    default : WeightInit, str or None
        What steps without weights of their own take: random numbers, or a .npz or .safetensors file with members
        `ID.weight` and `ID.bias`, as PyTorch names those of its layers.
    """

    def __init__(self, folder: Path = Path(), default: WeightInit | str | None = None) -> None:
        self._folder = folder
        self.default = default
        self._kept: dict[tuple[Any, ...], NDArray[np.float32]] = {}

    def get(
        self,
        given: Weights,
        shape: tuple[int, ...],
        place: str,
        member: str = WEIGHT,
        option: str = "weights",
        fill: float | None = None,
    ) -> NDArray[np.float32]:
        """Return the weights of a step.

        Parameters
        ----------
        given : WeightInit, str, list or None
            Value of the step's option; None for the document's weights.
        shape : tuple of int
        place : str
            The step's id.
        member : str
            Name of the weights in the document's file, behind the step's id and a point.
        option : str
            Name of the option, for messages.
        fill : float, optional
            What all of them are where weights are random: 0 for biases.

        Returns
        -------
        float32 array of `shape`

        Raises
        ------
        StepError
            If they are missing, of another shape, not numbers or not finite.
        """
        if given is None:
            given = self.default
            if isinstance(given, str):
                return self._from_file(f"{given}:{place}.{member}", shape, "weights of the document")
        if given is None:
            raise _missing(option)
        if isinstance(given, str):
            return self._from_file(given, shape, option)
        if isinstance(given, WeightInit):
            if fill is not None:
                return np.full(shape, fill, np.float32)
            return self._keep((given, place, member, shape), lambda: _draw(given, shape, place))
        values = parse_nested_lists(given, option)
        if values.shape != shape:
            raise StepError(f"{option}: are of {_size(values.shape)}, and must be of {_size(shape)}")
        return values

    def biases(
        self, given: bool | str | Sequence[Any], weights: Weights, count: int, place: str
    ) -> NDArray[np.float32] | None:
        """Return one bias for each of `count` outputs, or None for a step without.

        Parameters
        ----------
        given : bool, str or list
            Value of the step's option. True stands for those that belong to the weights: `X.bias` beside a file's
            `X.weight`, those of the document's file, and 0 where weights are written out or random.
        weights : WeightInit, str, list or None
            Value of the option for the weights.
        count : int
        place : str
            The step's id.

        Raises
        ------
        StepError
            If they are missing, of another number, not numbers or not finite.
        """
        if given is False:
            return None
        if given is not True:
            own = given if isinstance(given, str) else list(given)
            return self.get(own, (count,), place, BIAS, "bias")
        if isinstance(weights, str):
            return self._from_file(_bias_of(weights), (count,), "bias")
        if weights is None and isinstance(self.default, str):
            return self.get(None, (count,), place, BIAS, "bias")
        return np.zeros(count, np.float32)

    def check_default(self) -> None:
        """Check that the document's file of weights can be read, where it names one.

        Raises
        ------
        StepError
            If it is no file of arrays.
        """
        if isinstance(self.default, str) and not members(self._folder / self.default):
            raise StepError(f"weights: {self.default}: is no .npz or .safetensors file with arrays in it")

    def check_files(self, options: msgspec.Struct) -> None:
        """Check that the arrays which the options of a step name are there.

        Raises
        ------
        StepError
            If a file or an array in it is missing or damaged.
        """
        for option in options.__struct_fields__:
            given = getattr(options, option)
            if option == "weights" and isinstance(given, str) and given.lower() in _INIT_WORDS:
                how = _INIT_WORDS[given.lower()]
                raise StepError(f"weights: a random start is written weights: {{init: {how}}}, not {given}")
            if isinstance(given, str) and is_reference(given):
                try:
                    check_tensor(self._folder, given)
                except TensorFileError as error:
                    raise StepError(f"{option}: {error}") from error

    def check_given(
        self, weights: Iterable[tuple[str, Any, str]], biases: Iterable[tuple[Any, Any, str]], place: str
    ) -> None:
        """Check that the weights and biases which a step does not have itself are those of the document.

        Parameters
        ----------
        weights, biases : iterables of tuples
            As a step's `required_weights` and `required_biases` return them.
        place : str
            The step's id.

        Raises
        ------
        StepError
            If one is missing, whatever the image.
        """
        for option, given, member in weights:
            if given is None and self.default is None:
                raise _missing(option)
            if given is None and isinstance(self.default, str):
                try:
                    check_tensor(self._folder, f"{self.default}:{place}.{member}")
                except TensorFileError as error:
                    raise StepError(f"weights of the document: {error}") from error
        for bias, of_weights, suffix in biases:
            self._check_biases(bias, of_weights, place + suffix)

    def _check_biases(self, given: Any, weights: Weights, place: str) -> None:
        if given is not True or not isinstance(weights or self.default, str):
            return
        try:
            if isinstance(weights, str):
                option = "bias"
                check_tensor(self._folder, _bias_of(weights))
            else:
                option = "weights of the document"
                check_tensor(self._folder, f"{self.default}:{place}.{BIAS}")
        except TensorFileError as error:
            raise StepError(f"{option}: {error}") from error

    def field(self, reference: str, option: str) -> NDArray[np.float32]:
        """Return an array of any shape from a file, such as a field of offsets. Raises StepError."""
        return self._from_file(reference, None, option)

    def _from_file(self, reference: str, shape: tuple[int, ...] | None, option: str) -> NDArray[np.float32]:
        def read() -> NDArray[np.float32]:
            try:
                return read_tensor(self._folder, reference, shape)
            except TensorFileError as error:
                raise StepError(f"{option}: {error}") from error

        version = file_version(self._folder / split_reference(reference)[0])
        return self._keep((reference, shape, version), read)

    def _keep(self, key: tuple[Any, ...], make: Any) -> NDArray[np.float32]:
        if key not in self._kept:
            weights: NDArray[np.float32] = make()
            weights.flags.writeable = False
            self._kept[key] = weights
        return self._kept[key]


def parse_nested_lists(rows: Sequence[Any], option: str) -> NDArray[np.float32]:
    """Return nested lists of numbers and fractions as an array.

    Parameters
    ----------
    rows : list
    option : str
        Name of the option, for messages.

    Returns
    -------
    float32 array, read-only

    Raises
    ------
    StepError
        If lists differ in length or depth, or something is not a finite number.

    Examples
    --------
    >>> parse_nested_lists([[1, "1/4"]], "weights").tolist()
    [[1.0, 0.25]]
    >>> parse_nested_lists([[1, 2], [3]], "weights")
    Traceback (most recent call last):
    convcli.pipeline.errors.StepError: weights[1]: is of length 1 where the first is of 2
    """
    shape: list[int] = []
    inner: Any = rows
    while isinstance(inner, list):
        if not inner:
            raise StepError(f"{option}: holds an empty list")
        shape.append(len(inner))
        inner = inner[0]
    values: list[float] = []

    def fill(part: Any, depth: int, place: str) -> None:
        if depth == len(shape):
            values.append(_number(part, place))
            return
        if not isinstance(part, list):
            raise StepError(f"{place}: must be a list, as the first is, not {part!r}")
        if len(part) != shape[depth]:
            raise StepError(f"{place}: is of length {len(part)} where the first is of {shape[depth]}")
        for index, each in enumerate(part):
            fill(each, depth + 1, f"{place}[{index}]")

    fill(rows, 0, option)
    with np.errstate(over="ignore"):  # which is looked for below
        array = np.array(values, np.float64).reshape(shape).astype(np.float32)
    if not np.isfinite(array).all():
        raise StepError(f"{option}: holds a number that is too large for single precision")
    array.flags.writeable = False
    return array


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise StepError(f"{place}: must be a number, as the first is, not {value!r}")
    try:
        return parse_number(value) if isinstance(value, str) else finite(value)
    except ValueError as error:
        raise StepError(f"{place}: {error}") from error


def written_shape(weights: Weights, dimensions: int, option: str = "weights") -> tuple[int, ...] | None:
    """Return the shape of weights that are written out, None for others. Raises StepError for other `dimensions`."""
    if not isinstance(weights, list):
        return None
    shape = parse_nested_lists(weights, option).shape
    if len(shape) != dimensions:
        raise StepError(f"{option}: are lists {len(shape)} deep, and must be {dimensions} deep")
    return shape


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan-in and fan-out of weights as torch.nn.init counts them: inputs and outputs times the kernel's area.

    >>> fans((64, 3, 7, 7)), fans((10, 84))
    ((147, 3136), (84, 10))
    """
    area = math.prod(shape[2:])
    return shape[1] * area, shape[0] * area


def _bias_of(weights: str) -> str:
    """Return the reference of the biases beside weights in a file. Raises StepError if none follows from the name."""
    file, colon, member = weights.rpartition(":")
    if not colon or not member.endswith(WEIGHT):
        raise StepError(
            f"bias: does not follow from weights: {weights}: give a file, a list, or false where there is none"
        )
    return f"{file}:{member.removesuffix(WEIGHT)}{BIAS}"


def _missing(option: str) -> StepError:
    how = "[...], a file, or {init: he, seed: 0}, here or for the whole document"
    return StepError(f"has no {option}: give {option}: {how}")


def _draw(how: WeightInit, shape: tuple[int, ...], place: str) -> NDArray[np.float32]:
    available, wanted = available_bytes(), 4 * math.prod(shape)
    if available is not None and wanted > available:
        raise StepError(f"weights of {_size(shape)} take {wanted / 1e9:,.1f} GB, and {available / 1e9:.1f} GB are free")
    generator = np.random.default_rng([how.seed, zlib.crc32(place.encode())])
    fan_in, fan_out = fans(shape)
    if how.init == "he":
        return generator.standard_normal(shape, np.float32) * np.float32(math.sqrt(2 / fan_in))
    bound = math.sqrt(6 / (fan_in + fan_out))
    return (generator.random(shape, np.float32) * np.float32(2) - np.float32(1)) * np.float32(bound)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
