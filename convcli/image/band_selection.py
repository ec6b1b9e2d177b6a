"""Bands chosen from an image as it was read, with their roles, and the one that is opacity."""

from dataclasses import replace

import numpy as np

from convcli.errors import ImageReadError
from convcli.image.model import COLOURS, Image


def select_bands(image: Image, bands: tuple[int, ...] | None, alpha_band: str | int, name: str) -> Image:
    """Return an image with the bands that were asked for, and opacity where it was said to be.

    Parameters
    ----------
    image : Image
        The image with all its bands.
    bands, alpha_band
        As in `ReadOptions`.
    name : str
        What messages call its file.

    Returns
    -------
    Image
        With the bands in the order asked for, but opacity last.

    Raises
    ------
    ImageReadError
        Where there is no such band, or all there is would be opacity.
    """
    stored = _stored_order(image)
    numbers = tuple(range(1, len(stored) + 1)) if bands is None else bands
    for number, option in ((max(numbers), "--bands"), (alpha_band, "--alpha-band")):
        if isinstance(number, int) and number > len(stored):
            held = "1 band, band 1" if len(stored) == 1 else f"{len(stored)} bands, 1 to {len(stored)}"
            raise ImageReadError(f"{option} asks for band {number}, and the image has {held}", where=name)
    chosen = [stored[number - 1] for number in numbers]
    roles = [image.roles[index] for index in chosen]
    opacity = _place_of_opacity(alpha_band, numbers, roles)
    if opacity is not None and len(chosen) == 1:
        raise ImageReadError(
            "the only band that is read cannot be its opacity", where=name, advice="say --alpha-band none"
        )
    colours = [place for place in range(len(chosen)) if place != opacity]
    order = [chosen[place] for place in (*colours, *([] if opacity is None else [opacity]))]
    pixels = image.pixels
    if order != list(range(pixels.shape[2])):
        pixels = np.ascontiguousarray(pixels[:, :, order])
    return replace(
        image,
        pixels=pixels,
        alpha=opacity is not None,
        roles=(*_roles([roles[place] for place in colours]), *([] if opacity is None else ["alpha"])),
        alpha_place=opacity,
    )


def _stored_order(image: Image) -> list[int]:
    """Return for each band of the file, in its order, the index that it has in `image.pixels`."""
    order = list(range(image.pixels.shape[2]))
    if image.alpha and image.alpha_place is not None:
        order.insert(image.alpha_place, order.pop())
    return order


def _place_of_opacity(asked: str | int, numbers: tuple[int, ...], roles: list[str]) -> int | None:
    """Return which of the bands that are read is opacity, by its place among them."""
    if asked == "none":
        return None
    if asked == "last":
        return len(roles) - 1
    if isinstance(asked, int):
        return numbers.index(asked)
    return roles.index("alpha") if "alpha" in roles else None


def _roles(roles: list[str]) -> list[str]:
    """Return the roles of bands that may have lost some of their fellows: a colour without the others is data.

    >>> _roles(["red", "green", "blue", "alpha"]), _roles(["blue", "data"])
    (['red', 'green', 'blue', 'data'], ['gray', 'data'])
    """
    whole = tuple(roles[: len(COLOURS)]) == COLOURS
    kept = ["data" if role == "alpha" or (role in COLOURS and not whole) else role for role in roles]
    if not whole and "gray" not in kept:
        kept[0] = "gray"
    return kept
