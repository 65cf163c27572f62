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

IMAGES, LABELS, ABOUT = "CIFAR_ims", "CIFAR_lab", "about.json"  # the last is ours: the classes' names and how the set was made
FOLDERS = {"robust_CIFAR": "d_r", "non_robust_CIFAR": "d_nr", "drand_CIFAR": "d_rand", "ddet_CIFAR": "d_det"}
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


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
    images, labels = _tensor(folder / IMAGES), _tensor(folder / LABELS)
    about = _about(folder / ABOUT)
    names = tuple(about.get("classes", CIFAR10_CLASSES))
    if images.dim() != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise DataError(f"{folder / IMAGES} holds {images.dtype} {list(images.shape)}; it should be float [N, 3, H, W] in [0, 1]")
    labels = labels.flatten()
    if labels.is_floating_point() or len(labels) != len(images):
        raise DataError(
            f"{folder / LABELS} holds {labels.dtype} [{len(labels)}]; it should be a whole number for each of {len(images)} images"
        )
    if not len(images):
        raise DataError(f"{folder} holds no images")
    images, labels = images[:limit], labels[:limit].long()
    if not bool(((images >= 0) & (images <= 1)).all()):
        raise DataError(f"{folder / IMAGES} has values outside [0, 1]; images are stored as float from 0 to 1")
    if int(labels.min()) < 0 or int(labels.max()) >= len(names):
        raise DataError(f"{folder / LABELS} has labels from {int(labels.min())} to {int(labels.max())} for {len(names)} classes")
    return LabelledImages((images * 255).round().to(torch.uint8), labels, names), about


def _tensor(path: Path) -> Tensor:
    """The list of tensors in ``path``, concatenated. Nothing but tensors is unpickled."""
    if not path.is_file():
        raise DataError(f"{path} is missing; a set of the release has {IMAGES} and {LABELS} in its folder")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is no file of tensors, or it is cut short ({str(error).splitlines()[0][:100]}); fetch it again") from None
    parts = [saved] if isinstance(saved, Tensor) else saved
    if not isinstance(parts, (list, tuple)) or not parts or not all(isinstance(part, Tensor) for part in parts):
        raise DataError(f"{path} holds no list of tensors; a set of the release is one")
    try:
        return torch.cat([part.reshape(1) if part.dim() == 0 else part for part in parts])
    except (RuntimeError, TypeError):
        raise DataError(f"the tensors in {path} differ in shape and can't be put together") from None


def _about(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text())
        return about if isinstance(about, dict) else {}
    except (OSError, ValueError):
        raise DataError(f"{path} can't be read; remove it if the classes are CIFAR-10's") from None
