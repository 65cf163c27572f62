"""The slow imports, done by a thread of their own while the first page is already on screen.

First what the first picture needs; the rest when that picture is there, for an import and an attack slow each other down.
"""

from __future__ import annotations

import gc
import importlib
import logging
import threading

import streamlit as st

from explorer.system import tune_process

_LOGGER = logging.getLogger(__name__)

# What each stage brings. torch alone takes about two seconds.
STAGES = {
    "picture": (
        "explorer.classifiers",
        "explorer.experiments.one_image.attack_image",
        "skimage.metrics",
        "explorer.ui.shared.attack_job",
    ),
    "charts": ("pandas", "explorer.figures.charts"),
    "files": ("explorer.figures.print_triptych", "explorer.figures.export"),
}
LATEST = 15.0  # seconds after which the later stages begin, picture or not


class Startup:
    """The thread, and how far it is. A module that can't be imported raises where a page imports it itself."""

    def __init__(self) -> None:
        self.finished = {stage: threading.Event() for stage in STAGES}
        self.shown = threading.Event()
        threading.Thread(target=self._import_all, name="imports", daemon=True).start()

    def _import_all(self) -> None:
        for stage, names in STAGES.items():
            try:
                _import(names)
            except Exception:
                _LOGGER.exception("importing %s failed", ", ".join(names))
            finally:
                self.finished[stage].set()
            self.shown.wait(LATEST)


def _import(names: tuple[str, ...]) -> None:
    """Import modules, and leave all they hold out of garbage collection.

    Streamlit collects garbage after every run of a page or fragment, and nothing else runs meanwhile. Going through what torch
    and its friends brought took 0.2 s, ten times a second while a fragment follows an attack: attacks of a second took a
    minute.
    """
    for name in names:
        importlib.import_module(name)
    gc.freeze()


@st.cache_resource(show_spinner=False)
def warm_up() -> Startup:
    """Tune the process and start the imports, once per process; returns at once."""
    tune_process()
    return Startup()


def wait_for_imports(stage: str) -> None:
    """Wait for a stage. Call it after the first words are on screen and before anything that needs these modules.

    Importing them meanwhile is no way round: plotly looks at pandas when it is there, also when it is only half there.
    """
    warm_up().finished[stage].wait()


def picture_shown() -> None:
    """A picture is on screen: there is time for the other imports."""
    warm_up().shown.set()
