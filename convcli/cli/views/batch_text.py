"""A batch in words: how it stands, what it came to, where its time went."""

from collections.abc import Iterator

from convcli.batch.totals import BatchTotals
from convcli.cli.messages import one_line
from convcli.cli.views.results import choice_line, columns

_LONGEST_NAME = 60  # of a file in a table


def standing(totals: BatchTotals) -> Iterator[str]:
    """Tell in a few words each how far a batch is; what matters most comes first.

    >>> list(standing(BatchTotals(files=2000, clock=lambda: 0.0)))
    ['0/2000 files']
    """
    yield f"{totals.ended}/{totals.files} files"
    if totals.failures:
        yield failed(totals)
    left = totals.seconds_left
    if left is not None:
        yield f"{duration(left)} left"
    if totals.megapixels:
        yield f"{digits(totals.megapixels_per_second)} MP/s"


def failed(totals: BatchTotals) -> str:
    """Tell how many failed."""
    return f"{len(totals.failures)} failed"


def summary(totals: BatchTotals, folder: str) -> str:
    """Tell in one line what a batch came to.

    >>> summary(BatchTotals(files=0, clock=lambda: 0.0), "out")
    'there was nothing to do'
    """
    counts = totals.counts
    others = [f"{counts[status]} {status}" for status in ("skipped", "failed") if counts[status]]
    if totals.not_tried:
        others.append(f"{totals.not_tried} not tried")
    if counts["planned"]:
        line = f"would write {files(counts['planned'])} into {folder}"
    elif counts["done"] or totals.ended or totals.not_tried:
        speed = f", {digits(totals.megapixels_per_second)} MP/s, {digits(totals.files_per_second)} files/s"
        line = f"wrote {files(counts['done'])} into {folder}"
        if counts["done"]:
            line += f": {digits(totals.megapixels)} MP in {duration(totals.seconds)}{speed}"
    else:
        line = "there was nothing to do"
    return "; ".join([line, ", ".join(others)]) if others else line


def timing(totals: BatchTotals) -> Iterator[str]:
    """Tell where the time went: by stage over all jobs, the slowest files, and how each kernel was computed and why."""
    done = totals.counts["done"]
    if done:
        rows = [["stage", "s", "%", "ms a file", ""]]
        for name, seconds, share in totals.shares():
            rows.append([name, f"{seconds:.2f}", f"{100 * share:.0f}", f"{1e3 * seconds / done:.2f}", ""])
        yield from (line.rstrip() for line in columns(rows))
        rows = [["slowest", "ms", ""]]
        rows += [[_cut(source), f"{1e3 * seconds:.1f}", ""] for source, seconds in totals.slowest]
        yield from (line.rstrip() for line in columns(rows))
    for kind in totals.choices:
        line = choice_line(kind.kernel, kind.backend, kind.reason, kind.predicted, kind.next_best, kind.after)
        yield f"{line}; {files(kind.files)}"


def digits(value: float) -> str:
    """Write a number in three digits or as a whole one, and none in vain.

    >>> digits(0.01234), digits(4.0), digits(37.44), digits(1234.5)
    ('0.0123', '4', '37.4', '1234')
    """
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Write a time as people say it.

    >>> duration(0.0123), duration(3.214), duration(75), duration(3 * 3600 + 62)
    ('12 ms', '3.2 s', '1:15 min', '3:01 h')
    """
    if seconds < 0.0995:
        return f"{1e3 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


def files(number: int) -> str:
    """Count files: `1 file`, `2 files`."""
    return "1 file" if number == 1 else f"{number} files"


def _cut(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _LONGEST_NAME else f"...{name[3 - _LONGEST_NAME :]}"
