"""The one kernel that several linear steps in a row equal, away from the edges and up to biases."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.bank import Bank
from convcli.errors import ConvcliError
from convcli.pipeline.document.model import Document, Node
from convcli.pipeline.steps.base import StepContext
from convcli.pipeline.steps.joins import Add, Concat
from convcli.pipeline.steps.properties import Pair, Shape, StepProperties

# Weights of one step that are read, and multiply-adds that are spent, to write steps as one kernel.
_MOST_WEIGHTS = 1 << 16
_MOST_WORK = 1 << 26


@dataclass(frozen=True, eq=False)
class EquivalentKernel:
    """The kernel, or bank of kernels, that several linear steps in a row equal.

    Attributes
    ----------
    root : str
        Id of what the first of the steps reads.
    steps : tuple of str
        Ids of the steps, in order.
    size, stride : tuple of (int, int)
        Rows and columns of the kernel, and the distance between its outputs.
    first : tuple of (int, int)
        Row and column of the kernel's upper left element for the first output.
    weights : array (outputs, inputs, rows, columns) or None
        None where they are not known, or too many.
    """

    root: str
    steps: tuple[str, ...]
    size: Pair
    stride: Pair
    first: Pair
    weights: NDArray[np.float64] | None = None

    @property
    def shared(self) -> NDArray[np.float64] | None:
        """The one 2-D kernel of a bank that filters each channel by itself with the same weights; else None."""
        if self.weights is None or self.weights.shape[0] != self.weights.shape[1]:
            return None
        diagonal: NDArray[np.float64] = self.weights[0, 0]
        channels = len(self.weights)
        alone = np.eye(channels)[:, :, np.newaxis, np.newaxis] * diagonal
        return diagonal if np.array_equal(self.weights, alone) else None


def equivalent_kernels(
    document: Document, properties: Mapping[str, StepProperties], sizes: Mapping[str, Shape]
) -> dict[str, EquivalentKernel]:
    """Return the one kernel that the linear steps up to each node equal, by the node's id.

    Parameters
    ----------
    document : Document
    properties : mapping of str to StepProperties
        Those of every node.
    sizes : mapping of str to (int, int, int)
        Sizes of the sources and of every node's result.

    Returns
    -------
    dict of str to EquivalentKernel
        Also for a linear step alone. A step that is linear but no convolution, such as flatten, ends a run.
    """
    known: dict[str, EquivalentKernel] = {}
    for node in document.nodes:
        about = properties[node.id]
        if not about.linear or about.whole or about.upsampling != (1, 1):
            continue
        if len(node.sources) == 1:
            alone = _alone(document, node, about, sizes[node.sources[0]])
            if alone is None:
                continue
            before = known.get(node.sources[0])
            known[node.id] = alone if before is None else _chained(before, alone)
        else:
            joined = _joined(node, known, sizes)
            if joined is not None:
                known[node.id] = joined
    return known


def _alone(document: Document, node: Node, properties: StepProperties, given: Shape) -> EquivalentKernel | None:
    """Return a step as a kernel on its own input; None where it is linear but no convolution."""
    span = _span(properties)
    found = EquivalentKernel(
        node.sources[0], (node.id,), span, properties.stride, (-properties.padding[0][0], -properties.padding[1][0])
    )
    if properties.parameters > _MOST_WEIGHTS:
        return found
    try:
        bank = node.step.bank(given, context=StepContext(document.store, node.id))
    except ConvcliError:  # weights that are missing say nothing against the rest of the arithmetic
        return found
    if bank is None:
        return None
    return replace(found, weights=_dense(bank.dilated(properties.dilation)))


def _span(properties: StepProperties) -> Pair:
    (rows, columns), (down, across) = properties.window, properties.dilation
    return down * (rows - 1) + 1, across * (columns - 1) + 1


def _dense(bank: Bank) -> NDArray[np.float64] | None:
    """Return a bank without groups, kernels between channels of different groups being zero."""
    if bank.outputs * bank.inputs * bank.size[0] * bank.size[1] > _MOST_WORK:
        return None
    dense = np.zeros((bank.outputs, bank.inputs, *bank.size))
    for output, channel, plane in bank.planes():
        dense[output, channel] = plane
    return dense


def _chained(one: EquivalentKernel, two: EquivalentKernel) -> EquivalentKernel:
    """Return one kernel after the other: the second's elements lie as far apart as the outputs of the first."""
    rows, columns = (one.size[axis] + one.stride[axis] * (two.size[axis] - 1) for axis in (0, 1))
    down, across = (one.first[axis] + one.stride[axis] * two.first[axis] for axis in (0, 1))
    stride = one.stride[0] * two.stride[0], one.stride[1] * two.stride[1]
    chained = EquivalentKernel(one.root, (*one.steps, *two.steps), (rows, columns), stride, (down, across))
    if one.weights is None or two.weights is None:
        return chained
    first, second = one.weights, two.weights
    taps = second.shape[2] * second.shape[3]
    if (
        first.size * second.shape[0] * taps > _MOST_WORK
        or first.shape[1] * second.shape[0] * rows * columns > _MOST_WORK
    ):
        return chained
    weights = np.zeros((second.shape[0], first.shape[1], rows, columns))
    height, width = one.size
    for v in range(second.shape[2]):
        for u in range(second.shape[3]):
            top, left = v * one.stride[0], u * one.stride[1]
            weights[:, :, top : top + height, left : left + width] += np.einsum(
                "om,miyx->oiyx", second[:, :, v, u], first
            )
    return replace(chained, weights=weights)


