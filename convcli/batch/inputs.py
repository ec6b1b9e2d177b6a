"""Which files a batch reads: named ones, those in folders, and those that a pattern matches."""

import glob
import os
import stat
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from convcli.batch.naming import HOME
from convcli.errors import UsageError
from convcli.image.formats.registry import readable_suffixes

READABLE = readable_suffixes()
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class BatchInput:
    """An input file: its path, its place `relative` to the `folder` that was named, and what the system knows of it."""

    path: str
    relative: str
    folder: str
    bytes: int
    mtime_ns: int
    identity: tuple[int, int]


@dataclass
class FoundInputs:
    """The inputs of a batch.

    Parameters
    ----------
    sources : list of BatchInput
        The files.
    problems : list of (str, str)
        Paths that could not be looked at, each with one line that says why.
    notes, details : list of str
        Lines for everybody, and for who wants to know more.
    """

    sources: list[BatchInput] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Choice:
    """Which of the files in folders, and of those that patterns match, are taken.

    Parameters
    ----------
    include, exclude : tuple of str
        Patterns of names, as a shell's: a file is taken whose name, or whose path below the folder, fits one of
        `include`, where there are any, and none of `exclude`. Upper and lower case count as one.
    newer : float, optional
        Seconds since 1970: files changed at that time or before are left out.

    Examples
    --------
    >>> Choice(include=("*.jpg",), exclude=("raw/*",)).takes("a/B.JPG", 0.0)
    True
    >>> Choice(include=("*.jpg",), exclude=("raw/*",)).takes("raw/b.jpg", 0.0)
    False
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    newer: float | None = None

    def takes(self, relative: str, changed: float) -> bool:
        """Whether a file is taken, by its path below its folder and the time of its last change."""
        names = relative.lower(), relative.lower().rpartition("/")[2]

        def fits(patterns: tuple[str, ...]) -> bool:
            return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in names)

        if (self.include and not fits(self.include)) or fits(self.exclude):
            return False
        return self.newer is None or changed > self.newer


def newer_than(text: str) -> float:
    """Return the time that `--newer` names: that of the last change of a file, or a date such as 2024-05-31T12:00.

    Raises
    ------
    UsageError
        Where it is neither.
    """
    try:
        return os.stat(text).st_mtime
    except (OSError, ValueError):
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise UsageError(
            "there is no such file, nor is it a date", where=f"--newer {text}", advice="write a date as 2024-05-31"
        ) from None


def find_inputs(
    inputs: Sequence[str],
    output: str,
    *,
    recursive: bool = False,
    ours: Container[str] = (),
    choice: Choice | None = None,
) -> FoundInputs:
    """Find the files that `inputs` mean: files, folders, and patterns.

    A file that is named lies directly below the output folder; one in a folder, or matched by a pattern that the shell
    has left, keeps its place below it. Of folders, only files whose suffix is that of an image are taken, and nothing
    hidden. Nothing is taken twice.

    Parameters
    ----------
    inputs : sequence of str
        Paths and patterns.
    output : str
        The output folder, which is not looked into unless it is named itself.
    recursive : bool
        Whether folders within folders are looked into.
    ours : container of str
        The outputs of earlier runs, by their place in the output folder, which are left out.
    choice : Choice, optional
        Which of the files in folders are taken; one that is named is taken in any case.

    Raises
    ------
    UsageError
        Naming all inputs that are not there or match nothing; when no image is found at all; for standard input.
    """
    search = _Search(output, recursive, ours, choice or Choice())
    missing = [path for path in inputs if not search.add(path)]
    if missing:
        shown = ", ".join(map(repr, missing[:_MOST_NAMED]))
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise UsageError(f"nothing matches {shown}{more}: check the paths")
    found = search.found
    if not found.sources and not found.problems:
        where = ", ".join(map(repr, inputs[:_MOST_NAMED])) or "an empty list"
        deeper = "; look into its folders too with --recursive" if search.folders_left else ""
        if search.unwanted:
            deeper = f"; {counted_files(search.unwanted)} left out by --include, --exclude or --newer{deeper}"
        raise UsageError(f"no images in {where}{deeper}")
    if search.unwanted:
        found.notes.append(f"{counted_files(search.unwanted)} left out by --include, --exclude or --newer")
    if search.others:
        found.details.append(f"{counted_files(search.others)} left out by suffix: not of an image")
    if search.folders_left:
        folders = "1 folder is" if search.folders_left == 1 else f"{search.folders_left} folders are"
        found.notes.append(f"{folders} not looked into: that takes --recursive")
    return found


def counted_files(number: int) -> str:
    """Return a number of files with its verb.

    >>> counted_files(1), counted_files(2)
    ('1 file is', '2 files are')
    """
    return "1 file is" if number == 1 else f"{number} files are"


class _Search:
    def __init__(self, output: str, recursive: bool, ours: Container[str], choice: Choice) -> None:
        self.found = FoundInputs()
        self.others = self.folders_left = self.unwanted = 0
        self._choice = choice
        self._recursive = recursive
        self._ours = ours
        self._output = os.path.realpath(output)
        self._output_identity = _identity(output)
        self._taken: set[tuple[tuple[int, int], str]] = set()

    def add(self, path: str) -> bool:
        """Take what one argument means; False where there is no such thing."""
        if path == "-":
            raise UsageError("a batch reads no image from standard input: name files, or filter it with convcli filter")
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return self._add_matches(path)
        except OSError as error:
            self.found.problems.append((path, f"{path}: cannot be read: {error.strerror}"))
            return True
        if stat.S_ISDIR(status.st_mode):
            self._add_folder(path)
        elif stat.S_ISREG(status.st_mode):
            self._take(path, os.path.basename(path), os.path.dirname(path), status)
        else:
            self.found.problems.append((path, f"{path}: not a file: a batch reads files and folders"))
        return True

    def _add_matches(self, pattern: str) -> bool:
        """Take what a pattern matches that the shell has left as it is; the tree is kept below its fixed part."""
        if not glob.has_magic(pattern) or "\0" in pattern:
            return False
        fixed = pattern
        while glob.has_magic(fixed):
            fixed = os.path.dirname(fixed)
        matches = sorted(glob.glob(pattern, recursive=True))
        for match in matches:
            if not os.path.isfile(match):
                continue
            relative, folder = os.path.relpath(match, fixed or os.curdir), fixed
            if relative.startswith(os.pardir + os.sep):  # a pattern may lead out again: '*/../../*.png'
                relative, folder = os.path.basename(match), os.path.dirname(match)
            status = os.stat(match)
            if self._choice.takes(relative, status.st_mtime):
                self._take(match, relative, folder, status)
            else:
                self.unwanted += 1
        return bool(matches)

    def _add_folder(self, root: str) -> None:
        """Take the images in a folder; links to folders come last, so that a loop of them leads to nothing new."""
        inside = os.path.relpath(os.path.realpath(root), self._output)
        inside = "" if inside == os.curdir else f"{inside}/"
        seen: set[tuple[int, int]] = set()
        folders, links = [""], list[str]()
        while folders or links:
            place = folders.pop() if folders else links.pop(0)
            folder = os.path.join(root, place)
            identity = _identity(folder)
            if identity in seen:
                self.found.notes.append(f"{folder}: a link to a folder that is taken already")
                continue
            if place and identity is not None and identity == self._output_identity:
                continue
            if identity is not None:
                seen.add(identity)
            deeper: list[str] = []
            for entry in self._entries(folder):
                name = f"{place}/{entry.name}" if place else entry.name
                if entry.name.startswith("."):
                    if place and entry.name == HOME:
                        self.found.notes.append(
                            f"{folder} holds the outputs of another batch, which are taken as inputs too"
                        )
                    continue
                if _is_folder(entry):
                    (links if entry.is_symlink() else deeper).append(name)
                elif os.path.splitext(entry.name)[1].lower() not in READABLE:
                    self.others += 1
                elif not inside.startswith("..") and inside + name in self._ours:
                    continue
                else:
                    self._take_entry(entry, name, root)
            if not self._recursive:
                self.folders_left += len(deeper) + len(links)
                return
            folders += reversed(deeper)

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                yield from sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.found.problems.append((folder, f"{folder}: the folder cannot be read: {error.strerror}"))

    def _take_entry(self, entry: os.DirEntry[str], relative: str, root: str) -> None:
        try:
            status = entry.stat()
        except OSError as error:
            self.found.problems.append((entry.path, f"{entry.path}: cannot be read: {error.strerror}"))
            return
        if not stat.S_ISREG(status.st_mode):
            self.others += 1
        elif not self._choice.takes(relative, status.st_mtime):
            self.unwanted += 1
        else:
            self._take(entry.path, relative, root, status)

    def _take(self, path: str, relative: str, folder: str, status: os.stat_result) -> None:
        identity = status.st_dev, status.st_ino
        if (identity, relative) in self._taken:
            return
        self._taken.add((identity, relative))
        self.found.sources.append(BatchInput(path, relative, folder, status.st_size, status.st_mtime_ns, identity))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
