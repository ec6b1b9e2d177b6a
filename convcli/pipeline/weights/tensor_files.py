"""Arrays from untrusted files: .npy, members of .npz, tensors of .safetensors.

Headers are checked strictly before numbers are read; nothing is unpickled. Sources: numpy.lib.format; the safetensors
format, https://github.com/huggingface/safetensors (8 bytes of length, JSON, data).
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import ConvcliError, nearest

# The safetensors library reads headers up to this size, and so do we.
_LONGEST_HEADER = 100_000_000
_SAFETENSORS: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # the upper half of a float32
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
}
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_PICKLED = "holds pickled Python objects, which can run any code and are never loaded"

_NOTHING = np.empty(0, np.float32)

Size = tuple[int, ...]


class TensorFileError(ConvcliError):
    """A file, or an array in it, that cannot be used: the file, the reason, what to do."""


def read_tensor(folder: Path, reference: str, shape: Size | None = None) -> NDArray[np.float32]:
    """Read an array from a file as float32.

    Parameters
    ----------
    folder : Path
        Where the file is looked for.
    reference : str
        `file.npy`, `file.npz:name` or `file.safetensors:name`.
    shape : tuple of int, optional
        An array of another shape is refused before its numbers are read.

    Returns
    -------
    float32 array

    Raises
    ------
    TensorFileError
        If it is missing, damaged, of another shape, or not finite.
    """
    array = _open(folder, reference, shape, look=False)
    if not np.isfinite(array).all():
        raise TensorFileError(f"{reference}: holds NaN, or numbers that are infinite in single precision")
    return array


def check_tensor(folder: Path, reference: str) -> None:
    """Check by its header that there is such an array.

    Raises
    ------
    TensorFileError
        If it is missing, or no array of numbers.
    """
    _open(folder, reference, None, look=True)


def _open(folder: Path, reference: str, shape: Size | None, *, look: bool) -> NDArray[np.float32]:
    """Read an array; with `look` its header alone, and return an empty one."""
    name, member = split_reference(reference)
    path = folder / name
    suffix = path.suffix.lower()
    read = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}.get(suffix)
    if suffix in _PICKLES:
        raise TensorFileError(f"{name}: {_PICKLED}: save the weights by safetensors.torch.save_file")
    if read is None:
        raise TensorFileError(f"{name}: weights are read from .npy, .npz:name or .safetensors:name")
    if suffix == ".npy" and member:
        raise TensorFileError(f"{reference}: a .npy file holds one array: leave :{member} out")
    if suffix != ".npy" and not member:
        held = [] if path.is_fifo() else members(path)
        raise TensorFileError(f"{name}: say which of its arrays: {name}:{held[0] if held else 'name'}")
    if path.is_fifo():  # opening it would wait for ever, and what it holds can be read once
        raise TensorFileError(f"{path}: is a pipe: save the weights as a file")
    try:
        with path.open("rb") as file, np.errstate(over="ignore"):  # what is infinite then is refused
            return read(file, reference, member, shape, look)
    except FileNotFoundError:
        raise TensorFileError(f"{path}: no such file") from None
    except OSError as error:
        raise TensorFileError(f"{path}: cannot be read: {error.strerror or error}") from error


def is_reference(text: str) -> bool:
    """Whether a text names a file of weights, including kinds that are refused.

    >>> is_reference("net.npz:conv1"), is_reference("net.pt"), is_reference("gaussian:sigma=2")
    (True, True, False)
    """
    return Path(split_reference(text)[0]).suffix.lower() in (".npy", ".npz", ".safetensors", *_PICKLES)


def members(path: Path) -> list[str]:
    """Return the names of the arrays in a .npz or .safetensors file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".safetensors":
                return list(_header(file, path.name))
            with zipfile.ZipFile(file) as archive:
                return [name.removesuffix(".npy") for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile, TensorFileError):
        return []


def split_reference(reference: str) -> tuple[str, str]:
    """Split `file.npz:name` at the colon behind the suffix, so that paths with colons work.

    >>> split_reference("a/b.npz:conv1.weight"), split_reference("c.npy")
    (('a/b.npz', 'conv1.weight'), ('c.npy', ''))
    """
    for suffix in (".npz:", ".safetensors:", ".npy:", *(f"{pickle}:" for pickle in _PICKLES)):
        at = reference.lower().find(suffix)
        if at >= 0:
            cut = at + len(suffix)
            return reference[: cut - 1], reference[cut:]
    return reference, ""


