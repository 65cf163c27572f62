"""The catalogue: bundled and packaged classifiers, and ImageNet's with published weights."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from explorer.classifiers.downloads import download_path, local_file, remote_weights
from explorer.classifiers.entry import Entry
from explorer.classifiers.imagenet import (
    ROBUST,
    ROBUST_PREFIX,
    SALMAN,
    TORCHVISION,
    TORCHVISION_PREFIX,
    RobustModel,
)
from explorer.classifiers.model_card import ModelCard
from explorer.classifiers.packaged import packaged_card, packaged_weights
from explorer.files import ASSETS, stat_file

BUNDLED_FOLDER = ASSETS / "classifiers"
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


def catalogue(torchvision: bool = False) -> tuple[Entry, ...]:
    """The classifiers that come with the explorer or with a package that it requires.

    With ``torchvision`` also the published ones of ImageNet, which import torchvision: 1.8 s.
    """
    entries = [
        _entry(card, BUNDLED_FOLDER / f"{card.name}.safetensors", "bundled")
        for card in bundled_cards().values()
    ]
    if (path := packaged_weights()) is not None:
        entries.append(_entry(packaged_card(), path, "packaged"))
    if torchvision:
        entries += [_torchvision_entry(architecture) for architecture in TORCHVISION]
        entries += [_robust_entry(model) for model in ROBUST.values()]
    return tuple(entries)


@lru_cache(maxsize=1)
def bundled_cards() -> dict[str, ModelCard]:
    """The cards of the classifiers in ``assets/classifiers`` by name, in the catalogue's order."""
    paths = {
        path.stem: path
        for path in BUNDLED_FOLDER.glob("*.json")
        if path.with_suffix(".safetensors").is_file()
    }
    order = [name for name in BUNDLED_ORDER if name in paths]
    order += sorted(set(paths) - set(BUNDLED_ORDER))
    return {name: ModelCard.read(paths[name]) for name in order}


def _entry(card: ModelCard, path: Path, group: str) -> Entry:
    clean = card.at(0)
    return Entry(
        name=card.name,
        title=card.title,
        data=card.data,
        training=card.training,
        robust=card.robust,
        parameters=card.parameters,
        bytes=path.stat().st_size,
        accuracy=clean.accuracy if clean else None,
        where=path,
        available=True,
        card=card,
        accuracy_source=f"measured here on {clean.n:,} images" if clean else "",
        group=group,
    )


def _torchvision_entry(architecture: str) -> Entry:
    from explorer.classifiers.torchvision_models import weights_record  # 1.8 s to import

    name = TORCHVISION_PREFIX + architecture
    file, remote = local_file(name), remote_weights(name)
    meta = weights_record(architecture, file.name if file else "").meta
    return Entry(
        name=name,
        title=f"{architecture} (torchvision)",
        data="ImageNet-1k",
        training="standard",
        robust=False,
        parameters=meta["num_params"],
        bytes=round(meta["_file_size"] * _MIB) if file is None else _size(file),
        accuracy=meta["_metrics"]["ImageNet-1K"]["acc@1"] / 100,
        where=file or download_path(remote),
        available=file is not None,
        remote=remote,
        accuracy_source="torchvision's own, ImageNet validation set",
        group="torchvision",
    )


def _size(file: Path) -> int | None:
    status = stat_file(file)
    return None if status is None else status.st_size


def _robust_entry(model: RobustModel) -> Entry:
    from explorer.classifiers.torchvision_models import weights_record

    name = ROBUST_PREFIX + model.name
    file = local_file(name)
    return Entry(
        name=name,
        title=model.title,
        data="ImageNet-1k",
        training=f"adversarial, {model.threat}",
        robust=True,
        parameters=weights_record(model.architecture).meta["num_params"],
        bytes=None if file is None else _size(file),
        accuracy=model.accuracy,
        where=file or download_path(model.remote),
        available=file is not None,
        remote=model.remote,
        accuracy_source=SALMAN,
        robust_accuracy=model.robust_accuracy,
        group="robust",
    )
