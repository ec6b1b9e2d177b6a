"""The options of one convolution, checked once, and the words they are written in.

Imports no numpy: the command line reads its choices from here before it knows whether there is anything to compute.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from convcli.convolution.backends.registry import REGISTRY, backend_names
from convcli.convolution.padding import PADDINGS
from convcli.errors import UsageError, check_word
from convcli.system.threads import available_threads

__all__ = [
    "BACKENDS",
    "DEVICES",
    "EXTENTS",
    "PADDING_ALIASES",
    "PADDING_MODES",
    "PRECISIONS",
    "SIGNED",
    "ConvolveOptions",
    "available_threads",
    "pair_of",
]

PADDING_MODES = tuple(mode.name for mode in PADDINGS)
PADDING_ALIASES = {alias: mode.name for mode in PADDINGS for alias in mode.aliases}
EXTENTS = ("same", "valid", "full")
BACKENDS = ("auto", *backend_names())
PRECISIONS = ("single", "double")
# How a response becomes a picture.
SIGNED = ("auto", "clip", "abs", "offset", "stretch")
DEVICES = ("auto", *dict.fromkeys(device for entry in REGISTRY for device in entry.devices))


@dataclass(frozen=True)
class ConvolveOptions:
    """Options of a convolution; pairs are rows, columns. Aliases of padding modes are resolved when one is made.

    >>> ConvolveOptions(padding="zeros").padding
    'constant'

    Raises
    ------
    UsageError
        for an unknown word, or a stride, dilation or thread count below 1.
    """

    padding: str = "reflect101"
    padding_value: float | tuple[float, ...] = 0.0
    extent: str = "same"
    flip: bool = False
    anchor: tuple[int, int] | None = None
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    backend: str = "auto"
    precision: str = "single"
    threads: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        padding = PADDING_ALIASES.get(self.padding, self.padding)
        check_word("padding", padding, PADDING_MODES, also=tuple(PADDING_ALIASES))
        check_word("extent", self.extent, EXTENTS)
        check_word("backend", self.backend, BACKENDS)
        check_word("precision", self.precision, PRECISIONS)
        check_word("device", self.device, DEVICES)
        value = self.padding_value
        value = tuple(float(v) for v in value) if isinstance(value, Sequence) else float(value)
        if not all(map(math.isfinite, value if isinstance(value, tuple) else (value,))):
            raise UsageError(f"padding value must be finite, not {self.padding_value}")
        # A frozen dataclass is completed in place once; nobody has seen it yet.
        object.__setattr__(self, "padding", padding)
        object.__setattr__(self, "padding_value", value)
        object.__setattr__(self, "stride", _pair("stride", self.stride, minimum=1))
        object.__setattr__(self, "dilation", _pair("dilation", self.dilation, minimum=1))
        if self.anchor is not None:
            object.__setattr__(self, "anchor", _pair("anchor", self.anchor, minimum=0))
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads must be at least 1, not {self.threads}")


def pair_of(value: int | Iterable[int]) -> tuple[int, int]:
    """Return a pair from a pair, or from one number for rows and columns alike.

    >>> pair_of(2), pair_of((2, 3))
    ((2, 2), (2, 3))
    """
    if isinstance(value, Iterable):
        return tuple(value)  # type: ignore[return-value]  # what is no pair is refused where options are made
    return value, value


def _pair(what: str, value: Sequence[int], minimum: int) -> tuple[int, int]:
    pair = tuple(value)
    if len(pair) != 2 or any(int(v) != v or v < minimum for v in pair):
        shown = ",".join(map(str, pair))
        raise UsageError(f"{what} must be whole numbers of at least {minimum}, as rows,columns, not {shown}")
    return int(pair[0]), int(pair[1])
