"""Reports as text and as files, which are written whole or not at all."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from convcli.errors import ImageWriteError
from convcli.reporting.document import Record, ReportHead, ReportTail
from convcli.reporting.formats import ReportWriter, report_suffix, report_writer

_CHUNK = 1 << 20


def report_text(suffix: str, head: ReportHead, records: Iterable[Record], tail: ReportTail) -> str:
    """Return a report as the text of a file with this suffix."""
    writer = report_writer(suffix)
    return "".join(_pieces(writer, head, records, tail))


def write_report(path: str, head: ReportHead, records: Iterable[Record], tail: ReportTail) -> None:
    """Write a report in the format that the suffix of `path` names, whole or not at all.

    Raises
    ------
    UsageError
        for an unknown suffix.
    ImageWriteError
        where the file cannot be written; then what was there before is still there.
    """
    writer = report_writer(report_suffix(path))
    _put(path, map(_encoded, _pieces(writer, head, records, tail)))


class ReportFile:
    """A report whose records come one by one: kept in a file without a name, and put at `path` when it is whole.

    So memory does not grow with the number of records, a report that was there before stays until the new one is whole,
    and a run that is killed leaves nothing.

    Parameters
    ----------
    path : str
        Where the report goes; its suffix names the format.
    head : ReportHead
        What is known of it before the first record.

    Raises
    ------
    UsageError
        for an unknown suffix.
    ImageWriteError
        where there is no place for the records.
    """

    def __init__(self, path: str, head: ReportHead) -> None:
        self._path = path
        self._head = head
        self._writer = report_writer(report_suffix(path))
        self._count = 0
        folder = Path(path).parent
        try:
            # Beside the report there is room for it; elsewhere temporary files may lie in memory.
            self._records = tempfile.TemporaryFile(dir=folder if folder.is_dir() else None)  # noqa: SIM115 (see __exit__)
        except OSError as error:
            raise self._failure(error) from error

    def add(self, record: Record) -> None:
        """Add a record. Raises ImageWriteError where there is no room for it."""
        text = self._writer.write_record(self._head, record, self._count)
        self._count += 1
        try:
            self._records.write(_encoded(text))
        except OSError as error:
            raise self._failure(error) from error

    def finish(self, tail: ReportTail) -> None:
        """Put the report at its path. Raises ImageWriteError where that fails."""
        try:
            self._records.seek(0)  # which writes what is still held back
        except OSError as error:
            raise self._failure(error) from error
        _put(self._path, self._whole(tail))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written is known by then
            self._records.close()

    def _whole(self, tail: ReportTail) -> Iterator[bytes]:
        yield _encoded(self._writer.write_head(self._head))
        while chunk := self._records.read(_CHUNK):
            yield chunk
        yield _encoded(self._writer.write_tail(self._head, tail))

    def _failure(self, error: OSError) -> ImageWriteError:
        return ImageWriteError(f"cannot be written: {error.strerror or error}", where=f"--report {self._path}")


def _pieces(writer: ReportWriter, head: ReportHead, records: Iterable[Record], tail: ReportTail) -> Iterator[str]:
    yield writer.write_head(head)
    for place, record in enumerate(records):
        yield writer.write_record(head, record, place)
    yield writer.write_tail(head, tail)


def _put(path: str, pieces: Iterable[bytes]) -> None:
    from convcli.system.output_file import write_file

    try:
        write_file(path, pieces)
    except ImageWriteError as error:
        raise ImageWriteError(f"--report {error}") from error


def _encoded(text: str) -> bytes:
    """Encode text; a file name that is not UTF-8 goes into the report byte for byte."""
    return text.encode("utf-8", errors="surrogateescape")
