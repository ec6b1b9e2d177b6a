"""What a report is made of: plain records for programs, and tables, charts, pictures and text for people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Mark = Literal["", "best", "wrong"]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """The head of a column; words stand to the `left` and numbers to the right."""

    title: str
    unit: str = ""
    left: bool = False

    @property
    def heading(self) -> str:
        """The title with its unit in brackets."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True)
class Cell:
    """Text in a table that is marked: as the best of a row or column, or as wrong."""

    text: str
    mark: Mark = ""


@dataclass(frozen=True)
class TableRow:
    """Cells side by side, as many as the table has columns; the mark is that of the whole row."""

    cells: tuple[str | Cell, ...]
    mark: Mark = ""


@dataclass(frozen=True)
class Table:
    """Rows under the heads of columns."""

    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    caption: str = ""


@dataclass(frozen=True)
class Heading:
    """The head of a section, `level` 2, or of a part of one, `level` 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences; with a `warning`, one that must not be missed, under these words."""

    items: tuple[str, ...]
    warning: str = ""


@dataclass(frozen=True)
class Definitions:
    """Names and what they stand for."""

    facts: Mapping[str, str]


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, up to `value`, with a whisker from `low` to `high`; `series` is the number of its colour."""

    name: str
    value: float
    low: float
    high: float
    series: int | None
    mark: Mark = ""


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars over one axis; `label` describes the chart to those who cannot see it."""

    bars: tuple[Bar, ...]
    axis: str
    label: str


@dataclass(frozen=True)
class CurveChart:
    """Curves over two logarithmic axes.

    `curves` gives each curve's y by its x, both above 0; `series` the number of each curve's colour. `crossings` are
    places on the x axis that are marked.
    """

    curves: Mapping[str, Mapping[int, float]]
    series: Mapping[str, int | None]
    crossings: tuple[float, ...]
    x_axis: str
    y_axis: str
    label: str


@dataclass(frozen=True)
class ColourScale:
    """What three colours of a scale stand for, from one end to the other."""

    colours: tuple[tuple[int, int, int], ...]
    low: str
    high: str
    label: str


@dataclass(frozen=True)
class EncodedPicture:
    """A picture as the bytes of a PNG file, what it shows, and its size on the page in pixels."""

    png: bytes
    description: str
    width: int
    height: int


@dataclass(frozen=True)
class Figure:
    """Pictures side by side with a line of text under them."""

    pictures: tuple[EncodedPicture, ...]
    caption: str
    mark: Mark = ""


@dataclass(frozen=True)
class FigureGrid:
    """Figures, as many in a line as there is room for, under a heading, text, and the scale of their colours."""

    title: str
    text: str
    scale: ColourScale
    figures: tuple[Figure, ...]


Block = (
    Heading | Paragraph | Bullets | Definitions | Table | BarChart | CurveChart | FigureGrid
)  # what a page consists of, one under the other


def _no_cells(record: Record) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class ReportHead:
    """What is known of a report before its first record.

    Parameters
    ----------
    title : str
        What the report is called.
    fields : tuple of str
        The columns of CSV: keys of a record, nested ones joined by dots.
    columns : tuple of Column
        Those of the table of records that people see; none where the blocks hold it all.
    cells : callable
        Returns the cells of that table for a record.
    data : mapping
        The keys of JSON beside `results`.
    blocks : tuple of Block
        What stands above the table.
    """

    title: str
    fields: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    cells: Callable[[Record], Sequence[str]] = _no_cells
    data: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class ReportTail:
    """What is known of a report after its last record: further keys of JSON, and what stands under the table."""

    data: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
