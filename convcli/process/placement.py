"""Where the samples of a result lie on the image that it is made from, and what of its metadata depends on that."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from convcli.convolution.alignment import laid_size
from convcli.convolution.options import ConvolveOptions
from convcli.image.metadata.georeference import adjusted_georeference
from convcli.image.metadata.tiff_tags import GDAL_NODATA, GEOREFERENCE
from convcli.image.model import Image, Metadata, TiffTags
from convcli.kernel.model import AnyKernel
from convcli.process.result import Placement

if TYPE_CHECKING:
    from convcli.process.output_files import OutputPlan


def placement_of(kernels: Sequence[AnyKernel], options: ConvolveOptions) -> Placement:
    """Return where the samples of a chain of kernels lie: under their anchors.

    Parameters
    ----------
    kernels : sequence of AnyKernel
        What an image is filtered by, one after the other.
    options : ConvolveOptions
        How each is laid on it.
    """
    stride, offset = [1, 1], [0, 0]
    for kernel in kernels:
        size, anchor = laid_size(kernel, options)
        for axis in (0, 1):
            dilation = options.dilation[axis]
            last = dilation * (size[axis] - 1)
            first = {"same": 0, "valid": dilation * anchor[axis], "full": dilation * anchor[axis] - last}
            offset[axis] += stride[axis] * first[options.extent]
            stride[axis] *= options.stride[axis]
    return Placement((stride[0], stride[1]), (offset[0], offset[1]))


def placed_metadata(image: Image, plan: "OutputPlan") -> tuple[Metadata, tuple[str, ...]]:
    """Return an image's metadata with the position and scale of a result, and notes of what is dropped.

    Parameters
    ----------
    image : Image
        The image.
    plan : OutputPlan
        The result.
    """
    metadata = image.metadata
    if image.nodata is not None and plan.nodata is None:  # the result says nothing of missing samples
        metadata = _without(metadata, (GDAL_NODATA,))
    if plan.placement is not None:
        return adjusted_georeference(metadata, *plan.placement)
    tags = metadata.tiff_tags
    if tags is None or plan.size[:2] == image.size[:2] or tags.values.keys().isdisjoint(GEOREFERENCE):
        return metadata, ()
    return _without(metadata, GEOREFERENCE), ("the georeference is dropped: the pipeline's result is of another size",)


def _without(metadata: Metadata, tags: Collection[int]) -> Metadata:
    held = metadata.tiff_tags
    if held is None:
        return metadata
    kept = {tag: value for tag, value in held.values.items() if tag not in tags}
    return replace(metadata, tiff_tags=TiffTags(held.order, kept))
