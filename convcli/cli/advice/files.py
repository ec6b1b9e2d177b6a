"""Names in the place of an image or pipeline: folders, URLs, files of another kind, and files that are not there."""

import itertools
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

# The parser that typer brings has no public name; our pin of typer holds it still.
from typer._click.globals import get_current_context

from convcli.cli.advice.commands import Commands, arguments
from convcli.cli.advice.kernels import NUMBER, in_rows, is_kernel, no_image, with_parameter
from convcli.errors import closest

if TYPE_CHECKING:
    from convcli.process.result import ImageResult

URL = re.compile(r"[a-z][a-z0-9+.-]+://.+", re.IGNORECASE)


def input_message(result: "ImageResult") -> str:
    """Return the error of one image, with what was meant where its name is that of no image.

    Parameters
    ----------
    result : ImageResult
        What became of it; its error is a message.
    """
    message = result.error or ""
    context = get_current_context(silent=True)
    if context is None or result.input == "-" or os.path.isfile(result.input):
        return message
    source, asked = result.input, context.params
    command = f"convcli {context.info_name}"
    doing = " ".join(f"-k {shlex.quote(spec)}" for spec in asked.get("kernel") or ())
    after = doing if doing else shlex.quote(str(asked.get("pipeline")))
    if URL.fullmatch(source):
        to = asked.get("output") or os.path.basename(result.output)
        line = f"filter - {doing}" if doing else f"run {after} -"
        return f"{source}: URLs are not read: curl -L {shlex.quote(source)} | convcli {line} -o {shlex.quote(to)}"
    if os.path.isdir(source):
        to = asked.get("output") or "out"
        how = doing or f"--pipeline {after}"
        return f"{source}: a folder, not an image: convcli batch {shlex.quote(source)} {how} -o {shlex.quote(to)}"
    inputs = list(asked.get("inputs") or ())
    images = shlex.quote(inputs[0]) if inputs else "IMAGE"
    command += f" {images} {doing}" if doing else f" {after} {images}"
    advice = _on_missing_file(source, inputs, asked, command)
    return f"{source or repr(source)}: {advice}" if advice else message


def _on_missing_file(source: str, inputs: Sequence[str], asked: Mapping[str, Any], command: str) -> str:
    """Return advice on an input that is not there; `command` filters the first one."""
    if not source:
        return "the name of an image is empty"
    specs = asked.get("kernel") or ()
    if re.fullmatch(r"[^\W\d]\w*=[^/]+", source) and specs:
        return f"a kernel's parameters belong to it: -k {with_parameter(specs[0], source)}"
    if NUMBER.fullmatch(source) and specs and NUMBER.fullmatch(specs[-1]):
        numbers = [specs[-1], *(word for word in inputs if NUMBER.fullmatch(word))]
        return f"weights are one word in quotes: -k {shlex.quote(in_rows(numbers))}"
    if re.search(r"[*?]|\[[^][]+\]", source):
        return "no file matches"
    from convcli.image.formats.registry import written_formats

    suffix = os.path.splitext(source)[1].lower()
    known = {each for format_ in written_formats().values() for each in format_.suffixes}
    if len(inputs) == 2 and source == inputs[1] and asked.get("output") is None and suffix in known:
        return f"no such file; to write to it: {command} -o {shlex.quote(source)}"
    if near := near_file(source, ()):
        return f"no such file; did you mean {near}?"
    if not suffix and specs and is_kernel(source):
        return f"no such file; to apply that kernel too: -k {shlex.quote(specs[-1])} -k {shlex.quote(source)}"
    return ""


def pipeline_advice(words: Sequence[str], commands: Commands) -> str:
    """Return advice on the words after `run`: an image in the pipeline's place, a file of another suffix, a kernel."""
    from convcli.pipeline.document.named import names_pipeline
    from convcli.pipeline.document.one_line import names_step_or_kernel

    places = arguments(commands["convcli run"], words)
    if not places:
        return ""
    first, *others = places
    documents = [word for word in others if names_pipeline(word)]
    if documents and not names_pipeline(first):
        rest = [word for word in words if word != documents[0]]
        return f"the pipeline comes first: convcli run {shlex.join([documents[0], *rest])}"
    if os.path.isfile(first):
        if not first.lower().endswith((".yaml", ".yml")) and no_image(first) is None:
            return f"{first} is an image, not a pipeline: convcli run PIPELINE {shlex.quote(first)}"
        return _on_kernel_as_pipeline(first, others)
    if os.path.exists(first) or names_step_or_kernel(first):
        return ""
    if names_pipeline(first) and not first.lower().endswith((".yaml", ".yml")):
        return ""
    if near := near_file(first, (".yaml", ".yml")):
        return f"{first}: no such pipeline file; did you mean {near}?"
    return ""


def _on_kernel_as_pipeline(path: str, others: Sequence[str]) -> str:
    keys = _yaml_keys(path)
    if "steps" not in keys and keys & {"weights", "family", "kernels"}:
        return f"{path} is a kernel, not a pipeline: convcli filter {shlex.join(others) or 'IMAGE'} -k {path}"
    return ""


def pipeline_as_kernel_advice(words: Sequence[str], commands: Commands) -> str:
    """Return advice where a pipeline was given as the kernel."""
    for before, word in itertools.pairwise(words):
        if before in ("-k", "--kernel") and os.path.isfile(word) and "steps" in _yaml_keys(word):
            images = arguments(commands["convcli filter"], words)
            return f"{word} is a pipeline, not a kernel: convcli run {shlex.join([word, *images])}"
    return ""


def _yaml_keys(path: str) -> set[str]:
    """Return the keys that stand at the beginning of lines in a small text file; none for anything else."""
    if not path.lower().endswith((".yaml", ".yml")):
        return set()
    try:
        with open(path, encoding="utf-8") as file:
            return set(re.findall(r"^(\w+):", file.read(1 << 16), re.MULTILINE))
    except (OSError, UnicodeDecodeError):
        return set()


def no_image_advice(words: Sequence[str], commands: Commands) -> str:
    """Return what an input is where it is a file but no image: its output has a suffix of no format."""
    if any(word in ("-o", "--output") or word.startswith("--output=") for word in words):
        return ""
    files = [word for word in arguments(commands["convcli filter"], words) if os.path.isfile(word)]
    return next((line for line in map(no_image, files) if line), "")


def near_file(path: str, suffixes: tuple[str, ...]) -> str | None:
    """Return the one file in the same folder that a path was meant for: of the same stem, or few letters different."""
    folder, name = os.path.split(path)
    try:
        names = sorted(each for each in os.listdir(folder or os.curdir) if os.path.isfile(os.path.join(folder, each)))
    except OSError:
        return None
    names = [each for each in names if not suffixes or each.lower().endswith(suffixes)]
    stem = os.path.splitext(name)[0]
    same = [each for each in names if os.path.splitext(each)[0].lower() == stem.lower()]
    if len(same) == 1:
        return os.path.join(folder, same[0])
    if same or (not suffixes and not os.path.splitext(name)[1]):
        return None
    # Only the stem counts: of two short names with one suffix most letters are the same.
    stems = {os.path.splitext(each)[0]: each for each in reversed(names)}
    near = closest(stem, stems)
    return os.path.join(folder, stems[near]) if near else None
