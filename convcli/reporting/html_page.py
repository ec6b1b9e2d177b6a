"""HTML: one page that stands alone, with tables, charts and pictures, nothing to fetch and nothing to run."""

import base64
from collections.abc import Iterator, Sequence

from convcli.reporting.charts import SIGNS, bar_chart, curve_chart, escape_html, legend_key
from convcli.reporting.document import (
    BarChart,
    Block,
    Bullets,
    ColourScale,
    Column,
    CurveChart,
    Definitions,
    EncodedPicture,
    Figure,
    FigureGrid,
    Heading,
    Mark,
    Paragraph,
    Record,
    ReportHead,
    ReportTail,
    Table,
    TableRow,
)
from convcli.reporting.style import style_sheet

_WIDE, _NARROW = 900, 366  # pixels; the widths that each chart is drawn for
_LEAST_SIDE = 160  # pixels on the page, to which smaller pictures are enlarged


def write_head(head: ReportHead) -> str:
    """Return the page down to the head of the table of records."""
    title = escape_html(head.title)
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{title}</title>\n<style>\n{style_sheet()}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<main>",
        *_blocks(head.blocks),
    ]
    if head.columns:
        parts.append(_table_head(head.columns))
    return "\n".join(parts) + "\n"


def write_record(head: ReportHead, record: Record, place: int) -> str:
    """Return a record's row of the table."""
    return f"{_row(head.columns, TableRow(tuple(head.cells(record))))}\n" if head.columns else ""


def write_tail(head: ReportHead, tail: ReportTail) -> str:
    """Return the rest of the page."""
    end = [_TABLE_END] if head.columns else []
    return "\n".join([*end, *_blocks(tail.blocks), "</main>\n</body>\n</html>\n"])


_TABLE_END = "</tbody></table></div>"


def _blocks(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        yield _block(block)


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{escape_html(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{escape_html(block.text)}</p>"
        case Bullets():
            items = "".join(f"<li>{escape_html(item)}</li>" for item in block.items)
            if not block.warning:
                return f"<ul>{items}</ul>"
            return (
                f'<div class="notice" role="note"><strong>{escape_html(block.warning)}</strong><ul>{items}</ul></div>'
            )
        case Definitions():
            facts = block.facts.items()
            entries = "".join(f"<dt>{escape_html(name)}</dt><dd>{escape_html(fact)}</dd>" for name, fact in facts)
            return f"<dl>{entries}</dl>"
        case Table():
            rows = "\n".join(_row(block.columns, row) for row in block.rows)
            return f"{_table_head(block.columns, block.caption)}\n{rows}\n{_TABLE_END}"
        case BarChart():
            return _for_both_widths(bar_chart(block, _WIDE), bar_chart(block, _NARROW))
        case CurveChart():
            return _curves(block)
        case FigureGrid():
            figures = "".join(map(_figure, block.figures))
            title, text = escape_html(block.title), escape_html(block.text)
            scale = _colour_scale(block.scale)
            return f'<h3>{title}</h3>\n<p>{text}</p>\n{scale}\n<div class="pictures">{figures}</div>'


def _table_head(columns: Sequence[Column], caption: str = "") -> str:
    told = f"<caption>{escape_html(caption)}</caption>" if caption else ""
    heads = "".join(
        f'<th scope="col"{_class("left" if column.left else "")}>{escape_html(column.title)}'
        f"{f'<small>{escape_html(column.unit)}</small>' if column.unit else ''}</th>"
        for column in columns
    )
    return f'<div class="scroll" tabindex="0"><table>{told}\n<thead><tr>{heads}</tr></thead>\n<tbody>'


def _row(columns: Sequence[Column], row: TableRow) -> str:
    cells = []
    for place, (column, cell) in enumerate(zip(columns, row.cells, strict=True)):
        text, mark = (cell, "") if isinstance(cell, str) else (cell.text, cell.mark)
        kind = _class(mark, "left" if column.left else "")
        tag = '<th scope="row"' if place == 0 else "<td"
        cells.append(f"{tag}{kind}>{_signed(text, mark)}</{'th' if place == 0 else 'td'}>")
    return f"<tr{_class(row.mark)}>{''.join(cells)}</tr>"


def _signed(text: str, mark: str) -> str:
    """Return the text of a cell with the sign of its mark."""
    if not mark or not text:
        return escape_html(text)
    return f"{escape_html(text)} {SIGNS[mark]}" if mark == "best" else f"{SIGNS[mark]} {escape_html(text)}"


def _curves(chart: CurveChart) -> str:
    keys = "".join(
        f"<li>{legend_key(chart.series[name], place)}{escape_html(name)}</li>"
        for place, name in enumerate(chart.curves)
    )
    drawn = _for_both_widths(curve_chart(chart, _WIDE), curve_chart(chart, _NARROW))
    return f'{drawn}\n<ul class="legend" aria-label="Legend">{keys}</ul>'


def _for_both_widths(wide: str, narrow: str) -> str:
    return f'<div class="wide">{wide}</div>\n<div class="narrow">{narrow}</div>'


def _colour_scale(scale: ColourScale) -> str:
    colours = ", ".join(f"rgb({red},{green},{blue})" for red, green, blue in scale.colours)
    return (
        f'<div class="scale"><span>{escape_html(scale.low)}</span>'
        f'<i role="img" aria-label="{escape_html(scale.label)}" style="background: linear-gradient(90deg, {colours})">'
        f"</i><span>{escape_html(scale.high)}</span></div>"
    )


def _figure(figure: Figure) -> str:
    pictures = " ".join(map(_picture, figure.pictures))
    alone = _class("alone" if len(figure.pictures) == 1 else "")
    bad = _class("bad" if figure.mark == "wrong" else "")
    return f"<figure{alone}>{pictures}<figcaption{bad}>{escape_html(figure.caption)}</figcaption></figure>"


def _picture(picture: EncodedPicture) -> str:
    factor = max(1, _LEAST_SIDE // max(picture.height, picture.width))
    data = base64.b64encode(picture.png).decode("ascii")
    return (
        f'<img{_class("enlarged" if factor > 1 else "")} src="data:image/png;base64,{data}" '
        f'alt="{escape_html(picture.description)}" width="{picture.width * factor}" '
        f'height="{picture.height * factor}">'
    )


def _class(*names: Mark | str) -> str:
    given = " ".join(filter(None, names))
    return f' class="{given}"' if given else ""
