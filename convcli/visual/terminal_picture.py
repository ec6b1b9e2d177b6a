"""Pictures in a terminal: by kitty's protocol, as sixels, or as half blocks in colour or in shades of characters."""

import base64
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from convcli.errors import check_word
from convcli.visual.drawing import Pixels, png_bytes

PROTOCOLS = ("kitty", "sixel", "blocks")

_KITTY_TERMINALS = ("kitty", "ghostty")
_SIXEL_TERMINALS = ("foot", "mlterm", "contour", "yaft", "sixel")
_CHUNK = 4096  # bytes of base64 in one of kitty's commands, at most
_SHADES = " .:-=+*#%@"
_GAP = 2  # columns between the pictures before and after


def terminal_protocol(environment: Mapping[str, str]) -> str:
    """Return how a terminal shows pictures, by what it sets in the environment: one of `PROTOCOLS`.

    `CONVCLI_PREVIEW` says it itself. A multiplexer such as tmux passes on neither kitty's protocol nor sixels.

    Examples
    --------
    >>> terminal_protocol({"TERM": "xterm-kitty"}), terminal_protocol({"TERM": "foot"}), terminal_protocol({})
    ('kitty', 'sixel', 'blocks')
    """
    asked = environment.get("CONVCLI_PREVIEW", "")
    if asked:
        check_word("CONVCLI_PREVIEW", asked, PROTOCOLS)
        return asked
    terminal, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "").lower()
    if environment.get("TMUX") or terminal.startswith(("screen", "tmux")):
        return "blocks"
    if any(name in terminal for name in _KITTY_TERMINALS) or program in {"ghostty", "wezterm"}:
        return "kitty"
    if any(name in terminal for name in _SIXEL_TERMINALS) or program in {"mintty", "iterm.app"}:
        return "sixel"
    return "blocks"


