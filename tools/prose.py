"""Check the words of the repository: how docstrings begin, where links lead, and what is not here.

    python tools/prose.py

Prints a line `file:line: what is wrong` for each finding, and exits with 1 if there is one.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ("convcli", "tests", "tools", "benchmarks", "examples")
# What a reader must translate: a function "returns", a property is "whether" or a noun.
OPENINGS = ("Give", "Gives", "Tell", "Tells", "Say", "Says")
# Documents that are not in the repository.
ELSEWHERE = re.compile(r"\bDESIGN(?:\.md)?\b")


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every docstring of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text


def of_source(path: Path) -> Iterator[tuple[int, str]]:
    """Find what is wrong in the docstrings of a module."""
    for line, text in docstrings(path):
        first = text.split(maxsplit=1)[0]
        if first in OPENINGS:
            yield line, f"the docstring begins with {first!r}: write 'Return ...', 'Whether ...' or a noun"


def of_page(path: Path) -> Iterator[tuple[int, str]]:
    """Find links of a page that lead nowhere in the repository."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            file = target.partition("#")[0]
            if "://" not in target and file and not (path.parent / file).exists():
                yield number, f"the link to {target} leads nowhere"


def of_text(path: Path) -> Iterator[tuple[int, str]]:
    """Find references to documents that a reader of the repository does not have."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if ELSEWHERE.search(line):
            yield number, "refers to a document that is not here: docs/numerics.md has the numbers"


def findings() -> Iterator[str]:
    """Yield a line for everything that is wrong, file by file."""
    python = sorted(path for folder in SOURCE for path in (ROOT / folder).rglob("*.py"))
    pages = [*sorted(ROOT.glob("*.md")), *sorted(p for f in ("docs", "examples") for p in (ROOT / f).rglob("*.md"))]
    for path in (*python, *pages):
        if path == Path(__file__):
            continue
        found = list(of_text(path))
        found += of_page(path) if path.suffix == ".md" else of_source(path)
        for line, what in sorted(found):
            yield f"{path.relative_to(ROOT)}:{line}: {what}"


if __name__ == "__main__":
    wrong = list(findings())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(bool(wrong))
