"""Markdown as GitHub reads it: tables, lists and text. Charts and pictures are left to HTML."""

import re
from collections.abc import Iterator, Sequence

from convcli.reporting.document import (
    Block,
    Bullets,
    Cell,
    Column,
    Definitions,
    Heading,
    Paragraph,
    Record,
    ReportHead,
    ReportTail,
    Table,
)
from convcli.reporting.numbers import without_controls

# What makes a link of a text in brackets, and the start of an entity.
_LINK_OR_ENTITY = re.compile(r"(\])([(\[:])|()(&)(?=\w+;|#)")


def _with_backslash(match: re.Match[str]) -> str:
    return f"{match[1] or ''}\\{match[2] or match[4]}"


def escape_markdown(text: str) -> str:
    r"""Return text on one line that no Markdown reader takes for markup, nor for the end of a table's cell.

    >>> print(escape_markdown("a|b <i> *c*\nd"))
    a\|b \<i> \*c\* d
    """
    for character in "\\|*<`":
        text = text.replace(character, f"\\{character}")
    text = _LINK_OR_ENTITY.sub(_with_backslash, text)
    return without_controls(" ".join(text.split()))


def markdown_row(cells: Sequence[str | Cell]) -> str:
    r"""Return cells as a line of a table, without the line's end; a marked cell is bold.

    >>> print(markdown_row(["a|b", Cell("1.5", "best")]))
    | a\|b | **1.5** |
    """
    return f"| {' | '.join(map(_cell, cells))} |"


def markdown_table_head(columns: Sequence[Column]) -> tuple[str, str]:
    """Return the first line of a table, and the line under it that says how columns are aligned.

    >>> markdown_table_head([Column("stage", left=True), Column("time", "ms")])
    ('| stage | time [ms] |', '| --- | ---: |')
    """
    rule = ["---" if column.left else "---:" for column in columns]
    return markdown_row([column.heading for column in columns]), f"| {' | '.join(rule)} |"


def markdown_table(table: Table) -> Iterator[str]:
    """Yield the lines of a table."""
    yield from markdown_table_head(table.columns)
    yield from (markdown_row(row.cells) for row in table.rows)


def markdown_lines(block: Block) -> Iterator[str]:
    """Yield the lines of a block; none of what Markdown has no words for."""
    match block:
        case Heading():
            yield f"{'#' * block.level} {escape_markdown(block.text)}"
        case Paragraph():
            yield escape_markdown(block.text)
        case Bullets():
            if block.warning:
                yield from (f"**{escape_markdown(block.warning)}**", "")
            yield from (f"- {escape_markdown(item)}" for item in block.items)
        case Definitions():
            yield from (f"- {escape_markdown(name)}: {escape_markdown(fact)}" for name, fact in block.facts.items())
        case Table():
            yield from markdown_table(block)


def write_head(head: ReportHead) -> str:
    """Return what stands above the first record: the title, blocks, and the head of the table."""
    lines = [f"# {escape_markdown(head.title)}", *_spaced(head.blocks)]
    if head.columns:
        lines += ["", *markdown_table_head(head.columns)]
    return "\n".join(lines) + "\n"


def write_record(head: ReportHead, record: Record, place: int) -> str:
    """Return a record's row of the table."""
    return f"{markdown_row(head.cells(record))}\n" if head.columns else ""


def write_tail(head: ReportHead, tail: ReportTail) -> str:
    """Return the blocks under the table."""
    return "".join(f"{line}\n" for line in _spaced(tail.blocks))


def _spaced(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        lines = list(markdown_lines(block))
        if lines:
            yield ""
            yield from lines


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return escape_markdown(cell)
    return f"**{escape_markdown(cell.text)}**" if cell.mark and cell.text else escape_markdown(cell.text)
