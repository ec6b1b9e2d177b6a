"""Arrays from files of untrusted origin."""

import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.pipeline.weights.tensor_files import TensorFileError, read_tensor

NUMBERS = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7


def safetensors(path, tensors, metadata=None, header=None):
    """Write a .safetensors file from the format's description: tensors are {name: (dtype, shape, bytes)}."""
    entries, data = {} if metadata is None else {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(entries).encode() if header is None else header
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Bomb:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("was unpickled",)


def cut(path, count):
    path.write_bytes(path.read_bytes()[:-count])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_is_read_as_float32_whatever_it_holds(tmp_path, dtype, order):
    array = np.asarray(np.arange(24).reshape(2, 3, 4), dtype, order=order)
    np.save(tmp_path / "w.npy", array)
    read = read_tensor(tmp_path, "w.npy", (2, 3, 4))
    assert read.dtype == np.float32
    assert_array_equal(read, array)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_members_are_read_by_name(tmp_path, save):
    save(tmp_path / "w.npz", **{"conv1.weight": NUMBERS, "b": np.ones(3)})
    assert_array_equal(read_tensor(tmp_path, "w.npz:conv1.weight"), NUMBERS)
    assert_array_equal(read_tensor(tmp_path, "w.npz:b", (3,)), np.ones(3))


def test_safetensors_members_are_read_by_name(tmp_path):
    tensors = {
        "a": ("F32", [2, 3, 4], NUMBERS.tobytes()),
        "half": ("F16", [3], np.array([0.5, -2, 3], np.float16).tobytes()),
        "double": ("F64", [2], np.array([0.25, 1e10]).tobytes()),
        "whole": ("I64", [1], np.array([-5]).tobytes()),
        # The upper halves of 1.0, -2.0 and 0.15625 as float32.
        "brain": ("BF16", [3], np.array([0x3F80, 0xC000, 0x3E20], np.uint16).tobytes()),
    }
    safetensors(tmp_path / "w.safetensors", tensors, {"format": "pt"})
    assert_array_equal(read_tensor(tmp_path, "w.safetensors:a", (2, 3, 4)), NUMBERS)
    assert_array_equal(read_tensor(tmp_path, "w.safetensors:half"), [0.5, -2, 3])
    assert_array_equal(read_tensor(tmp_path, "w.safetensors:double"), np.float32([0.25, 1e10]))
    assert_array_equal(read_tensor(tmp_path, "w.safetensors:whole"), [-5])
    assert_array_equal(read_tensor(tmp_path, "w.safetensors:brain"), [1, -2, 0.15625])


def test_pickled_objects_are_refused_and_never_loaded(tmp_path):
    np.save(tmp_path / "o.npy", np.array([Bomb()], object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", allow_pickle=True, w=np.array([Bomb()], object))
    (tmp_path / "p.npy").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "net.pt").write_bytes(pickle.dumps(Bomb()))
    with zipfile.ZipFile(tmp_path / "z.npz", "w") as archive:
        archive.writestr("w", pickle.dumps(Bomb()))
    pickled = "holds pickled Python objects, which can run any code and are never loaded"
    for reference, message in {
        "o.npy": pickled,
        "o.npz:w": pickled,
        "net.pt": f"{pickled}: save the weights by safetensors.torch.save_file",
        "p.npy": "is no .npy array",
        "z.npz:w": "is no .npy array",
    }.items():
        with pytest.raises(TensorFileError, match=message):
            read_tensor(tmp_path, reference)


def test_damaged_and_missing_files_are_told_in_one_line(tmp_path):
    np.save(tmp_path / "cut.npy", NUMBERS)
    cut(tmp_path / "cut.npy", 5)
    np.savez(tmp_path / "ok.npz", w=NUMBERS)
    np.savez(tmp_path / "cut.npz", w=NUMBERS)
    cut(tmp_path / "cut.npz", 30)
    np.save(tmp_path / "nan.npy", np.array([1, np.nan]))
    np.save(tmp_path / "large.npy", np.array([1e300]))
    np.save(tmp_path / "complex.npy", np.array([1j]))
    safetensors(tmp_path / "ok.safetensors", {"w": ("F32", [2], b"\0" * 8), "odd": ("F8_E4M3", [2], b"\0\0")})
    safetensors(tmp_path / "cut.safetensors", {"w": ("F32", [2], b"\0" * 8)})
    cut(tmp_path / "cut.safetensors", 1)
    safetensors(tmp_path / "lies.safetensors", {"w": ("F32", [3], b"\0" * 8)})
    safetensors(tmp_path / "junk.safetensors", {}, header=b"{]")
    safetensors(tmp_path / "list.safetensors", {}, header=b"[1, 2]")
    safetensors(
        tmp_path / "minus.safetensors", {}, header=b'{"w": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}'
    )
    (tmp_path / "short.safetensors").write_bytes(b"abc")
    (tmp_path / "huge.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    (tmp_path / "w.txt").write_text("1 2")
    for reference, message in {
        "none.npy": "none.npy: no such file",
        "cut.npy": "cut.npy: is cut short: 91 of 96 bytes",
        "cut.npz:w": "is no .npz archive, or a damaged one",
        "ok.npz": "say which of its arrays: ok.npz:w",
        "ok.npz:v": "ok.npz:v: there is none; it holds w",
        "ok.safetensors": "say which of its arrays: ok.safetensors:w",
        "ok.safetensors:v": "there is none; it holds w, odd",
        "ok.safetensors:odd": "holds F8_E4M3; weights are F64, F32",
        "cut.npy:w": "a .npy file holds one array: leave :w out",
        "nan.npy": "holds NaN, or numbers that are infinite in single precision",
        "large.npy": "numbers that are infinite in single precision",
        "complex.npy": "holds complex128; weights are real numbers",
        "cut.safetensors:w": "is cut short: 7 of 8 bytes",
        "lies.safetensors:w": "its size and its number of bytes differ",
        "junk.safetensors:w": "its header is damaged",
        "list.safetensors:w": "its header is damaged",
        "minus.safetensors:w": "its header is damaged",
        "short.safetensors:w": "is no .safetensors file",
        "huge.safetensors:w": "is no .safetensors file",
        "w.txt": "weights are read from .npy, .npz:name or .safetensors:name",
    }.items():
        with pytest.raises(TensorFileError, match=message) as caught:
            read_tensor(tmp_path, reference)
        assert "\n" not in str(caught.value)


def test_another_size_is_refused_before_anything_is_read(tmp_path):
    with (tmp_path / "big.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
        )
    with pytest.raises(TensorFileError, match=r"is of 1048576x1048576, and must be of 3x3"):
        read_tensor(tmp_path, "big.npy", (3, 3))
