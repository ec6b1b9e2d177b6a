"""The plan of a batch: its inputs found, their outputs named, and what is to be done decided, touching nothing."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from convcli.batch.inputs import BatchInput, Choice, find_inputs
from convcli.batch.journal import (
    DONE,
    JournalRecord,
    JournalState,
    await_others,
    fingerprint,
    journal_state,
    read_journal,
)
from convcli.batch.masks import MaskFolder, key_with_mask
from convcli.batch.naming import Naming, check_distinct
from convcli.batch.work import operation_key
from convcli.errors import OutputError, OutputExistsError, UsageError
from convcli.image.formats.registry import is_writable_suffix
from convcli.process.kernel_operation import FilterOptions, load_kernels
from convcli.process.operation import Operation
from convcli.process.output_files import STANDARD_STREAM, OutputOptions, SuffixError, check_output_format
from convcli.process.result import ImageResult, failed_result

if TYPE_CHECKING:
    from convcli.process.pipeline_options import RunOptions

_MOST_NAMED = 5


@dataclass(frozen=True)
class BatchOptions:
    """Everything that `convcli batch` was asked for, but for its inputs.

    Parameters
    ----------
    filter : FilterOptions or RunOptions
        What is done to each image and to existing outputs, and whether anything is written at all. With a `pipeline`
        the options are those of `convcli run`.
    output : str
        The folder that the outputs go below, where the inputs' tree is kept.
    recursive : bool
        Whether folders within folders are taken too.
    name : str
        The name of each output, of the fields stem, suffix, kernel, parent and ext.
    jobs : int, optional
        How many images are worked on at a time: by default one for each core.
    fail_fast : bool
        Whether to give up after the first image that fails.
    pipeline : str, optional
        The file of a document.
    follow : bool
        Whether outputs are written through links that lead out of the output folder.
    choice : Choice
        Which of the files in folders are taken.

    Raises
    ------
    UsageError
        For an output that is no folder, or fewer than one job.
    """

    filter: "FilterOptions | RunOptions"
    output: str
    recursive: bool = False
    name: str = "{stem}{suffix}"
    jobs: int | None = None
    fail_fast: bool = False
    pipeline: str | None = None
    follow: bool = False
    choice: Choice = field(default_factory=Choice)

    def __post_init__(self) -> None:
        if not self.output or self.output == STANDARD_STREAM:
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
    """Whether a path ends in the suffix of a format that can be written; `folder.png/` says that it is none."""
    return is_writable_suffix(os.path.splitext(path)[1])


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One image to process.

    Parameters
    ----------
    source : str
        The image's file.
    output : str
        The file that it becomes.
    relative : str
        The place of that below the output folder.
    bytes : int
        The size of the image's file.
    replace : bool
        Whether there is a file already that may be replaced.
    mask : str, optional
        The mask of this image, where each has its own.
    """

    source: str
    output: str
    relative: str
    bytes: int
    replace: bool = False
    mask: str | None = None


@dataclass(frozen=True)
class BatchPlan:
    """All that a batch will do. Its length is how many results it gives.

    Parameters
    ----------
    items : tuple of BatchItem
        The images to process.
    skipped : tuple of ImageResult
        Results that are known before any work: of images whose outputs are there already, and of those that failed to
        be read or named.
    notes, details : tuple of str
        Lines for everybody, and for who wants to know more.
    operation : Operation, optional
        What is done to each image.
    journal : JournalState, optional
        The state of the journal that all this goes by.
    """

    items: tuple[BatchItem, ...]
    skipped: tuple[ImageResult, ...] = ()
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    operation: Operation | None = None
    journal: JournalState | None = None

    def __len__(self) -> int:
        return len(self.items) + len(self.skipped)


def plan_batch(inputs: Sequence[str], options: BatchOptions) -> BatchPlan:
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
    operation = _load_operation(options)
    naming = Naming(options.name, operation.name, operation.output.format)
    if not operation.output.dry_run:
        await_others(options.output)
    state = journal_state(options.output)
    records, notes = read_journal(options.output)
    found = find_inputs(inputs, options.output, recursive=options.recursive, ours=records, choice=options.choice)
    notes = [*operation.notes, *notes, *found.notes]
    settled = [ImageResult(path, "", "failed", error=reason) for path, reason in found.problems]
    named = _named(found.sources, naming, options, settled)
    notes += check_distinct(
        ((source.path, name) for source, name in named),
        options.output,
        lambda template: _names_by(naming.by(template), [source for source, _ in named]),
    )
    _check_inputs_stay(named, [source.identity for source in found.sources], options.output)
    masks = _masks(operation.mask, named, options, settled)
    judged = _Judge(options, records, operation_key(operation), masks)
    items = [item for source, name in named if (item := judged.judge(source, name)) is not None]
    notes += judged.finish()
    return BatchPlan(tuple(items), (*settled, *judged.skipped), tuple(notes), tuple(found.details), operation, state)


