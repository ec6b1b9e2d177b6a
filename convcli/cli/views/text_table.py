"""Columns of plain text, for messages."""

from collections.abc import Iterator, Sequence


def columns(rows: Sequence[Sequence[str]], words: int = 1) -> Iterator[str]:
    """Yield rows as aligned lines: the first `words` columns and the last to the left, numbers between to the right.

    >>> list(columns([["image", "ms", "backend"], ["a.png", "10.5", "fft"]]))
    ['image    ms  backend', 'a.png  10.5  fft']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        *aligned, last = row
        cells = [
            text.ljust(width) if place < words else text.rjust(width)
            for place, (text, width) in enumerate(zip(aligned, widths[:-1], strict=True))
        ]
        yield "  ".join([*cells, last]).rstrip()
