"""The notations that kernel files are written in.

A notation is a module in this folder and a line here for each suffix of its files. The module has two functions:

- `read(path: Path) -> KernelFile` reads a file, raising KernelError with the file and the place in it. What a notation
  cannot express stays at the defaults of `KernelFile`; the checks that all kernels share are done by `description`.
- `write(kernel: AnyKernel, origin: str = "") -> str` returns the text of a file that reads back to the same weights.

This table is all that the search for names needs, so that completing a command line loads neither numpy nor YAML.
"""

NOTATIONS = {
    ".yaml": "convcli.kernel.files.yaml_notation",
    ".yml": "convcli.kernel.files.yaml_notation",
}
SUFFIXES = tuple(NOTATIONS)

# What reads a file whose suffix is none of these.
DEFAULT = NOTATIONS[".yaml"]
