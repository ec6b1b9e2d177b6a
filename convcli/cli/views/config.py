"""How the defaults that files set look in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from convcli.cli.views.console import open_table, print_view, stdout_console


def print_settings(records: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of options, what they are set to, and by which file; what nothing sets is dim."""
    console = stdout_console()
    table = open_table(("Option", "Value", "From"), left=(0, 1, 2), folding=(2,))
    table.columns[0].min_width = max(len(_name(record)) for record in records)
    for record in records:
        value = record["value"]
        if value is None:
            table.add_row(Text(_name(record), style="dim"), Text("-", style="dim"), Text("convcli", style="dim"))
        else:
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            table.add_row(Text(_name(record), style="bold"), Text(shown), Text(record["file"]))
    print_view(console, table)


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['command']}.{record['option']}" if record["command"] else str(record["option"])
