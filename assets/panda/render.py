"""Renders a giant panda eating bamboo; the picture is free of other people's rights.

    python assets/panda/render.py assets/panda/panda.jpg

No photograph is read or traced and no classifier takes part. `body` ray-marches the solid animal,
`fur` grows and draws some 260,000 hairs on it, `bamboo` draws the leaves, and this module poses the
animal and adds the blur, vignette and grain of a camera. It takes half a minute and needs numpy,
scipy and Pillow. The same seed gives the same picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from bamboo import background, sprig
from body import CLAW, EYE, NOSE, STALK, Array, Camera, Pose, Solid, look, rotation, vec
from fur import SUN, coat, paint
from PIL import Image
from scipy.ndimage import gaussian_filter

SIZE, ZOOM = (640, 512), 2
HEAD = Pose(vec(0, 0, 0), rotation(yaw=-20, pitch=8, roll=-4))
STEM = vec(-1.9, -2.35, 1.55), HEAD.out(vec(0.08, -0.50, 1.0))  # ends of the eaten stalk


def head_solids(head: Pose) -> list[Solid]:
    """Skull, cheeks, brow, muzzle, chin, ears, nose and eyes, in the head's frame."""
    whorl = head.out(vec(0, -0.12, 0.95))

    def solid(
        c: tuple[float, ...],
        r: tuple[float, ...],
        kind: int = 0,
        black: float = 0,
        blend: float = 0.3,
        fur: float = 0.13,
        roll: float = 0,
    ) -> Solid:
        turn = (head.turn @ rotation(roll=roll)).astype(np.float32)
        centre, radii = head.out(vec(*c)), vec(*r) * head.scale
        blend, fur = blend * head.scale, fur * head.scale
        return Solid(centre, radii, black, kind, blend, fur, turn=turn, whorl=whorl)

    parts = [
        solid((0, 0.05, 0), (1.0, 0.92, 0.92)),
        solid((0, 0.02, 0.64), (0.36, 0.42, 0.36), fur=0.09),
    ]
    parts += [solid((0, -0.33, 0.88), (0.37, 0.27, 0.42), blend=0.2, fur=0.05)]
    parts += [solid((0, -0.57, 0.78), (0.25, 0.15, 0.34), blend=0.1, fur=0.06)]
    for s in (-1, 1):
        parts += [solid((0.58 * s, -0.34, 0.10), (0.60, 0.52, 0.62), blend=0.4, fur=0.2)]
        ear = (0.80 * s, 0.76, -0.14), (0.29, 0.31, 0.18)
        parts += [solid(*ear, black=1, blend=0.12, fur=0.15, roll=-35 * s)]
    parts += [solid((0, -0.18, 1.255), (0.165, 0.095, 0.09), NOSE, blend=0.03)]
    parts += [solid((0, -0.25, 1.245), (0.07, 0.09, 0.08), NOSE, blend=0.04)]
    for s in (-1, 1):
        parts += [solid((0.35 * s, 0.075, 0.905), (0.066, 0.062, 0.06), EYE, blend=0.02)]
    return parts


def limb(
    a: Array,
    b: Array,
    ra: float,
    rb: float,
    black: float = 1,
    blend: float = 0.3,
    fur: float = 0.2,
    kind: int = 0,
) -> Solid:
    """A capsule from ``a`` to ``b``, of radius ``ra`` at one end and ``rb`` at the other."""
    flow = (b - a) / np.linalg.norm(b - a) + vec(0, -0.4, 0)
    return Solid(a, vec(ra, rb, 0), black, kind, blend, fur, flow=flow, end=b)


def stalk(a: Array, b: Array, r: float) -> list[Solid]:
    """A bamboo stalk with three raised rings."""
    rings = [a + (b - a) * np.float32(f) for f in (0.2, 0.5, 0.8)]
    step = (b - a) * np.float32(0.006)
    solids = [limb(a, b, r, r * 0.85, kind=STALK, blend=0.02)]
    return solids + [
        limb(c - step, c + step, r * 1.10, r * 1.10, kind=STALK, blend=0.04) for c in rings
    ]


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
        root = vec(-0.50 - 0.13 * k, -1.22 - 0.17 * k, 1.32)
        tip = vec(-0.68 - 0.13 * k, -1.13 - 0.17 * k, 1.55)
        solids += [limb(root, tip, 0.13, 0.10, blend=0.06, fur=0.09)]
        claw = tip + vec(-0.05, -0.01, 0.05), tip + vec(-0.16, -0.06, 0.0)
        solids += [limb(*claw, 0.03, 0.012, kind=CLAW, blend=0.02)]
    size = SIZE[0] * ZOOM, SIZE[1] * ZOOM
    return solids, Camera(vec(0.0, 0.0, 9.0), vec(0.05, -0.72, 0), 4.1, size)


def photograph(canvas: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The picture in its final size, with a camera's slight blur, vignette and grain."""
    x = np.asarray(canvas.resize(SIZE, Image.Resampling.LANCZOS), np.float32)
    x = gaussian_filter(x, (0.45, 0.45, 0))
    v, u = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
    x *= (1 - 0.10 * (u**2 + v**2))[..., None]
    grain = gaussian_filter(rng.normal(0, 5.0, x.shape), (0.6, 0.6, 0))
    x += grain + rng.normal(0, 2.2, (*x.shape[:2], 1))
    return Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))


def render(seed: int = 3, hairs: int = 260_000) -> Image.Image:
    rng = np.random.default_rng(seed)
    solids, camera = portrait()
    surface = look(solids, camera, SUN, 5.0, 13.0)
    canvas = background(camera.size, rng)
    paint(canvas, surface, coat(solids, HEAD, surface, rng), camera, hairs, rng)
    sprig(canvas, camera, STEM, rng)
    return photograph(canvas, rng)


if __name__ == "__main__":
    render().save(Path(sys.argv[1]), quality=92)
