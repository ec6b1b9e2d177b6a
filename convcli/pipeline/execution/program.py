"""Pipelines prepared for images of one size, and run; each result is released after its last reader."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from convcli.errors import ConvcliError, FilterError
from convcli.pipeline.document.graph import document_properties, nodes_needed
from convcli.pipeline.document.model import ALPHA, INPUT, Document, Node
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.steps.base import Maps, PreparedStep, StepContext
from convcli.pipeline.steps.properties import Shape, StepProperties
from convcli.system.memory import available_bytes

# Called with each map as it is computed.
Watcher = Callable[[Node, Maps], None]
_SAMPLE_BYTES = 4


@dataclass(frozen=True)
class Computing:
    """Options of the computation, as those of `convcli.convolve`."""

    backend: str = "auto"
    threads: int | None = None
    device: str = "auto"


@dataclass(frozen=True, eq=False)
class Program:
    """A document prepared for images of one size and white, with its weights loaded and checked.

    Attributes
    ----------
    document : Document
    nodes : tuple of Node
        Those that the output depends on, in order.
    properties, prepared : dict
        Properties and prepared steps by the nodes' ids.
    input_size : tuple of (int, int, int)
        Rows, columns and channels of the images.
    """

    document: Document
    nodes: tuple[Node, ...]
    properties: dict[str, StepProperties]
    prepared: dict[str, PreparedStep]
    input_size: Shape

    @property
    def output_size(self) -> Shape:
        """Rows, columns and channels of the result."""
        return self.properties[self.document.output.source].output

    def peak_bytes(self) -> int:
        """Return the largest number of bytes of maps held at once, the image included."""
        height, width, channels = self.input_size
        held = {INPUT: height * width * channels, ALPHA: height * width}
        most = 0
        for node, done_with in self._nodes_with_last_reads():
            height, width, channels = self.properties[node.id].output
            held[node.id] = height * width * channels
            most = max(most, sum(held.values()))
            for source in done_with:
                del held[source]
        return most * _SAMPLE_BYTES

    def check_memory(self) -> None:
        """Raise FilterError if the maps alone need more memory than is free."""
        available, wanted = available_bytes(), self.peak_bytes()
        if available is not None and wanted > available:
            raise FilterError(
                f"{self.document.where}: its maps take {wanted / 1e9:.1f} GB at once for an image of "
                f"{self.input_size[1]} x {self.input_size[0]}, and {available / 1e9:.1f} GB are free: use a smaller one"
            )

    def run(self, maps: Maps, alpha: Maps | None = None, watch: Watcher | None = None) -> tuple[Maps, dict[str, float]]:
        """Run the pipeline on an image.

        Parameters
        ----------
        maps : float32 array, (rows, columns, channels)
            Of the size that the program was made for.
        alpha : float32 array, (rows, columns, 1), optional
            The image's opacity, from 0 to 1; 1 unless given.
        watch : callable, optional
            Called with each node and its result.

        Returns
        -------
        result : float32 array
        seconds : dict of str to float
            Time of each step, by the node's id.

        Raises
        ------
        FilterError
            If the image has another size, or a step fails.
        """
        if maps.shape != self.input_size:
            raise FilterError(f"this program is for an image of {self.input_size}, not {maps.shape}")
        held: dict[str, Maps] = {INPUT: maps}
        del maps  # or the image would be held until the end
        if any(ALPHA in node.sources for node in self.nodes):
            held[ALPHA] = np.ones((*self.input_size[:2], 1), np.float32) if alpha is None else alpha
        seconds = {}
        for node, done_with in self._nodes_with_last_reads():
            started = perf_counter()
            try:
                with np.errstate(over="ignore", invalid="ignore"):  # what is infinite, or no number, is a result too
                    result = self.prepared[node.id].run(*(held[source] for source in node.sources))
            except ConvcliError as error:
                raise FilterError(f"{node.where}: {error}") from error
            seconds[node.id] = perf_counter() - started
            if watch is not None:
                watch(node, result)
            held[node.id] = result
            for source in done_with:
                held.pop(source, None)
        return held[self.document.output.source], seconds

    def _nodes_with_last_reads(self) -> Iterator[tuple[Node, list[str]]]:
        """Yield each node with the sources that nothing reads after it."""
        last_reader = {source: node.id for node in self.nodes for source in node.sources}
        output = self.document.output.source
        read_by: dict[str, list[str]] = {}
        for source, reader in last_reader.items():
            if source != output:
                read_by.setdefault(reader, []).append(source)
        for node in self.nodes:
            yield node, read_by.get(node.id, [])


@dataclass
class Pipeline:
    """A document and how to compute it; keeps the programs of the last few image sizes."""

    document: Document
    computing: Computing = field(default_factory=Computing)
    everything: bool = False  # also what the output does not depend on
    _kept: dict[tuple[Shape, float], Program] = field(default_factory=dict)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The steps that are run, in order."""
        wanted = nodes_needed(self.document.nodes, self.document.output.source)
        return tuple(node for node in self.document.nodes if self.everything or node.id in wanted)

    def program(self, size: Shape, white: float = 1.0) -> Program:
        """Return the document prepared for images of one size.

        Parameters
        ----------
        size : tuple of (int, int, int)
            Rows, columns and channels.
        white : float
            The sample value that stands for white.

        Raises
        ------
        DocumentError
            If sizes, channels or weights do not go together; the place in the document, and the reason.
        """
        key = size, white
        if key not in self._kept:
            if len(self._kept) >= 8:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._make(size, white)
        return self._kept[key]

    def _make(self, size: Shape, white: float) -> Program:
        document = self.document
        properties = document_properties(document, size)
        sizes = {INPUT: size, ALPHA: (*size[:2], 1), **{id_: each.output for id_, each in properties.items()}}
        prepared = {}
        for node in self.nodes:
            context = StepContext(
                document.store,
                node.id,
                white,
                self.computing.backend,
                self.computing.threads,
                self.computing.device,
            )
            try:
                inputs = (sizes[source] for source in node.sources)
                prepared[node.id] = node.step.prepare(*inputs, context=context)
            except ConvcliError as error:
                raise DocumentError(f"{node.where}: {error}") from error
        return Program(document, self.nodes, properties, prepared, size)
