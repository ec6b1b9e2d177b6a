"""Drawings of lines, pictures and text, written as SVG or painted as pixels.

A drawing names its colours by what they are for, `text` or `series-5`, as the style sheet of reports does. SVG follows
the reader's choice of light or dark; pixels are light.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.image.formats.registry import format_for
from convcli.image.model import Image
from convcli.image.writing import encode_image
from convcli.reporting.style import DARK, LIGHT

# Besides those of reports: text on a cell that is dark or light, whatever the ground.
_CELLS = {"on-dark": "#ffffff", "on-light": "#000000"}

Pixels = NDArray[np.uint8]
Point = tuple[float, float]

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif"


@dataclass(frozen=True, eq=False)
class Picture:
    """An RGB picture (rows, columns, 3) in a rectangle, its pixels seen as squares where it is enlarged."""

    x: float
    y: float
    width: float
    height: float
    pixels: Pixels
    description: str = ""


@dataclass(frozen=True, eq=False)
class Polyline:
    """Straight lines from point to point."""

    points: Sequence[Point]
    colour: str = "rule"
    thickness: float = 1.0


@dataclass(frozen=True, eq=False)
class Disc:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str


@dataclass(frozen=True, eq=False)
class Label:
    """Text on a base line; `side` says which end of it lies at x: `start`, `middle` or `end`."""

    x: float
    y: float
    text: str
    size: float = 12.0
    side: str = "start"
    colour: str = "text"
    bold: bool = False


Shape = Picture | Polyline | Disc | Label


@dataclass(frozen=True, eq=False)
class Drawing:
    """Shapes on a ground, in the order they are drawn; sizes are pixels."""

    width: float
    height: float
    shapes: Sequence[Shape]
    title: str = ""


def png_bytes(pixels: Pixels) -> bytes:
    """Return an array (rows, columns) or (rows, columns, 3) of uint8 as a PNG file."""
    array = pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels
    data, _ = encode_image(Image(np.ascontiguousarray(array)), format_for(None, "png"), compression="small")
    return bytes(data)


def data_address(pixels: Pixels) -> str:
    """Return an array of uint8 as the address of a PNG that is within the page itself."""
    return f"data:image/png;base64,{base64.b64encode(png_bytes(pixels)).decode('ascii')}"


def svg_text(drawing: Drawing, *, alone: bool = True) -> str:
    """Return a drawing as SVG.

    Parameters
    ----------
    drawing : Drawing
        The drawing.
    alone : bool
        Whether it is a file, which brings its colours and its ground, or part of a page that has them.

    Examples
    --------
    >>> svg_text(Drawing(2, 1, [Disc(1, 0.5, 0.25, "text")], "dot"), alone=False).count("<circle")
    1
    """
    width, height, title = drawing.width, drawing.height, escape(drawing.title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" font-family="{_FONT}">',
        f"<title>{title}</title>",
    ]
    if alone:
        light, dark = (" ".join(f"--{name}: {tone};" for name, tone in tones.items()) for tones in (LIGHT, DARK))
        parts.append(
            f"<style>svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}</style>"
            '<rect width="100%" height="100%" style="fill: var(--ground)"/>'
        )
    parts += map(_svg_shape, drawing.shapes)
    return "\n".join([*parts, "</svg>\n"])


def _svg_shape(shape: Shape) -> str:
    match shape:
        case Picture():
            place = f'x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}"'
            return (
                f'<image {place} preserveAspectRatio="none" style="image-rendering: pixelated" '
                f'href="{data_address(shape.pixels)}"><title>{escape(shape.description)}</title></image>'
            )
        case Polyline():
            points = " ".join(f"{x:.2f},{y:.2f}" for x, y in shape.points)
            return (
                f'<polyline points="{points}" style="fill: none; stroke: var(--{shape.colour}); '
                f'stroke-width: {shape.thickness:g}"/>'
            )
        case Disc():
            return f'<circle cx="{shape.x:.2f}" cy="{shape.y:.2f}" r="{shape.radius:g}" style="{_fill(shape.colour)}"/>'
        case Label():
            weight = ' font-weight="600"' if shape.bold else ""
            return (
                f'<text x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size:g}" text-anchor="{shape.side}"{weight} '
                f'style="{_fill(shape.colour)}">{escape(shape.text)}</text>'
            )


def _fill(colour: str) -> str:
    return f"fill: {_CELLS[colour]}" if colour in _CELLS else f"fill: var(--{colour})"


def painted(drawing: Drawing, scale: int = 2) -> Pixels:
    """Return a drawing as pixels (rows, columns, 3), `scale` of them to a unit, on the light ground.

    >>> painted(Drawing(3, 2, []), scale=1).shape
    (2, 3, 3)
    """
    import cv2

    canvas = np.empty((round(drawing.height * scale), round(drawing.width * scale), 3), np.uint8)
    canvas[:] = _rgb("ground")
    font = cv2.FontFace("sans")
    for shape in drawing.shapes:
        _paint(canvas, shape, scale, font)
    return canvas


_FRACTION = 4  # bits of a pixel in the coordinates of OpenCV's lines


def _paint(canvas: Pixels, shape: Shape, scale: int, font: Any) -> None:
    import cv2

    def fine(value: float) -> int:
        return round(value * scale * (1 << _FRACTION))

    match shape:
        case Picture():
            left, top = round(shape.x * scale), round(shape.y * scale)
            width, height = round(shape.width * scale), round(shape.height * scale)
            larger = width >= shape.pixels.shape[1]
            how = cv2.INTER_NEAREST if larger else cv2.INTER_AREA
            canvas[top : top + height, left : left + width] = cv2.resize(
                shape.pixels, (width, height), interpolation=how
            )
        case Polyline():
            points = np.array([[fine(x), fine(y)] for x, y in shape.points], np.int32)
            thickness = max(1, round(shape.thickness * scale))
            cv2.polylines(canvas, [points], False, _rgb(shape.colour), thickness, cv2.LINE_AA, _FRACTION)
        case Disc():
            centre = fine(shape.x), fine(shape.y)
            cv2.circle(canvas, centre, fine(shape.radius), _rgb(shape.colour), cv2.FILLED, cv2.LINE_AA, _FRACTION)
        case Label():
            size, weight = round(shape.size * scale), 600 if shape.bold else 400
            (_, _, width, _) = cv2.getTextSize((1, 1), shape.text, (0, 0), font, size, weight)
            shift = {"start": 0.0, "middle": width / 2, "end": float(width)}[shape.side]
            place = round(shape.x * scale - shift), round(shape.y * scale)
            cv2.putText(canvas, shape.text, place, _rgb(shape.colour), font, size, weight)


def _rgb(colour: str) -> tuple[int, int, int]:
    tone = (LIGHT | _CELLS)[colour].lstrip("#")
    return int(tone[:2], 16), int(tone[2:4], 16), int(tone[4:], 16)
