"""The page to design kernels on: a picture, the kernels with their descriptors, and the scripts, in one file."""

import json
import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from convcli.convolution.options import EXTENTS, PADDING_MODES
from convcli.errors import ImageReadError, KernelError
from convcli.image.model import Image
from convcli.image.tone import convert_depth
from convcli.kernel.catalogue import catalogue_folder, catalogue_names
from convcli.kernel.files.yaml_notation import read
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import CHANGES, AnyKernel, CompositeKernel, Kernel
from convcli.kernel.parameters import KernelSize, OneOfWords, Parameter, RealNumber, WholeNumber, YesOrNo
from convcli.kernel.spec import load_kernel, split_spec
from convcli.kernel.weights import NORMALIZATIONS
from convcli.process.choices import SIGNED
from convcli.reporting.style import style_sheet
from convcli.visual.drawing import Pixels, data_address
from convcli.visual.explore.formula_script import formulas_script, script_text
from convcli.visual.kernel_measures import card_for_tests

MOST_PIXELS = 1 << 20  # of the picture in the page; larger ones are reduced
_LARGEST_SIDE = 301  # of a kernel on the page
_OPAQUE = "opacity is left out"
_SCRIPTS = ("arrays.js", "engine.js")


def picture_for_page(image: Image | None) -> tuple[Pixels, list[str]]:
    """Return what a page shows of an image, and notes of how that differs from it.

    Parameters
    ----------
    image : Image or None
        The image; without one, the test card.

    Returns
    -------
    array (rows, columns, 1 or 3) of uint8, list of str
        Gray or RGB samples of at most `MOST_PIXELS` pixels, and a note for each thing that was changed.

    Examples
    --------
    >>> picture_for_page(Image(np.full((2, 2, 1), 65535, np.uint16)))[1]
    ['16-bit samples became 8-bit ones']
    """
    if image is None:
        return card_for_tests(512)[:, :, np.newaxis], []
    if 0 in image.pixels.shape:
        raise ImageReadError("the image is empty")
    notes = []
    pixels = image.pixels
    if image.alpha:
        notes.append(_OPAQUE)
        pixels = pixels[:, :, :-1]
    if pixels.shape[2] not in (1, 3):
        notes.append(f"of {pixels.shape[2]} channels the first is shown")
        pixels = pixels[:, :, :1]
    if pixels.dtype != np.uint8:
        kind = "float" if pixels.dtype.kind == "f" else f"{8 * pixels.dtype.itemsize}-bit"
        notes.append(f"{kind} samples became 8-bit ones")
        pixels = convert_depth(pixels, np.dtype(np.uint8))
    height, width = pixels.shape[:2]
    if height * width > MOST_PIXELS:
        import cv2

        factor = math.sqrt(MOST_PIXELS / (height * width))
        size = max(1, int(width * factor)), max(1, int(height * factor))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
        notes.append(f"{width} x {height} was reduced to {size[0]} x {size[1]}")
    return np.ascontiguousarray(pixels, np.uint8), notes


def explore_page(file: str, picture: Pixels, notes: list[str], spec: str) -> str:
    """Return the page as HTML, which needs nothing else.

    Parameters
    ----------
    file : str
        The image's name, for the title and the command line.
    picture : array (rows, columns, 1 or 3) of uint8
        The image's samples.
    notes : list of str
        What the page says of how these differ from the file.
    spec : str
        The kernel that it starts with.

    Raises
    ------
    KernelError
        Where there is no such kernel, or it is too large for the page.
    """
    script, translated = formulas_script(FAMILIES.values())
    entries = [_entry(name, name, load_kernel(name), translated) for name in catalogue_names()]
    chosen = _chosen(spec, entries, translated)
    data = {
        "file": file,
        "image": data_address(picture),
        "opaque": _OPAQUE in notes,
        "mostPixels": MOST_PIXELS,
        "padding": PADDING_MODES,
        "extents": EXTENTS,
        "signed": SIGNED,
        "normalize": NORMALIZATIONS,
        "kernels": entries,
        "chosen": chosen,
    }
    title = Path(file).name
    parts = {
        "title": escape(title),
        "style": style_sheet() + script_text("page.css"),
        "data": json.dumps(data).replace("<", "\\u003c"),
        "note": escape(f"Of {title}: {'; '.join(notes)}." if notes else "All is computed in this page."),
        "scripts": "\n".join([*map(script_text, _SCRIPTS), script, script_text("page.js")]),
    }
    page = script_text("page.html")
    for name, text in parts.items():
        page = page.replace(f"{{{{{name}}}}}", text)
    return page


