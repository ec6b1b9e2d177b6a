"""The journal of a batch: what it has done, kept in its output folder, so that an interrupted run goes on from there.

`OUTDIR/.convcli/journal.jsonl` holds one JSON object a line. `begun` is written before an output may appear, `done`
after it has, with the fingerprint of what made it; `left` takes a `begun` back that came to nothing. An output that is
begun and not done may be whole, or not be there: it is made again. `OUTDIR/.convcli/lock` is held as long as a run
lives, so that what is in `OUTDIR/.convcli/tmp` when another starts belongs to one that does not.

Lines are appended, each write whole. `begun` lines are put on the disk before any of their outputs is, so that also a
power cut leaves no output that the journal does not know; what an output then holds is told by its size and time.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from convcli.batch.naming import HOME
from convcli.errors import ImageWriteError, UsageError

# The names of what may be left in the folder of temporaries: `system.output_file` makes the hidden ones.
_OURS = re.compile(r"\..*\.[0-9a-f]+\.tmp|journal", re.DOTALL)
# A link in place of one of our own files leads to somebody else's.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)

BEGUN, DONE, LEFT = "begun", "done", "left"
_PATIENCE = 3.0  # seconds in which a run that was stopped has recorded what it did, and its processes are gone

# What tells one state of a journal from another; empty where there is none.
JournalState = tuple[int, ...]


class JournalRecord(NamedTuple):
    """A line of the journal about one output: `state`, and of one that is done its fingerprint, size and time."""

    state: str
    fingerprint: str = ""
    bytes: int = -1
    mtime_ns: int = -1


class FileDone(NamedTuple):
    """An output that is in place."""

    output: str
    fingerprint: str
    bytes: int
    mtime_ns: int


def fingerprint(what: str, source: str, size: int, mtime_ns: int) -> str:
    """Identify what makes an output: `what` stands for all options and the version, the rest for the input file.

    >>> fingerprint("blur", "/a.png", 100, 5) == fingerprint("blur", "/a.png", 100, 6)
    False
    """
    text = f"{what}\0{os.path.abspath(source)}\0{size}\0{mtime_ns}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


def read_journal(folder: str) -> tuple[dict[str, JournalRecord], list[str]]:
    """Read the journal of an output folder: a record of each output by its place in it, and notes.

    Lines that are no records, such as the last one of a run that was cut off, are passed over.

    Raises
    ------
    UsageError
        where there is a journal that cannot be read.
    """
    records, lines, damaged = _read(_journal_path(folder))
    notes = []
    if damaged:
        shown = "1 line" if damaged == 1 else f"{damaged} lines"
        notes.append(f"{_journal_path(folder)}: {shown} of {lines} cannot be read and are passed over")
    return records, notes


def journal_state(folder: str) -> JournalState:
    """Identify the journal as it is now."""
    try:
        status = os.stat(_journal_path(folder))
    except OSError:
        return ()
    return status.st_size, status.st_mtime_ns


def await_others(folder: str) -> None:
    """Wait a little for a run that holds an output folder, so that what it still records is known when one is planned.

    Raises UsageError where it goes on.
    """
    # Where the lock cannot be looked at, the journal says so.
    with contextlib.suppress(OSError), open(_lock_path(folder), "rb", opener=_not_a_link) as file:
        _lock_in_time(file, folder)


def check_can_be_made(folder: str) -> None:
    """Check, touching nothing, that there can be a journal in an output folder. Raises ImageWriteError, as it would."""
    missing, place = folder, os.path.join(folder, HOME)
    while not os.path.lexists(place):
        missing, place = place, os.path.dirname(place) or os.curdir
    if not os.path.isdir(place):
        raise _cannot_be_made(missing, os.strerror(errno.ENOTDIR))
    if not os.access(place, os.W_OK | os.X_OK):
        raise _cannot_be_made(missing, os.strerror(errno.EACCES))


def _cannot_be_made(place: str, reason: str | None) -> ImageWriteError:
    return ImageWriteError(f"{place}: cannot be made: {reason}; choose another folder with -o")


def _check_unchanged(folder: str, planned: JournalState) -> None:
    # A run would make again what another has done meanwhile, and record that nothing has come of it.
    if journal_state(folder) != planned:
        raise UsageError(f"{folder}: another batch has been at work in this folder just now: start this again")


def _not_a_link(path: str, flags: int) -> int:
    return os.open(path, flags | _NO_LINK, 0o666)


def _make_own_folders(folder: str) -> None:
    """Make the folders of the journal. Raises UsageError where a link stands in the place of one of them."""
    os.makedirs(folder, exist_ok=True)
    for path in (os.path.join(folder, HOME), os.path.join(folder, HOME, "tmp")):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            what = "a link" if os.path.islink(path) else "no folder"
            raise UsageError(
                f"is {what}, and batch keeps its own files there",
                where=path,
                advice="remove it, or choose another folder with -o",
            )


def _lock_path(folder: str) -> str:
    return os.path.join(folder, HOME, "lock")


def _journal_path(folder: str) -> str:
    return os.path.join(folder, HOME, "journal.jsonl")


def _read(path: str) -> tuple[dict[str, JournalRecord], int, int]:
    """Return the records, the number of lines, and how many of them are no records."""
    records: dict[str, JournalRecord] = {}
    lines = damaged = 0
    try:
        with open(path, "rb", opener=_not_a_link) as file:
            for line in file:
                if line == b"\n":
                    continue
                lines += 1
                try:
                    output, record = _parse(line)
                except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                    damaged += 1
                    continue
                if record.state == LEFT:
                    records.pop(output, None)
                else:
                    records[output] = record
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; put it right, or use another folder") from None
    return records, lines, damaged


def _parse(line: bytes) -> tuple[str, JournalRecord]:
    entry = json.loads(line)
    output, state = entry["output"], entry["state"]
    if not isinstance(output, str) or not line.endswith(b"\n"):
        raise ValueError(line)
    if state in (BEGUN, LEFT):
        return output, JournalRecord(state)
    if state != DONE or not isinstance(entry["fingerprint"], str):
        raise ValueError(line)
    return output, JournalRecord(DONE, entry["fingerprint"], int(entry["bytes"]), int(entry["mtime_ns"]))


class Journal:
    """The journal of one run, which holds its output folder for itself as long as it is open.

    `planned` is the state of the journal by which the run was planned, where it was.

    Attributes
    ----------
    temporaries : str
        A folder on the outputs' file system for files that are not whole yet. It is emptied at both ends of a run.

    Raises
    ------
    UsageError
        where another run holds the folder, or has since the plan was made.
    ImageWriteError
        where the folder cannot be made or written in.
    """

    def __init__(self, folder: str, planned: JournalState | None = None) -> None:
        self._path = _journal_path(folder)
        self._lock: IO[bytes] | None = None
        self._file: int | None = None
        self._torn = False
        self.temporaries = os.path.join(folder, HOME, "tmp")
        try:
            _make_own_folders(folder)
            self._lock = _locked(folder)
            if planned is not None:
                _check_unchanged(folder, planned)
            self._empty()
            self._file = self._open()
        except OSError as error:
            self.close()
            raise _cannot_be_made(error.filename or folder, error.strerror) from None
        except BaseException:
            self.close()
            raise

    def _open(self) -> int:
        """Open the journal for appending, rewritten first where many of its lines are no longer needed."""
        records, lines, damaged = _read(self._path)
        if damaged or lines > 2 * len(records):
            fresh = os.path.join(self.temporaries, "journal")
            with open(fresh, "x", encoding="ascii") as file:
                file.writelines(_line(output, record) for output, record in records.items())
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self._path)
        return _not_a_link(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY)

    def begin(self, outputs: Iterable[str]) -> None:
        """JournalRecord, down to the disk, that these outputs may appear from now on.

        Raises ImageWriteError where that fails, so that they may not: also where the folder has been removed or renamed
        since, when nothing could be put there either.
        """
        if self._file is not None and not _leads_to(self._path, self._file):
            raise ImageWriteError(f"{self._path}: is gone: has the output folder been removed?")
        self._append("".join(_line(output, JournalRecord(BEGUN)) for output in outputs), to_disk=True)

    def leave(self, outputs: Iterable[str]) -> None:
        """Record that nothing has come of these, which were begun."""
        with contextlib.suppress(ImageWriteError):  # then the next run does them, as it would have
            self._append("".join(_line(output, JournalRecord(LEFT)) for output in outputs))

    def finish(self, done: Iterable[FileDone]) -> None:
        """Record outputs that are in place."""
        with contextlib.suppress(ImageWriteError):  # then the next run makes them again
            self._append("".join(_line(each.output, JournalRecord(DONE, *each[1:])) for each in done))

    def _append(self, lines: str, *, to_disk: bool = False) -> None:
        if not lines or self._file is None:
            return
        # What a full disk has cut off stays a line of its own.
        data = memoryview((f"\n{lines}" if self._torn else lines).encode("ascii"))
        try:
            while data:
                data = data[os.write(self._file, data) :]
                self._torn = bool(data)
            if to_disk:
                _flush(self._file)
        except OSError as error:
            raise ImageWriteError(f"{self._path}: cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Release the folder, with no temporary left in it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._lock is not None:
            self._empty()
            self._lock.close()
            self._lock = None

    def _empty(self) -> None:
        """Remove what runs have left in the folder of temporaries: they are gone, since we hold the lock.

        Only files that are called as runs call theirs are removed, and in the folder itself: not through a link in its
        place.
        """
        with contextlib.suppress(OSError), _opened_folder(self.temporaries) as folder:
            for entry in os.scandir(folder):
                if _OURS.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    with contextlib.suppress(OSError):
                        _unlink_in(folder, entry.name)


@contextlib.contextmanager
def _opened_folder(path: str) -> Iterator[int | str]:
    """Open a folder that is no link, by a descriptor where the system has them."""
    if os.scandir not in os.supports_fd or os.unlink not in os.supports_dir_fd:
        if not os.path.islink(path):
            yield path
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unlink_in(folder: int | str, name: str) -> None:
    if isinstance(folder, int):
        os.unlink(name, dir_fd=folder)
    else:
        os.unlink(os.path.join(folder, name))


def _line(output: str, record: JournalRecord) -> str:
    r"""Write one line of the journal.

    >>> _line("a.png", JournalRecord(BEGUN))
    '{"output": "a.png", "state": "begun"}\n'
    """
    name = json.encoder.encode_basestring_ascii(output)
    if record.state != DONE:
        return f'{{"output": {name}, "state": "{record.state}"}}\n'
    return (
        f'{{"output": {name}, "state": "done", "fingerprint": "{record.fingerprint}", '
        f'"bytes": {record.bytes}, "mtime_ns": {record.mtime_ns}}}\n'
    )


def _leads_to(path: str, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file))
    except OSError:
        return False


def _flush(file: int) -> None:
    """Have the system put a file on the disk; where it cannot, the journal is as good as the file system."""
    with contextlib.suppress(OSError):
        (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(file)


def _locked(folder: str) -> IO[bytes]:
    """Open a file that is locked until it is closed, also by the end of all processes that have it.

    Raises UsageError where others hold it: then the folder, and what lies in it, is theirs.
    """
    with contextlib.ExitStack() as on_failure:
        file = on_failure.enter_context(open(_lock_path(folder), "ab", opener=_not_a_link))
        _lock_in_time(file, folder)
        on_failure.pop_all()
    return file


def _lock_in_time(file: IO[bytes], folder: str) -> None:
    stop = time.monotonic() + _PATIENCE
    while not _try_lock(file):
        if time.monotonic() > stop:
            raise UsageError(f"{folder}: another batch is at work in this folder: wait for it, or use another with -o")
        time.sleep(0.05)


def _try_lock(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:
        return _try_lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # A file system without locks, as some network ones are, cannot keep others out.
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS):
            raise
    return True


def _try_lock_on_windows(file: IO[bytes]) -> bool:
    import msvcrt

    try:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]  # on Windows alone
    except OSError:
        return False
    return True