def _npy(file: IO[bytes], name: str, _member: str, shape: Size | None, look: bool) -> NDArray[np.float32]:
    try:
        version = np.lib.format.read_magic(file)
        header: Callable[..., Any] = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        found, fortran, dtype = header(file)
    except (ValueError, EOFError, KeyError, TypeError, SyntaxError) as error:
        raise TensorFileError(f"{name}: is no .npy array ({_line(error)})") from error
    if dtype.hasobject:
        raise TensorFileError(f"{name}: {_PICKLED}: save plain numbers by numpy.save")
    _check(name, found, shape, dtype)
    if look:
        return _NOTHING
    count = int(np.prod(found, dtype=np.int64))
    data = file.read(count * dtype.itemsize)
    if len(data) != count * dtype.itemsize:
        raise TensorFileError(f"{name}: is cut short: {len(data)} of {count * dtype.itemsize} bytes")
    array = np.frombuffer(data, dtype).reshape(found, order="F" if fortran else "C")
    return np.array(array, np.float32, order="C")


def _npz(file: IO[bytes], name: str, member: str, shape: Size | None, look: bool) -> NDArray[np.float32]:
    try:
        with zipfile.ZipFile(file) as archive:
            held = [each.removesuffix(".npy") for each in archive.namelist()]
            if member not in held:
                raise TensorFileError(_no_member(name, member, held))
            entry = f"{member}.npy" if f"{member}.npy" in archive.namelist() else member
            with archive.open(entry) as inner:
                return _npy(inner, name, "", shape, look)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise TensorFileError(f"{name}: is no .npz archive, or a damaged one ({_line(error)})") from error


def _safetensors(file: IO[bytes], name: str, member: str, shape: Size | None, look: bool) -> NDArray[np.float32]:
    header = _header(file, name)
    if member not in header:
        raise TensorFileError(_no_member(name, member, list(header)))
    kind, found, begin, end = header[member]
    dtype = _SAFETENSORS.get(kind)
    if dtype is None:
        raise TensorFileError(f"{name}: holds {kind}; weights are {', '.join(_SAFETENSORS)}")
    _check(name, found, shape, dtype)
    if end - begin != int(np.prod(found, dtype=np.int64)) * dtype.itemsize:
        raise TensorFileError(f"{name}: is damaged: its size and its number of bytes differ")
    if look:
        return _NOTHING
    file.seek(begin, 1)
    data = file.read(end - begin)
    if len(data) != end - begin:
        raise TensorFileError(f"{name}: is cut short: {len(data)} of {end - begin} bytes")
    array = np.frombuffer(data, dtype).reshape(found)
    if kind == "BF16":
        array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return np.array(array, np.float32)


def _header(file: IO[bytes], name: str) -> dict[str, tuple[str, Size, int, int]]:
    """Return kind, shape, first and last byte of each tensor from a safetensors header; bytes count from its end."""
    start = file.read(8)
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 2 <= length <= _LONGEST_HEADER:
        raise TensorFileError(f"{name}: is no .safetensors file")
    text = file.read(length)
    if len(text) != length:
        raise TensorFileError(f"{name}: is cut short: {len(text)} of {length} bytes of its header")
    try:
        data = json.loads(text)
        tensors = {key: _entry(entry) for key, entry in data.items() if key != "__metadata__"}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise TensorFileError(f"{name}: its header is damaged ({_line(error)})") from error
    return tensors


def _entry(entry: dict[str, Any]) -> tuple[str, Size, int, int]:
    begin, end = entry["data_offsets"]
    size = tuple(entry["shape"])
    if not all(type(n) is int and n >= 0 for n in (*size, begin, end)) or begin > end:
        raise ValueError("sizes must be whole numbers")
    return str(entry["dtype"]), size, begin, end


def _check(name: str, found: Size, wanted: Size | None, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fiu":
        raise TensorFileError(f"{name}: holds {dtype}; weights are real numbers")
    if wanted is not None and found != wanted:
        raise TensorFileError(f"{name}: is of {_size(found)}, and must be of {_size(wanted)}")


def _no_member(name: str, member: str, held: list[str]) -> str:
    hint = nearest(member, held)
    if hint:
        return f"{name}: there is none{hint}"
    listed = ", ".join(held[:6]) + (", ..." if len(held) > 6 else "")
    return f"{name}: there is none; it holds {listed or 'nothing'}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _size(shape: Size) -> str:
    return "x".join(map(str, shape)) if shape else "one number"
