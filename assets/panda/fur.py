"""The coat of the panda: the hair, the light on it, and the strokes that draw it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from body import CLAW, EYE, FUR, NOSE, STALK, Array, Camera, Pose, Solid, Surface, unit, vec
from PIL import Image, ImageDraw

WHITE, BLACK = vec(0.86, 0.82, 0.73), vec(0.0095, 0.0085, 0.008)
BARE = {
    NOSE: vec(0.028, 0.025, 0.026),
    EYE: vec(0.012, 0.008, 0.006),
    STALK: vec(0.20, 0.34, 0.06),
    CLAW: vec(0.10, 0.09, 0.07),
}
SUN, SUN_LIGHT = unit(vec(-0.45, 0.75, 0.55)), vec(1.35, 1.25, 1.06)
SKY_LIGHT, GROUND_LIGHT = vec(0.44, 0.49, 0.52), vec(0.13, 0.145, 0.07)


def waves(p: Array, scale: float, rng: np.random.Generator, count: int = 14) -> Array:
    """Smooth noise of deviation 1: a sum of plane waves whose wavelengths are about ``scale``."""
    k = unit(rng.normal(size=(count, 3))) * (2 * np.pi / scale * rng.uniform(0.6, 1.7, (count, 1)))
    return (
        np.sin(p @ k.T.astype(np.float32) + rng.uniform(0, 6.3, count)).sum(1) * np.sqrt(2 / count)
    ).astype(np.float32)


@dataclass
class Coat:
    """Blackness, hair length and direction, material and mouth for every point of a surface."""

    black: Array
    length: Array
    flow: Array
    kind: Array
    mouth: Array


def patch(q: Array, side: float) -> Array:
    """Distance from the centre of an eye patch, in the head's frame: 1 is its edge."""
    a = np.radians(40) * side
    x, y = q[:, 0] - side * 0.405, q[:, 1] - 0.035
    u, v = x * np.cos(a) + y * np.sin(a), -x * np.sin(a) + y * np.cos(a)
    return np.hypot(u / 0.185, v / np.where(v > 0, 0.23, 0.335)) + 9 * (q[:, 2] < 0)


def coat(solids: list[Solid], head: Pose, surface: Surface, rng: np.random.Generator) -> Coat:
    """The coat at every point of ``surface``."""
    p = surface.place
    far = np.stack([s.distance(p) for s in solids], 1)
    nearest = far.argmin(1)
    weight = np.exp(-(far - far.min(1, keepdims=True)) / 0.05)
    weight *= np.array([s.kind == FUR for s in solids])
    weight /= np.maximum(weight.sum(1, keepdims=True), 1e-6)
    wobble = 0.16 * waves(p, 0.35, rng) + 0.10 * waves(p, 0.12, rng)
    black = weight @ np.array([s.black for s in solids])
    black = 1 / (1 + np.exp(-13 * (black - 0.5 + 4 * black * (1 - black) * wobble)))
    length = weight @ np.array([s.fur for s in solids])
    flow = sum(
        weight[:, i, None] * (s.flow if s.whorl is None else unit(p - s.whorl))
        for i, s in enumerate(solids)
    )
    q = head.into(p)
    on_head = np.linalg.norm(q, axis=1) < 1.7
    for side in (-1.0, 1.0):
        inside = 1 / (1 + np.exp(22 * (patch(q, side) + 0.25 * wobble - 1)))
        black = np.maximum(black, inside * on_head)
        length = length * (1 - 0.5 * inside * on_head)
    x, y, z = q.T
    mouth = np.exp(-(((y + 0.52 + 0.5 * x**2) / 0.028) ** 2)) * (np.abs(x) < 0.3) * (z > 0.85)
    cleft = np.exp(-((x / 0.018) ** 2)) * (y > -0.53) * (y < -0.25) * (z > 0.9)
    nostril = np.exp(-(((np.abs(x) - 0.082) / 0.035) ** 2) - ((y + 0.205) / 0.026) ** 2) * (z > 1.2)
    kind = np.array([s.kind for s in solids])[nearest]
    dark = np.maximum(np.maximum(mouth, cleft), nostril) * on_head
    return Coat(black, length, unit(np.asarray(flow)), kind, dark)


def light(surface: Surface) -> Array:
    """The light of sky, ground and sun on every point."""
    n = surface.normal
    up = (0.5 + 0.5 * n[:, 1])[:, None]
    wrap = np.clip((n @ SUN + 0.25) / 1.25, 0, 1) * surface.shadow
    ambient = (GROUND_LIGHT + (SKY_LIGHT - GROUND_LIGHT) * up) * surface.occlusion[:, None]
    return ambient + SUN_LIGHT * wrap[:, None]


def tone(linear: Array) -> Array:
    """Display values in 0..255 for linear light, with a soft shoulder."""
    x = np.clip(linear, 0, None) * 1.2
    x = x * (1 + x / 3.2) / (1 + x)
    return 255 * np.clip(1.12 * x, 0, 1) ** (1 / 2.2)