def _joined(node: Node, known: Mapping[str, EquivalentKernel], sizes: Mapping[str, Shape]) -> EquivalentKernel | None:
    """Return the kernel of branches that are added or concatenated, if all are kernels on one and the same input."""
    if not isinstance(node.step, Add | Concat):
        return None
    places = {sizes[source] if isinstance(node.step, Add) else sizes[source][:2] for source in node.sources}
    if len(places) > 1:  # one is repeated for all channels or pixels of another
        return None
    factors = (isinstance(node.step, Add) and node.step.factors) or [1.0] * len(node.sources)
    roots = [known[source].root if source in known else source for source in node.sources]
    root = next((root for root in roots if root in node.sources), roots[0])
    branches = list(_branches(node, known, sizes, root))
    if len(branches) < len(node.sources) or len({branch.stride for branch in branches}) > 1:
        return None
    top, left = (min(branch.first[axis] for branch in branches) for axis in (0, 1))
    rows, columns = (
        max(branch.first[axis] + branch.size[axis] for branch in branches) - least
        for axis, least in enumerate((top, left))
    )
    steps = tuple(dict.fromkeys(step for branch in branches for step in branch.steps))
    joined = EquivalentKernel(root, (*steps, node.id), (rows, columns), branches[0].stride, (top, left))
    planes = sum(branch.weights.shape[0] * branch.weights.shape[1] for branch in branches if branch.weights is not None)
    if planes * rows * columns > _MOST_WORK:  # channels double with every join of something with itself
        return joined
    parts = []
    for branch, factor in zip(branches, factors, strict=True):
        if branch.weights is None:
            return joined
        whole = np.zeros((*branch.weights.shape[:2], rows, columns))
        y, x = branch.first[0] - top, branch.first[1] - left
        whole[:, :, y : y + branch.size[0], x : x + branch.size[1]] = factor * branch.weights
        parts.append(whole)
    weights = np.concatenate(parts) if isinstance(node.step, Concat) else sum(parts[1:], start=parts[0])
    return replace(joined, weights=weights)


def _branches(
    node: Node, known: Mapping[str, EquivalentKernel], sizes: Mapping[str, Shape], root: str
) -> Iterator[EquivalentKernel]:
    for source in node.sources:
        if source == root:  # the input itself, added to or joined with what is computed from it
            channels = sizes[source][2]
            identity = np.eye(channels)[:, :, np.newaxis, np.newaxis] if channels <= 1024 else None
            yield EquivalentKernel(root, (), (1, 1), (1, 1), (0, 0), identity)
        elif source in known and known[source].root == root:
            yield known[source]
