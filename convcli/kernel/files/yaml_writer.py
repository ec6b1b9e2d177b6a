"""Kernels as YAML text that loads back to the same bits."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.model import NAME, AnyKernel, CompositeKernel, Kernel
from convcli.system.yaml_text import MAX_BYTES


def to_yaml(kernel: AnyKernel, origin: str = "") -> str:
    """Write a kernel as a kernel file: weights in full precision, or the parts of a composite.

    `origin`, where given, is the SPEC it came from and becomes a comment.

    >>> from convcli.kernel.spec import load_kernel
    >>> print(to_yaml(load_kernel("-1 0; 0.1 1e-7")), end="")
    name: custom
    weights:
      - [     -1,       0]
      - [    0.1, 1.0e-07]

    Raises
    ------
    KernelError
        for a kernel so large that its file could not be read back.
    """
    lines = [f"# From: {' '.join(origin.split())}"] if origin else []
    lines.append(f"name: {kernel.name}")
    if kernel.summary:
        lines.append(f"summary: {_text(kernel.summary)}")
    if isinstance(kernel, CompositeKernel):
        lines.append("kernels:")
        for part in kernel.kernels:
            lines.append(f"  - name: {part.name}")
            lines += (f"    {line}" for line in _weights(part))
        lines.append(f"combine: {kernel.combine}")
    else:
        lines += _weights(kernel)
    if kernel.mapping:
        lines.append(f"mapping: {kernel.mapping}")
    if kernel.reference:
        lines.append(f"reference: {_text(kernel.reference)}")
    text = "\n".join(lines) + "\n"
    if len(text.encode()) > MAX_BYTES:
        height, width = kernel.size if isinstance(kernel, Kernel) else kernel.kernels[0].size
        raise KernelError(
            f"{kernel.name}: {height}x{width} weights make a file of more than {MAX_BYTES} bytes, which would not load"
        )
    return text


def _weights(kernel: Kernel) -> list[str]:
    rows = [[_number(value) for value in row] for row in kernel.weights.tolist()]
    # Aligned columns are for people; nobody reads a large kernel so, and blanks would double its file.
    width = max(len(cell) for row in rows for cell in row) if kernel.weights.size <= 1024 else 0
    lines = ["weights:", *(f"  - [{', '.join(cell.rjust(width) for cell in row)}]" for row in rows)]
    if kernel.anchor is not None:
        lines.append(f"anchor: {list(kernel.anchor)}")
    return lines


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 2**53 and not (value == 0 and np.signbit(value)):
        return str(int(value))
    text = repr(value)
    if "e" in text and "." not in text:  # older YAML readers take 1e-05 for text
        text = text.replace("e", ".0e")
    return text


def _text(text: str) -> str:
    # A JSON string is a YAML string whatever it holds: colons, quotes, line ends.
    return json.dumps(text, ensure_ascii=False)


def named_after(kernel: AnyKernel, path: str) -> AnyKernel:
    """Return the kernel called as the file it goes to, where that makes a name: found by it, it then answers to it."""
    stem = Path(path).stem
    return replace(kernel, name=stem) if NAME.fullmatch(stem) else kernel
