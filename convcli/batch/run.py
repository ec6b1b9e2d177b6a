"""A batch of images: planned before any work, done by several processes, and resumed where it was left."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from convcli.job import FilterOptions, Result
from convcli.kernel.model import AnyKernel


@dataclass(frozen=True)
class BatchOptions:
    """Everything that `convcli batch` was asked for, but for its inputs.

    `filter` says what is done to each image, to existing outputs too, and whether anything is written at all (dry_run).
    `output` is the folder that the outputs go below, where the inputs' tree is kept; `name` is what each is called
    there, of the fields stem, suffix, kernel and parent. `jobs` is how many images are worked on at a time: one for each
    core by default. `fail_fast` gives up after the first image that fails.
    """

    filter: FilterOptions
    output: str
    recursive: bool = False
    name: str = "{stem}{suffix}"
    jobs: int | None = None
    fail_fast: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One image to do: from the file `source`, of `bytes`, to `output`, which is `relative` below the output folder.

    `replace` says that a file is there already, which may be replaced.
    """

    source: str
    output: str
    relative: str
    bytes: int
    replace: bool = False


@dataclass(frozen=True)
class Plan:
    """What a batch will do. Its length is how many results it gives.

    `skipped` holds the results that are known before any work: of images whose outputs are there already, and of those
    that failed to be read or named. `notes` are lines for people.
    """

    items: tuple[Item, ...]
    skipped: tuple[Result, ...] = ()
    notes: tuple[str, ...] = ()
    kernels: tuple[AnyKernel, ...] = ()

    def __len__(self) -> int:
        return len(self.items) + len(self.skipped)


def plan_batch(inputs: Sequence[str], options: BatchOptions) -> Plan:
    """Find the inputs, name their outputs and decide what is to be done, touching nothing.

    Raises
    ------
    UsageError
        for inputs that match nothing (all are named), two inputs with one output, outputs that would replace an input,
        unknown fields in the name, an unknown kernel; where outputs exist and are to be an error.
    """
    raise NotImplementedError


def run_batch(plan: Plan, options: BatchOptions, *, on_tick: Callable[[], None] | None = None) -> Iterator[Result]:
    """Do what is planned, and give each image's result as it ends: first all of `plan.skipped`, then as they come.

    `on_tick` is called at least every 0.2 s, in the caller's thread. Closing the iterator, or an exception such as
    KeyboardInterrupt raised in `on_tick` or by a signal, stops all work within about a second: files in hand are
    finished and recorded or leave nothing.

    Raises
    ------
    UsageError
        where another run is at work in the same output folder.
    """
    raise NotImplementedError
