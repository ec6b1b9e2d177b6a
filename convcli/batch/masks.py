"""The masks of a batch: of each image the one that is called as it is, in a folder laid out alike."""

import os

from convcli.errors import UsageError
from convcli.image.formats.registry import readable_suffixes


class MaskFolder:
    """A folder with a mask for each image of a batch.

    Parameters
    ----------
    folder : str
        The folder, in which masks lie as images do in theirs. A mask of another format differs in its suffix.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._names: dict[str, dict[str, list[str]]] = {}

    def mask_of(self, relative: str) -> str:
        """Return the mask of the image at this place in its folder.

        Raises
        ------
        UsageError
            Where there is none, or there are several.
        """
        exact = os.path.join(self.folder, relative)
        if os.path.isfile(exact):
            return exact
        below, name = os.path.split(relative)
        stem = os.path.splitext(name)[0]
        found = self._by_stem(below).get(stem, [])
        if len(found) == 1:
            return os.path.join(self.folder, below, found[0])
        where = f"--mask {self.folder}"
        if not found:
            raise UsageError(f"there is no mask for {relative}", where=where, advice=f"add {stem}.png to it")
        raise UsageError(f"{' and '.join(found)} may both be the mask for {relative}", where=where, advice="leave one")

    def _by_stem(self, below: str) -> dict[str, list[str]]:
        """Return the images in a folder of the folder, by their names without suffixes."""
        if below not in self._names:
            names: dict[str, list[str]] = {}
            try:
                entries = sorted(os.listdir(os.path.join(self.folder, below)))
            except OSError:
                entries = []
            for entry in entries:
                stem, suffix = os.path.splitext(entry)
                if suffix.lower() in readable_suffixes():
                    names.setdefault(stem, []).append(entry)
            self._names[below] = names
        return self._names[below]


def key_with_mask(key: str, mask: str | None) -> str:
    """Return what identifies all that an output depends on besides its image, a mask of its own among it.

    A mask counts by its name, size and time; one that cannot be looked at counts by its name.
    """
    if mask is None:
        return key
    try:
        status = os.stat(mask)
    except OSError:
        return f"{key} {mask}"
    return f"{key} {mask} {status.st_size} {status.st_mtime_ns}"