def skin(surface: Surface, coat: Coat, rng: np.random.Generator) -> Array:
    """Linear colour of the surface without hair: the skin, nose, eyes and bamboo."""
    dirt = np.clip(0.5 + 0.5 * waves(surface.place, 0.9, rng), 0, 1)[:, None]
    base = WHITE * (1 - vec(0.08, 0.14, 0.28) * dirt)
    colour = base + (BLACK - base) * coat.black[:, None]
    for kind, paint in BARE.items():
        grain = 1 + 0.12 * waves(surface.place, 0.5 if kind == STALK else 0.03, rng)[:, None]
        colour = np.where((coat.kind == kind)[:, None], paint * grain, colour)
    reed = (coat.kind == STALK)[:, None]
    dry = np.clip(0.25 + 0.35 * waves(surface.place, 0.45, rng), 0, 1)[:, None]
    colour = np.where(reed, colour + (vec(0.36, 0.34, 0.12) - colour) * dry, colour)
    return (colour * (1 - 0.85 * coat.mouth[:, None])).astype(np.float32)


def gloss(surface: Surface, coat: Coat, camera: Camera) -> Array:
    """Highlights of the bare parts."""
    half = unit(SUN + unit(camera.eye - surface.place))
    shine = np.clip(np.einsum("ij,ij->i", surface.normal, half), 0, 1)
    kinds = [coat.kind == EYE, coat.kind == NOSE, coat.kind == STALK]
    exponent = np.select(kinds, [120.0, 14.0, 22.0], 10.0)
    strength = np.select(kinds, [2.5, 0.14, 0.25], 0.05)
    return (strength * shine**exponent * (1 - coat.mouth))[:, None] * vec(1, 1, 1)


def strokes(
    surface: Surface,
    coat: Coat,
    colour: Array,
    camera: Camera,
    count: int,
    rng: np.random.Generator,
) -> tuple[Array, Array, Array, Array]:
    """``count`` hairs: pixel positions [count, 3, 2], root and tip colours, depths of the roots.

    Colours are in 0..255.
    """
    furry = np.flatnonzero((coat.kind == FUR) & (coat.mouth < 0.5))
    i = rng.choice(furry, count)
    n, p = surface.normal[i], surface.place[i] + rng.normal(0, 0.004, (count, 3)).astype(np.float32)
    flow = coat.flow[i] + 0.28 * np.stack([waves(p, 0.30, rng) for _ in range(3)], 1)
    flow += rng.normal(0, 0.22, flow.shape).astype(np.float32)
    along = unit(flow - n * np.einsum("ij,ij->i", flow, n)[:, None])
    length = (coat.length[i] * rng.uniform(0.45, 1.25, count))[:, None].astype(np.float32)
    middle = p + 0.5 * length * unit(along + 0.75 * n)
    tip = middle + 0.5 * length * unit(along + 0.20 * n + vec(0, -0.35, 0))
    lit = light(surface)[i]
    half = unit(SUN + unit(camera.eye - p))
    sine = np.sqrt(np.clip(1 - np.einsum("ij,ij->i", along, half) ** 2, 0, 1))
    sheen = sine**24 * surface.shadow[i]
    tuft = waves(p, 0.10, rng) + 0.7 * waves(p, 0.28, rng)
    clump = 1 + (0.11 + 0.11 * coat.black[i]) * tuft + rng.normal(0, 0.16, count)
    clump = np.clip(clump, 0.3, 1.8)[:, None]
    shade = colour[i] * lit * clump
    black = coat.black[i][:, None]
    glow = (0.05 * black * sheen[:, None] * rng.uniform(0, 1.6, (count, 1))) * vec(1.0, 0.93, 0.85)
    root, end = shade * (0.60 + 0.2 * black) + 0.5 * glow, shade * (1.10 + 0.3 * black) + glow
    places = np.stack([camera.project(x)[0] for x in (p, middle, tip)], 1)
    return places, tone(root), tone(end), camera.project(p)[1] + rng.normal(0, 0.02, count)


def paint(
    canvas: Image.Image,
    surface: Surface,
    coat: Coat,
    camera: Camera,
    count: int,
    rng: np.random.Generator,
) -> None:
    """Draw the skin, then every hair and bare pixel from the farthest to the nearest."""
    colour = skin(surface, coat, rng)
    furry = (coat.kind == FUR)[:, None]
    flat = tone(
        colour * light(surface) * np.where(furry, 0.8, 1) + gloss(surface, coat, camera) * ~furry
    )
    picture = np.array(canvas)
    picture.reshape(-1, 3)[surface.pixel] = flat
    canvas.paste(Image.fromarray(picture))
    places, root, end, depth = strokes(surface, coat, colour, camera, count, rng)
    bare = np.flatnonzero((coat.kind != FUR) | (coat.mouth > 0.6))
    order = np.argsort(-np.concatenate([depth, camera.project(surface.place[bare])[1]]))
    points = places.reshape(count, 6).tolist()
    roots, ends = root.astype(int).tolist(), end.astype(int).tolist()
    dots = flat[bare].astype(int).tolist()
    spots = np.stack(np.divmod(surface.pixel[bare], camera.size[0])[::-1], 1).tolist()
    draw = ImageDraw.Draw(canvas, "RGBA")
    for j in order.tolist():
        if j < count:
            draw.line(points[j][:4], (*roots[j], 150), 2)
            draw.line(points[j][2:], (*ends[j], 170), 1)
        else:
            draw.point(spots[j - count], (*dots[j - count], 255))
