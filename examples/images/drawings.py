"""The other example pictures: a cratered plain in 16 bits, a balloon with soft edges, a lighthouse for a portrait."""

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]


def waves(shape: tuple[int, int], slope: float, random: np.random.Generator) -> Picture:
    """Return a random landscape in 0..1 whose amplitudes fall as frequency ** -slope."""
    spectrum = np.fft.fft2(random.normal(size=shape))
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None] * shape[0], np.fft.fftfreq(shape[1])[None, :] * shape[1])
    frequency[0, 0] = np.inf
    land = np.fft.ifft2(spectrum * frequency**-slope).real
    return (land - land.min()) / (land.max() - land.min())


def soft(distance: Picture, width: float) -> Picture:
    """Return 1 inside (distance below 0), 0 outside, with a smooth edge of this width."""
    part = np.clip(0.5 - distance / width, 0, 1)
    return part * part * (3 - 2 * part)


def over(below: Picture, colour: Picture, cover: Picture) -> Picture:
    """Lay a colour on a picture where `cover` (H, W) says."""
    return below * (1 - cover[:, :, None]) + colour * cover[:, :, None]


def moon(height: int = 360, width: int = 480) -> NDArray[np.uint16]:
    """A plain with craters of many sizes under a low sun: 16-bit gray, its shadows full of detail that 8 bits lose."""
    random = np.random.default_rng(1969)
    rows, columns = np.mgrid[:height, :width].astype(np.float64)
    land = 30 * waves((height, width), 1.9, random) + 1.2 * waves((height, width), 1.1, random)
    shade = 0.85 + 0.3 * waves((height, width), 1.6, random)
    radii = np.minimum(3.0 * random.random(420) ** -0.62, 62)
    for radius in radii:
        away = np.hypot(rows - random.uniform(-20, height + 20), columns - random.uniform(-20, width + 20)) / radius
        bowl = np.where(away < 1, (away**2 - 1) * 0.27, 0.0)
        rim = 0.12 * np.exp(-(((away - 1.0) / 0.16) ** 2)) + 0.06 * np.exp(-np.maximum(away - 1, 0) * 2.6) * (away >= 1)
        peak = 0.16 * np.exp(-((away / 0.15) ** 2)) if radius > 22 else 0.0
        land = land * np.where(away < 1, 0.35 + 0.65 * away**2, 1.0) + radius * (bowl + rim + peak)
        shade += 0.10 * np.exp(-((away / 1.7) ** 2)) * random.uniform(0, 1)
    down, across = np.gradient(land)
    normal = np.stack([-across, -down, np.ones_like(land)], axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    sun = np.array([-0.80, -0.34, 0.60])
    lit = np.clip(normal @ (sun / np.linalg.norm(sun)), 0, None)
    # Shadows: march toward the sun and see whether the land rises above the ray.
    for step in np.arange(2, 70, 2.0):
        at_row = np.clip(rows + sun[1] * step, 0, height - 1).astype(int)
        at_column = np.clip(columns + sun[0] * step, 0, width - 1).astype(int)
        lit *= np.clip(1 - (land[at_row, at_column] - land - 0.69 * step) / 1.5, 0.0, 1.0)
    light = 0.02 * shade + lit * shade * (0.86 + 0.1 * random.random(land.shape))
    light = light / np.quantile(light, 0.999)
    return np.rint(65535 * np.clip(light, 0, 1) ** 0.8).astype(np.uint16)


def balloon(size: int = 200) -> NDArray[np.uint8]:
    """A hot-air balloon with soft edges; around it alpha is 0 and the colour black, which shows up dark fringes."""
    down, across = (np.mgrid[: 4 * size, : 4 * size] + 0.5) / (4 * size) * 2 - 1
    x, y = across / 0.74, (down + 0.24) / 0.70
    pinch = 1 - 0.42 * np.clip(y, 0, 1) ** 2.2
    reach = np.hypot(x / pinch, y)
    depth = np.sqrt(np.maximum(1 - reach**2, 0))
    longitude = np.arctan2(x / pinch, depth + 1e-9)
    gore = np.floor((longitude / np.pi + 0.5) * 10).astype(int) % 3
    stripes = np.array([[0.93, 0.27, 0.20], [0.98, 0.86, 0.62], [0.16, 0.45, 0.62]])[gore]
    band = soft(np.abs(y - 0.16) - 0.13, 0.02)
    stripes = over(stripes, np.array([0.99, 0.78, 0.25]), band)
    seam = 1 - 0.25 * np.exp(-((((longitude / np.pi + 0.5) * 10 % 1 - 0.5) / 0.46) ** 16))
    facing = np.clip(-0.5 * x - 0.55 * y + 0.68 * depth, 0, 1)
    glow = np.exp(-(((x + 0.36) / 0.2) ** 2 + ((y + 0.45) / 0.24) ** 2))
    picture = stripes * (0.34 + 0.78 * facing * (2 - seam))[:, :, None] + 0.34 * glow[:, :, None]
    cover = soft((reach - 1) * 0.7, 0.035)
    for side in (-1, 1):
        rope = soft(np.abs(across - side * (0.13 + 0.20 * (0.62 - down) / 0.34)) - 0.006, 0.012)
        rope = rope * (down > 0.26) * (down < 0.64) * (1 - cover)
        picture, cover = over(picture, np.array([0.36, 0.26, 0.18]), rope), np.maximum(cover, rope)
    wicker = 0.75 + 0.25 * np.sin(across * 150) * np.sin(down * 150)
    basket = soft(np.maximum(np.abs(across) - 0.15 + 0.1 * (down - 0.64), np.abs(down - 0.75) - 0.115), 0.03)
    tone = np.array([0.56, 0.38, 0.20]) * (wicker * (1.0 - 0.9 * np.clip(across + 0.1, 0, 1)))[:, :, None]
    picture, cover = over(picture, tone, basket), np.maximum(cover, basket)
    weighted = np.concatenate([picture * cover[:, :, None], cover[:, :, None]], axis=2)
    small = weighted.reshape(size, 4, size, 4, 4).mean(axis=(1, 3))
    colour = np.divide(small[:, :, :3], small[:, :, 3:], out=np.zeros((size, size, 3)), where=small[:, :, 3:] > 1 / 510)
    alpha = np.where(small[:, :, 3:] > 1 / 510, small[:, :, 3:], 0)
    return np.rint(255 * np.clip(np.concatenate([colour, alpha], axis=2), 0, 1)).astype(np.uint8)


def lighthouse(height: int = 480, width: int = 360) -> NDArray[np.uint8]:
    """A lighthouse at dusk, upright: sky above, sea below."""
    random = np.random.default_rng(6)
    tall, wide = 2 * height, 2 * width
    down, across = np.mgrid[:tall, :wide].astype(np.float64) / wide  # across 0..1, down 0..1.33
    bottom = tall / wide
    level = np.clip(down / 0.92, 0, 1)[:, :, None]
    picture = (1 - level) * np.array([0.09, 0.16, 0.36]) + level * np.array([0.98, 0.60, 0.36])
    picture += 0.35 * np.exp(-((down - 0.9) ** 2 * 22 + (across - 0.2) ** 2 * 6))[:, :, None] * np.array([1, 0.7, 0.3])
    stars = (random.random((tall, wide)) > 0.9993) * np.clip(0.55 - down, 0, 1) * 2.2
    stars = np.maximum.reduce([stars, np.roll(stars, 1, 0), np.roll(stars, 1, 1)])
    picture += stars[:, :, None]
    drift = waves((tall, wide), 1.75, random)
    cloud = np.clip((drift - 0.52) * 5, 0, 1) * np.exp(-(((down - 0.55) / 0.25) ** 2))
    picture = over(picture, np.array([0.93, 0.55, 0.47]), 0.75 * cloud)
    # The beam, then the sea with its glitter, the rock, and the tower before all of them.
    tower_x, lamp_y = 0.62, 0.34
    for side in (-1, 1):
        run = side * (across - tower_x)
        spread = 0.012 + 0.16 * np.clip(run, 0, None)
        beam = (
            soft(np.abs(down - lamp_y + 0.06 * run) - spread, 0.05) * (run > 0) * np.exp(-2.2 * np.clip(run, 0, None))
        )
        picture = over(picture, np.array([1.0, 0.95, 0.75]), 0.55 * beam)
    sea = soft(0.92 - down, 0.004)
    ripple = waves((tall, wide), 1.2, random)[:, :, None]
    depth = np.clip((down - 0.92) / (bottom - 0.92), 0, 1)[:, :, None]
    water = (1 - depth) * np.array([0.72, 0.46, 0.38]) + depth * np.array([0.05, 0.12, 0.22])
    swell = 0.5 + 0.5 * np.sin((down * 150 / (0.25 + depth[:, :, 0])) + 9 * ripple[:, :, 0] + 3 * across)
    water = water * (0.75 + 0.5 * ripple) + 0.16 * swell[:, :, None] * np.exp(-((across - 0.2) ** 2 * 14))[:, :, None]
    picture = over(picture, water, sea)
    edge = waves((tall, wide), 1.5, random)
    profile = 1.0 - 0.20 * np.exp(-(((across - 0.68) / 0.24) ** 2)) + 0.05 * (edge[int(0.4 * tall)][None, :] - 0.5)
    rock = soft(profile - down, 0.006) * soft(0.30 + 0.3 * (1.1 - down) - across, 0.02)
    rough = waves((tall, wide), 1.15, random)
    slope_down, slope_across = np.gradient(rough)
    stone = np.array([0.23, 0.19, 0.19]) * (0.75 + 55 * (slope_down + slope_across))[:, :, None].clip(0.2, 2.2)
    picture = over(picture, stone, rock)
    picture = with_tower(picture, down, across, tower_x=tower_x, lamp_y=lamp_y)
    picture = picture.reshape(height, 2, width, 2, 3).mean(axis=(1, 3)) + random.normal(0, 0.006, (height, width, 3))
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def with_tower(picture: Picture, down: Picture, across: Picture, *, tower_x: float, lamp_y: float) -> Picture:
    """Set the tower on the rock: red and white bands, windows, gallery, lamp, roof and glow."""
    half = 0.052 + 0.032 * (down - lamp_y)
    inside = soft(np.maximum(np.abs(across - tower_x) - half, np.maximum(lamp_y + 0.045 - down, down - 0.83)), 0.004)
    turn = np.clip((across - tower_x) / half, -1, 1)
    round_light = (0.35 + 0.75 * np.clip(np.sqrt(1 - turn**2) * 0.7 - 0.55 * turn, 0, 1))[:, :, None]
    red = (np.floor((down - lamp_y - 0.045) / 0.098) % 2 == 0)[:, :, None]
    paint = np.where(red, np.array([0.80, 0.13, 0.10]), np.array([0.95, 0.92, 0.86])) * round_light
    picture = over(picture, paint, inside)
    for y in (0.50, 0.64, 0.77):
        window = soft(np.maximum(np.abs(across - tower_x + 0.012) - 0.011, np.abs(down - y) - 0.019), 0.003)
        picture = over(picture, np.array([1.0, 0.82, 0.42]), window)
    gallery = soft(np.maximum(np.abs(across - tower_x) - 0.085, np.abs(down - lamp_y - 0.04) - 0.009), 0.004)
    picture = over(picture, np.array([0.13, 0.11, 0.13]), gallery)
    lamp = soft(np.maximum(np.abs(across - tower_x) - 0.042, np.abs(down - lamp_y) - 0.034), 0.004)
    picture = over(picture, np.array([1.0, 0.93, 0.62]), lamp)
    bars = lamp * (np.abs((across - tower_x) * 48 % 1 - 0.5) < 0.09)
    picture = over(picture, np.array([0.2, 0.15, 0.13]), bars)
    roof = soft(np.maximum(np.abs(across - tower_x) - 0.9 * (down - lamp_y + 0.095), down - lamp_y + 0.032), 0.004)
    picture = over(picture, np.array([0.55, 0.10, 0.09]), roof)
    halo = np.exp(-np.hypot(across - tower_x, down - lamp_y) * 9)
    return picture + 0.65 * halo[:, :, None] * np.array([1.0, 0.85, 0.5])
