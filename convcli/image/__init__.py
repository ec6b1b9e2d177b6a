"""Images: what they are, and how they come from files and go back to them."""

from convcli.kernel.files.notations import Notation, register

# Kernels are written as pictures, too, which only this floor can decode.
for _name, _about, _suffixes in (
    ("png", "a picture in gray of 16 bits", (".png",)),
    ("picture", "what else is read as an image", (".tif", ".tiff")),
):
    _module, _writes = "convcli.image.kernel_picture", _name == "png"
    register(Notation(_name, _about, _suffixes, _module, writes=_writes, text=False, named=False, signed=False))
