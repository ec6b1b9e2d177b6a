"""Lines on a batch: how it stands, what it came to, where its time went."""

import math
from collections.abc import Iterator

from convcli.batch.totals import BatchTotals
from convcli.cli.messages import one_line
from convcli.cli.views.results import choice_line
from convcli.cli.views.text_table import columns
from convcli.reporting.numbers import counted, digits, duration, milliseconds

_LONGEST_NAME = 60  # of a file in a table


def standing(totals: BatchTotals) -> Iterator[str]:
    """Yield how far a batch is, in a few words each; what matters most comes first.

    >>> list(standing(BatchTotals(files=2000, clock=lambda: 0.0)))
    ['0/2000 files']
    """
    yield f"{totals.ended}/{totals.files} files"
    if totals.failures:
        yield failed(totals)
    left = totals.seconds_left
    if left is not None:
        yield f"{duration(math.ceil(left))} left"
    if totals.megapixels:
        yield f"{digits(totals.megapixels_per_second, zeros=False)} MP/s"


def failed(totals: BatchTotals) -> str:
    """Return how many files failed."""
    return f"{len(totals.failures)} failed"


def batch_summary(totals: BatchTotals, folder: str) -> str:
    """Return one line on what a batch came to.

    >>> batch_summary(BatchTotals(files=0, clock=lambda: 0.0), "out")
    'there was nothing to do'
    """
    counts = totals.counts
    others = [f"{counts[status]} {status}" for status in ("skipped", "failed") if counts[status]]
    if totals.not_tried:
        others.append(f"{totals.not_tried} not tried")
    if counts["planned"]:
        line = f"would write {counted(counts['planned'], 'file')} into {folder}"
    elif counts["done"] or totals.ended or totals.not_tried:
        megapixels = digits(totals.megapixels_per_second, zeros=False)
        speed = f", {megapixels} MP/s, {digits(totals.files_per_second, zeros=False)} files/s"
        line = f"wrote {counted(counts['done'], 'file')} into {folder}"
        if counts["done"]:
            line += f": {digits(totals.megapixels, zeros=False)} MP in {duration(totals.seconds)}{speed}"
    else:
        line = "there was nothing to do"
    return "; ".join([line, ", ".join(others)]) if others else line


def batch_timing(totals: BatchTotals) -> Iterator[str]:
    """Yield where the time went: by stage over all jobs, the slowest files, and how each kernel was computed."""
    done = totals.counts["done"]
    if done:
        rows = [["stage", "s", "%", "ms a file", ""]]
        for name, seconds, share in totals.shares():
            rows.append([name, digits(seconds), f"{100 * share:.0f}", milliseconds(seconds / done), ""])
        yield from columns(rows)
        rows = [["slowest", "ms", ""]]
        rows += [[_cut(source), milliseconds(seconds), ""] for source, seconds in totals.slowest]
        yield from columns(rows)
    for kind in totals.choices:
        line = choice_line(kind.kernel, kind.backend, kind.reason, kind.predicted, kind.next_best, kind.after)
        yield f"{line}; {counted(kind.files, 'file')}"


def _cut(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"
