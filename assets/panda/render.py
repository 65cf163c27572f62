"""Render a giant panda eating bamboo, from nothing but the numbers in this folder: a picture that is ours to ship.

    python assets/panda/render.py assets/panda/panda.jpg

No photograph is read or traced, and no classifier is asked: `body` ray-marches the solid animal, `fur` grows and
draws some 260 000 hairs on it, and this module poses it, puts bamboo around it and adds what a camera adds.
It takes half a minute and needs numpy, scipy and Pillow. The same seed gives the same picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from body import CLAW, EYE, NOSE, STALK, Array, Camera, Pose, Solid, look, rotation, vec
from fur import SUN, coat, paint
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

SIZE, ZOOM = (640, 512), 2
HEAD = Pose(vec(0, 0, 0), rotation(yaw=-20, pitch=8, roll=-4))
STEM = vec(-1.9, -2.35, 1.55), HEAD.out(vec(0.08, -0.50, 1.0))  # of the bamboo being eaten


def head_solids(head: Pose) -> list[Solid]:
    """Skull, cheeks, brow, muzzle, chin, ears, nose and eyes, in the head's frame."""
    whorl = head.out(vec(0, -0.12, 0.95))

    def solid(
        c: tuple[float, ...], r: tuple[float, ...], kind: int = 0, black: float = 0, blend: float = 0.3, fur: float = 0.13, roll: float = 0
    ) -> Solid:
        turn = (head.turn @ rotation(roll=roll)).astype(np.float32)
        return Solid(head.out(vec(*c)), vec(*r) * head.scale, black, kind, blend * head.scale, fur * head.scale, turn=turn, whorl=whorl)

    parts = [solid((0, 0.05, 0), (1.0, 0.92, 0.92)), solid((0, 0.02, 0.64), (0.36, 0.42, 0.36), fur=0.09)]
    parts += [solid((0, -0.33, 0.88), (0.37, 0.27, 0.42), blend=0.2, fur=0.05)]
    parts += [solid((0, -0.57, 0.78), (0.25, 0.15, 0.34), blend=0.1, fur=0.06)]
    for s in (-1, 1):
        parts += [solid((0.58 * s, -0.34, 0.10), (0.60, 0.52, 0.62), blend=0.4, fur=0.2)]
        parts += [solid((0.80 * s, 0.76, -0.14), (0.29, 0.31, 0.18), black=1, blend=0.12, fur=0.15, roll=-35 * s)]
    parts += [solid((0, -0.18, 1.255), (0.165, 0.095, 0.09), NOSE, blend=0.03)]
    parts += [solid((0, -0.25, 1.245), (0.07, 0.09, 0.08), NOSE, blend=0.04)]
    for s in (-1, 1):
        parts += [solid((0.35 * s, 0.075, 0.905), (0.066, 0.062, 0.06), EYE, blend=0.02)]
    return parts


def limb(a: Array, b: Array, ra: float, rb: float, black: float = 1, blend: float = 0.3, fur: float = 0.2, kind: int = 0) -> Solid:
    return Solid(a, vec(ra, rb, 0), black, kind, blend, fur, flow=(b - a) / np.linalg.norm(b - a) + vec(0, -0.4, 0), end=b)


def stalk(a: Array, b: Array, r: float) -> list[Solid]:
    """A bamboo stalk with a raised ring every so often."""
    rings = [a + (b - a) * np.float32(f) for f in (0.2, 0.5, 0.8)]
    step = (b - a) * np.float32(0.006)
    solids = [limb(a, b, r, r * 0.85, kind=STALK, blend=0.02)]
    return solids + [limb(c - step, c + step, r * 1.10, r * 1.10, kind=STALK, blend=0.04) for c in rings]


def arm(shoulder: Array, elbow: Array, wrist: Array) -> list[Solid]:
    return [limb(shoulder, elbow, 0.52, 0.43), limb(elbow, wrist, 0.42, 0.325)]


def portrait() -> tuple[list[Solid], Camera]:
    """Head, shoulders and the top of the white belly, a paw holding a bamboo stalk to the mouth."""
    solids = head_solids(HEAD)
    solids += [Solid(vec(0.15, -1.75, -0.9), vec(1.35, 1.25, 1.0), 1, blend=0.35, fur=0.22)]
    solids += [Solid(vec(0.2, -3.2, -0.9), vec(1.55, 1.2, 1.15), 0, blend=0.2, fur=0.25)]
    solids += arm(vec(-1.15, -1.35, -0.6), vec(-1.45, -2.5, 0.2), vec(-0.62, -1.55, 1.05))
    solids += arm(vec(1.35, -1.35, -0.6), vec(1.65, -2.6, 0.1), vec(0.6, -2.5, 1.0))
    solids += stalk(*STEM, 0.066)
    for k in range(4):  # fingers closing over the stalk, each with a claw
        root, tip = vec(-0.50 - 0.13 * k, -1.22 - 0.17 * k, 1.32), vec(-0.68 - 0.13 * k, -1.13 - 0.17 * k, 1.55)
        solids += [limb(root, tip, 0.13, 0.10, blend=0.06, fur=0.09)]
        solids += [limb(tip + vec(-0.05, -0.01, 0.05), tip + vec(-0.16, -0.06, 0.0), 0.03, 0.012, kind=CLAW, blend=0.02)]
    return solids, Camera(vec(0.0, 0.0, 9.0), vec(0.05, -0.72, 0), 4.1, (SIZE[0] * ZOOM, SIZE[1] * ZOOM))