def _load_operation(options: BatchOptions) -> Operation:
    if options.pipeline is None:
        assert isinstance(options.filter, FilterOptions)
        return load_kernels(options.filter)
    from convcli.process.pipeline_operation import load_pipeline  # which filtering alone does not need

    assert not isinstance(options.filter, FilterOptions)
    return load_pipeline(options.pipeline, options.filter)


def _named(
    sources: Sequence[BatchInput], naming: Naming, options: BatchOptions, settled: list[ImageResult]
) -> list[tuple[BatchInput, str]]:
    """Name the output of each source; one whose format cannot be written is settled as failed."""
    named = []
    refusals: dict[str, OutputError | None] = {}
    for source in sources:
        name = naming(source.relative, source.folder)
        suffix = os.path.splitext(name)[1].lower()
        if suffix not in refusals:
            refusals[suffix] = _refusal(suffix, options.filter.output)
        reason = refusals[suffix]
        if reason is None:
            named.append((source, name))
        else:
            output = os.path.join(options.output, name)
            why = OutputError(reason.what, where=source.path, advice=reason.advice)
            settled.append(failed_result(source.path, output, why))
    return named


def _names_by(naming: Naming, sources: Sequence[BatchInput]) -> list[tuple[str, str]]:
    return [(source.path, naming(source.relative, source.folder)) for source in sources]


def _refusal(suffix: str, options: OutputOptions) -> OutputError | None:
    """Return why outputs of this suffix cannot be written; None where they can, as far as no image is needed for it."""
    try:
        check_output_format(f"x{suffix}", options)
    except SuffixError as error:
        why = f"--name ends in {suffix} and --format is {options.format}"
        raise UsageError(why, advice=error.advice) from error
    except OutputError as error:
        return error
    return None


def _check_inputs_stay(
    named: Sequence[tuple[BatchInput, str]], identities: Sequence[tuple[int, int]], folder: str
) -> None:
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


def _masks(
    mask: str | None, named: list[tuple[BatchInput, str]], options: BatchOptions, settled: list[ImageResult]
) -> dict[str, str]:
    """Return the mask of each image, by its path, where each has its own; an image without one is settled as failed."""
    if mask is None or not os.path.isdir(mask):
        return {}
    folder = MaskFolder(mask)
    masks = {}
    for source, name in list(named):
        try:
            masks[source.path] = folder.mask_of(source.relative)
        except UsageError as error:
            named.remove((source, name))
            settled.append(failed_result(source.path, os.path.join(options.output, name), error))
    return masks


class _Judge:
    """Decides of each output whether it is to be made; `skipped` are the results of those that are not."""

    def __init__(
        self, options: BatchOptions, records: dict[str, JournalRecord], key: str, masks: dict[str, str]
    ) -> None:
        self.skipped: list[ImageResult] = []
        self._options = options
        self._records = records
        self._key = key
        self._masks = masks
        self._exist: list[str] = []
        self._unknown: list[str] = []
        self._empty = not os.path.isdir(options.output)
        self._root = os.path.realpath(options.output)
        self._inside: dict[str, bool] = {}

    def judge(self, source: BatchInput, name: str) -> BatchItem | None:
        """Return what is to be done, None for an output that is left as it is."""
        output = os.path.join(self._options.output, name)
        item = BatchItem(source.path, output, name, source.bytes, mask=self._masks.get(source.path))
        if self._empty:
            return item
        if not self._options.follow and self._leads_out(output):
            error = OutputError(
                f"leads out of the folder {self._options.output} through a link",
                where=output,
                advice="say --follow to write there",
            )
            self.skipped.append(failed_result(source.path, output, error.at(source.path)))
            return None
        try:
            status = os.lstat(output)
        except (OSError, ValueError):  # not there, or no place where it can be: writing it will say why
            return item
        existing = self._options.filter.output.existing
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
            ImageResult(
                source.path, output, "skipped", notes=(note,), input_bytes=source.bytes, output_bytes=status.st_size
            )
        )
        return None

    def _leads_out(self, output: str) -> bool:
        """Whether an output, or a folder that it lies in, is a link out of the output folder."""
        folder = os.path.dirname(output)
        if folder not in self._inside:
            self._inside[folder] = self._contains(folder)
        return not self._inside[folder] or (os.path.islink(output) and not self._contains(output))

    def _contains(self, path: str) -> bool:
        place = os.path.realpath(path)
        return place == self._root or place.startswith(os.path.join(self._root, ""))

    def _as_recorded(self, source: BatchInput, status: os.stat_result, record: JournalRecord) -> bool:
        if (status.st_size, status.st_mtime_ns) != (record.bytes, record.mtime_ns):
            return False
        key = key_with_mask(self._key, self._masks.get(source.path))
        return record.fingerprint == fingerprint(key, source.path, source.bytes, source.mtime_ns)

    def finish(self) -> list[str]:
        """Return notes on all of them. Raises OutputExistsError where outputs exist and are to be an error."""
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
