"""The results of a pipeline's steps, kept in a folder: the values as .npy, and a sheet of them as .png."""

from pathlib import Path
from time import perf_counter

from convcli.errors import OutputError, OutputExistsError, UsageError
from convcli.image.model import Image
from convcli.image.writing import write_image
from convcli.pipeline.document.model import Node
from convcli.pipeline.execution.contact_sheet import contact_sheet
from convcli.pipeline.steps.base import Maps, size_text
from convcli.process.output_files import STANDARD_STREAM, OutputOptions
from convcli.system.output_file import check_destination


class StepSaver:
    """Keeps the result of each step of one image, as it is called with it.

    Parameters
    ----------
    folder : str
        Where; made where it is missing, but for a dry run.
    source : str
        The image, whose stem starts the files' names.
    nodes : sequence of Node
        The steps, in the order in which their files are numbered.
    output : OutputOptions
        What to do with files that exist, and whether anything is written at all.
    common_scale : bool
        Whether all tiles of a sheet are stretched alike.
    threads : int, optional
        How many cores writing may use, by default all.

    Attributes
    ----------
    seconds : float
        The time that writing has taken.

    Raises
    ------
    OutputExistsError, UsageError, OutputError
        Before any computing, where a file exists and that is to be an error, is the image, or cannot be written.
    """

    def __init__(
        self,
        folder: str,
        source: str,
        nodes: tuple[Node, ...],
        output: OutputOptions,
        *,
        common_scale: bool,
        threads: int | None = None,
    ) -> None:
        self.seconds = 0.0
        self._common_scale = common_scale
        self._threads = threads
        place = Path(folder)
        stem = "stdin" if source == STANDARD_STREAM else Path(source).stem
        digits = len(str(len(nodes)))
        self._paths = {
            node.id: str(place / f"{stem}_{index:0{digits}}_{node.id}") for index, node in enumerate(nodes, start=1)
        }
        if not output.dry_run:
            try:
                place.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(f"cannot be made: {error.strerror}", where=f"--save-steps {folder}") from error
        # A step that exists is replaced or skipped as the output is.
        self._wanted = {
            path + suffix
            for path in self._paths.values()
            for suffix in (".npy", ".png")
            if not place.is_dir() or _check_saved(path + suffix, output.existing, source) == "write"
        }

    def __call__(self, node: Node, maps: Maps) -> None:
        """Keep the result of one step, (rows, columns, channels)."""
        started = perf_counter()
        path = self._paths[node.id]
        if f"{path}.npy" in self._wanted:
            write_image(f"{path}.npy", Image(maps))
        if f"{path}.png" in self._wanted:
            height, width, channels = maps.shape
            title = f"{node.id}  {size_text((height, width, channels))}"
            write_image(f"{path}.png", Image(contact_sheet(maps, title, self._common_scale)), threads=self._threads)
        self.seconds += perf_counter() - started


def _check_saved(path: str, existing: str, source: str) -> str:
    """Check a destination in the folder that --save-steps names, not -o."""
    try:
        return check_destination(path, existing, [source])
    except OutputExistsError as error:
        raise error.advising("say -f to replace it, or choose another folder with --save-steps") from error
    except UsageError as error:
        raise error.advising("choose another folder with --save-steps") from error
