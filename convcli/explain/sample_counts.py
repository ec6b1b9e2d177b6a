"""Counts of samples: of each result, of those held at once, and of those that no window reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from convcli.pipeline.document.graph import nodes_needed
from convcli.pipeline.document.model import INPUT, SOURCES, Document
from convcli.pipeline.steps.properties import Shape, StepProperties

BYTES = 4  # of a float32 sample or weight


def samples(shape: Shape) -> int:
    """Return the number of samples of an image or a result.

    >>> samples((224, 224, 64))
    3211264
    """
    return shape[0] * shape[1] * shape[2]


def all_sizes(document: Document, properties: Mapping[str, StepProperties], image: Shape) -> dict[str, Shape]:
    """Return the sizes of the sources and of every node's result, by id."""
    sizes: dict[str, Shape] = dict.fromkeys(SOURCES, (image[0], image[1], 1)) | {INPUT: image}
    return sizes | {node.id: properties[node.id].output for node in document.nodes}


def peak_samples(document: Document, sizes: Mapping[str, Shape]) -> int:
    """Return the largest number of samples held at once, each result being released after its last reader.

    Parameters
    ----------
    document : Document
    sizes : mapping of str to (int, int, int)
        Sizes of the sources and of every node's result.
    """
    wanted = nodes_needed(document.nodes, document.output.source)
    nodes = [node for node in document.nodes if node.id in wanted]
    last_reader = {source: index for index, node in enumerate(nodes) for source in node.sources}
    last_reader[document.output.source] = len(nodes)
    held = {source for source in SOURCES if source in last_reader}
    peak = sum(samples(sizes[source]) for source in held)
    for index, node in enumerate(nodes):
        held.add(node.id)
        peak = max(peak, sum(samples(sizes[each]) for each in held))
        held = {each for each in held if last_reader.get(each, -1) > index}
    return peak


@dataclass(frozen=True)
class UnreadSamples:
    """Samples along one axis of a step's input that no window reads.

    Attributes
    ----------
    after : int
        Those behind the last window.
    between : int
        Those between windows.
    """

    after: int = 0
    between: int = 0


def unread_along_axis(length: int, output: int, window: int, stride: int, dilation: int, before: int) -> UnreadSamples:
    """Count the samples of an axis that no window reads.

    Parameters
    ----------
    length, output : int
        Length of the axis of the input, and of the result.
    window, stride, dilation : int
        Samples of a window, distance between windows, distance between the samples of a window.
    before : int
        Samples of padding before the first one.

    Examples
    --------
    >>> unread_along_axis(10, 3, window=3, stride=3, dilation=1, before=0)
    UnreadSamples(after=1, between=0)
    >>> unread_along_axis(8, 4, window=1, stride=2, dilation=1, before=0)
    UnreadSamples(after=0, between=4)
    """
    read = np.zeros(length, bool)
    starts = np.arange(output) * stride - before
    for tap in range(window):
        places = starts + tap * dilation
        read[places[(places >= 0) & (places < length)]] = True
    end = int(np.flatnonzero(read)[-1]) + 1 if read.any() else 0
    # A gap as wide as those between windows lies behind the last one too, and is counted with them.
    skipped = max(0, stride - dilation * (window - 1) - 1)
    after = length - end if length - end > skipped else 0
    return UnreadSamples(after, int(np.count_nonzero(~read)) - after)


def unread_samples(properties: StepProperties, given: Shape) -> tuple[UnreadSamples, UnreadSamples]:
    """Count the samples of a step's input that no window reads, along rows and along columns.

    Parameters
    ----------
    properties : StepProperties
        Those of the step.
    given : tuple of (int, int, int)
        Size of its input.
    """
    if properties.whole or properties.upsampling != (1, 1):
        return UnreadSamples(), UnreadSamples()
    rows, columns = (
        unread_along_axis(
            given[axis],
            properties.output[axis],
            properties.window[axis],
            properties.stride[axis],
            properties.dilation[axis],
            properties.padding[axis][0],
        )
        for axis in (0, 1)
    )
    return rows, columns