def _chosen(spec: str, entries: list[dict[str, Any]], translated: list[str]) -> str:
    """Return the name of the entry that a SPEC starts with, added to the entries where it is not among them."""
    kernel = load_kernel(spec)
    for part in _parts(kernel):
        if max(part.size) > _LARGEST_SIDE:
            height, width = part.size
            raise KernelError(f"is {height}x{width}: a page holds kernels of up to {_LARGEST_SIDE}", where=spec)
    base, _ = split_spec(spec)
    names = [entry["name"] for entry in entries]
    if base == spec and spec in names:
        return spec
    changed = isinstance(kernel, Kernel) and any(change in kernel.parameters for change in CHANGES)
    if base in names and not changed:
        # A formula whose parameters differ: its sliders begin there, and the SPEC is that of the catalogue's name.
        entry = entries[names.index(base)]
        if entry.get("formula") and isinstance(kernel, Kernel):
            for parameter in entry["parameters"]:
                parameter["start_value"] = kernel.parameters[parameter["name"]]
            return base
    name = spec if len(spec) <= 40 else f"{kernel.name} (as given)"
    entries.insert(0, _entry(name, spec, kernel, [] if changed else translated))
    return name


def _entry(name: str, spec: str, kernel: AnyKernel, translated: list[str]) -> dict[str, Any]:
    parts = _parts(kernel)
    entry: dict[str, Any] = {
        "name": name,
        "spec": spec,
        "summary": kernel.summary,
        "mapping": kernel.mapping,
        "combine": kernel.combine if isinstance(kernel, CompositeKernel) else None,
        "threshold": kernel.threshold if isinstance(kernel, CompositeKernel) else 0.0,
        "kernels": [_weights(part) for part in parts],
    }
    if isinstance(kernel, Kernel) and kernel.family is not None:
        entry["family"] = kernel.family
        path = catalogue_folder() / f"{name}.yaml"
        described = read(path.read_bytes(), str(path)) if spec == name and name in catalogue_names() else None
        parameters = [_parameter(each, kernel.parameters) for each in FAMILIES[kernel.family].parameters]
        known = all(parameter is not None for parameter in parameters) and kernel.family in translated
        if known and (described is None or described.anchor is None):
            entry["formula"] = True
            entry["parameters"] = parameters
            entry["normalize"] = "none" if described is None else described.normalize
            entry["rotate"] = 0 if described is None else described.rotate
    return entry


def _parts(kernel: AnyKernel) -> tuple[Kernel, ...]:
    return kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)


def _weights(kernel: Kernel) -> dict[str, Any]:
    rows, columns = kernel.size
    return {
        "rows": rows,
        "columns": columns,
        "weights": kernel.weights.ravel().tolist(),
        "anchor": kernel.origin,
        "stated": kernel.anchor is not None,
    }


def _parameter(parameter: Parameter, values: Mapping[str, object]) -> dict[str, Any] | None:
    """Return a parameter's descriptor for the page; None where it takes values that the page knows nothing of."""
    kind: dict[str, Any] = {"type": "number", "above": None, "at_least": None, "below": None, "at_most": None}
    match parameter.kind:
        case RealNumber(above, at_least, below):
            kind |= {"above": above, "at_least": at_least, "below": below}
        case WholeNumber(least, most):
            kind |= {"whole": True, "at_least": least, "at_most": most}
        case OneOfWords(choices):
            kind = {"type": "words", "choices": choices}
        case YesOrNo():
            kind = {"type": "flag", "choices": ("false", "true")}
        case KernelSize(odd):
            kind = {"type": "size", "odd": odd}
        case _:
            return None
    value = values[parameter.name]
    start: object = parameter.default
    if start is None:
        start = 9 if kind["type"] == "size" else kind.get("at_least") or 1
    return {
        "name": parameter.name,
        "help": parameter.help,
        "unit": parameter.unit,
        "auto": bool(parameter.auto),
        "kind": kind,
        "value": None if value == "auto" else value,
        "start": start,
    }
