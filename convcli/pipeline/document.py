"""A pipeline document: what it says, checked, as steps with names and sources."""

from dataclasses import dataclass
from pathlib import Path

from convcli.errors import UsageError
from convcli.pipeline.step import Step

INPUT = "input"  # the id of the image itself, as a source


class DocumentError(UsageError):
    """A document that is no pipeline: file, path in it, reason."""


@dataclass(frozen=True)
class Node:
    """One step of a document: `id` is its name there or made of the step's (`conv_3`: the third conv).

    `sources` are the ids of its inputs, in order; `where` is its path for messages, `net.yaml: steps[3].conv`.
    """

    id: str
    step: Step
    sources: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class InputSpec:
    """What a document says of the image it wants: channels and size where it is not any, and the range of samples.

    `range` is `file` (samples as the file has them, 0..255 of 8 bits), `byte` (0..255 whatever the depth) or `unit`
    (0..1).
    """

    channels: int | None = None
    size: tuple[int, int] | None = None
    range: str = "file"


@dataclass(frozen=True)
class OutputSpec:
    """What a document gives: the id of the node, and how its response becomes a picture, a word of `--signed`."""

    source: str
    mapping: str = "auto"


@dataclass(frozen=True)
class Document:
    """A pipeline. `nodes` are in an order in which each comes after its sources."""

    path: Path
    name: str
    summary: str
    input: InputSpec
    nodes: tuple[Node, ...]
    output: OutputSpec
