"""The slow imports, done by a thread of their own while the first page is already on screen."""

from __future__ import annotations

import gc
import importlib
import threading

import streamlit as st

# In the order in which a page needs them. torch alone takes about two seconds.
MODULES = (
    "explorer.classifiers",
    "explorer.experiments.attack_image",
    "skimage.metrics",
    "pandas",
    "explorer.figures.charts",
    "explorer.figures.plates",
    "explorer.figures.export",
)


def _import_all() -> None:
    for name in MODULES:
        importlib.import_module(name)
    # Streamlit collects garbage after every run of a page or fragment, and nothing else runs meanwhile. Going through all that
    # torch and its friends brought takes it half a second, ten times a second while a fragment follows an attack: the attack
    # then took a minute instead of a second. What is imported stays anyway, so it is left out.
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Start importing, once a process; returns at once. Failures show up where a page imports the same module itself."""
    thread = threading.Thread(target=_import_all, name="imports", daemon=True)
    thread.start()
    return thread


def ready() -> None:
    """Wait for the imports. Call it after the first words are on screen and before anything that needs torch."""
    warm_up().join()
