"""Which classifiers there are: those bundled with the project, and those of ImageNet whose published weights can be had."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from explorer.classifiers.downloads import fetched_file, local_file, local_imagenet, remote_weights
from explorer.classifiers.entry import Entry
from explorer.classifiers.imagenet import (
    ROBUST,
    ROBUST_PREFIX,
    SALMAN,
    TORCHVISION,
    TORCHVISION_PREFIX,
    Reported,
    Robust,
)
from explorer.classifiers.model_card import ModelCard
from explorer.files import weights_folder

__all__ = [
    "BUNDLED",
    "TORCHVISION",
    "Entry",
    "Reported",
    "bundled",
    "catalogue",
    "local_imagenet",
    "weights_folder",
]

BUNDLED = Path(__file__).resolve().parents[2] / "assets" / "classifiers"
BUNDLED_ORDER = (
    "tiny12-standard",
    "tiny12-robust",
    "cifar10-standard",
    "cifar10-robust",
    "cifar10-d",
    "cifar10-d_r",
    "cifar10-d_nr",
    "cifar10-d_rand",
    "cifar10-d_det",
    "cifar10-d-plain",
    "cifar10-d_r-plain",
)

_MIB = 2**20


@lru_cache(maxsize=1)
def bundled() -> dict[str, ModelCard]:
    """The cards of the classifiers in ``assets/classifiers``, by name, in the order of the catalogue."""
    found = {
        path.stem: path
        for path in BUNDLED.glob("*.json")
        if path.with_suffix(".safetensors").is_file()
    }
    order = [name for name in BUNDLED_ORDER if name in found] + sorted(
        set(found) - set(BUNDLED_ORDER)
    )
    return {name: ModelCard.read(found[name]) for name in order}


def _bundled_entry(card: ModelCard) -> Entry:
    path = BUNDLED / f"{card.name}.safetensors"
    clean = card.at(0)
    return Entry(
        card.name,
        card.title,
        card.data,
        card.training,
        card.robust,
        card.parameters,
        path.stat().st_size,
        clean.accuracy if clean else None,
        path,
        True,
        card,
        accuracy_source=f"measured by this project, n = {clean.n:,}" if clean else "",
    )


def _torchvision_entry(architecture: str) -> Entry:
    from explorer.classifiers.torchvision_models import (
        weights_record,
    )  # imports torchvision: only where its classifiers are listed

    name = TORCHVISION_PREFIX + architecture
    here, remote = local_file(name), remote_weights(name)
    meta = weights_record(architecture, here.name if here else "").meta
    return Entry(
        name,
        f"{architecture} (torchvision)",
        "ImageNet-1k",
        "standard",
        False,
        meta["num_params"],
        here.stat().st_size if here else round(meta["_file_size"] * _MIB),
        meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100,
        here or fetched_file(remote),
        here is not None,
        remote=remote,
        accuracy_source="torchvision's own, ImageNet validation set",
        group="torchvision",
    )


def _robust_entry(robust: Robust) -> Entry:
    from explorer.classifiers.torchvision_models import weights_record

    name = ROBUST_PREFIX + robust.name
    here = local_file(name)
    return Entry(
        name,
        f"{robust.architecture}, robust: {robust.threat}",
        "ImageNet-1k",
        f"adversarial, {robust.threat}",
        True,
        weights_record(robust.architecture).meta["num_params"],
        here.stat().st_size if here else None,
        robust.accuracy,
        here or fetched_file(robust.remote),
        here is not None,
        remote=robust.remote,
        accuracy_source=SALMAN,
        robust_accuracy=robust.robust_accuracy,
        group="robust",
    )


def catalogue(torchvision: bool = False) -> tuple[Entry, ...]:
    """The bundled classifiers and, when asked (it imports torchvision, which takes 1.8 s), the published ones of ImageNet."""
    entries = [_bundled_entry(card) for card in bundled().values()]
    if torchvision:
        entries += [_torchvision_entry(name) for name in TORCHVISION]
        entries += [_robust_entry(robust) for robust in ROBUST.values()]
    return tuple(entries)
