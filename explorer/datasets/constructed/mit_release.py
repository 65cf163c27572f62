"""The layout of the sets that Ilyas et al. released (github.com/MadryLab/constructed-datasets): a folder per set, in it
``CIFAR_ims`` and ``CIFAR_lab``, each a list of tensors saved by ``torch.save``: images float32 NCHW in [0, 1], labels int64."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.datasets.labelled import DataError, LabelledImages

IMAGES, LABELS, ABOUT = (
    "CIFAR_ims",
    "CIFAR_lab",
    "about.json",
)  # the last is ours: the classes' names and how the set was made
FOLDERS = {
    "robust_CIFAR": "d_r",
    "non_robust_CIFAR": "d_nr",
    "drand_CIFAR": "d_rand",
    "ddet_CIFAR": "d_det",
}
CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_PIECE = 1000


def is_release(folder: Path) -> bool:
    """Whether ``folder`` holds one set in the layout of the release."""
    return (folder / IMAGES).is_file() or (folder / LABELS).is_file()


def release_sets(folder: str | Path) -> tuple[Path, ...]:
    """The sets of the release in ``folder``, each a folder of its own; empty when there are none."""
    return tuple(Path(folder) / name for name in FOLDERS if is_release(Path(folder) / name))


def read_release(folder: Path, limit: int | None = None) -> tuple[LabelledImages, dict[str, Any]]:
    """One set of the release, brought to 8 bits, and what ``about.json`` says of it ({} in the authors' own release).

    Raises :class:`DataError` when a file is missing, is no list of tensors, or images and labels do not belong together.
    """
    about = _about(folder / ABOUT)
    names: tuple[str, ...] = CIFAR10_CLASSES
    if about.get("classes"):
        names = tuple(str(name) for name in about["classes"])
    images = _images(_parts(folder / IMAGES), folder / IMAGES, limit)
    labels = _labels(_parts(folder / LABELS), folder / LABELS)
    if (limit is None and len(labels) != len(images)) or len(labels) < len(images):
        raise DataError(
            f"{folder} has {len(images)} images and {len(labels)} labels; fetch it again"
        )
    labels = labels[: len(images)]
    if int(labels.min()) < 0 or int(labels.max()) >= len(names):
        raise DataError(
            f"{folder / LABELS} has labels from {int(labels.min())} to {int(labels.max())} for {len(names)} classes"
        )
    return LabelledImages(images, labels, names), about


def _parts(path: Path) -> list[Tensor]:
    """The list of tensors in ``path``. Nothing but tensors is unpickled."""
    if not path.is_file():
        raise DataError(
            f"{path} is missing; a set of the release has {IMAGES} and {LABELS} in its folder"
        )
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise DataError(
            f"{path} is no file of tensors, or it is cut short ({reason}); fetch it again"
        ) from None
    parts = [saved] if isinstance(saved, Tensor) else saved
    if (
        not isinstance(parts, (list, tuple))
        or not parts
        or not all(isinstance(part, Tensor) for part in parts)
    ):
        raise DataError(f"{path} holds no list of tensors; a set of the release is one")
    return list(parts)


def _images(parts: list[Tensor], path: Path, limit: int | None) -> Tensor:
    """uint8 [N, 3, H, W]; brought to 8 bits piece by piece, since 50 000 images of float are 600 MB."""
    pieces: list[Tensor] = []
    wanted = sum(map(len, parts)) if limit is None else limit
    for part in parts:
        if (
            part.dim() != 4
            or part.shape[1] != 3
            or not part.is_floating_point()
            or part.shape[1:] != parts[0].shape[1:]
        ):
            raise DataError(
                f"{path} holds {part.dtype} {list(part.shape)}; it should be float [N, 3, H, W] in [0, 1], of one size"
            )
        for piece in part[: max(0, wanted)].split(_PIECE):
            if not bool(((piece >= 0) & (piece <= 1)).all()):
                raise DataError(
                    f"{path} has values outside [0, 1]; images are stored as float from 0 to 1"
                )
            pieces.append((piece.float() * 255).round().to(torch.uint8))
        wanted -= len(part)
    images = torch.cat(pieces)
    if not len(images):
        raise DataError(f"{path} holds no images")
    return images


def _labels(parts: list[Tensor], path: Path) -> Tensor:
    if any(part.is_floating_point() or part.is_complex() or part.dim() > 1 for part in parts):
        raise DataError(
            f"{path} holds {parts[0].dtype} {list(parts[0].shape)}; it should be a whole number for each image"
        )
    return torch.cat([part.reshape(-1).long() for part in parts])


def _about(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text())
        return about if isinstance(about, dict) else {}
    except (OSError, ValueError):
        raise DataError(f"{path} can't be read; remove it if the classes are CIFAR-10's") from None
