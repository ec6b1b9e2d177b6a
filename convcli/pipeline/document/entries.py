"""The entries of `steps`: each read as a step with a name and sources, and blocks laid out turn by turn.

A block is repeated as it stands, each turn on the result of the one before:

    - repeat: 12
      steps:
        - partial_conv: {...}
          name: mean
        - fill:
          from: [holed, mean]
      name: filled

or for each value of a constant that it may use: `repeat: {sigma: [2, 4]}`, `repeat: {turn: 12}`. Within it `previous`
is what the turn begins with, and names mean its own steps. Outside, a name of the block means its last turn, and
`mean.*` those of all turns in order. The ids of its steps end in the number of the turn, `mean.3`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convcli.errors import KernelError, nearest
from convcli.pipeline.document.constants import CONSTANT_NAME, substituted
from convcli.pipeline.document.model import ID, INPUT, PREVIOUS, SOURCES, Node
from convcli.pipeline.errors import DocumentError, StepError
from convcli.pipeline.steps.base import Step
from convcli.pipeline.steps.registry import STEPS
from convcli.system.checked_structs import StructError, read_struct

MOST_STEPS = 10_000
_FEW = 12  # names in a message
_ALL_TURNS = ".*"
_BLOCK_KEYS = ("repeat", "steps", "name", "from")


@dataclass
class Scope:
    """The names and constants that entries see: those of a document, or of one turn of a block within it.

    Attributes
    ----------
    constants : mapping of str to bool, int, float or str
    outer : Scope, optional
        Where the block stands.
    ending : str
        What the turn adds to the ids of its steps, `.3`.
    previous : str or int
        What the turn begins with: a name that `outer` knows, or the index of an entry, -1 for the image.
    start : int
        The index of its first entry.
    named : dict of str to list of int
        Indexes of entries by name; of several where a name stands for all turns of a block.
    """

    constants: Mapping[str, Any]
    outer: "Scope | None" = None
    ending: str = ""
    previous: str | int = -1
    start: int = 0
    named: dict[str, list[int]] = field(default_factory=dict)

    def find(self, name: str, ids: Sequence[str]) -> list[str]:
        """Return the ids that a name stands for, none where it is unknown; `ids` are those of all entries."""
        if name == PREVIOUS and self.outer is not None:
            if isinstance(self.previous, str):
                return self.outer.find(self.previous, ids)
            return [ids[self.previous] if self.previous >= 0 else INPUT]
        if name in self.named:
            return [ids[index] for index in self.named[name]]
        if self.outer is not None:
            return self.outer.find(name, ids)
        return [name] if name in SOURCES or name in ids else []

    def known(self) -> list[str]:
        """Return all names that are seen from here, the nearest first."""
        further = [] if self.outer is None else [PREVIOUS, *self.outer.known()]
        return list(dict.fromkeys([*self.named, *further]))


@dataclass(frozen=True)
class Entry:
    """One entry of `steps`; `place` is that of the entry, `where` that of the step in it."""

    step: Step
    name: str | None
    sources: tuple[str, ...] | None
    place: str
    where: str
    scope: Scope


@dataclass
class Entries:
    """The entries of a document in a row, with the blocks laid out.

    Parameters
    ----------
    folder : Path
        Where files that steps name are looked for.
    constants : mapping of str to bool, int, float or str
    """

    folder: Path
    constants: Mapping[str, Any] = field(default_factory=dict)
    _read: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scope = Scope(self.constants)

    def nodes(self, entries: Sequence[Any], where: str) -> list[Node]:
        """Return the entries as nodes, each with an id and its sources. Raises DocumentError.

        Parameters
        ----------
        entries : sequence
            What a document holds under `steps`.
        where : str
            The document.
        """
        self._lay_out(entries, f"{where}: steps", self.scope)
        ids = _ids(self._read)
        nodes = []
        for index, entry in enumerate(self._read):
            written = entry.sources
            if written is None and entry.step.least_inputs:
                first = entry.scope.outer is not None and entry.scope.start == index
                written = (PREVIOUS,) if first else (ids[index - 1] if index else INPUT,)
            sources = tuple(id_ for source in written or () for id_ in self._found(source, entry, ids))
            _check_count(entry, sources)
            nodes.append(Node(ids[index], entry.step, sources, entry.where))
        return nodes

    def _found(self, source: str, entry: Entry, ids: Sequence[str]) -> list[str]:
        found = entry.scope.find(source, ids)
        if not found:
            raise DocumentError(f"{entry.place}.from: {no_such(source, [*entry.scope.known(), *ids, *SOURCES])}")
        return found

    def _lay_out(self, entries: Sequence[Any], place: str, scope: Scope) -> None:
        for index, written in enumerate(entries):
            here = f"{place}[{index}]"
            if isinstance(written, dict) and "repeat" in written:
                self._lay_out_block(written, here, scope)
            else:
                entry = _entry(substituted(written, scope.constants, here), self.folder, here, scope)
                if entry.name is not None:
                    scope.named[entry.name] = [len(self._read)]
                self._read.append(entry)
            if len(self._read) > MOST_STEPS:
                raise DocumentError(f"{here}: makes more than {MOST_STEPS} steps, the most that a pipeline may have")

    def _lay_out_block(self, written: Mapping[str, Any], place: str, scope: Scope) -> None:
        unknown = next((key for key in written if key not in _BLOCK_KEYS), None)
        if unknown is not None:
            hint = nearest(unknown, _BLOCK_KEYS) or f"; a block has {', '.join(_BLOCK_KEYS)}"
            raise DocumentError(f"{place}: unknown key {unknown!r}{hint}")
        block = written.get("steps")
        if not isinstance(block, list) or not block:
            raise DocumentError(f"{place}: repeat needs steps, a list of those that are repeated")
        head = {key: substituted(written[key], scope.constants, place) for key in written if key != "steps"}
        variable, values = _turns(head["repeat"], f"{place}.repeat")
        name, sources = _name(head, place), _sources(head, place)
        if sources is not None and len(sources) != 1:
            raise DocumentError(f"{place}.from: a block begins with one result, and {len(sources)} are named")
        previous: str | int = len(self._read) - 1
        if sources is not None:
            (previous,) = sources
        elif scope.outer is not None and scope.start == len(self._read):
            previous = PREVIOUS
        within: dict[str, list[int]] = {}
        for turn, value in enumerate(values, 1):
            constants = {**scope.constants, variable: value} if variable else scope.constants
            inner = Scope(constants, scope, f"{scope.ending}.{turn}", previous, len(self._read))
            self._lay_out(block, f"{place}.steps", inner)
            previous = len(self._read) - 1
            for each, indexes in inner.named.items():
                within.setdefault(each, []).extend(indexes)
        for each, indexes in within.items():
            if each.endswith(_ALL_TURNS):
                scope.named.setdefault(each, indexes)
            else:
                scope.named.setdefault(each, indexes[-1:])
                if each + _ALL_TURNS not in within:
                    scope.named.setdefault(each + _ALL_TURNS, indexes)
        if name is not None:
            scope.named[name] = [len(self._read) - 1]


def _turns(written: Any, where: str) -> tuple[str | None, Iterable[Any]]:
    """Return the constant that a block counts by, None where it has none, and its value in each turn."""
    variable = None
    if isinstance(written, dict):
        if len(written) != 1:
            raise DocumentError(f"{where}: counts by one constant, as in {{sigma: [2, 4]}}")
        ((variable, written),) = written.items()
        if CONSTANT_NAME.fullmatch(variable) is None:
            raise DocumentError(f"{where}: a constant is called by letters, digits and _, not {variable!r}")
    if isinstance(written, list):
        if not written or variable is None or any(isinstance(each, list | dict) or each is None for each in written):
            raise DocumentError(f"{where}: values are numbers or words, under a name, as in {{sigma: [2, 4]}}")
        return variable, written
    if not isinstance(written, int) or isinstance(written, bool) or not 1 <= written <= MOST_STEPS:
        raise DocumentError(f"{where}: must be a whole number from 1 to {MOST_STEPS}, not {written!r}")
    return variable, range(1, written + 1)


def _entry(written: Any, folder: Path, place: str, scope: Scope) -> Entry:
    if isinstance(written, str):
        where = f"{place}.{written}"
        return Entry(_step(written, None, folder, place, where), None, None, place, where, scope)
    if not isinstance(written, dict):
        raise DocumentError(f"{place}: a step is a name, or a mapping of one to its options")
    keys = [key for key in written if key not in ("name", "from")]
    if not keys:
        raise DocumentError(f"{place}: names no step: write one, such as - conv: {{...}}")
    if len(keys) > 1:
        raise DocumentError(f"{place}: {_two_keys(keys)}")
    where = f"{place}.{keys[0]}"
    step = _step(keys[0], written[keys[0]], folder, place, where)
    return Entry(step, _name(written, place), _sources(written, place), place, where, scope)


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


def _ids(entries: Sequence[Entry]) -> list[str]:
    """Return an id for each entry: its name and turn, else the step's name and a running number."""
    counts: Counter[str] = Counter()
    taken: dict[str, str] = {}
    ids = []
    for entry in entries:
        counts[entry.step.name] += 1
        id_ = f"{entry.name}{entry.scope.ending}" if entry.name else f"{entry.step.name}_{counts[entry.step.name]}"
        if id_ in taken:
            raise DocumentError(f"{entry.place}: is called {id_}, as {taken[id_]} is: give it a name of its own")
        taken[id_] = entry.place.rpartition(": ")[2]
        ids.append(id_)
    return ids


def _check_count(entry: Entry, sources: Sequence[str]) -> None:
    least, most, name = entry.step.fewest_inputs(), entry.step.most_inputs, entry.step.name
    if least <= len(sources) and (most is None or len(sources) <= most):
        return
    takes = f"{least} or more inputs" if most is None else f"{least} to {most} inputs"
    if least == most:
        takes = f"{least} input{'s' if least != 1 else ''}"
    if entry.sources is None:
        raise DocumentError(f"{entry.where}: takes {takes}: name them with from: [a, b]")
    raise DocumentError(f"{entry.place}.from: {name} takes {takes}, and {len(sources)} are named")


def no_such(name: str, known: Sequence[str]) -> str:
    """Return what is said of a name that no step has, with the nearest of those that are known."""
    known = list(dict.fromkeys(known))
    listed = ", ".join([*known[:_FEW], *(["..."] if len(known) > _FEW else [])])
    return f"there is no step called {name!r}{nearest(name, known) or f'; there are {listed}'}"
