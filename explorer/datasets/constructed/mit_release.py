"""The sets that Ilyas et al. released (github.com/MadryLab/constructed-datasets).

Each set is a folder with ``CIFAR_ims`` and ``CIFAR_lab``, lists of tensors saved by ``torch.save``:
images float32 NCHW in [0, 1], labels int64. Exports of the explorer have an ``about.json`` too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.datasets.constructed.constructions import D_DET, D_NR, D_R, D_RAND
from explorer.datasets.labelled import DataError, LabelledImages, reading

IMAGES, LABELS = "CIFAR_ims", "CIFAR_lab"
ABOUT = "about.json"  # the classes' names and how the set was built
FOLDERS = {
    "robust_CIFAR": D_R,
    "non_robust_CIFAR": D_NR,
    "drand_CIFAR": D_RAND,
    "ddet_CIFAR": D_DET,
}
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_CHUNK = 1000  # images that are converted at a time; 50 000 images as float32 take 600 MB


def is_release(folder: Path) -> bool:
    """Whether ``folder`` holds one set in the layout of the release."""
    return (folder / IMAGES).is_file() or (folder / LABELS).is_file()


def release_sets(folder: str | Path) -> tuple[Path, ...]:
    """The folders of the release's sets in ``folder``; empty if there are none."""
    return tuple(Path(folder) / name for name in FOLDERS if is_release(Path(folder) / name))


def read_release(folder: Path, limit: int | None = None) -> tuple[LabelledImages, dict[str, Any]]:
    """One set of the release, rounded to 8 bits, and its ``about.json`` ({} if it has none).

    Raises :class:`DataError` if a file is missing or isn't a list of tensors, or if images and
    labels don't belong together.
    """
    about = _read_about(folder / ABOUT)
    names: tuple[str, ...] = CIFAR10_CLASSES
    if about.get("classes"):
        if not isinstance(about["classes"], list):
            raise DataError(f"{folder / ABOUT} has classes that are no list; make it one of names")
        names = tuple(str(name) for name in about["classes"])
    images = _images(_read_tensors(folder / IMAGES), folder / IMAGES, limit)
    labels = _labels(_read_tensors(folder / LABELS), folder / LABELS)
    if (limit is None and len(labels) != len(images)) or len(labels) < len(images):
        counts = f"{len(images)} images and {len(labels)} labels"
        raise DataError(f"{folder} has {counts}; fetch it again")
    labels = labels[: len(images)]
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(names):
        raise DataError(
            f"{folder / LABELS} has labels from {low} to {high} for {len(names)} classes; "
            "fetch it again"
        )
    return LabelledImages(images, labels, names), about


def _read_tensors(path: Path) -> list[Tensor]:
    """The list of tensors in ``path``. Nothing but tensors is unpickled."""
    from explorer.classifiers.state_dict import unusual_kind  # other sets need no classifiers

    if not path.is_file():
        needed = f"a set of the release has {IMAGES} and {LABELS} in its folder"
        raise DataError(f"{path} is missing; {needed}")
    try:
        with reading(path):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # torch raises many kinds for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        fault = f"{path} is no file of tensors, or it is cut short ({reason})"
        raise DataError(f"{fault}; fetch it again") from None
    tensors = [content] if isinstance(content, Tensor) else content
    if not isinstance(tensors, (list, tuple)) or not tensors:
        raise DataError(f"{path} holds no list of tensors; a set of the release is one")
    if not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise DataError(f"{path} holds no list of tensors; a set of the release is one")
    if kinds := [kind for kind in map(unusual_kind, tensors) if kind]:
        raise DataError(f"{path} holds {kinds[0]} tensors; save plain ones")
    return list(tensors)


def _images(tensors: list[Tensor], path: Path, limit: int | None) -> Tensor:
    """The first ``limit`` images as uint8 [N, 3, H, W]."""
    for tensor in tensors:
        if not _holds_images(tensor) or tensor.shape[1:] != tensors[0].shape[1:]:
            content = f"{path} holds {tensor.dtype} {list(tensor.shape)}"
            raise DataError(f"{content}; it should be float [N, 3, H, W] in [0, 1], of one size")
    chunks: list[Tensor] = []
    remaining = sum(map(len, tensors)) if limit is None else limit
    for tensor in tensors:
        for chunk in tensor[: max(0, remaining)].split(_CHUNK):
            if not bool(((chunk >= 0) & (chunk <= 1)).all()):
                fault = f"{path} has values outside [0, 1]"
                raise DataError(f"{fault}; images are stored as float from 0 to 1")
            chunks.append((chunk.float() * 255).round().to(torch.uint8))
        remaining -= len(tensor)
    images = torch.cat(chunks)
    if not len(images):
        raise DataError(f"{path} holds no images")
    return images


def _holds_images(tensor: Tensor) -> bool:
    return tensor.dim() == 4 and tensor.shape[1] == 3 and tensor.dtype in _FLOATS


def _labels(tensors: list[Tensor], path: Path) -> Tensor:
    if any(each.is_floating_point() or each.is_complex() or each.dim() > 1 for each in tensors):
        content = f"{path} holds {tensors[0].dtype} {list(tensors[0].shape)}"
        raise DataError(f"{content}; it should be a whole number for each image")
    return torch.cat([each.reshape(-1).long() for each in tensors])


def _read_about(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text())
        return about if isinstance(about, dict) else {}
    except (OSError, ValueError, RecursionError):
        raise DataError(f"{path} can't be read; remove it if the classes are CIFAR-10's") from None
