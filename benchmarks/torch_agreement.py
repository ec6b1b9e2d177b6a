"""Hold the torch backend against scipy in float64, where PyTorch is installed, and print the largest errors.

    python benchmarks/torch_agreement.py [--device auto|cpu|cuda]

Paddings x depths x kernel shapes x geometries; flat white images under large blurs; banks of kernels with groups,
strides and dilation; samples that are NaN or infinite; and settings of PyTorch that must be as they were. Errors are
given in units of the bound that is promised: 2e-6 * sum|weights| * max|sample| in float32, 1e-13 in float64. Exits with
1 if any exceeds it.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.signal import correlate

from convcli import convolve
from convcli.convolution.bank import Bank
from convcli.convolution.convolve import correlate_bank
from convcli.convolution.options import DEVICES

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from oracle import DTYPES, KERNELS, PADDED_MODES, bound, random_image, random_kernel, reference

SHAPES = ((21, 34), (7, 6, 3))
GEOMETRIES = (
    {},
    {"stride": (3, 2)},
    {"dilation": (2, 3)},
    {"stride": (2, 3), "dilation": (3, 2), "flip": True},
    {"extent": "full"},
)
# Input channels a group, output channels a group, groups, kernel height and width.
BANKS = ((3, 16, 1, 7, 7), (64, 64, 1, 3, 3), (200, 8, 1, 3, 3), (1, 1, 8, 5, 3), (4, 6, 3, 2, 5), (17, 5, 1, 1, 1))


def images(device: str) -> float:
    """Compare single kernels; the largest error."""
    worst = 0.0
    for padding, depth, shape, kernel, geometry in itertools.product(PADDED_MODES, DTYPES, SHAPES, KERNELS, GEOMETRIES):
        image, weights = random_image(shape, DTYPES[depth]), random_kernel(KERNELS[kernel])
        options = {"padding": padding, "padding_value": 12.5 if padding == "constant" else 0.0, **geometry}
        expected, largest = reference(image, weights, **options)
        result = convolve(image, weights, backend="torch", device=device, **options)
        worst = max(worst, float(np.abs(result - expected).max()) / bound(weights, largest, depth == "f64"))
    return worst


def blurs(device: str) -> float:
    """Compare flat white images under large positive kernels, where errors of one sign add up; the largest error."""
    worst = 0.0
    generator = np.random.default_rng(0)
    for size, white, dtype in itertools.product((31, 63, 101), (255, 65535), (np.float32, np.float64)):
        weights = generator.uniform(0.9, 1.1, (size, size)) / size**2  # of full rank: not to be run as passes
        result = convolve(np.full((150, 160), white, dtype), weights, backend="torch", device=device)
        error = float(np.abs(result.astype(float) - white * weights.sum()).max())
        worst = max(worst, error / bound(weights, white, dtype is np.float64))
    return worst


def banks(device: str) -> float:
    """Compare banks with loops over their planes; the largest error."""
    worst = 0.0
    generator = np.random.default_rng(0)
    for (inputs, outputs, groups, height, width), stride, dilation, dtype in itertools.product(
        BANKS, ((1, 1), (2, 3)), ((1, 1), (2, 1)), (np.float32, np.float64)
    ):
        image = random_image((24, 27, inputs * groups), dtype)
        bank = Bank(generator.standard_normal((outputs * groups, inputs, height, width)), groups)
        result = correlate_bank(image, bank, backend="torch", stride=stride, dilation=dilation, device=device)
        expected = np.zeros(result.shape)
        for output, source, weights in bank.dilated(dilation).planes():
            response = correlate(image[..., source].astype(float), weights, mode="valid", method="direct")
            expected[..., output] += response[:: stride[0], :: stride[1]]
        scale = float(np.abs(bank.weights).sum(axis=(1, 2, 3)).max())
        worst = max(worst, float(np.abs(result - expected).max()) / bound(np.array(scale), 100.0, dtype is np.float64))
    return worst


def spoilt(device: str) -> float:
    """Compare around samples that are NaN or infinite; the largest error, infinite where they reach other outputs."""
    weights, image = random_kernel((5, 7)), random_image((60, 70), np.float32)
    clean, spots = image.copy(), np.zeros(image.shape)
    for position, value in (((30, 30), np.nan), ((0, 69), np.inf)):
        image[position], clean[position], spots[position] = value, 0.0, 1.0
    reached = reference(spots, (weights != 0).astype(float))[0] > 0.5
    result, (expected, largest) = convolve(image, weights, backend="torch", device=device), reference(clean, weights)
    if not np.array_equal(~np.isfinite(result), reached):
        return float("inf")
    return float(np.abs(result - expected)[~reached].max()) / bound(weights, largest, double=False)


def settings() -> tuple[object, ...]:
    """What the backend changes for as long as it computes."""
    cudnn = torch.backends.cudnn
    return torch.get_num_threads(), cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32


def main() -> int:
    """Run all; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=DEVICES, default="auto")
    device = parser.parse_args().device
    before = settings()
    errors = {what.__name__: what(device) for what in (images, blurs, banks, spoilt)}
    print(f"PyTorch {torch.__version__}, device {device}, GPU: {torch.cuda.is_available()}")
    print("largest error, in units of the bound")
    for name, error in errors.items():
        print(f"  {name:8}{error:8.3f}")
    restored = settings() == before
    print(f"settings {'restored' if restored else 'NOT RESTORED'}")
    return 0 if restored and all(error <= 1.0 for error in errors.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
