"""Make what the pipelines read beside themselves: `python examples/pipelines/make_inputs.py [FOLDER]`.

A scratched photograph, small pictures in the sizes that networks were made for, and the mean that repairs scratches.
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
    # Of 3x3 pixels, for each of three channels.
    np.save(folder / "mean3.npy", np.full((3, 1, 3, 3), 1 / 9, np.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "inputs")
