"""Pipelines of one line, without a file: `gray | gaussian:sigma=2 | sobel | threshold:at=40`.

Steps stand between `|`, each on the result of the one before: the name of a step, with its options behind a `:`; or a
kernel as -k takes it, to which options of `filter` may be added: `box:size=5,padding=wrap`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from convcli.errors import KernelError, closest
from convcli.kernel.catalogue import catalogue_names, find
from convcli.kernel.files.notations import suffixes
from convcli.kernel.spec import split_spec
from convcli.kernel.synonyms import usual_name
from convcli.kernel.weights import NOT_FINITE, NUMBER_OR_FRACTION
from convcli.pipeline.document.constants import read_value
from convcli.pipeline.document.loading import document_of
from convcli.pipeline.document.model import Document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.steps.filters import Filter
from convcli.pipeline.steps.registry import STEPS

SEPARATOR = "|"
_LONGEST_NAME = 60
# What splits options: a comma outside of brackets, such as those of kernel=[3,5].
_COMMA = re.compile(r",(?![^\[]*\])")


def parse_one_line(text: str, constants: Mapping[str, str] = MappingProxyType({})) -> Document:
    """Read a pipeline of one line.

    Parameters
    ----------
    text : str
        Steps between `|`.
    constants : mapping of str to str
        Such as a user has set; a line has none, so that any is an error.

    Returns
    -------
    Document
        Its name is made of those of its steps. Files that it names are looked for in the current folder.

    Raises
    ------
    DocumentError
        For a step that there is not, or options that it does not take.

    Examples
    --------
    >>> document = parse_one_line("gray | gaussian:sigma=2 | threshold:at=40")
    >>> document.name, [node.step.name for node in document.nodes]
    ('gray_gaussian_threshold', ['gray', 'filter', 'threshold'])
    """
    return document_of(line_data(text), "pipeline", Path(), "pipeline", constants)


def line_data(text: str) -> dict[str, Any]:
    """Return a pipeline of one line as the plain data that a YAML file would hold. Raises DocumentError.

    >>> line_data("gray | box:size=5,padding=wrap")
    {'name': 'gray_box', 'steps': ['gray', {'filter': {'kernel': 'box:size=5', 'padding': 'wrap'}}]}
    """
    steps: list[Any] = []
    names: list[str] = []
    for number, part in enumerate(text.split(SEPARATOR), start=1):
        place = f"pipeline, step {number}"
        if not part.strip():
            raise DocumentError(f"{place}: is empty: steps stand between |, as in 'gray | sobel'")
        name, entry = _step_of(part.strip(), place)
        steps.append(entry)
        names.append(name)
    return {"name": "_".join(names)[:_LONGEST_NAME].rstrip("_.-"), "steps": steps}


def names_step_or_kernel(text: str) -> bool:
    """Whether a text can be one step of a line: the name of a step or kernel, or weights.

    >>> names_step_or_kernel("median:size=5"), names_step_or_kernel("0 -1 0"), names_step_or_kernel("canny")
    (True, True, False)
    """
    base = text.partition(":")[0].strip()
    return is_weights(text) or _plain(base) in STEPS or find(base) is not None or find(usual_name(base)) is not None


def _step_of(part: str, place: str) -> tuple[str, Any]:
    """Return the name of a step, for the pipeline's, and its entry as a document has it."""
    if is_weights(part):
        return "custom", {"filter": _filter_options(part, place)}
    base, _, rest = part.partition(":")
    name = _plain(base)
    if name == Filter.name and rest:
        return _kernel_name(rest), {name: _filter_options(rest, place)}
    if name in STEPS and not _only_kernel_takes(name, rest):
        return name, {name: dict(_options(rest, place)) if "=" in rest else _value(rest)} if rest.strip() else name
    if not base.strip().lower().endswith(suffixes()) and "/" not in base and not names_step_or_kernel(base):
        near = closest(base.strip(), [*STEPS, *catalogue_names()])
        hint = f"; did you mean {near!r}?" if near else "; `convcli run --steps` and `convcli kernels list` show them"
        raise DocumentError(f"{place}: no step or kernel is called {base.strip()!r}{hint}")
    return _kernel_name(part), {"filter": _filter_options(part, place)}


def _only_kernel_takes(name: str, rest: str) -> bool:
    """Whether options are those of the kernel of a name that a step has too, as `log:sigma=2` are."""
    given = {each.partition("=")[0].strip() for each in _COMMA.split(rest)} if "=" in rest else set()
    return bool(given) and find(name) is not None and not given & set(STEPS[name].__struct_fields__)


def _filter_options(spec: str, place: str) -> str | dict[str, Any]:
    """Return a SPEC, or the options of `filter`, where some that follow it are not the kernel's but the step's own."""
    own = {option for option in Filter.__struct_fields__ if option != Filter.main}
    try:
        base, parameters = split_spec(spec)
    except KernelError as error:
        raise DocumentError(f"{place}: {error}") from error
    if not set(parameters) & own:
        return spec
    kernel = ",".join(f"{name}={value}" for name, value in parameters.items() if name not in own)
    options = {name: _value(value) for name, value in parameters.items() if name in own}
    return {"kernel": f"{base}:{kernel}" if kernel else base, **options}


def _kernel_name(spec: str) -> str:
    base = spec.partition(":")[0].strip()
    return "custom" if is_weights(base) else re.sub(r"[^\w-]", "_", Path(base).stem)


def _options(text: str, place: str) -> Iterator[tuple[str, Any]]:
    for part in _COMMA.split(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value:
            raise DocumentError(f"{place}: options are written option=value,option=value, not {part.strip()!r}")
        yield name, _value(value)


def _value(text: str) -> Any:
    """Return an option's value: a number, a word, or a list of some in brackets or as 3x5.

    >>> _value("[3, 5]"), _value("3x5"), _value("1/4"), _value("wrap"), _value("null")
    ([3, 5], [3, 5], 0.25, 'wrap', None)
    """
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [_value(each) for each in text[1:-1].split(",") if each.strip()]
    if re.fullmatch(r"\d{1,6}x\d{1,6}", text):
        return [int(each) for each in text.split("x")]
    return None if text == "null" else read_value(text)


def is_weights(text: str) -> bool:
    """Whether a text is weights, as -k takes them: it begins with a number, or holds a `;`."""
    first = re.split(r"[\s,]", text.strip(), maxsplit=1)[0]
    return ";" in text or bool(NUMBER_OR_FRACTION.fullmatch(first) or NOT_FINITE.fullmatch(first))


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")
