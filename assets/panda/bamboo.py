"""The bamboo around the panda: leaves, the background, and the sprig that it eats."""

from __future__ import annotations

import numpy as np
from body import Array, Camera
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

# Leaves, stalks, their size, brightness and blur, from the farthest layer to the nearest.
LAYERS = (
    (330, 14, 150, 0.62, 15),
    (150, 6, 180, 0.80, 12),
    (60, 4, 210, 0.95, 8),
    (14, 1, 230, 1.1, 5),
)
# Position along the eaten stalk, angle and size of its leaves.
STEM_LEAVES = (
    (0.08, 2.5, 210),
    (0.10, 0.2, 230),
    (0.22, 2.9, 200),
    (0.22, 0.5, 170),
    (0.5, 3.5, 150),
)
# Pixel position, angle and size of the leaves before the lens.
NEAR_LEAVES = (
    (1290, 700, 2.6, 330),
    (1300, 860, 3.5, 360),
    (1180, 1060, 4.3, 300),
    (1290, 960, 3.0, 300),
)


def leaf(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    angle: float,
    length: float,
    width: float,
    colour: Array,
) -> None:
    """Draw a lance-shaped bamboo leaf; its two halves differ in brightness."""
    t = np.linspace(0, 1, 12)
    bend = angle + 0.5 * (t - 0.3) * np.cos(angle)
    px, py = x + np.cumsum(np.cos(bend)) * length / 12, y + np.cumsum(np.sin(bend)) * length / 12
    half = width * np.sin(np.pi * t**0.75) ** 0.9
    for side, gain in ((-1, 1.0), (1, 0.8)):
        edge = np.stack([px - side * half * np.sin(bend), py + side * half * np.cos(bend)], 1)
        shape = np.concatenate([np.stack([px, py], 1), edge[::-1]])
        shade = tuple(int(v) for v in np.clip(colour * gain, 0, 255))
        draw.polygon([tuple(v) for v in shape.tolist()], shade)


def foliage(
    canvas: Image.Image,
    rng: np.random.Generator,
    leaves: int,
    stalks: int,
    size: float,
    bright: float,
) -> None:
    """Draw stalks and leaves at random places."""
    draw = ImageDraw.Draw(canvas)
    w, h = canvas.size
    for _ in range(stalks):
        x, lean, thick = rng.uniform(0, w), rng.normal(0, 0.06) * h, size * rng.uniform(0.12, 0.3)
        tint = np.array([120, 140, 62]) * bright * rng.uniform(0.6, 1.2)
        for k in range(7):
            f = (k - 3) / 7
            shade = tuple(int(v) for v in tint * (0.65 + 0.5 * np.cos(2.5 * f - 0.6)))
            draw.line((x + f * thick, h, x + lean + f * thick, 0), shade, int(thick / 5) + 1)
    for _ in range(leaves):
        tint = np.array([98, 122, 56]) * bright * rng.uniform(0.45, 1.6) + rng.normal(0, 7, 3)
        x, y, angle = rng.uniform(0, w), rng.uniform(-0.05, 1.0) * h, rng.normal(1.2, 0.8)
        leaf(draw, x, y, angle, size * rng.uniform(0.6, 1.4), size * 0.065, tint)


def background(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Layers of bamboo, each less blurred than the one behind; light shines through the farthest.

    ``size`` is (width, height).
    """
    w, h = size
    y = np.linspace(0, 1, h)[:, None, None]
    noise = gaussian_filter(rng.normal(size=(h, w)), 70)[..., None]
    base = (
        np.array([120, 138, 92]) * (1 - y)
        + np.array([62, 72, 40]) * y
        + noise / noise.std() * np.array([26, 28, 20])
    )
    image = Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))
    lights = ImageDraw.Draw(image)
    for _ in range(60):
        x, v, r = rng.uniform(0, w), rng.uniform(-0.1, 0.6) * h, rng.uniform(10, 30)
        lights.ellipse((x - r, v - r, x + r, v + r), (206, 216, 176))
    for leaves, stalks, leaf_size, bright, blur in LAYERS:
        foliage(image, rng, leaves, stalks, leaf_size, bright)
        image = image.filter(ImageFilter.GaussianBlur(blur))
    return image


def sprig(
    canvas: Image.Image, camera: Camera, stem: tuple[Array, Array], rng: np.random.Generator
) -> None:
    """Draw leaves on the eaten stalk ``stem``, and blurred ones between it and the lens."""
    layer = Image.new("RGBA", canvas.size)
    draw = ImageDraw.Draw(layer)
    for f, angle, size in STEM_LEAVES:
        x, y = camera.project((stem[0] + (stem[1] - stem[0]) * np.float32(f))[None])[0][0]
        angle += rng.normal(0, 0.1)
        colour = np.array([118, 150, 62]) * rng.uniform(0.8, 1.1)
        leaf(draw, x, y, angle, size, size * 0.075, colour)
    canvas.paste(layer, (0, 0), layer.filter(ImageFilter.GaussianBlur(1)))
    near = Image.new("RGBA", canvas.size, (70, 96, 38, 0))
    draw = ImageDraw.Draw(near)
    for x, y, angle, size in NEAR_LEAVES:
        leaf(draw, x, y, angle, size, size * 0.07, np.array([82, 112, 44]) * rng.uniform(0.8, 1.2))
    near = near.filter(ImageFilter.GaussianBlur(9))
    canvas.paste(near, (0, 0), near)
