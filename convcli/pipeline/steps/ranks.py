"""Steps on the order of samples in windows: smallest, largest, median, any rank; morphology."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from convcli.operators import ranks
from convcli.pipeline.steps.base import Maps, PositivePair, Step, pair
from convcli.pipeline.steps.properties import Shape, StepProperties


class _Window(Step, frozen=True, kw_only=True):
    """What steps of odd windows share; beyond the edges the outermost sample is repeated."""

    main: ClassVar[str | None] = "size"
    passes: ClassVar[int] = 1

    size: Annotated[PositivePair, Meta(description="Rows and columns of the window; odd.")]

    def __post_init__(self) -> None:
        ranks.odd_pair(self.size)

    def properties(self, *inputs: Shape) -> StepProperties:
        rows, columns = (self.passes * (length - 1) + 1 for length in pair(self.size))
        around = ((rows // 2, rows // 2), (columns // 2, columns // 2))
        return StepProperties(inputs[0], window=(rows, columns), padding=around)


class Median(_Window, frozen=True, kw_only=True):
    """Keep the median of each window: specks go, edges stay. Time grows with the window's area beyond 5x5.

        - median: 3

    Beyond the edges the outermost sample is repeated. A window that holds a NaN gives NaN.
    """

    name: ClassVar[str] = "median"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return ranks.median(inputs[0], self.size, threads)


class Rank(_Window, frozen=True, kw_only=True):
    """Keep a sample of each window by its place in their order.

        - rank: {size: 5, percent: 90}

    Beyond the edges the outermost sample is repeated. A window that holds a NaN gives NaN.
    """

    name: ClassVar[str] = "rank"
    main: ClassVar[str | None] = None

    percent: Annotated[
        float, Meta(ge=0, le=100, description="0 for the smallest sample, 50 for the median, 100 for the largest.")
    ]

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return ranks.rank(inputs[0], self.size, self.percent, threads)


class Minimum(_Window, frozen=True, kw_only=True):
    """Keep the smallest sample of each window. Samples outside the image do not count; a NaN gives NaN.

    - minimum: 3
    - minimum: [1, 9]
    """

    name: ClassVar[str] = "minimum"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return ranks.erode(inputs[0], self.size, threads=threads)


class Maximum(_Window, frozen=True, kw_only=True):
    """Keep the largest sample of each window. Samples outside the image do not count; a NaN gives NaN.

    - maximum: 3
    """

    name: ClassVar[str] = "maximum"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return ranks.dilate(inputs[0], self.size, threads=threads)


class _Morphology(_Window, frozen=True, kw_only=True):
    """What morphology with a shaped window shares."""

    operation: ClassVar[Callable[..., Maps]]

    shape: Annotated[
        Literal["rectangle", "ellipse", "cross"], Meta(description="Which samples of the window count.")
    ] = "rectangle"

    def run(self, *inputs: Maps, threads: int | None = None) -> Maps:
        return type(self).operation(inputs[0], self.size, self.shape, threads)


class Erode(_Morphology, frozen=True):
    """Keep the smallest sample of each window: what is bright shrinks. Serra (1982).

        - erode: 3
        - erode: {size: 9, shape: ellipse}

    Samples outside the image do not count. A window that holds a NaN gives NaN.
    """

    name: ClassVar[str] = "erode"
    operation: ClassVar[Callable[..., Maps]] = ranks.erode


class Dilate(_Morphology, frozen=True):
    """Keep the largest sample of each window: what is bright grows. Serra (1982).

        - dilate: 3
        - dilate: {size: 9, shape: ellipse}

    Samples outside the image do not count. A window that holds a NaN gives NaN.
    """

    name: ClassVar[str] = "dilate"
    operation: ClassVar[Callable[..., Maps]] = ranks.dilate


class Open(_Morphology, frozen=True):
    """Remove what is bright and smaller than the window: erode, then dilate.

        - open: 5
        - open: {size: 9, shape: ellipse}

    Samples outside the image do not count. A window that holds a NaN gives NaN.
    """

    name: ClassVar[str] = "open"
    passes: ClassVar[int] = 2
    operation: ClassVar[Callable[..., Maps]] = ranks.opening


class Close(_Morphology, frozen=True):
    """Fill what is dark and smaller than the window: dilate, then erode.

        - close: 5
        - close: {size: 9, shape: ellipse}

    Samples outside the image do not count. A window that holds a NaN gives NaN.
    """

    name: ClassVar[str] = "close"
    passes: ClassVar[int] = 2
    operation: ClassVar[Callable[..., Maps]] = ranks.closing
