"""Which classifiers there are: those bundled with the project, and torchvision's whose weights can be had."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from explorer.classifiers.card import ModelCard

BUNDLED = Path(__file__).resolve().parents[2] / "assets" / "classifiers"
BUNDLED_ORDER = (
    "tiny12-standard", "tiny12-robust", "cifar10-standard", "cifar10-robust", "cifar10-d", "cifar10-d_r", "cifar10-d_nr", "cifar10-d_rand",
    "cifar10-d_det",
)  # fmt: skip

# torchvision architectures offered by name; any other works as torchvision:NAME too. The original of the panda comes first.
TORCHVISION = ("googlenet", "squeezenet1_1", "mobilenet_v3_large", "resnet18", "resnet50", "convnext_tiny", "vit_b_16", "swin_t")


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue. ``bytes`` and ``accuracy`` (clean, as a fraction) are None where not known here; ``where`` is
    the file the weights are in, or the one they would be fetched to; ``available`` says whether it is there."""

    name: str
    title: str
    data: str
    training: str
    robust: bool
    parameters: int | None
    bytes: int | None
    accuracy: float | None
    where: Path
    available: bool
    card: ModelCard | None = None


def weights_folder() -> Path:
    """Where torch keeps the weights it fetches."""
    return Path(torch.hub.get_dir()) / "checkpoints"


@lru_cache(maxsize=1)
def bundled() -> dict[str, ModelCard]:
    """The cards of the classifiers in ``assets/classifiers``, by name, in the order of the catalogue."""
    found = {path.stem: path for path in BUNDLED.glob("*.json") if path.with_suffix(".safetensors").is_file()}
    order = [name for name in BUNDLED_ORDER if name in found] + sorted(set(found) - set(BUNDLED_ORDER))
    return {name: ModelCard.read(found[name]) for name in order}


def _bundled_entry(card: ModelCard) -> Entry:
    path = BUNDLED / f"{card.name}.safetensors"
    clean = card.at(0)
    return Entry(
        card.name, card.title, card.data, card.training, card.robust, card.parameters, path.stat().st_size,
        clean.accuracy if clean else None, path, True, card,
    )  # fmt: skip


def _torchvision_entry(architecture: str) -> Entry:
    from torchvision.models import get_model_weights  # 1.8 s: only where torchvision's classifiers are listed

    weights = get_model_weights(architecture).DEFAULT
    meta, path = weights.meta, weights_folder() / Path(weights.url).name
    return Entry(
        f"torchvision:{architecture}", f"{architecture} (torchvision)", "ImageNet-1k", "standard", False,
        meta.get("num_params"), round(meta["_file_size"] * 1e6) if "_file_size" in meta else None,
        meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100, path, path.is_file(),
    )  # fmt: skip


def catalogue(torchvision: bool = False) -> tuple[Entry, ...]:
    """The bundled classifiers and, when asked (it imports torchvision), those of torchvision."""
    entries = [_bundled_entry(card) for card in bundled().values()]
    if torchvision:
        entries += [_torchvision_entry(name) for name in TORCHVISION]
    return tuple(entries)
