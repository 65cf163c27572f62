"""The classifiers that a page can offer, each loaded once and shared by all sessions."""

from __future__ import annotations

import streamlit as st

from explorer.classifiers import Classifier, Entry, catalogue
from explorer.classifiers.cache import LARGE_MODEL, ModelCache
from explorer.classifiers.downloads import local_imagenet
from explorer.classifiers.user_models import user_entries

MODEL_CACHE = ModelCache()
NO_CLASSIFIER = "there is no classifier yet: python -m explorer train tiny12-standard makes one"

# The ImageNet classifier a page begins with: the one of the panda's figure, else the most accurate
# of those that a CPU attacks in seconds.
_PREFERRED = (
    "torchvision:googlenet",
    "torchvision:resnet50",
    "torchvision:resnet18",
    "torchvision:mobilenet_v3_large",
    "torchvision:squeezenet1_1",
)


def entries() -> dict[str, Entry]:
    """The classifiers that need no download, by name."""
    # With torchvision's entries the catalogue imports it, which takes two seconds.
    published = catalogue(torchvision=bool(local_imagenet()))
    available = [entry for entry in published if entry.available]
    return {entry.name: entry for entry in (*available, *user_entries())}


def classifier(name: str) -> Classifier:
    """The loaded classifier. Raises :class:`~explorer.classifiers.ClassifierError`."""
    entry = entries().get(name)
    if entry is None or not entry.where.is_file():
        return MODEL_CACHE.get(name)
    return MODEL_CACHE.get(name, entry.bytes, version=(entry.where, entry.where.stat().st_mtime_ns))


def load_for_page(name: str) -> Classifier:
    """The loaded classifier, with a spinner on the page while a large one is read."""
    entry = entries().get(name)
    loaded = any(model.name == name for model in MODEL_CACHE.loaded())
    if loaded or entry is None or (entry.bytes or 0) <= LARGE_MODEL:
        return classifier(name)
    with st.spinner(f"Loading {entry.title}"):
        return classifier(name)


def best_imagenet() -> str | None:
    """The ImageNet classifier that a page begins with, or None if this machine has none."""
    available = local_imagenet()
    standard = [name for name in available if name.startswith("torchvision:")]
    return next((name for name in (*_PREFERRED, *standard, *available) if name in available), None)
