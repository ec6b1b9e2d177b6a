"""A pipeline once it is read: steps with names and sources, what it takes and what it gives."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from convcli.pipeline.steps.base import Positive, Step
from convcli.pipeline.weights.store import WeightStore

# What a document and its steps may be called.
ID = re.compile(r"[^\W\d][\w.-]{0,63}")

INPUT = "input"  # the image itself, as a source
ALPHA = "alpha"  # its opacity, one channel from 0 to 1
SOURCES = (INPUT, ALPHA)
PREVIOUS = "previous"  # within a block that is repeated: what the turn begins with
RANGES = ("file", "byte", "unit")

SignedMapping = Literal["auto", "clip", "abs", "offset", "stretch"]


@dataclass(frozen=True)
class Node:
    """One step of a document.

    Attributes
    ----------
    id : str
        Its name in the document, else the step's name and a running number (`conv_3`: the third conv).
    step : Step
    sources : tuple of str
        Ids of its inputs, in order.
    where : str
        Its place for messages, `net.yaml: steps[3].conv`.
    """

    id: str
    step: Step
    sources: tuple[str, ...]
    where: str


class InputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a document says of its images: channels and size (rows, columns) where they are given, and range.

    `range` is the value of white: `file` as in the file (255 for 8 bits, 65535 for 16), `byte` 255 and `unit` 1 for
    every depth. Float files have white at 1.
    """

    channels: Positive | None = None
    size: tuple[int, int] | None = None
    range: Literal["file", "byte", "unit"] = "file"


class OutputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """What a document gives: the result of which step, by default the last one, and how it becomes a picture."""

    source: str = ""
    mapping: SignedMapping = "auto"


@dataclass(frozen=True, eq=False)
class Document:
    """A pipeline.

    Attributes
    ----------
    where : str
        The file, or what stands for it in messages.
    name, summary, reference : str
    constants : dict
        Values by name, those that were given in place of the document's own.
    input : InputSpec
    nodes : tuple of Node
        In an order in which each comes after its sources.
    written : tuple of Node
        In the order of the document.
    output : OutputSpec
    store : WeightStore
        Loads the weights.
    notes : tuple of str
        Lines for the user.
    file : Path or None
        The file that it was read from, None for a text.
    folder : Path
        Where files that it names are looked for.
    """

    where: str
    name: str
    summary: str
    input: InputSpec
    nodes: tuple[Node, ...]
    written: tuple[Node, ...]
    output: OutputSpec
    store: WeightStore
    notes: tuple[str, ...] = field(default=())
    reference: str = ""
    constants: dict[str, bool | int | float | str] = field(default_factory=dict)
    file: Path | None = None
    folder: Path = Path()

    def node(self, id_: str) -> Node:
        """Return the node with this id."""
        return next(node for node in self.nodes if node.id == id_)
