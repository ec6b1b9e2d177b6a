"""The order of the steps of a document, and the sizes of their results."""

from collections.abc import Sequence

from convcli.errors import ConvcliError
from convcli.pipeline.document.model import ALPHA, INPUT, SOURCES, Document, Node
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.steps.properties import Shape, StepProperties

# What to do where a document takes (so many) channels, and the image has (so many others).
_CHANNEL_HINTS = {
    (1, 3): ": give a gray image, or write 3 there and begin with the step gray",
    (3, 1): ": give a colour image, or write 1 there and begin with concat, from: [input, input, input]",
}


def topological_order(nodes: Sequence[Node], where: str) -> list[Node]:
    """Return nodes in an order in which each comes after its sources, otherwise as they were written.

    Raises
    ------
    DocumentError
        If steps depend on each other in a circle, naming them.
    """
    by_id = {node.id: node for node in nodes}
    done = set(SOURCES)
    ordered: list[Node] = []
    for start in nodes:
        # By hand rather than by recursion: a document may be thousands of steps deep.
        path = [start]
        on_path = {start.id}
        while path:
            node = path[-1]
            waiting = next((source for source in node.sources if source not in done), None)
            if node.id in done or waiting is None:
                if node.id not in done:
                    done.add(node.id)
                    ordered.append(node)
                on_path.discard(path.pop().id)
            elif waiting in on_path:
                circle = [each.id for each in path[[each.id for each in path].index(waiting) :]]
                # Data runs from a source to its reader, the path from the reader to its source.
                shown = " -> ".join([waiting, *reversed(circle)])
                raise DocumentError(f"{where}: steps go in a circle: {shown}")
            else:
                path.append(by_id[waiting])
                on_path.add(waiting)
    return ordered


def nodes_needed(nodes: Sequence[Node], output: str) -> set[str]:
    """Return the ids of all nodes that `output` depends on, itself included; `nodes` are in order."""
    wanted = {output}
    for node in reversed(nodes):
        if node.id in wanted:
            wanted.update(node.sources)
    return wanted


def unused_nodes(nodes: Sequence[Node], output: str) -> list[Node]:
    """Return the nodes that `output` does not depend on."""
    wanted = nodes_needed(nodes, output)
    return [node for node in nodes if node.id not in wanted]


def document_properties(document: Document, image: Shape) -> dict[str, StepProperties]:
    """Return the properties of every step of a document, by the node's id, in order.

    Parameters
    ----------
    document : Document
    image : tuple of (int, int, int)
        Rows, columns and channels of the images.

    Raises
    ------
    DocumentError
        If sizes do not go together, naming the place.
    """
    check_input(document, image)
    sizes: dict[str, Shape] = {INPUT: image, ALPHA: (image[0], image[1], 1)}
    properties: dict[str, StepProperties] = {}
    for node in document.nodes:
        try:
            properties[node.id] = node.step.properties(*(sizes[source] for source in node.sources))
        except ConvcliError as error:
            raise DocumentError(f"{node.where}: {error}") from error
        sizes[node.id] = properties[node.id].output
    return properties


def check_input(document: Document, image: Shape) -> None:
    """Raise DocumentError unless the document takes images of this size."""
    wanted = document.input
    if wanted.channels is not None and wanted.channels != image[2]:
        hint = _CHANNEL_HINTS.get((wanted.channels, image[2]), "")
        raise DocumentError(
            f"{document.where}: input.channels: wants {wanted.channels}, and the image has {image[2]}{hint}"
        )
    if wanted.size is not None and wanted.size != image[:2]:
        raise DocumentError(
            f"{document.where}: input.size: wants {wanted.size[0]}x{wanted.size[1]} (rows x columns), and the image is "
            f"of {image[0]}x{image[1]}: crop or scale the image to that size first, or change input.size in the "
            "document"
        )
