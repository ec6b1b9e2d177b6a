"""Make what the pipelines read beside themselves: `python examples/pipelines/make_inputs.py [FOLDER]`.

A scratched photograph, small pictures in the sizes that networks were made for, a picture to blend with and its mask,
and kernels: the mean that repairs scratches, the slopes that find lines.
They come out the same on one version of OpenCV, and may be used for anything (CC0 1.0).
"""

import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
PHOTO = HERE.parent / "images" / "photo.png"

# Where the scratched picture lies in photo.png: rows, columns.
PART = slice(130, 310), slice(190, 430)
SCRATCHES, SPOTS = 9, 14
WHITE = 255


def scratches(height: int, width: int) -> np.ndarray:
    """Draw which pixels of a picture are lost: long scratches, a word, spots of dust. True where lost."""
    generator = np.random.default_rng(7)
    lost = np.zeros((height, width), np.uint8)
    for number in range(SCRATCHES):
        start = generator.uniform((0, 0), (width, height))
        angle = generator.uniform(0, 2 * np.pi)
        # A walk that turns a little at each step.
        angles = angle + np.cumsum(generator.normal(0, 0.12, 60))
        walk = start + np.cumsum(3 * np.stack([np.cos(angles), np.sin(angles)], axis=1), axis=0)
        cv2.polylines(lost, [walk.round().astype(np.int32)], isClosed=False, color=WHITE, thickness=1 + number % 4)
    for _ in range(SPOTS):
        place = generator.integers((0, 0), (width, height))
        cv2.circle(lost, (int(place[0]), int(place[1])), int(generator.integers(1, 4)), WHITE, cv2.FILLED)
    cv2.putText(lost, "scratched", (18, height - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.9, WHITE, 2)
    return lost > 0


def scratched(photo: np.ndarray) -> np.ndarray:
    """Take a part of the photograph, white and transparent where it is scratched: RGBA in OpenCV's order."""
    part = photo[PART]
    lost = scratches(*part.shape[:2])
    picture = np.dstack([part, np.full(lost.shape, WHITE, np.uint8)])
    picture[lost] = (WHITE, WHITE, WHITE, 0)
    return picture


def digit() -> np.ndarray:
    """Draw a five as LeNet-5 was shown them: light on dark, 20 pixels high in 32x32."""
    large = np.zeros((320, 320), np.uint8)
    top = np.array([[215, 70], [125, 70], [112, 150]])
    bowl = cv2.ellipse2Poly((150, 195), (62, 52), 0, -130, 150, 5)
    cv2.polylines(large, [np.vstack([top, bowl])], isClosed=False, color=WHITE, thickness=24, lineType=cv2.LINE_AA)
    return cv2.resize(large, (32, 32), interpolation=cv2.INTER_AREA)


def night(photo: np.ndarray) -> np.ndarray:
    """Turn a photograph into what it might be at night: dark, and blue."""
    return np.clip(photo * (0.42, 0.27, 0.2) + (14, 6, 2), 0, WHITE).astype(np.uint8)


def lamp(height: int, width: int) -> np.ndarray:
    """Draw where a lamp shines: white within, black far off, gray between."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot((x - 0.42 * width) / (0.34 * width), (y - 0.55 * height) / (0.42 * height))
    return (WHITE * np.clip(2 - 1.6 * distance, 0, 1)).astype(np.uint8)


def gaussian_slopes(sigma: float) -> np.ndarray:
    """Sample the derivatives of a Gaussian across and down: applied twice they are second derivatives of `sigma`."""
    narrow = sigma / np.sqrt(2)
    at = np.arange(-int(8 * narrow + 0.5), int(8 * narrow + 0.5) + 1)
    smooth = np.exp(-0.5 * (at / narrow) ** 2)
    smooth /= smooth.sum()
    slope = at / narrow**2 * smooth  # correlated, it rises where the picture does
    return np.stack([np.outer(smooth, slope), np.outer(slope, smooth)])[:, np.newaxis].astype(np.float32)


def main(folder: Path) -> None:
    """Write all inputs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    photo = cv2.imread(str(PHOTO), cv2.IMREAD_COLOR)
    square = photo[:, (photo.shape[1] - photo.shape[0]) // 2 :][:, : photo.shape[0]]
    cv2.imwrite(str(folder / "scratched.png"), scratched(photo), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    cv2.imwrite(str(folder / "digit.png"), digit())
    small = cv2.resize(square, (32, 32), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "photo32.png"), small, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    middle = cv2.resize(square, (224, 224), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "photo224.jpg"), middle, [cv2.IMWRITE_JPEG_QUALITY, 90])
    cv2.imwrite(str(folder / "night.jpg"), night(photo), [cv2.IMWRITE_JPEG_QUALITY, 80])
    cv2.imwrite(str(folder / "lamp.jpg"), lamp(*photo.shape[:2]), [cv2.IMWRITE_JPEG_QUALITY, 80])
    for sigma in (2, 4):
        np.save(folder / f"slopes{sigma}.npy", gaussian_slopes(sigma))
    # Of 3x3 pixels, for each of three channels.
    np.save(folder / "mean3.npy", np.full((3, 1, 3, 3), 1 / 9, np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "inputs")
