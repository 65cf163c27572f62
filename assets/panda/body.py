"""The solid body of the panda: smooth unions of ellipsoids and tapered capsules, ray-marched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FUR, NOSE, EYE, STALK, CLAW = range(5)  # materials


def vec(*xyz: float) -> Array:
    return np.array(xyz, np.float32)


def unit(v: Array) -> Array:
    return (v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-6)).astype(np.float32)


def rotation(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """Degrees; yaw turns to the viewer's right, pitch nods down, roll tilts anticlockwise."""
    a, b, c = np.radians([yaw, pitch, roll])
    y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return (y @ x @ z).astype(np.float32)


@dataclass
class Pose:
    """A rigid frame with a scale: ``out`` maps local points to the world, ``into`` the inverse."""

    origin: Array
    turn: Array = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    scale: float = 1.0

    def out(self, p: Array) -> Array:
        return (p * self.scale) @ self.turn.T + self.origin

    def into(self, p: Array) -> Array:
        return ((p - self.origin) @ self.turn) / np.float32(self.scale)


@dataclass
class Solid:
    """An ellipsoid, or a capsule from ``centre`` (radius radii[0]) to ``end`` (radii[1])."""

    centre: Array
    radii: Array
    black: float = 0.0
    kind: int = FUR
    blend: float = 0.25
    fur: float = 0.2  # hair length
    flow: Array = field(default_factory=lambda: vec(0, -1, 0))  # where the hair lies
    whorl: Array | None = None  # if set, the hair lies away from this point instead
    turn: Array | None = None
    end: Array | None = None

    def distance(self, p: Array) -> Array:
        q = p - self.centre
        if self.end is not None:
            axis = self.end - self.centre
            h = np.clip(q @ axis / (axis @ axis), 0, 1)
            return np.linalg.norm(q - h[:, None] * axis, axis=1) - (
                self.radii[0] + h * (self.radii[1] - self.radii[0])
            )
        if self.turn is not None:
            q = q @ self.turn
        q = q / self.radii
        k0 = np.sqrt(np.einsum("ij,ij->i", q, q))
        q = q / self.radii
        k1 = np.sqrt(np.einsum("ij,ij->i", q, q))
        return k0 * (k0 - 1) / np.maximum(k1, 1e-4)


def distance(solids: list[Solid], p: Array) -> Array:
    """The signed distance to the smooth union of the solids."""
    d = solids[0].distance(p)
    for s in solids[1:]:
        e = s.distance(p)
        h = np.maximum(s.blend - np.abs(d - e), 0) / s.blend
        d = np.minimum(d, e) - h * h * (s.blend / 4)
    return d.astype(np.float32)


@dataclass
class Camera:
    eye: Array
    target: Array
    height: float  # of the visible part of the world at the target's distance
    size: tuple[int, int]

    def __post_init__(self) -> None:
        ahead = unit(self.target - self.eye)
        right = unit(np.cross(ahead, vec(0, 1, 0)))
        self.axes = np.stack([right, np.cross(right, ahead), ahead]).astype(np.float32)
        self.focal = float(np.linalg.norm(self.target - self.eye)) * self.size[1] / self.height

    def rays(self) -> Array:
        w, h = self.size
        x, y = np.meshgrid(np.arange(w) + 0.5 - w / 2, h / 2 - np.arange(h) - 0.5)
        return unit(np.stack([x, y, np.full_like(x, self.focal)], -1).reshape(-1, 3) @ self.axes)

    def project(self, p: Array) -> tuple[Array, Array]:
        """Pixel positions (x right, y down) and depths."""
        q = (p - self.eye) @ self.axes.T
        w, h = self.size
        x, y = w / 2 + self.focal * q[:, 0] / q[:, 2], h / 2 - self.focal * q[:, 1] / q[:, 2]
        return np.stack([x, y], 1), q[:, 2]


@dataclass
class Surface:
    """Index, place, normal, occlusion and light of every pixel that shows the body."""

    pixel: NDArray[np.int64]
    place: Array
    normal: Array
    occlusion: Array
    shadow: Array


def march(
    solids: list[Solid], camera: Camera, near: float, far: float, steps: int = 70
) -> tuple[NDArray[np.int64], Array]:
    """The index of every pixel whose ray hits the body, and the points that are hit."""
    rays = camera.rays()
    live = np.arange(len(rays))
    t = np.full(len(rays), near, np.float32)
    hits: list[NDArray[np.int64]] = []
    for _ in range(steps):
        d = distance(solids, camera.eye + rays[live] * t[live, None])
        t[live] += 0.85 * d
        hits.append(live[d < 0.004])
        live = live[(d >= 0.004) & (t[live] < far)]
    pixels = np.sort(np.concatenate(hits))
    return pixels, (camera.eye + rays[pixels] * t[pixels, None]).astype(np.float32)


def look(solids: list[Solid], camera: Camera, sun: Array, near: float, far: float) -> Surface:
    """The surface of the body as ``camera`` sees it, lit from the direction ``sun``."""
    pixel, p = march(solids, camera, near, far)
    corners = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)
    normal = unit(sum(k * distance(solids, p + 0.012 * k)[:, None] for k in corners))
    occlusion = np.zeros(len(p), np.float32)
    for reach, weight in ((0.1, 0.25), (0.25, 0.3), (0.5, 0.25), (0.9, 0.2)):
        occlusion += weight * np.clip(distance(solids, p + reach * normal) / reach, 0, 1)
    shadow = np.ones(len(p), np.float32)
    start = p + 0.06 * normal
    for t in np.geomspace(0.08, 3.0, 12):
        shadow = np.minimum(
            shadow, 0.5 + 2.2 * distance(solids, start + np.float32(t) * sun) / np.float32(t)
        )
    return Surface(pixel, p, normal, occlusion, np.clip(shadow, 0, 1))
