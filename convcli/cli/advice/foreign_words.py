"""Words of other tools (ImageMagick, libvips, OpenCV, scipy, GIMP) and what they are here.

All are written in lower case without `-` and `_`.
"""

from collections.abc import Callable, Collection, Mapping

from convcli.convolution.options import BACKENDS, EXTENTS, PADDING_ALIASES, PADDING_MODES
from convcli.convolution.padding import PADDINGS
from convcli.process.choices import SIGNED

_THREADS = (("--processes", "--processes"), ("--threads", "--threads"))

# An option elsewhere -> (the option that a command must have, what to write instead; VALUE is the value that followed).
OPTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("grayscale", "greyscale", "grey", "mono", "monochrome", "luma", "bw"), (("--gray", "--gray"),)),
    **dict.fromkeys(
        ("bordermode", "bordertype", "boundary", "edgemode", "extend", "padmode", "virtualpixel", "paddingmode"),
        (("--padding", "--padding"),),
    ),
    **dict.fromkeys(
        ("cval", "fill", "fillvalue", "bordervalue", "constantvalue", "padvalue", "background"),
        (("--padding-value", "--padding constant --padding-value VALUE"),),
    ),
    **dict.fromkeys(("method", "algorithm", "engine", "implementation"), (("--backend", "--backend"),)),
    **dict.fromkeys(("jobs", "j", "workers", "procs", "parallel", "cores", "numthreads", "nthreads"), _THREADS),
    **dict.fromkeys(
        ("outfile", "outputfile", "dest", "destination", "outdir", "outputdir", "saveto", "to", "dst"),
        (("--output", "--output"),),
    ),
    **dict.fromkeys(("overwrite", "replace", "clobber", "y", "yes"), (("--force", "--force"),)),
    **dict.fromkeys(("skipexisting", "nooverwrite", "noclobber"), (("--existing", "--existing skip"),)),
    **dict.fromkeys(("dtype", "bits", "bitdepth", "ddepth", "pixeltype", "outputtype"), (("--depth", "--depth"),)),
    "delta": (("--bias", "--bias"),),
    **dict.fromkeys(("gain", "factor", "multiplier", "multiply"), (("--scale", "--scale"),)),
    **dict.fromkeys(("divisor", "divide", "div"), (("--scale", "--scale 1/VALUE"),)),
    **dict.fromkeys(("kernelfile", "weights", "matrix", "convolve", "morphology"), (("--kernel", "--kernel"),)),
    **dict.fromkeys(("jpegquality", "jpgquality"), (("--quality", "--quality"),)),
    **dict.fromkeys(("compress", "compressionlevel"), (("--compression", "--compression"),)),
    **dict.fromkeys(("gpu", "usegpu", "cuda"), (("--device", "--backend torch --device cuda"),)),
    **dict.fromkeys(("float64", "fp64"), (("--precision", "--precision double"),)),
    **dict.fromkeys(("float", "float32", "raw", "tofloat"), (("--depth", "--depth f32"),)),
    **dict.fromkeys(("16bit", "uint16"), (("--depth", "--depth u16"),)),
    **dict.fromkeys(("8bit", "uint8"), (("--depth", "--depth u8"),)),
    **dict.fromkeys(("absolute", "magnitude"), (("--signed", "--signed abs"),)),
    **dict.fromkeys(
        ("autocontrast", "autolevel", "contraststretch", "minmax", "autoscale"), (("--signed", "--signed stretch"),)
    ),
    **dict.fromkeys(("debug", "trace", "info"), (("--verbose", "--verbose"),)),
    **dict.fromkeys(("silent", "noprogress"), (("--quiet", "--quiet"),)),
    **dict.fromkeys(("time", "benchmark", "profile", "timings"), (("--timing", "--timing"),)),
    **dict.fromkeys(("simulate", "noact", "n", "whatif", "justprint"), (("--dry-run", "--dry-run"),)),
    **dict.fromkeys(("noalpha", "removealpha", "dropalpha"), (("--alpha", "--alpha drop"),)),
    **dict.fromkeys(("lineargamma", "linearlight"), (("--linear", "--linear"),)),
    **dict.fromkeys(("fliplr", "convolution", "rotate180"), (("--flip", "--flip"),)),
    **dict.fromkeys(("channel", "channels", "band"), (("--bands", "--bands"),)),
    **dict.fromkeys(("subsample", "decimate", "downsample"), (("--stride", "--stride"),)),
    **dict.fromkeys(("dilate", "atrous"), (("--dilation", "--dilation"),)),
    "recurse": (("--recursive", "--recursive"),),
    "region": (("--roi", "--roi"),),
}

