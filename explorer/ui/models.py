"""The classifiers a page can offer, each loaded once and shared by all sessions."""

from __future__ import annotations

import threading
from functools import lru_cache

from explorer.classifiers import Classifier, Entry, catalogue, load
from explorer.classifiers.catalogue import TORCHVISION, weights_folder

_LOADED = 4  # classifiers kept in memory
_loading = threading.Lock()


def entries() -> dict[str, Entry]:
    """Every classifier whose weights are on this machine, by name."""
    fetched = [name for name in TORCHVISION if any(weights_folder().glob(f"{name}-*.pth"))]
    # Asking about torchvision's imports it, which takes two seconds: only where there is something to find.
    return {entry.name: entry for entry in catalogue(torchvision=bool(fetched)) if entry.available}


@lru_cache(maxsize=_LOADED)
def _load(name: str) -> Classifier:
    return load(name)


def classifier(name: str) -> Classifier:
    """The loaded classifier. Raises :class:`~explorer.classifiers.ClassifierError`."""
    with _loading:
        return _load(name)