def leaf(draw: ImageDraw.ImageDraw, x: float, y: float, angle: float, length: float, wide: float, colour: Array) -> None:
    """One lance-shaped bamboo leaf, its two halves lit differently."""
    t = np.linspace(0, 1, 12)
    bend = angle + 0.5 * (t - 0.3) * np.cos(angle)
    px, py = x + np.cumsum(np.cos(bend)) * length / 12, y + np.cumsum(np.sin(bend)) * length / 12
    half = wide * np.sin(np.pi * t**0.75) ** 0.9
    for side, gain in ((-1, 1.0), (1, 0.8)):
        edge = np.stack([px - side * half * np.sin(bend), py + side * half * np.cos(bend)], 1)
        shape = np.concatenate([np.stack([px, py], 1), edge[::-1]])
        draw.polygon([tuple(v) for v in shape.tolist()], tuple(int(v) for v in np.clip(colour * gain, 0, 255)))


def foliage(canvas: Image.Image, rng: np.random.Generator, leaves: int, stalks: int, size: float, bright: float) -> None:
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
        leaf(draw, rng.uniform(0, w), rng.uniform(-0.05, 1.0) * h, rng.normal(1.2, 0.8), size * rng.uniform(0.6, 1.4), size * 0.065, tint)


def background(rng: np.random.Generator) -> Image.Image:
    """Four depths of bamboo, each blurred less than the one behind, the farthest with light coming through."""
    w, h = SIZE[0] * ZOOM, SIZE[1] * ZOOM
    y = np.linspace(0, 1, h)[:, None, None]
    noise = gaussian_filter(rng.normal(size=(h, w)), 70)[..., None]
    base = np.array([120, 138, 92]) * (1 - y) + np.array([62, 72, 40]) * y + noise / noise.std() * np.array([26, 28, 20])
    image = Image.fromarray(np.clip(base, 0, 255).astype(np.uint8))
    lights = ImageDraw.Draw(image)
    for _ in range(60):
        x, v, r = rng.uniform(0, w), rng.uniform(-0.1, 0.6) * h, rng.uniform(10, 30)
        lights.ellipse((x - r, v - r, x + r, v + r), (206, 216, 176))
    layers = ((330, 14, 150, 0.62, 15), (150, 6, 180, 0.80, 12), (60, 4, 210, 0.95, 8), (14, 1, 230, 1.1, 5))
    for leaves, stalks, size, bright, blur in layers:
        foliage(image, rng, leaves, stalks, size, bright)
        image = image.filter(ImageFilter.GaussianBlur(blur))
    return image


def photograph(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    """What a camera adds: slight softness, vignette and grain."""
    x = np.asarray(canvas.resize(SIZE, Image.Resampling.LANCZOS), np.float32)
    x = gaussian_filter(x, (0.45, 0.45, 0))
    v, u = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
    x *= (1 - 0.10 * (u**2 + v**2))[..., None]
    x += gaussian_filter(rng.normal(0, 5.0, x.shape), (0.6, 0.6, 0)) + rng.normal(0, 2.2, (*x.shape[:2], 1))
    return Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))


def sprig(canvas: Image.Image, camera: Camera, rng: np.random.Generator) -> None:
    """Leaves on the eaten stalk and a few, out of focus, between it and the lens."""
    layer = Image.new("RGBA", canvas.size)
    draw = ImageDraw.Draw(layer)
    for f, angle, size in ((0.08, 2.5, 210), (0.10, 0.2, 230), (0.22, 2.9, 200), (0.22, 0.5, 170), (0.5, 3.5, 150)):
        x, y = camera.project((STEM[0] + (STEM[1] - STEM[0]) * np.float32(f))[None])[0][0]
        leaf(draw, x, y, angle + rng.normal(0, 0.1), size, size * 0.075, np.array([118, 150, 62]) * rng.uniform(0.8, 1.1))
    canvas.paste(layer, (0, 0), layer.filter(ImageFilter.GaussianBlur(1)))
    near = Image.new("RGBA", canvas.size, (70, 96, 38, 0))
    draw = ImageDraw.Draw(near)
    for x, y, angle, size in ((1290, 700, 2.6, 330), (1300, 860, 3.5, 360), (1180, 1060, 4.3, 300), (1290, 960, 3.0, 300)):
        leaf(draw, x, y, angle, size, size * 0.07, np.array([82, 112, 44]) * rng.uniform(0.8, 1.2))
    near = near.filter(ImageFilter.GaussianBlur(9))
    canvas.paste(near, (0, 0), near)


def render(seed: int = 3, hairs: int = 260_000) -> Image.Image:
    rng = np.random.default_rng(seed)
    solids, camera = portrait()
    surface = look(solids, camera, SUN, 5.0, 13.0)
    canvas = background(rng)
    paint(canvas, surface, coat(solids, HEAD, surface, rng), camera, hairs, rng)
    sprig(canvas, camera, rng)
    return photograph(canvas, rng)


if __name__ == "__main__":
    render().save(Path(sys.argv[1]), quality=92)
