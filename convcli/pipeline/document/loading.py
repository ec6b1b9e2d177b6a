"""Reading pipeline documents: YAML checked strictly and turned into steps with names and sources.

    name: edges
    input: {channels: 3, range: byte}
    steps:
      - gray
      - filter: gaussian:sigma=1.4
        name: smooth
      - filter: sobel_x
        name: across
      - filter: sobel_y
        from: smooth
        name: down
      - magnitude:
        from: [across, down]

A step is a name, or a mapping of one name to its options. `name` names its result, `from` says what it reads: one name
or several, `input` for the image and `alpha` for its opacity. Without `from` a step reads the one before it. Options
may refer to `constants` of the document, `$low`, which a user may set; steps may be repeated (see `entries`).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from convcli.pipeline.document.constants import CONSTANT_NAME, Constant, settled_constants, substituted
from convcli.pipeline.document.entries import MOST_STEPS, Entries, no_such
from convcli.pipeline.document.graph import topological_order, unused_nodes
from convcli.pipeline.document.model import ID, Document, InputSpec, Node, OutputSpec
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.weights.store import WeightInit, WeightStore
from convcli.system.checked_structs import StructError, read_struct
from convcli.system.yaml_text import YamlTextError, parse_yaml, read_yaml

__all__ = [
    "ID",
    "Document",
    "DocumentError",
    "DocumentFile",
    "InputSpec",
    "Node",
    "OutputSpec",
    "load_document",
    "parse_document",
]


class DocumentFile(msgspec.Struct, forbid_unknown_fields=True):
    """Steps applied to an image one after the other, in branches, or joined: `convcli run FILE IMAGE`."""

    steps: Annotated[list[Any], Meta(min_length=1, max_length=MOST_STEPS)]
    name: str = ""
    summary: str = ""
    reference: str = ""
    constants: dict[str, Constant] = {}
    input: InputSpec = InputSpec()
    weights: WeightInit | str | None = None
    output: OutputSpec = OutputSpec()


def load_document(
    path: str | Path, constants: Mapping[str, str] = MappingProxyType({}), where: str | None = None
) -> Document:
    """Read a pipeline from a YAML file.

    Parameters
    ----------
    path : str or Path
        Files that the document names are looked for in its folder.
    constants : mapping of str to str
        Constants in place of the document's own, as text.
    where : str, optional
        What stands before each message; the path unless given.

    Returns
    -------
    Document

    Raises
    ------
    DocumentError
        If it is not a valid pipeline; in one line: the file, the path in it and the reason.
    """
    file = Path(path)
    try:
        data = read_yaml(file, "pipeline file")
    except YamlTextError as error:
        raise _with_advice(error) from error
    return document_of(data, where or str(path), file.parent, file.stem, constants, file)


def load_head(path: Path) -> DocumentFile:
    """Return what a pipeline file says of itself, its steps and references to constants as they are written.

    Raises
    ------
    DocumentError
        If it is no pipeline.
    """
    try:
        return _read(read_yaml(path, "pipeline file"), str(path))
    except YamlTextError as error:
        raise _with_advice(error) from error


def parse_document(
    text: str,
    where: str = "pipeline",
    folder: Path = Path(),
    constants: Mapping[str, str] = MappingProxyType({}),
) -> Document:
    """Read a pipeline from text.

    Parameters
    ----------
    text : str
        YAML.
    where : str
        What stands before each message.
    folder : Path
        Where files that the document names are looked for.
    constants : mapping of str to str
        Constants in place of the document's own, as text.

    Returns
    -------
    Document

    Raises
    ------
    DocumentError
        If it is not a valid pipeline.

    Examples
    --------
    >>> document = parse_document("steps: [relu, {filter: sobel_x, name: edges}]")
    >>> [(node.id, node.sources) for node in document.nodes]
    [('relu_1', ('input',)), ('edges', ('relu_1',))]
    >>> document = parse_document("{constants: {low: 9}, steps: [{threshold: {at: $low}}]}", constants={"low": "20"})
    >>> document.nodes[0].step.at
    20.0
    >>> parse_document("steps: [relo]")
    Traceback (most recent call last):
    convcli.pipeline.errors.DocumentError: pipeline: steps[0]: unknown step 'relo'; did you mean 'relu'?
    """
    try:
        data = parse_yaml(text, where)
    except YamlTextError as error:
        raise _with_advice(error) from error
    return document_of(data, where, folder, "pipeline", constants)


def _with_advice(error: YamlTextError) -> DocumentError:
    """Return the error of a YAML text, with what to write for the commonest slip: `- concat` with `from:` under it."""
    message = str(error)
    if "mapping values are not allowed" in message:
        message += "; a step with something under it ends in a colon, as in - add:"
    return DocumentError(message)


def document_of(
    data: Any,
    where: str,
    folder: Path,
    stem: str,
    constants: Mapping[str, str] = MappingProxyType({}),
    file: Path | None = None,
) -> Document:
    """Return the pipeline that plain data describe. Raises DocumentError.

    Parameters
    ----------
    data : dict
        What a YAML file holds.
    where : str
        What stands before each message.
    folder : Path
        Where files that the document names are looked for.
    stem : str
        What it is called where it has no name of its own.
    constants : mapping of str to str
        Constants in place of the document's own, as text.
    file : Path, optional
        Where it was read from.
    """
    _check_mapping(data, where)
    settled = _constants(data, constants, where)
    if settled:
        referring = {key: data[key] for key in ("input", "weights", "output") if key in data}
        data = {**data, **substituted(referring, settled, where)}
    head = _read(data, where)
    name = head.name or re.sub(r"[^\w-]", "_", stem)
    if ID.fullmatch(name) is None:
        raise DocumentError(f"{where}: name: must be letters, digits, _, - and ., a letter first, not {name!r}")
    if head.input.size is not None and min(head.input.size) < 1:
        raise DocumentError(f"{where}: input.size: must be at least 1, not {list(head.input.size)}")
    entries = Entries(folder, settled)
    written = tuple(entries.nodes(head.steps, where))
    nodes = tuple(topological_order(written, where))
    ids = [node.id for node in written]
    output, source = head.output, ids[-1]
    if output.source:
        found = [each for each in entries.scope.find(output.source, ids) if each in ids]
        if len(found) != 1:
            raise DocumentError(f"{where}: output.from: {no_such(output.source, [*entries.scope.known(), *ids])}")
        (source,) = found
    output = msgspec.structs.replace(output, source=source)
    notes = tuple(
        f"{node.where}: nothing reads its result ({node.id}), so that it is not computed"
        for node in unused_nodes(nodes, output.source)
    )
    return Document(
        where,
        name,
        head.summary,
        head.input,
        nodes,
        written,
        output,
        WeightStore(folder, head.weights),
        notes,
        reference=head.reference,
        constants=settled,
        file=file,
        folder=folder,
    )


def _check_mapping(data: Any, where: str) -> None:
    if not isinstance(data, dict):
        raise DocumentError(f"{where}: a pipeline is a mapping with the key steps, a list of steps")


def _read(data: Any, where: str) -> DocumentFile:
    _check_mapping(data, where)
    try:
        return read_struct(data, DocumentFile)
    except StructError as error:
        raise DocumentError(f"{where}: {error}") from error


def _constants(data: dict[str, Any], given: Mapping[str, str], where: str) -> dict[str, bool | int | float | str]:
    """Return the constants of a document, which are read before all else, for the rest may refer to them."""
    declared = _read({"steps": [None], "constants": data.get("constants", {})}, where).constants
    for name in declared:
        if CONSTANT_NAME.fullmatch(name) is None:
            raise DocumentError(f"{where}: constants: a constant is called by letters, digits and _, not {name!r}")
    return settled_constants(declared, given, where)
