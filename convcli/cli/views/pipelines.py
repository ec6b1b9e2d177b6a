"""How pipelines look in a terminal: the list of all of them, and one of them with its steps."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from convcli.cli.views.console import open_table, print_line, print_view, stdout_console
from convcli.pipeline.document.loading import DocumentFile
from convcli.pipeline.document.model import Document
from convcli.pipeline.steps.base import Step


def print_pipelines(entries: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of names, one line each, with the first sentence of what each does."""
    console = stdout_console()
    table = open_table(("Name", "Summary"), left=(0, 1), folding=(1,))
    table.columns[0].style = "bold"
    table.columns[0].min_width = max((len(entry["name"]) + 2 * entry["own"] for entry in entries), default=0)
    for entry in entries:
        table.add_row(
            f"{entry['name']} *" if entry["own"] else entry["name"], entry["summary"].split(". ")[0].rstrip(".")
        )
    print_view(console, table)
    if any(entry["own"] for entry in entries):
        console.print("* your own", style="dim")


def print_pipeline(head: DocumentFile, document: Document) -> None:
    """Print one pipeline: what it is, what it takes, its constants and its steps."""
    console = stdout_console()
    console.print(Text(document.name, style="bold"))
    if document.summary:
        console.print(document.summary, markup=False)
    console.print()
    print_line(console, f"images     {_images(document)}")
    for name, default in head.constants.items():
        value = document.constants.get(name)
        shown = f"{name} = {'needed' if value is None else value}"
        print_line(console, f"constant   {shown}" + (f", not {default}" if value not in (None, default) else ""))
    console.print()
    table = open_table(("Result", "Step", "Reads", "Options"), left=(0, 1, 2, 3), folding=(2, 3))
    table.columns[0].min_width = max(len(node.id) for node in document.nodes)
    table.columns[1].min_width = max(len(node.step.name) for node in document.nodes)
    for node in document.nodes:
        table.add_row(node.id, node.step.name, _reads(node.sources), Text(_options(node.step)))
    print_view(console, table)
    if document.reference:
        console.print()
        console.print(f"Reference: {document.reference}", markup=False, style="dim")


def pipeline_record(head: DocumentFile, document: Document) -> dict[str, Any]:
    """Return the same as data for JSON."""
    return {
        "name": document.name,
        "summary": document.summary,
        "reference": document.reference,
        "constants": {**head.constants, **document.constants},
        "input": {"channels": document.input.channels, "size": document.input.size, "range": document.input.range},
        "steps": [
            {"name": node.id, "step": node.step.name, "from": list(node.sources), "options": _changed(node.step)}
            for node in document.nodes
        ],
    }


def _images(document: Document) -> str:
    wanted = document.input
    channels = {None: "any number of channels", 1: "1 channel"}.get(wanted.channels, f"{wanted.channels} channels")
    size = "any size" if wanted.size is None else f"{wanted.size[0]} rows and {wanted.size[1]} columns"
    white = {"file": "as in the file", "byte": "255", "unit": "1"}[wanted.range]
    return f"of {size}, {channels}; white is {white}"


def _changed(step: Step) -> dict[str, Any]:
    """Return the options of a step that differ from their defaults."""
    defaults = dict(zip(step.__struct_fields__[::-1], step.__struct_defaults__[::-1], strict=False))
    return {
        name: getattr(step, name)
        for name in step.__struct_fields__
        if name not in defaults or getattr(step, name) != defaults[name]
    }


def _options(step: Step) -> str:
    return ", ".join(f"{name}: {_short(value)}" for name, value in _changed(step).items())


def _reads(sources: Sequence[str]) -> str:
    """Return the names of a step's inputs, of many the first and the last.

    >>> _reads(["across", "down"]), _reads(["map.1", "map.2", "map.3", "map.4", "map.5"])
    ('across, down', 'map.1 to map.5, 5 in all')
    """
    return ", ".join(sources) if len(sources) <= 4 else f"{sources[0]} to {sources[-1]}, {len(sources)} in all"


def _short(value: Any) -> str:
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
