"""Write docs/reference.md, the public names of the package, from their docstrings.

    python tools/reference.py

A test compares the page with what this makes.
"""

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
HEAD = """# Python reference

Made from the docstrings by `tools/reference.py`; `help(convcli.convolve)` shows the same in an interpreter. Each name
is imported from `convcli` itself.
"""
_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)


def reference(package: Any) -> str:
    """Return the page: a section for each public name, in alphabetical order."""
    names = sorted((name for name in package.__all__ if not name.startswith("_")), key=str.lower)
    parts = [HEAD, "\n".join(f"- [`{name}`](#{name.lower()})" for name in names) + "\n"]
    parts += [_entry(name, getattr(package, name)) for name in names]
    return "\n".join(parts)


def _entry(name: str, member: Any) -> str:
    lines = [f"## {name}", "", "```text", *_signature(name, member), "```", "", *_text(member)]
    if inspect.isclass(member):
        for method, value in vars(member).items():
            if isinstance(value, classmethod) and not method.startswith("_"):
                function = getattr(member, method)
                lines += ["", f"### {name}.{method}", "", "```text", *_signature(f"{name}.{method}", function), "```"]
                lines += ["", *_text(function)]
            elif isinstance(value, property):
                lines += ["", f"`{name}.{method}`: {_first_line(value)}"]
    return "\n".join(lines).rstrip() + "\n"


def _signature(name: str, member: Any) -> Iterator[str]:
    """Yield the call of a function, one parameter a line where there are many; types stand under Parameters."""
    shown = []
    starred = False
    for parameter in inspect.signature(member).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        shown.append(parameter.name + _default(parameter, member))
    line = f"{name}({', '.join(shown)})"
    if len(line) <= 100:
        yield line
        return
    yield f"{name}("
    row = "   "
    for each in shown:
        if len(row) + len(each) > 100:
            yield row
            row = "   "
        row += f" {each},"
    yield row
    yield ")"


def _default(parameter: inspect.Parameter, member: Any) -> str:
    if parameter.default is parameter.empty:
        return ""
    made = {field.name for field in _fields(member) if field.default_factory is not dataclasses.MISSING}
    if parameter.name in made or "mappingproxy" in repr(parameter.default):
        return "={}"
    return f"={parameter.default!r}"


def _fields(member: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(member) if dataclasses.is_dataclass(member) else ()


def _first_line(member: Any) -> str:
    return (inspect.getdoc(member) or "").partition("\n")[0]


def _text(member: Any) -> Iterator[str]:
    """Yield a numpydoc docstring as Markdown."""
    text = inspect.getdoc(member) or ""
    pieces = _SECTION.split(text)
    yield pieces[0].strip()
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        yield ""
        yield f"**{title}**"
        yield ""
        if title == "Examples":
            yield from ("```pycon", body.strip(), "```")
        else:
            yield from _listed(body, described=title in ("Parameters", "Attributes"))


def _listed(body: str, *, described: bool) -> Iterator[str]:
    """Yield the entries of a section as a list: each begins at the margin, and its description is indented."""
    entry: list[str] = []
    for line in [*body.strip().splitlines(), "end"]:
        if line[:1].strip() and entry:
            head, *rest = entry
            name, colon, kind = head.partition(" : ")
            shown = f"`{name}` ({kind})" if colon and described else f"`{head}`"
            yield f"- {shown}" + (f": {' '.join(' '.join(rest).split())}" if any(rest) else "")
            entry = []
        entry.append(line.strip())


def main() -> None:
    """Write the page."""
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(reference(importlib.import_module("convcli")), encoding="utf-8")


if __name__ == "__main__":
    main()