def shrunk(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return a picture (rows, columns, 3) reduced by area to fit into `width` x `height`; never enlarged.

    >>> shrunk(np.zeros((40, 100, 3), np.uint8), 50, 30).shape
    (20, 50, 3)
    """
    import cv2

    rows, columns = pixels.shape[:2]
    factor = min(1.0, width / columns, height / rows)
    size = max(1, round(columns * factor)), max(1, round(rows * factor))
    if size == (columns, rows):
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def beside(left: Pixels, right: Pixels, gap: int) -> Pixels:
    """Return two pictures side by side from the top, on mid-grey.

    >>> beside(np.zeros((2, 3, 3), np.uint8), np.zeros((4, 1, 3), np.uint8), 2).shape
    (4, 6, 3)
    """
    height = max(left.shape[0], right.shape[0])
    both = np.full((height, left.shape[1] + gap + right.shape[1], 3), 128, np.uint8)
    both[: left.shape[0], : left.shape[1]] = left
    both[: right.shape[0], left.shape[1] + gap :] = right
    return both


def kitty_text(pixels: Pixels) -> str:
    """Return a picture in the graphics protocol of kitty: a PNG in base64, in commands of at most 4096 bytes."""
    data = base64.b64encode(png_bytes(pixels)).decode("ascii")
    pieces = [data[place : place + _CHUNK] for place in range(0, len(data), _CHUNK)]
    lines = []
    for place, piece in enumerate(pieces):
        more = int(place < len(pieces) - 1)
        head = f"a=T,f=100,q=2,m={more}" if place == 0 else f"m={more}"
        lines.append(f"\x1b_G{head};{piece}\x1b\\")
    return "".join(lines) + "\n"


def sixel_text(pixels: Pixels) -> str:
    """Return a picture as sixels, in a palette of 6 x 6 x 6 colours, its rounding spread by ordered dither."""
    height, width = pixels.shape[:2]
    order = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 - 0.47
    dither = np.tile(order, (-(-height // 4), -(-width // 4)))[:height, :width, np.newaxis]
    levels = np.clip(np.rint(pixels / 51.0 + dither), 0, 5).astype(np.intp)
    index = levels @ np.array([36, 6, 1])
    parts = [f'\x1bPq"1;1;{width};{height}']
    used = np.unique(index).tolist()
    parts += [f"#{c};2;{c // 36 * 20};{c // 6 % 6 * 20};{c % 6 * 20}" for c in used]
    for top in range(0, height, 6):
        band = index[top : top + 6]
        bits = 1 << np.arange(band.shape[0])[:, np.newaxis]
        lines = []
        for colour in np.unique(band).tolist():
            lines.append(f"#{colour}{_runs(((band == colour) * bits).sum(axis=0) + 63)}")
        parts.append("$".join(lines) + "-")
    return "".join([*parts, "\x1b\\"]) + "\n"


def _runs(codes: NDArray[np.intp]) -> str:
    """Return characters by their codes, those repeated more than three times as `!count` and one."""
    ends = np.flatnonzero(np.diff(codes)) + 1
    starts, stops = np.concatenate([[0], ends]), np.concatenate([ends, [codes.size]])
    return "".join(
        f"!{stop - start}{chr(codes[start])}" if stop - start > 3 else chr(codes[start]) * (stop - start)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    )


def half_block_text(pixels: Pixels, *, true_colour: bool = True) -> str:
    r"""Return a picture as half blocks, two pixels a character, in 24-bit colour or the 256 colours of xterm.

    >>> half_block_text(np.array([[[255, 0, 0]], [[0, 0, 255]]], np.uint8))
    '\x1b[38;2;255;0;0;48;2;0;0;255m▀\x1b[0m\n'
    """
    lines = []
    for y in range(0, pixels.shape[0], 2):
        line, last = [], ""
        for x in range(pixels.shape[1]):
            codes = [_colour(38, pixels[y, x], true_colour)]
            codes.append(_colour(48, pixels[y + 1, x], true_colour) if y + 1 < pixels.shape[0] else "49")
            style = f"\x1b[{';'.join(codes)}m"
            line.append("▀" if style == last else f"{style}▀")
            last = style
        lines.append("".join(line) + "\x1b[0m\n")
    return "".join(lines)


def _colour(code: int, rgb: NDArray[np.uint8], true_colour: bool) -> str:
    if true_colour:
        return f"{code};2;{rgb[0]};{rgb[1]};{rgb[2]}"
    red, green, blue = (round(value / 51) for value in rgb.tolist())
    return f"{code};5;{16 + 36 * red + 6 * green + blue}"


def shade_text(pixels: Pixels) -> str:
    r"""Return a picture in plain characters, denser ones for lighter pixels; one character for two rows of pixels.

    >>> shade_text(np.array([[[0] * 3, [255] * 3]] * 2, np.uint8))
    ' @\n'
    """
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    if luma.shape[0] % 2:
        luma = np.concatenate([luma, luma[-1:]])
    pairs = (luma[::2] + luma[1::2]) / 2
    levels = np.clip((pairs / 256 * len(_SHADES)).astype(int), 0, len(_SHADES) - 1)
    return "".join("".join(_SHADES[level] for level in row) + "\n" for row in levels.tolist())


def preview_text(
    before: Pixels, after: Pixels, environment: Mapping[str, str], *, columns: int, rows: int, cell: tuple[int, int]
) -> str:
    """Return an image before and after as a terminal shows it, reduced to fit.

    Parameters
    ----------
    before, after : array (rows, columns, 3) of uint8
        The pictures.
    environment : mapping
        The environment, which says what the terminal can do; with `NO_COLOR` there are characters alone.
    columns, rows : int
        The size of the terminal in characters.
    cell : (int, int)
        The width and height of a character in pixels.
    """
    each = max(1, (columns - _GAP) // 2)
    tall = max(1, min(rows - 4, 40))
    protocol = "blocks" if environment.get("NO_COLOR") else terminal_protocol(environment)
    if protocol == "blocks":
        both = beside(shrunk(before, each, 2 * tall), shrunk(after, each, 2 * tall), _GAP)
        if environment.get("NO_COLOR"):
            return shade_text(both)
        return half_block_text(both, true_colour=environment.get("COLORTERM", "") in {"truecolor", "24bit"})
    width, height = each * cell[0], tall * cell[1]
    both = beside(shrunk(before, width, height), shrunk(after, width, height), _GAP * cell[0])
    return kitty_text(both) if protocol == "kitty" else sixel_text(both)
