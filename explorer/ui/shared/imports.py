"""The slow imports, done by a background thread while the first page already shows text.

The modules that the first picture needs come first, the others once it is drawn: an import and an
attack slow each other down.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import logging
import os
import sys
import threading

import streamlit as st
from streamlit import runtime

from explorer.system import tune_process

_LOGGER = logging.getLogger(__name__)

# The modules of each stage, in order. torch alone takes about two seconds.
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
LONGEST_DELAY = 15.0  # seconds after which a stage begins even if no picture is drawn
# Seconds that the browser has for drawing the picture before the next stage takes the interpreter.
DRAWING = 1.5


class BackgroundImports:
    """The thread and its progress. A module that fails to import raises where a page imports it."""

    def __init__(self) -> None:
        self.finished = {stage: threading.Event() for stage in STAGES}
        self.picture_drawn = threading.Event()
        self.asked_for = {stage: threading.Event() for stage in STAGES}
        threading.Thread(target=self._import_all, name="imports", daemon=True).start()

    def _import_all(self) -> None:
        for stage, modules in STAGES.items():
            if stage != "picture" and self.picture_drawn.wait(LONGEST_DELAY):
                self.asked_for[stage].wait(DRAWING)  # at once if a page needs it
            try:
                _import(modules)
            except Exception:
                _LOGGER.exception("importing %s failed", ", ".join(modules))
            finally:
                self.finished[stage].set()


def _import(modules: tuple[str, ...]) -> None:
    """Import modules and exempt their objects from garbage collection.

    Streamlit collects garbage after every run of a page or fragment, and nothing else runs
    meanwhile. Visiting what torch and its dependencies had created took 0.2 s, ten times a second
    while a fragment follows an attack: attacks of one second took a minute.
    """
    for module in modules:
        importlib.import_module(module)
    gc.freeze()


@st.cache_resource(show_spinner=False)
def warm_up() -> BackgroundImports:
    """Tune the process and start the imports, once per process; returns at once."""
    tune_process()
    atexit.register(_leave_at_once)
    return BackgroundImports()


def _leave_at_once() -> None:
    """End the process of a server that was asked to stop, once all has been closed.

    Python does not tidy up its modules then, which took up to two seconds for torch's, and aborts
    the process where an attack still runs in a thread. The event loop ends before the runtime says
    that it has stopped.
    """
    ended = runtime.RuntimeState.STOPPING, runtime.RuntimeState.STOPPED
    if runtime.exists() and runtime.get_instance().state in ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def wait_for_imports(stage: str) -> None:
    """Wait for a stage. Call it below the first text of a page, above any import of its modules.

    Importing them at the same time is no alternative: plotly uses pandas as soon as it is in
    ``sys.modules``, even if it is only half imported.
    """
    imports = warm_up()
    imports.asked_for[stage].set()
    if stage != "picture":
        imports.picture_drawn.set()
    imports.finished[stage].wait()


def picture_drawn() -> None:
    """Let the later stages begin: a picture is on screen."""
    warm_up().picture_drawn.set()
