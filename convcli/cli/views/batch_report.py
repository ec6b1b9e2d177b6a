"""The report of a batch: a row for each file as it ends, and the totals; written whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from convcli.batch.totals import Totals
from convcli.cli.views.batch_text import digits, summary
from convcli.cli.views.results import (
    csv_cells,
    csv_columns,
    csv_row,
    markdown_head,
    markdown_image,
    markdown_row,
)
from convcli.errors import ImageWriteError
from convcli.reporting.records import REPORT_SUFFIXES, report_suffix, to_json

_CHUNK = 1 << 20


class BatchReport:
    """Collects the rows of a report in a file without a name, and puts them at `path` with the totals in the end.

    So memory does not grow with the number of files, a report that was there before stays until the new one is whole,
    and a run that is killed leaves nothing.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._form = report_suffix(path, REPORT_SUFFIXES)
        folder = Path(path).parent
        try:
            # Beside the report there is room for it; elsewhere temporary files may lie in memory.
            self._rows = tempfile.TemporaryFile(dir=folder if folder.is_dir() else None)  # noqa: SIM115 (see __exit__)
        except OSError as error:
            raise ImageWriteError(f"--report {path}: {error.strerror}") from error
        self._separator = ""

    def add(self, record: dict[str, Any]) -> None:
        """Add the record of one file. Raises ImageWriteError where there is no room for it."""
        match self._form:
            case ".json":
                row = f"{self._separator}    {to_json(record)}"
                self._separator = ",\n"
            case ".csv":
                row = csv_row(csv_cells(record))
            case _:
                row = markdown_image(_brief(record))
        try:
            self._rows.write(_encoded(row))
        except OSError as error:
            raise self._failure(error) from error

    def write(self, totals: Totals, folder: str) -> None:
        """Write the report. Raises ImageWriteError where that fails; then what was there before is still there."""
        from convcli.system.atomic_file import whole_file

        try:
            self._rows.seek(0)
            with whole_file(self._path) as sink:
                for part in self._parts(totals, folder):
                    sink(part)
        except OSError as error:
            raise self._failure(error) from error
        except ImageWriteError as error:
            raise ImageWriteError(f"--report {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # what could not be written is known by then
            self._rows.close()

    def _parts(self, totals: Totals, folder: str) -> Iterator[bytes]:
        head, tail = {".json": _around_json, ".csv": _around_csv}.get(self._form, _around_markdown)(totals, folder)
        yield _encoded(head)
        while chunk := self._rows.read(_CHUNK):
            yield chunk
        yield _encoded(tail)

    def _failure(self, error: OSError) -> ImageWriteError:
        return ImageWriteError(f"--report {self._path}: {error.strerror}")


def _around_json(totals: Totals, _folder: str) -> tuple[str, str]:
    lines = to_json(totals.record(), indent=2).replace("\n", "\n  ")
    return '{\n  "results": [\n', f'\n  ],\n  "totals": {lines}\n}}\n'


def _around_csv(_totals: Totals, _folder: str) -> tuple[str, str]:
    return csv_row(csv_columns()), ""


def _around_markdown(totals: Totals, folder: str) -> tuple[str, str]:
    parts = [f"\n{_text(summary(totals, folder))}\n"]
    if totals.counts["done"]:
        parts += ["\n## Time by stage, over all jobs\n\n", markdown_row(["stage", "s", "%"]), "| --- | ---: | ---: |\n"]
        parts += [
            markdown_row([name, f"{seconds:.2f}", f"{100 * share:.0f}"]) for name, seconds, share in totals.shares()
        ]
        parts += ["\n## Slowest files\n\n", markdown_row(["input", "s"]), "| --- | ---: |\n"]
        parts += [markdown_row([source, digits(seconds)]) for source, seconds in totals.slowest]
    if totals.failures:
        parts += ["\n## Failures\n\n", *(f"- {_text(failure.error)}\n" for failure in totals.failures)]
    return "".join(markdown_head()), "".join(parts)


def _brief(record: dict[str, Any]) -> dict[str, Any]:
    """Take the steps of a record together, each backend named once: steps of pipelines are many, and few have one."""
    steps = record["steps"]
    backends = dict.fromkeys(step["backend"] for step in steps if step["backend"])
    return {
        **record,
        "steps": [{"kernel": ", ".join(step["kernel"] for step in steps), "backend": ", ".join(backends)}],
    }


def _text(line: str) -> str:
    return " ".join(line.splitlines())


def _encoded(text: str) -> bytes:
    """Encode text; a file name that is not UTF-8 goes into the report byte for byte."""
    return text.encode("utf-8", errors="surrogateescape")
