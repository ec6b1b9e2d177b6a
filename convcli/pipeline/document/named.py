"""Pipelines as a command line names them: a name of the catalogue, a file, or one line of steps."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from convcli.errors import KernelError, closest
from convcli.kernel.catalogue import is_file
from convcli.kernel.spec import split_spec
from convcli.pipeline.catalogue import (
    PIPELINE_SUFFIXES,
    find_pipeline,
    pipeline_names,
    pipelines_folder,
    user_pipelines,
)
from convcli.pipeline.document.loading import DocumentFile, load_document, load_head
from convcli.pipeline.document.model import Document
from convcli.pipeline.document.one_line import (
    SEPARATOR,
    is_weights,
    line_data,
    names_step_or_kernel,
    parse_one_line,
)
from convcli.pipeline.errors import DocumentError


class UnknownPipelineError(DocumentError):
    """A word that names no pipeline.

    Attributes
    ----------
    name : str
        The word, as it was typed.
    """

    name = ""


def find_document(text: str, constants: Mapping[str, str] = MappingProxyType({})) -> Document:
    """Return the pipeline that a text stands for.

    What it is follows from its form: with a `|` it is a line of steps; ending in .yaml, or with a `/`, a file; else a
    name, of the shipped catalogue or in the user's folders; else a single step or kernel. Constants may follow a name
    or a file, as in `canny:low=20`.

    Parameters
    ----------
    text : str
        `canny`, `canny:low=20`, `edges.yaml`, or `gray | gaussian:sigma=2 | sobel`.
    constants : mapping of str to str
        Constants in place of the document's own, as text; these go before those in `text`.

    Returns
    -------
    Document

    Raises
    ------
    DocumentError
        If it names no pipeline, or one that is not valid.

    Examples
    --------
    >>> find_document("canny:low=20").constants
    {'low': 20, 'high': 200}
    """
    path = _file_of(text)
    if path is not None:
        base, given = split_spec(text)
        shipped = path.parent == pipelines_folder()
        return load_document(path, {**given, **constants}, path.stem if shipped else str(path))
    if SEPARATOR in text or names_step_or_kernel(text):
        return parse_one_line(text, constants)
    base = split_spec(text)[0]
    near = closest(base, [*pipeline_names(), *user_pipelines()])
    hint = f"; did you mean {near!r}?" if near else ";"
    unknown = UnknownPipelineError(f"unknown pipeline {base!r}{hint} `convcli pipelines list` shows them all")
    unknown.name = base
    raise unknown


def names_pipeline(text: str) -> bool:
    """Whether a text stands for a pipeline by its form or name; of single steps and kernels it is not said here.

    >>> names_pipeline("canny:low=20"), names_pipeline("gray | sobel"), names_pipeline("a.yaml"), names_pipeline("box")
    (True, True, True, False)
    """
    try:
        base = split_spec(text)[0]
    except KernelError:
        return False
    if SEPARATOR in text or base.lower().endswith(PIPELINE_SUFFIXES):
        return True
    return find_pipeline(base) is not None


def is_path(base: str) -> bool:
    """Whether a text is the path of a file by its form: it ends in .yaml, or holds a slash."""
    return base.lower().endswith(PIPELINE_SUFFIXES) or "/" in base or os.sep in base


def find_described(text: str, constants: Mapping[str, str] = MappingProxyType({})) -> tuple[DocumentFile, Document]:
    """Return what a pipeline says of itself, and the pipeline; constants that have to be given may be missing.

    Parameters
    ----------
    text : str
        As for `find_document`.
    constants : mapping of str to str
        As for `find_document`.

    Raises
    ------
    DocumentError
        If it names no pipeline, or one that is not valid.
    """
    path = _file_of(text)
    head = DocumentFile([]) if path is None else load_head(path)
    given = split_spec(text)[1] if path is not None else {}
    # A word that names no file will do for a description: files are looked at when images are run.
    needed = {name: name for name, value in head.constants.items() if value is None}
    document = find_document(text, {**needed, **given, **constants})
    kept = {name: value for name, value in document.constants.items() if name not in {*needed} - {*given, *constants}}
    return head, replace(document, constants=kept)


def pipeline_text(text: str) -> str:
    """Return a pipeline as the text of a YAML file.

    Files of the catalogue that it names are named by their whole paths, so that the text may stand anywhere.

    Parameters
    ----------
    text : str
        As for `find_document`, without constants.

    Raises
    ------
    DocumentError
        If it names no pipeline, or one that is not valid.

    Examples
    --------
    >>> print(pipeline_text("gray | box:size=5"), end="")
    name: gray_box
    steps:
    - gray
    - {filter: 'box:size=5'}
    """
    path = _file_of(text)
    if path is None:
        import yaml

        find_document(text)
        return str(yaml.safe_dump(line_data(text), sort_keys=False, default_flow_style=None))
    load_head(path)
    written = path.read_text(encoding="utf-8")
    if path.parent == pipelines_folder():
        written = written.replace(" data/", f" {path.parent / 'data'}/")
    return written


def _file_of(text: str) -> Path | None:
    """Return the file that a pipeline is read from, None for one line of steps. Raises DocumentError."""
    if (SEPARATOR in text and not is_file(text)) or is_weights(text):
        return None
    try:
        base = split_spec(text)[0]
    except KernelError as error:
        raise DocumentError(str(error)) from error
    path = find_pipeline(base)
    if path is None and (is_path(base) or (not names_step_or_kernel(text) and is_file(base))):
        return Path(base)
    return path
