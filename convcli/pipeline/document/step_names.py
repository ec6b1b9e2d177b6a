"""Steps under the names that other libraries have for them. Loaded only for a name that is no step's."""

import re

from convcli.errors import nearest
from convcli.pipeline.steps.registry import STEPS

# What a name stands for, in lower case without `-` and `_`; steps that there are not are never offered.
_ELSEWHERE = {
    **dict.fromkeys(("depthwiseconv", "depthwise", "depthwiseconv2d"), "conv: with groups: channels"),
    **dict.fromkeys(("pointwiseconv", "pointwise"), "conv: with kernels of 1x1"),
    **dict.fromkeys(("groupedconv", "groupconv"), "conv: with groups"),
    **dict.fromkeys(("dilatedconv", "atrousconv", "atrous"), "conv: with dilation"),
    **dict.fromkeys(("convtranspose", "convtranspose2d", "deconv", "deconvolution", "upconv"), "transposed_conv"),
    **dict.fromkeys(("convolution", "convolve", "conv2d", "convlayer"), "conv"),
    **dict.fromkeys(("avgpool", "avgpool2d", "meanpool", "averagepooling"), "average_pool"),
    **dict.fromkeys(("maxpool2d", "maxpooling", "pool", "pooling"), "max_pool"),
    **dict.fromkeys(("adaptiveavgpool2d", "gap", "globalavgpool", "globalaveragepooling"), "global_average_pool"),
    **dict.fromkeys(("batchnorm2d", "bn", "batchnormalization", "batchnormalisation"), "batch_norm"),
    **dict.fromkeys(("dense", "fc", "fullyconnected"), "linear"),
    **dict.fromkeys(("lrelu", "leaky"), "leaky_relu"),
    **dict.fromkeys(("concatenate", "cat"), "concat"),
    **dict.fromkeys(("sum", "plus"), "add"),
    **dict.fromkeys(("mul", "times", "product"), "multiply"),
    **dict.fromkeys(("grayscale", "greyscale", "grey", "luma"), "gray"),
    **dict.fromkeys(("nms", "nonmaxsuppression"), "non_maximum_suppression"),
    **dict.fromkeys(("fft", "dft", "powerspectrum"), "spectrum"),
    **dict.fromkeys(("wiener", "deblur"), "deconvolve"),
    **dict.fromkeys(("templatematch", "templatematching"), "match_template"),
    **dict.fromkeys(("absolute", "modulus"), "abs"),
    **dict.fromkeys(("clamp", "clipping"), "clip"),
    **dict.fromkeys(("binarize", "binarise"), "threshold"),
    **dict.fromkeys(("pixelshuffle2d", "depthtospace"), "pixel_shuffle"),
    **dict.fromkeys(("spacetodepth",), "pixel_unshuffle"),
}


def step_advice(name: str) -> str:
    """Return what is said behind `unknown step NAME`: the step that was meant, the kernel, or where steps are listed.

    >>> print(step_advice("depthwise_conv"))
    ; write conv with groups: channels
    >>> print(step_advice("sobel"))
    ; write filter: sobel
    >>> print(step_advice("relo"))
    ; did you mean 'relu'?
    """
    from convcli.kernel.catalogue import find
    from convcli.kernel.synonyms import usual_name

    step, _, how = _ELSEWHERE.get(re.sub(r"[\W_]", "", name.lower()), "").partition(":")
    if step in STEPS:
        return f"; write {step}{how}" if how else f"; did you mean {step!r}?"
    base = name.partition(":")[0]
    if re.fullmatch(r"[^\W\d][\w-]*", base) and find(usual_name(base)) is not None:
        return f"; write filter: {name}"
    return nearest(name, STEPS) or "; convcli run --steps lists them"
