"""The reports of `filter`, `run` and `batch`: a record and a row for each image."""

from functools import cache

from convcli.process.result import ImageResult, StepResult
from convcli.reporting.csv_table import flat
from convcli.reporting.document import Column, Record, ReportHead
from convcli.reporting.numbers import digits, milliseconds
from convcli.timing import STAGES

_TIMES = (*STAGES, "total")
_COLUMNS = (
    *(Column(name, left=True) for name in ("input", "output", "status", "kernels", "backends", "mapping")),
    *(Column(name, "ms") for name in _TIMES),
    Column("MP/s"),
)


def image_report_head(command: str) -> ReportHead:
    """Return the head of a report on images, whose records are those of `ImageResult`."""
    return ReportHead(f"convcli {command}", _fields(), _COLUMNS, _cells)


@cache
def _fields() -> tuple[str, ...]:
    """Return the columns of CSV: those of an image that was done, whatever became of the others."""
    step = StepResult("", "", predicted_seconds=0.0, runner_up=("", 0.0))
    full = ImageResult("", "", "failed", steps=(step,), seconds=dict.fromkeys(_TIMES, 0.0), error="")
    return tuple(flat(full.record()))


def _cells(record: Record) -> tuple[str, ...]:
    """Return an image's row of the table, each backend named once: a pipeline has many steps."""
    seconds, speed = record["seconds"], record["megapixels_per_second"]
    return (
        record["input"],
        record["output"],
        record["status"],
        ", ".join(step["kernel"] for step in record["steps"]),
        ", ".join(dict.fromkeys(step["backend"] for step in record["steps"] if step["backend"])),
        record["mapping"] or "",
        *(milliseconds(seconds[stage]) if stage in seconds else "" for stage in _TIMES),
        "" if speed is None else digits(speed),
    )
