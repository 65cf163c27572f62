"""The classifiers a page can offer, each loaded once and shared by all sessions."""

from __future__ import annotations

import streamlit as st

from explorer.classifiers import Classifier, Entry, catalogue
from explorer.classifiers.cache import LARGE, ModelCache
from explorer.classifiers.downloads import local_imagenet
from explorer.classifiers.user_models import user_entries

MODEL_CACHE = ModelCache()

# Which ImageNet classifier a page begins with: the panda's own first, then the more accurate of those a CPU attacks in seconds.
_PREFERRED = (
    "torchvision:googlenet",
    "torchvision:resnet50",
    "torchvision:resnet18",
    "torchvision:mobilenet_v3_large",
    "torchvision:squeezenet1_1",
)


def entries() -> dict[str, Entry]:
    """Every classifier that can be had on this machine without fetching anything, by name."""
    # Asking about torchvision's imports it, which takes two seconds: only where there is something to find.
    found = [entry for entry in catalogue(torchvision=bool(local_imagenet())) if entry.available]
    return {entry.name: entry for entry in (*found, *user_entries())}


def classifier(name: str) -> Classifier:
    """The loaded classifier. Raises :class:`~explorer.classifiers.ClassifierError`."""
    entry = entries().get(name)
    if entry is None or not entry.where.is_file():
        return MODEL_CACHE.get(name)
    return MODEL_CACHE.get(name, entry.bytes, version=(entry.where, entry.where.stat().st_mtime_ns))


def load_for_page(name: str) -> Classifier:
    """The same, saying so on the page while a large one is read."""
    entry = entries().get(name)
    here = any(each.name == name for each in MODEL_CACHE.loaded())
    if here or entry is None or (entry.bytes or 0) <= LARGE:
        return classifier(name)
    with st.spinner(f"Loading {entry.title}"):
        return classifier(name)


def best_imagenet() -> str | None:
    """The ImageNet classifier on this machine that a page begins with, if there is one."""
    here = local_imagenet()
    standard = [name for name in here if name.startswith("torchvision:")]
    return next((name for name in (*_PREFERRED, *standard, *here) if name in here), None)