# Options whose values are typed as if they were options themselves.
VALUES: Mapping[str, Callable[[], Collection[str]]] = {
    "--padding": lambda: (*PADDING_MODES, *PADDING_ALIASES),
    "--extent": lambda: EXTENTS,
    "--backend": lambda: BACKENDS,
    "--signed": lambda: SIGNED,
}

# What parameters of kernels are called elsewhere.
PARAMETERS: Mapping[str, str] = {
    "ksize": "size",
    "kernelsize": "size",
    "lambda": "wavelength",
    "lambd": "wavelength",
    "orientation": "theta",
    "phase": "psi",
    "sd": "sigma",
    "std": "sigma",
    "stddev": "sigma",
    "sigmax": "sigma_x",
    "sigmay": "sigma_y",
}

# Of each option, words that it takes elsewhere -> what to write for them.
MEANINGS: dict[str, Mapping[str, str]] = {
    "--backend": {
        **dict.fromkeys(("cv", "cv2"), "opencv"),
        **dict.fromkeys(("cuda", "gpu"), "torch --device cuda"),
        "pytorch": "torch",
        **dict.fromkeys(("naive", "numpy", "spatial"), "direct"),
        "gemm": "im2col",
        **dict.fromkeys(("dft", "fftw", "fourier", "frequency"), "fft"),
    },
    "--device": {"gpu": "cuda"},
    "--normalize": {"l1": "abssum", **dict.fromkeys(("1", "on", "true", "yes"), "sum")},
    "--signed": {
        **dict.fromkeys(("absolute", "magnitude"), "abs"),
        **dict.fromkeys(("autocontrast", "autoscale", "minmax", "normalise", "normalize", "rescale"), "stretch"),
        **dict.fromkeys(("clamp", "saturate"), "clip"),
        **dict.fromkeys(("center", "centre", "midgray", "midgrey"), "offset"),
    },
    "--depth": {
        **dict.fromkeys(("8", "8bit", "byte", "uchar", "uint8"), "u8"),
        **dict.fromkeys(("16", "16bit", "uint16", "ushort"), "u16"),
        **dict.fromkeys(("32", "32f", "float", "float32"), "f32"),
    },
    "--alpha": {**dict.fromkeys(("off", "remove"), "drop"), **dict.fromkeys(("copy", "preserve"), "keep")},
    "--existing": {
        **dict.fromkeys(("force", "replace"), "overwrite"),
        **dict.fromkeys(("ignore", "keep"), "skip"),
        **dict.fromkeys(("abort", "fail"), "error"),
    },
    "--extent": {"crop": "valid", "input": "same"},
    "--precision": {
        **dict.fromkeys(("64", "f64", "float64"), "double"),
        **dict.fromkeys(("32", "f32", "float", "float32"), "single"),
    },
    "--compression": {
        **dict.fromkeys(("9", "best", "max", "maximum", "smallest"), "small"),
        **dict.fromkeys(("0", "1", "none", "fastest"), "fast"),
        **dict.fromkeys(("6", "default", "normal"), "balanced"),
    },
    "--padding": {
        **{mode.opencv.lower().replace("_", ""): mode.name for mode in PADDINGS if mode.opencv},
        **dict.fromkeys(("default", "borderdefault", "mirror101"), "reflect101"),
        **dict.fromkeys(("borderisolated", "zeropad", "zeropadding"), "constant"),
        **dict.fromkeys(("extend", "extrapolate", "stretch"), "replicate"),
        **dict.fromkeys(("toroidal", "torus"), "wrap"),
    },
}
MEANINGS["--border"] = MEANINGS["--padding"]

# An option that no command has -> the way to do it, or that there is none.
EXPLAINED: Mapping[str, str] = {
    "include": "the shell chooses files, as in convcli filter photos/*.png",
    "exclude": "the shell chooses files, as in convcli filter photos/*.png",
    "input": "images are named without an option: convcli filter photo.png -k sobel_x",
    "i": "images are named without an option: convcli filter photo.png -k sobel_x",
    "iterations": "give -k again for each time that it is applied",
    "times": "give -k again for each time that it is applied",
    "repeat": "give -k again for each time that it is applied",
    "mask": "a part of an image cannot be left out here; mask is a step of pipelines: convcli run --step mask",
    "roi": "crop is a step of pipelines: convcli run --step crop",
    "region": "crop is a step of pipelines: convcli run --step crop",
    "colorspace": "--gray filters one channel; colours are not converted otherwise",
    "width": "there is no resizing; --stride 2 keeps every second row and column",
    "height": "there is no resizing; --stride 2 keeps every second row and column",
    "shrink": "there is no resizing; --stride 2 keeps every second row and column",
    "channel": "there is no choice of channels; --gray filters one, the luma",
    "channels": "there is no choice of channels; --gray filters one, the luma",
    "band": "there is no choice of channels; --gray filters one, the luma",
}

