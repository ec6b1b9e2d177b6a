"""What a pipeline is once it is read: steps with names and sources, and what goes in and comes out."""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from convcli.pipeline.steps.base import Positive, Step
from convcli.pipeline.weights.store import WeightStore

INPUT = "input"  # the image itself, as a source
ALPHA = "alpha"  # its opacity, one channel from 0 to 1
SOURCES = (INPUT, ALPHA)
RANGES = ("file", "byte", "unit")

SignedMapping = Literal["auto", "clip", "abs", "offset", "stretch"]


@dataclass(frozen=True)
class Node:
    """One step of a document: `id` is its name there, or made of the step's (`conv_3`: the third conv).

    `sources` are the ids of its inputs, in order; `where` is its place for messages, `net.yaml: steps[3].conv`.
    """

    id: str
    step: Step
    sources: tuple[str, ...]
    where: str


class InputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a document says of the image it wants: channels and size (rows, columns) where it is not any, and its range.

    `range` is what white becomes: `file` as the file has it (255 of 8 bits, 65535 of 16), `byte` 255 and `unit` 1
    whatever the depth. Float files have white at 1.
    """

    channels: Positive | None = None
    size: tuple[int, int] | None = None
    range: Literal["file", "byte", "unit"] = "file"


class OutputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """What a document gives: which step's result, the last one's unless told, and how that becomes a picture."""

    source: str = ""
    mapping: SignedMapping = "auto"


@dataclass(frozen=True, eq=False)
class Document:
    """A pipeline. `nodes` are in an order in which each comes after its sources; `written` has them as written.

    `store` loads the weights; `notes` are lines that a user should see.
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

    def node(self, id_: str) -> Node:
        """Give the node of this id."""
        return next(node for node in self.nodes if node.id == id_)
