"""A small ray tracer in NumPy, and the still life that it renders: spheres on a chequered table by a lake at evening.

Rays are traced as whole arrays (n, 3). Each pixel gets several, jittered over the pixel, the lens and the sun's disk,
which gives smooth edges, a little blur in the distance and soft shadows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rays = NDArray[np.float64]

SUN = np.array([-0.62, 0.56, 0.42]) / np.linalg.norm([-0.62, 0.56, 0.42])
SUN_COLOUR = np.array([2.9, 2.35, 1.7])
SUN_SPREAD = 0.045
EPSILON = 1e-4


@dataclass(frozen=True)
class Sphere:
    """A ball: `mirror` is what it reflects seen straight on; `glass` lets light through; `texture` names its skin."""

    centre: tuple[float, float, float]
    radius: float
    colour: tuple[float, float, float]
    mirror: float = 0.04
    gloss: float = 80.0
    glass: bool = False
    texture: str = ""


SPHERES = (
    Sphere((-1.62, 1.0, 0.35), 1.0, (0.78, 0.05, 0.04), gloss=220),
    Sphere((0.42, 0.82, 1.05), 0.82, (0.95, 0.95, 0.97), mirror=0.82),
    Sphere((1.95, 0.66, -0.15), 0.66, (0.93, 0.78, 0.42), texture="wood", gloss=25),
    Sphere((-0.42, 0.46, -0.95), 0.46, (0.97, 0.99, 0.98), glass=True),
    Sphere((0.72, 0.36, -1.12), 0.36, (0.98, 0.66, 0.22), mirror=0.55),
    Sphere((-1.52, 0.34, -1.28), 0.34, (0.10, 0.32, 0.75), texture="stripes", gloss=120),
    Sphere((1.62, 0.25, -1.38), 0.25, (0.20, 0.55, 0.26), texture="speckles", gloss=40),
    Sphere((3.35, 0.95, 2.3), 0.95, (0.32, 0.17, 0.45), texture="speckles", gloss=60),
    Sphere((-3.6, 0.72, 2.2), 0.72, (0.12, 0.42, 0.42), texture="stripes"),
)


def noise(points: Rays, seed: int = 0) -> NDArray[np.float64]:
    """Smooth value noise in 0..1 over points (n, 3), by hashing the corners of a lattice."""
    cell = np.floor(points).astype(np.int64)
    part = points - cell
    part = part * part * (3 - 2 * part)
    total = np.zeros(len(points))
    for corner in np.ndindex(2, 2, 2):
        at = cell + np.array(corner)
        hashed = (at[:, 0] * 374761393 + at[:, 1] * 668265263 + at[:, 2] * 2147483647 + seed * 144665) & 0x7FFFFFFF
        hashed = ((hashed ^ (hashed >> 13)) * 1274126177) & 0x7FFFFFFF
        value = ((hashed ^ (hashed >> 16)) & 0xFFFF) / 65535.0
        total += value * np.prod(np.where(np.array(corner) == 1, part, 1 - part), axis=1)
    return total


def clouds(points: Rays, octaves: int = 5, seed: int = 0) -> NDArray[np.float64]:
    """Sum noise of halving size and weight: fractal noise in 0..1."""
    total, weight = np.zeros(len(points)), 0.0
    for octave in range(octaves):
        total += noise(points * 2.0**octave, seed + octave) / 2.0**octave
        weight += 1 / 2.0**octave
    return total / weight


def sky(direction: Rays) -> Rays:
    """Evening sky with sun and clouds, hills at the horizon, and below it a lake."""
    height = direction[:, 1]
    up = np.clip(height, 0, 1)[:, None] ** 0.42
    colour = (1 - up) * np.array([1.70, 0.88, 0.46]) + up * np.array([0.12, 0.30, 0.74])
    toward_sun = np.clip(direction @ SUN, 0, 1)[:, None]
    colour = colour + SUN_COLOUR * (0.16 * toward_sun**6 + 0.5 * toward_sun**60 + 6 * (toward_sun > 0.9985))
    level = direction / np.maximum(height, 0.06)[:, None]
    cover = clouds(np.stack([level[:, 0] * 0.55, np.full(len(level), 0.5), level[:, 2] * 0.9], axis=1), seed=7)
    cover = np.clip((cover - 0.50) * 4.2, 0, 1)[:, None] * np.clip(height * 7, 0, 1)[:, None]
    colour = colour * (1 - 0.8 * cover) + 0.8 * cover * np.array([1.18, 0.90, 0.78])
    bearing = np.arctan2(direction[:, 0], direction[:, 2])
    for distance, tone in ((0, (0.60, 0.44, 0.52)), (1, (0.26, 0.25, 0.38)), (2, (0.06, 0.10, 0.13))):
        line = np.stack([bearing * (3.0 + 2 * distance), np.full(len(bearing), distance * 9.0), bearing * 0], axis=1)
        ridge = 0.088 - 0.028 * distance + 0.09 / (1 + distance) * (clouds(line, 6, seed=20) - 0.5)
        hidden = np.clip((ridge - height) * 500, 0, 1)[:, None]
        colour = colour * (1 - hidden) + hidden * np.array(tone)
    water = np.clip((0.012 - height) * 500, 0, 1)[:, None]
    shimmer = np.stack([bearing * 14, height * 420, np.zeros(len(height))], axis=1)
    glint = 0.70 + 0.6 * noise(shimmer, 3)[:, None]
    near = np.clip(-height * 9, 0, 1)[:, None] ** 0.6
    lake = (1 - near) * np.array([0.78, 0.52, 0.44]) + near * np.array([0.13, 0.20, 0.31])
    return colour * (1 - water) + water * glint * lake


def hit(origin: Rays, direction: Rays) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distance to what each ray meets first, and its number: a sphere's, -1 the table, -2 nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(direction[:, 1] < -1e-6, -origin[:, 1] / direction[:, 1], np.inf)
    at = origin + np.where(np.isfinite(distance), distance, 0.0)[:, None] * direction
    off_table = ~np.isfinite(distance) | (distance <= EPSILON) | (at[:, 2] > 5.2) | (np.abs(at[:, 0]) > 7.5)
    distance = np.where(off_table, np.inf, distance)
    found = np.where(off_table, -2, -1)
    for number, sphere in enumerate(SPHERES):
        to = origin - np.array(sphere.centre)
        half_b = np.einsum("ij,ij->i", to, direction)
        inside = half_b**2 - np.einsum("ij,ij->i", to, to) + sphere.radius**2
        root = np.sqrt(np.maximum(inside, 0))
        near, far = -half_b - root, -half_b + root
        reach = np.where(near > EPSILON, near, far)
        closer = (inside > 0) & (reach > EPSILON) & (reach < distance)
        distance = np.where(closer, reach, distance)
        found = np.where(closer, number, found)
    return distance, found


def skin(sphere: Sphere, normal: Rays) -> Rays:
    """Return the colour of a sphere at points given by their normals."""
    base = np.broadcast_to(np.array(sphere.colour), normal.shape)
    if sphere.texture == "stripes":
        band = np.sin(11 * (0.8 * normal[:, 1] + 0.45 * normal[:, 0] + 0.1))[:, None]
        return np.where(band > 0.15, base, np.array([0.90, 0.87, 0.80]))
    if sphere.texture == "wood":
        bent = normal + 0.12 * np.stack([clouds(normal * 3, 3, seed) for seed in (1, 2, 3)], axis=1)
        ring = np.hypot(bent[:, 0] + 0.3, bent[:, 2] * 0.9) * 26
        grain = (0.5 + 0.5 * np.sin(ring)) ** 1.5 * 0.55 + 0.35 * noise(normal * np.array([60, 4, 60]), 5)
        return base * (1.02 - 0.62 * grain[:, None]) * np.array([0.92, 0.74, 0.56])
    if sphere.texture == "speckles":
        spots = np.clip((clouds(normal * 7, 4, seed=40) - 0.52) * 9, 0, 1)[:, None]
        return base * (1 - 0.75 * spots) + 0.75 * spots * np.array([0.92, 0.88, 0.74])
    return base


def table(point: Rays) -> Rays:
    """Return the colour of the table: two kinds of marble in a chequer of one unit, with thin joints."""
    x, z = 0.94 * point[:, 0] + 0.34 * point[:, 2], -0.34 * point[:, 0] + 0.94 * point[:, 2]
    flat = np.stack([x, np.zeros(len(x)), z], axis=1)
    light = ((np.floor(x) + np.floor(z)) % 2 == 0)[:, None]
    vein = np.abs(np.sin(4 * x + 3 * z + 9 * clouds(flat * 1.7, 5, seed=60)))[:, None] ** 0.35
    grain = 0.9 + 0.2 * clouds(flat * 22, 3, seed=80)[:, None]
    pale = np.array([0.86, 0.81, 0.72]) * (0.72 + 0.28 * vein)
    dark = np.array([0.085, 0.10, 0.115]) + 0.16 * (1 - vein)
    joint = (np.minimum(np.abs(x - np.round(x)), np.abs(z - np.round(z))) < 0.012)[:, None]
    return np.where(joint, 0.20, np.where(light, pale, dark)) * grain


def occlusion(point: Rays, normal: Rays, own: int) -> NDArray[np.float64]:
    """Return how much of the sky the spheres leave to a point, 0..1 (each hides its solid angle, weighed by slant)."""
    left = np.ones(len(point))
    for number, sphere in enumerate(SPHERES):
        if number != own:
            to = np.array(sphere.centre) - point
            squared = np.einsum("ij,ij->i", to, to)
            slant = np.einsum("ij,ij->i", to, normal) / np.sqrt(squared)
            share = np.clip(0.5 + 0.5 * slant, 0, 1) * np.minimum(sphere.radius**2 / squared, 1)
            left *= 1 - (0.35 if sphere.glass else 0.85) * share
    return left


def sunlight(point: Rays, random: np.random.Generator) -> Rays:
    """Return the light of a random point of the sun where nothing is in the way; glass dims it a little."""
    toward = SUN + SUN_SPREAD * random.normal(size=point.shape)
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    _, found = hit(point, toward)
    clear = np.where(found == -2, 1.0, 0.0)
    for number, sphere in enumerate(SPHERES):
        if sphere.glass:
            clear = np.where(found == number, 0.62, clear)
    return clear[:, None] * SUN_COLOUR


def trace(origin: Rays, direction: Rays, random: np.random.Generator, depth: int = 4) -> Rays:
    """Return the light that comes back along each ray, as linear RGB."""
    if depth == 0:
        return sky(direction)
    distance, found = hit(origin, direction)
    colour = np.empty_like(direction)
    colour[found == -2] = sky(direction[found == -2])
    for number in range(-1, len(SPHERES)):
        chosen = found == number
        if not chosen.any():
            continue
        along = direction[chosen]
        point = origin[chosen] + distance[chosen, None] * along
        if number < 0:
            normal = np.broadcast_to([0.0, 1.0, 0.0], point.shape)
            tint, mirror, gloss = table(point), 0.05, 90.0
        else:
            sphere = SPHERES[number]
            normal = (point - np.array(sphere.centre)) / sphere.radius
            if sphere.glass:
                tint = np.array(sphere.colour)
                colour[chosen] = through_glass(point, normal, along, tint=tint, random=random, depth=depth)
                continue
            tint, mirror, gloss = skin(sphere, normal), sphere.mirror, sphere.gloss
        colour[chosen] = shade(
            point, normal, along, tint=tint, mirror=mirror, gloss=gloss, own=number, random=random, depth=depth
        )
    return colour


def reflected(along: Rays, normal: Rays) -> Rays:
    """Mirror directions at a surface."""
    return along - 2 * np.einsum("ij,ij->i", along, normal)[:, None] * normal


def shade(
    point: Rays,
    normal: Rays,
    along: Rays,
    *,
    tint: Rays,
    mirror: float,
    gloss: float,
    own: int,
    random: np.random.Generator,
    depth: int,
) -> Rays:
    """Light an opaque surface: sun, sky, highlight and reflection (Schlick's approximation to Fresnel)."""
    lifted = point + 1e-3 * normal
    slant = np.clip(normal @ SUN, 0, 1)[:, None]
    sun = sunlight(lifted, random) * slant
    open_sky = occlusion(point, normal, own)[:, None]
    upness = 0.5 + 0.5 * normal[:, 1:2]
    ambient = open_sky * (upness * np.array([0.42, 0.47, 0.62]) + (1 - upness) * np.array([0.26, 0.21, 0.17]))
    halfway = SUN - along
    halfway /= np.linalg.norm(halfway, axis=1, keepdims=True)
    shine = np.clip(np.einsum("ij,ij->i", halfway, normal), 0, 1)[:, None] ** gloss
    facing = np.clip(-np.einsum("ij,ij->i", along, normal), 0, 1)[:, None]
    fresnel = mirror + (1 - mirror) * (1 - facing) ** 5
    metal = mirror > 0.3
    bounced = trace(lifted, reflected(along, normal), random, depth - 1)
    body = tint * (sun + ambient) * (0.12 if metal else 1.0)
    highlight = (0.5 + gloss / 200) * shine * sun
    return body * (1 - fresnel * (0.0 if metal else 1.0)) + fresnel * bounced * (tint if metal else 1.0) + highlight


def through_glass(
    point: Rays, normal: Rays, along: Rays, *, tint: Rays, random: np.random.Generator, depth: int
) -> Rays:
    """Split light at glass into what is reflected and what is bent (Snell, refractive index 1.5)."""
    slant = -np.einsum("ij,ij->i", along, normal)
    entering = slant > 0
    outward = np.where(entering[:, None], normal, -normal)
    ratio = np.where(entering, 1 / 1.5, 1.5)
    cosine = np.abs(slant)
    squared = 1 - ratio**2 * (1 - cosine**2)
    bent = ratio[:, None] * along + (ratio * cosine - np.sqrt(np.maximum(squared, 0)))[:, None] * outward
    fresnel = np.where(squared < 0, 1.0, 0.04 + 0.96 * (1 - cosine) ** 5)[:, None]
    mirrored = trace(point + 1e-3 * outward, reflected(along, outward), random, depth - 1)
    passed = trace(point - 1e-3 * outward, bent, random, depth - 1)
    return fresnel * mirrored + (1 - fresnel) * passed * tint


def render(width: int = 640, height: int = 427, samples: int = 24) -> NDArray[np.uint8]:
    """Render the scene as 8-bit sRGB (height, width, 3), with the fine noise of a camera."""
    random = np.random.default_rng(2)
    eye, target = np.array([0.15, 1.95, -6.1]), np.array([0.12, 0.92, 0.4])
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    upward = np.cross(forward, right)
    focus = 5.6
    rows, columns = np.mgrid[:height, :width]
    total = np.zeros((height * width, 3))
    for _ in range(samples):
        across = ((columns.ravel() + random.random(height * width)) / width - 0.5) * 1.08
        down = ((rows.ravel() + random.random(height * width)) / height - 0.5) * 1.08 * height / width
        toward = forward + across[:, None] * right - down[:, None] * upward
        angle, reach = random.random((2, height * width)) * [[2 * np.pi], [1]]
        lens = 0.014 * np.sqrt(reach)[:, None] * (np.cos(angle)[:, None] * right + np.sin(angle)[:, None] * upward)
        direction = eye + focus * toward - (eye + lens)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        total += np.minimum(trace(eye + lens, direction, random), 8.0)
    light = (total / samples).reshape(height, width, 3) * 0.52
    mapped = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)  # Narkowicz's fit to the ACES curve
    curved = 255 * np.clip(mapped, 0, 1) ** (1 / 2.2)
    corner = np.hypot((columns / width - 0.5), (rows / height - 0.5) * height / width)[:, :, None]
    curved = curved * (1 - 0.35 * corner**2) + random.normal(0, 1.0, curved.shape)
    return np.clip(np.rint(curved), 0, 255).astype(np.uint8)