_EDGES = "edges are found by -k sobel, -k prewitt, -k scharr or -k laplacian"
_INVERT = "to invert an 8-bit image: -k identity --scale -1 --bias 255 (65535 for 16 bits)"
_RESIZE = "there is no resizing; --stride 2 keeps every second row and column"
_NO_MEDIAN = "there is no median filter; -k gaussian smooths, and so does -k box"
_NO_MORPHOLOGY = "there is no morphology"

# A word where a kernel is asked for -> the steps of pipelines that do it, where they exist, and what to say otherwise.
OPERATIONS: Mapping[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(
        ("edge", "edges", "edgedetect", "edgedetection", "edgedetector", "findedges", "outline", "contour"),
        ((), _EDGES),
    ),
    **dict.fromkeys(("gradient", "gradientmagnitude"), ((), "gradients: -k sobel, -k prewitt or -k scharr")),
    **dict.fromkeys(
        ("smooth", "smoothing", "soften", "lowpass"), ((), "smoothing: -k gaussian:sigma=2, -k box or -k binomial")
    ),
    **dict.fromkeys(("highpass", "detail"), ((), "what a blur takes away: -k laplacian, or -k unsharp to add it")),
    **dict.fromkeys(("median", "medianblur", "medianfilter", "despeckle"), (("median",), _NO_MEDIAN)),
    **dict.fromkeys(("invert", "negate", "negative", "inverse"), (("invert",), _INVERT)),
    **dict.fromkeys(("resize", "rescale", "thumbnail", "downscale"), (("resize",), _RESIZE)),
    **dict.fromkeys(("upscale", "enlarge"), (("upsample",), "")),
    **dict.fromkeys(("bilateral", "bilateralfilter"), (("bilateral",), "there is no bilateral filter")),
    **dict.fromkeys(
        ("nlmeans", "nonlocalmeans", "denoise"), (("nlmeans",), "there is no denoising besides -k gaussian")
    ),
    **dict.fromkeys(("erode", "erosion"), (("erode", "minimum"), _NO_MORPHOLOGY)),
    **dict.fromkeys(("dilate", "dilation"), (("dilate", "maximum"), _NO_MORPHOLOGY)),
    **dict.fromkeys(("open", "opening"), (("open",), _NO_MORPHOLOGY)),
    **dict.fromkeys(("close", "closing"), (("close",), _NO_MORPHOLOGY)),
    **dict.fromkeys(("equalize", "equalise", "histeq"), (("equalize",), "there is no equalisation")),
    **dict.fromkeys(("threshold", "binarize", "binarise"), (("threshold",), "")),
    **dict.fromkeys(
        ("grayscale", "greyscale", "gray", "grey", "desaturate"), ((), "--gray filters one channel, the luma")
    ),
    **dict.fromkeys(("canny", "cannyedges"), ((), "Canny's is a pipeline, not a kernel: convcli run canny IMAGE")),
    **dict.fromkeys(("wiener", "deconvolve", "richardsonlucy", "deblur"), (("deconvolve",), "")),
    **dict.fromkeys(("maxpool", "maxpooling"), (("max_pool",), "")),
    **dict.fromkeys(("averagepool", "meanpool", "avgpool"), (("average_pool",), "")),
}

# A word where a command is asked for -> the words to type after `convcli`.
COMMANDS: Mapping[str, str] = {
    "list": "kernels list",
    "ls": "kernels list",
    "show": "kernels show",
    "check": "kernels check",
    "export": "kernels export",
    "compose": "kernels compose",
    "fit": "kernels fit",
    "version": "--version",
    "apply": "filter",
    "conv": "filter",
    "convert": "filter",
    "convolve": "filter",
    "correlate": "filter",
    "process": "filter",
    "magick": "filter",
    "bench": "compare",
    "benchmark": "compare",
    "time": "compare",
    "calibrate": "tune",
    "folder": "batch",
    "mogrify": "batch",
    "pipeline": "run",
    "steps": "run --steps",
    "schema": "run --schema",
    "describe": "explain",
    "info": "explain",
    "usage": "--help",
    "completion": "--install-completion",
}
