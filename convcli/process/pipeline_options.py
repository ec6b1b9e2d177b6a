"""The options of a pipeline, whatever the images."""

from dataclasses import dataclass, field

from convcli.errors import UsageError, check_word
from convcli.image.reading import ReadOptions
from convcli.pipeline.execution.program import Computing
from convcli.process.choices import PIPELINE_ALPHA, SIGNED
from convcli.process.output_files import OutputOptions


@dataclass(frozen=True)
class RunOptions:
    """Everything that `convcli run` was asked for, but for the names of images.

    Parameters
    ----------
    signed : str
        How the result becomes a picture; `auto`: as the document says.
    alpha : str
        What becomes of opacity: kept where the result is as large as the image (`keep`), or dropped (`drop`).
    contact_sheet : bool
        Whether the result's channels are drawn as labelled tiles, each stretched.
    common_scale : bool
        Whether all tiles are stretched alike.
    save_steps : str, optional
        A folder for what every step gives.
    constants : dict of str to str
        Constants in place of the document's own, as text.
    computing : Computing
        By which backend, on how many cores and where.
    output : OutputOptions
        How the result is written.
    reading : ReadOptions
        How each image is read.

    Raises
    ------
    UsageError
        For an unknown word, a scale without a sheet, or a sheet with a depth or mapping.
    """

    signed: str = "auto"
    alpha: str = "keep"
    contact_sheet: bool = False
    common_scale: bool = False
    save_steps: str | None = None
    constants: dict[str, str] = field(default_factory=dict)
    computing: Computing = field(default_factory=Computing)
    output: OutputOptions = field(default_factory=OutputOptions)
    reading: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        check_word("signed mapping", self.signed, SIGNED)
        check_word("alpha treatment", self.alpha, PIPELINE_ALPHA)
        depth = self.output.depth
        if self.common_scale and not (self.contact_sheet or self.save_steps):
            raise UsageError("--common-scale is the scale of a sheet: say --contact-sheet or --save-steps too")
        if self.contact_sheet and depth not in ("same", "u8"):
            raise UsageError(f"--contact-sheet draws 8-bit tiles: drop --depth {depth}, or write .npy for the values")
        if self.contact_sheet and self.signed != "auto":
            raise UsageError(f"--contact-sheet stretches its tiles: drop --signed {self.signed}")
