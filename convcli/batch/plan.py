"""What a batch will do: its inputs found, their outputs named, and what is to be done decided, touching nothing."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from convcli.batch.inputs import Source, find_inputs
from convcli.batch.journal import DONE, Record, State, await_others, fingerprint, journal_state, read_journal
from convcli.batch.naming import Naming, check_distinct
from convcli.batch.work import FilterWork, Work
from convcli.errors import OutputError, OutputExistsError, UsageError
from convcli.image.formats.registry import format_for, is_writable_suffix
from convcli.process import image_job as job
from convcli.process.image_job import FilterOptions, Result

if TYPE_CHECKING:
    from convcli.process.pipeline_job import RunOptions

_MOST_NAMED = 5


@dataclass(frozen=True)
class BatchOptions:
    """Everything that `convcli batch` was asked for, but for its inputs.

    `filter` says what is done to each image, to existing outputs too, and whether anything is written at all (dry_run);
    with a `pipeline`, the file of a document, it is the options of `convcli run`.
    `output` is the folder that the outputs go below, where the inputs' tree is kept; `name` is what each is called
    there, of the fields stem, suffix, kernel, parent and ext. `jobs` is how many images are worked on at a time: by
    default one for each core. `fail_fast` gives up after the first image that fails.
    """

    filter: "FilterOptions | RunOptions"
    output: str
    recursive: bool = False
    name: str = "{stem}{suffix}"
    jobs: int | None = None
    fail_fast: bool = False
    pipeline: str | None = None

    def __post_init__(self) -> None:
        if not self.output or self.output == job.STANDARD_STREAM:
            raise UsageError("-o: name the folder for the outputs; it is made where there is none")
        if os.path.lexists(self.output) and not os.path.isdir(self.output):
            raise UsageError(f"-o {self.output}: not a folder: name another")
        if not os.path.exists(self.output) and _is_called_like_an_image(self.output):
            alone = "convcli filter" if self.pipeline is None else "convcli run"
            raise UsageError(
                f"-o {self.output}: batch writes into a folder, and this looks like a file; "
                f"take {alone} for one image, or give a folder's name"
            )
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"jobs must be at least 1, not {self.jobs}")


def _is_called_like_an_image(path: str) -> bool:
    """Tell whether a path ends in the suffix of a format that can be written; `folder.png/` says that it is none."""
    return is_writable_suffix(os.path.splitext(path)[1])


@dataclass(frozen=True, slots=True)
class Item:
    """One image to do: from the file `source`, of `bytes`, to `output`, which is `relative` below the output folder.

    `replace` says that a file is there already, which may be replaced.
    """

    source: str
    output: str
    relative: str
    bytes: int
    replace: bool = False


@dataclass(frozen=True)
class Plan:
    """What a batch will do. Its length is how many results it gives.

    `skipped` holds the results that are known before any work: of images whose outputs are there already, and of those
    that failed to be read or named. `notes` are lines for people, `details` more for who wants them. `journal` is the
    state of the journal that all this goes by.
    """

    items: tuple[Item, ...]
    skipped: tuple[Result, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    work: Work | None = None
    journal: State | None = None

    def __len__(self) -> int:
        return len(self.items) + len(self.skipped)


def plan_batch(inputs: Sequence[str], options: BatchOptions) -> Plan:
    """Find the inputs, name their outputs and decide what is to be done, touching nothing.

    Of outputs that exist, under `skip`, those that the journal has as done with the same input, options and version are
    left; so are, with a note, those that it does not know. All others are made again.

    Raises
    ------
    UsageError
        for inputs that match nothing (all are named), two inputs with one output, outputs that would replace an input,
        unknown fields in the name, an unknown kernel; where outputs exist and are to be an error, or another run is at
        work in the output folder.
    """
    work, naming = _work_and_naming(options)
    if not options.filter.dry_run:
        await_others(options.output)
    state = journal_state(options.output)
    records, notes = read_journal(options.output)
    found = find_inputs(inputs, options.output, recursive=options.recursive, ours=records)
    notes += found.notes
    settled = [Result(path, "", "failed", error=reason) for path, reason in found.problems]
    named = _named(found.sources, naming, options, settled)
    notes += check_distinct(
        ((source.path, name) for source, name in named),
        options.output,
        lambda template: _names_by(naming.by(template), [source for source, _ in named]),
    )
    _check_inputs_stay(named, [source.identity for source in found.sources], options.output)
    judged = _Judge(options, records, work.key())
    items = [item for source, name in named if (item := judged.judge(source, name)) is not None]
    notes += judged.finish()
    return Plan(tuple(items), (*settled, *judged.skipped), tuple(notes), tuple(found.details), work, state)


def _work_and_naming(options: BatchOptions) -> tuple[Work, Naming]:
    """Load what the images are filtered by, after which outputs can be called."""
    if options.pipeline is None:
        assert isinstance(options.filter, FilterOptions)
        kernels = job.load_kernels(options.filter)
        return FilterWork(options.filter, kernels), Naming(options.name, kernels, options.filter.format)
    from convcli.batch.pipeline_work import PipelineWork  # which filtering alone does not need

    assert not isinstance(options.filter, FilterOptions)
    through = PipelineWork(options.pipeline, options.filter)
    return through, Naming(options.name, [through.document], options.filter.format)


def _named(
    sources: Sequence[Source], naming: Naming, options: BatchOptions, settled: list[Result]
) -> list[tuple[Source, str]]:
    """Name the output of each source; one whose format cannot be written is settled as failed."""
    named = []
    refusals: dict[str, str | None] = {}
    for source in sources:
        name = naming(source.relative, source.folder)
        suffix = os.path.splitext(name)[1].lower()
        if suffix not in refusals:
            refusals[suffix] = _refusal(suffix, options.filter)
        reason = refusals[suffix]
        if reason is None:
            named.append((source, name))
        else:
            output = os.path.join(options.output, name)
            settled.append(Result(source.path, output, "failed", error=f"{source.path}: {reason}"))
    return named


def _names_by(naming: Naming, sources: Sequence[Source]) -> list[tuple[str, str]]:
    return [(source.path, naming(source.relative, source.folder)) for source in sources]


def _refusal(suffix: str, options: "FilterOptions | RunOptions") -> str | None:
    """Say why outputs of this suffix cannot be written; None where they can, as far as no image is needed for it."""
    try:
        format_ = format_for(f"x{suffix}", options.format)
        if options.format is not None and suffix and suffix not in format_.suffixes:
            raise UsageError(f"--name ends in {suffix} and --format is {options.format}: drop one of them")
        if options.depth != "same":
            job.check_depth(job.STANDARD_STREAM, format_, options.depth)
    except OutputError as error:
        return str(error).removeprefix(f"x{suffix}: ")
    return None


def _check_inputs_stay(named: Sequence[tuple[Source, str]], identities: Sequence[tuple[int, int]], folder: str) -> None:
    """Check that no output is an input, also not by another path or a link."""
    if not os.path.isdir(folder):
        return
    inputs = set(identities)
    for source, name in named:
        output = os.path.join(folder, name)
        try:
            status = os.stat(output)
        except (OSError, ValueError):
            continue
        if (status.st_dev, status.st_ino) in inputs:
            raise UsageError(
                f"{output}, the output of {source.path}, is an input: choose another folder with -o, or another --name"
            )


class _Judge:
    """Decides of each output whether it is to be made; `skipped` are the results of those that are not."""

    def __init__(self, options: BatchOptions, records: dict[str, Record], key: str) -> None:
        self.skipped: list[Result] = []
        self._options = options
        self._records = records
        self._key = key
        self._exist: list[str] = []
        self._unknown: list[str] = []
        self._empty = not os.path.isdir(options.output)

    def judge(self, source: Source, name: str) -> Item | None:
        """Give what is to be done, None for an output that is left as it is."""
        output = os.path.join(self._options.output, name)
        item = Item(source.path, output, name, source.bytes)
        if self._empty:
            return item
        try:
            status = os.lstat(output)
        except (OSError, ValueError):  # not there, or no place where it can be: writing it will say why
            return item
        existing = self._options.filter.existing
        record = self._records.get(name)
        if existing == "error":
            self._exist.append(output)
            return None
        if existing == "overwrite":
            return replace(item, replace=True)
        if record is None:
            self._unknown.append(output)
            note = f"{output} exists, but not from an earlier run: not touched"
        elif record.state == DONE and self._as_recorded(source, status, record):
            note = f"{output} is done"
        else:
            return replace(item, replace=True)
        self.skipped.append(
            Result(source.path, output, "skipped", notes=(note,), input_bytes=source.bytes, output_bytes=status.st_size)
        )
        return None

    def _as_recorded(self, source: Source, status: os.stat_result, record: Record) -> bool:
        if (status.st_size, status.st_mtime_ns) != (record.bytes, record.mtime_ns):
            return False
        return record.fingerprint == fingerprint(self._key, source.path, source.bytes, source.mtime_ns)

    def finish(self) -> list[str]:
        """Give notes on all of them. Raises OutputExistsError where outputs exist and are to be an error."""
        if self._exist:
            raise OutputExistsError(
                f"{_some(self._exist)} exist{'' if len(self._exist) > 1 else 's'} already: "
                "say --existing skip to go on with the rest, or -f to replace"
            )
        if not self._unknown:
            return []
        return [f"{_some(self._unknown)}: not from an earlier run, and not touched"]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
