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
or several, `input` for the image and `alpha` for its opacity. Without `from` a step reads the one before it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from convcli.errors import KernelError, nearest
from convcli.pipeline.document.graph import topological_order, unused_nodes
from convcli.pipeline.document.model import INPUT, SOURCES, Document, InputSpec, Node, OutputSpec
from convcli.pipeline.errors import DocumentError, StepError
from convcli.pipeline.steps.base import Step
from convcli.pipeline.steps.registry import STEPS
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

# What a document and its steps may be called.
ID = re.compile(r"[^\W\d][\w.-]{0,63}")
_MOST_STEPS = 10_000
_FEW = 12  # names in a message


class DocumentFile(msgspec.Struct, forbid_unknown_fields=True):
    """Steps applied to an image one after the other, in branches, or joined: `convcli run FILE IMAGE`."""

    steps: Annotated[list[Any], Meta(min_length=1, max_length=_MOST_STEPS)]
    name: str = ""
    summary: str = ""
    reference: str = ""
    input: InputSpec = InputSpec()
    weights: WeightInit | str | None = None
    output: OutputSpec = OutputSpec()


def load_document(path: str | Path) -> Document:
    """Read a pipeline from a YAML file.

    Parameters
    ----------
    path : str or Path
        Files that the document names are looked for in its folder.

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
    return _document(data, str(path), file.parent, file.stem)


def parse_document(text: str, where: str = "pipeline", folder: Path = Path()) -> Document:
    """Read a pipeline from text.

    Parameters
    ----------
    text : str
        YAML.
    where : str
        What stands before each message.
    folder : Path
        Where files that the document names are looked for.

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
    >>> parse_document("steps: [relo]")
    Traceback (most recent call last):
    convcli.pipeline.errors.DocumentError: pipeline: steps[0]: unknown step 'relo'; did you mean 'relu'?
    """
    try:
        data = parse_yaml(text, where)
    except YamlTextError as error:
        raise _with_advice(error) from error
    return _document(data, where, folder, "pipeline")


def _with_advice(error: YamlTextError) -> DocumentError:
    """Return the error of a YAML text, with what to write for the commonest slip: `- concat` with `from:` under it."""
    message = str(error)
    if "mapping values are not allowed" in message:
        message += "; a step with something under it ends in a colon, as in - add:"
    return DocumentError(message)


def _document(data: Any, where: str, folder: Path, stem: str) -> Document:
    if not isinstance(data, dict):
        raise DocumentError(f"{where}: a pipeline is a mapping with the key steps, a list of steps")
    try:
        head = read_struct(data, DocumentFile)
    except StructError as error:
        raise DocumentError(f"{where}: {error}") from error
    name = head.name or re.sub(r"[^\w-]", "_", stem)
    if ID.fullmatch(name) is None:
        raise DocumentError(f"{where}: name: must be letters, digits, _, - and ., a letter first, not {name!r}")
    if head.input.size is not None and min(head.input.size) < 1:
        raise DocumentError(f"{where}: input.size: must be at least 1, not {list(head.input.size)}")
    written = tuple(_nodes(head.steps, folder, where))
    nodes = tuple(topological_order(written, where))
    output = head.output
    ids = [node.id for node in written]
    if output.source and output.source not in ids:
        raise DocumentError(f"{where}: output.from: {_no_such(output.source, ids)}")
    output = msgspec.structs.replace(output, source=output.source or ids[-1])
    notes = tuple(
        f"{node.where}: nothing reads its result ({node.id}), so that it is not computed"
        for node in unused_nodes(nodes, output.source)
    )
    store = WeightStore(folder, head.weights)
    return Document(where, name, head.summary, head.input, nodes, written, output, store, notes)


def _nodes(entries: Sequence[Any], folder: Path, where: str) -> list[Node]:
    """Return the entries of `steps` as nodes, each with an id and its sources."""
    read = [_Entry.of(entry, folder, f"{where}: steps[{index}]") for index, entry in enumerate(entries)]
    ids = _ids(read)
    nodes = []
    for index, entry in enumerate(read):
        sources = entry.sources
        if sources is None:
            sources = (ids[index - 1] if index else INPUT,) if entry.step.least_inputs else ()
        for source in sources:
            if source not in ids and source not in SOURCES:
                raise DocumentError(f"{entry.place}.from: {_no_such(source, [*ids, *SOURCES])}")
        _check_count(entry, sources)
        nodes.append(Node(ids[index], entry.step, sources, entry.where))
    return nodes


@dataclass(frozen=True)
class _Entry:
    """One entry of `steps`; `place` is that of the entry, `where` that of the step in it."""

    step: Step
    name: str | None
    sources: tuple[str, ...] | None
    place: str
    where: str

    @classmethod
    def of(cls, entry: Any, folder: Path, place: str) -> "_Entry":
        if isinstance(entry, str):
            return cls(_step(entry, None, folder, place, f"{place}.{entry}"), None, None, place, f"{place}.{entry}")
        if not isinstance(entry, dict):
            raise DocumentError(f"{place}: a step is a name, or a mapping of one to its options")
        keys = [key for key in entry if key not in ("name", "from")]
        if not keys:
            raise DocumentError(f"{place}: names no step: write one, such as - conv: {{...}}")
        if len(keys) > 1:
            raise DocumentError(f"{place}: {_two_keys(keys)}")
        where = f"{place}.{keys[0]}"
        step = _step(keys[0], entry[keys[0]], folder, place, where)
        return cls(step, _name(entry, place), _sources(entry, place), place, where)


def _step(name: str, options: Any, folder: Path, place: str, where: str) -> Step:
    kind = STEPS.get(name)
    if kind is None:
        from convcli.pipeline.document.step_names import step_advice

        raise DocumentError(f"{place}: unknown step {name!r}{step_advice(name)}")
    if options is None:
        options = {}
    elif not isinstance(options, dict):
        if kind.main is None:
            raise DocumentError(f"{where}: options are written as a mapping, {{option: value}}")
        options = {kind.main_list if kind.main_list and isinstance(options, list) else kind.main: options}
    try:
        return read_struct(options, kind, "option").relative_to(folder)
    except (StepError, KernelError) as error:
        raise DocumentError(f"{where}: {error}") from error
    except StructError as error:
        raise DocumentError(f"{where}{'.' if error.where else ': '}{error}") from error


def _two_keys(keys: Sequence[str]) -> str:
    """Return what is wrong with an entry of two keys: options not indented under their step, or two steps."""
    step, *others = sorted(keys, key=lambda key: key not in STEPS)
    options = STEPS[step].__struct_fields__ if step in STEPS else ()
    for other in others:
        if other in options:
            return f"{other} is an option of {step}: indent it under {step}, or write {step}: {{{other}: ...}}"
    if step in STEPS and others[0] not in STEPS:
        hint = nearest(others[0], ("name", "from", *options)) or ": beside its step an entry has name and from"
        return f"unknown key {others[0]!r}{hint}"
    return f"names two steps, {step} and {others[0]}: give each an entry of its own"


def _name(entry: Mapping[str, Any], place: str) -> str | None:
    name = entry.get("name")
    if name is None:
        return None
    if not isinstance(name, str) or ID.fullmatch(name) is None:
        raise DocumentError(f"{place}.name: must be letters, digits, _, - and ., a letter first, not {name!r}")
    if name in SOURCES:
        raise DocumentError(f"{place}.name: {name} is the image's own name: choose another")
    return name


def _sources(entry: Mapping[str, Any], place: str) -> tuple[str, ...] | None:
    if "from" not in entry:
        return None
    named = entry["from"]
    several = [named] if isinstance(named, str) else named
    if not isinstance(several, list) or not several or not all(isinstance(source, str) for source in several):
        raise DocumentError(f"{place}.from: must be the name of a step or a list of names, not {named!r}")
    return tuple(several)


def _ids(entries: Sequence[_Entry]) -> list[str]:
    """Return an id for each entry: its name, else the step's name and a running number."""
    counts: Counter[str] = Counter()
    taken: dict[str, str] = {}
    ids = []
    for entry in entries:
        counts[entry.step.name] += 1
        id_ = entry.name or f"{entry.step.name}_{counts[entry.step.name]}"
        if id_ in taken:
            raise DocumentError(f"{entry.place}: is called {id_}, as {taken[id_]} is: give it a name of its own")
        taken[id_] = entry.place.rpartition(": ")[2]
        ids.append(id_)
    return ids


def _check_count(entry: _Entry, sources: Sequence[str]) -> None:
    least, most, name = entry.step.fewest_inputs(), entry.step.most_inputs, entry.step.name
    if least <= len(sources) and (most is None or len(sources) <= most):
        return
    takes = f"{least} or more inputs" if most is None else f"{least} to {most} inputs"
    if least == most:
        takes = f"{least} input{'s' if least != 1 else ''}"
    if entry.sources is None:
        raise DocumentError(f"{entry.where}: takes {takes}: name them with from: [a, b]")
    raise DocumentError(f"{entry.place}.from: {name} takes {takes}, and {len(sources)} are named")


def _no_such(name: str, known: Sequence[str]) -> str:
    listed = ", ".join([*known[:_FEW], *(["..."] if len(known) > _FEW else [])])
    return f"there is no step called {name!r}{nearest(name, known) or f'; there are {listed}'}"
