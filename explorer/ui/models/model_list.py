"""The classifiers on screen: on this machine, to download, and loaded in memory."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Entry, catalogue
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.user_models import remove_model
from explorer.figures.captions import percent
from explorer.files import weights_folder
from explorer.system import free_memory
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import plain
from explorer.ui.models.download_button import download_button
from explorer.ui.shared.classifiers import MODEL_CACHE, entries
from explorer.ui.shared.words import badge

_COLUMNS = (4, 4, 2.6)
_MB = 1e6


def _trained_on_a_set(entry: Entry) -> bool:
    return entry.group == "bundled" and " on " in entry.training


_GROUPS: dict[str, Callable[[Entry], bool]] = {
    "Your own": lambda entry: entry.group == "user",
    "ImageNet": lambda entry: entry.group in ("torchvision", "robust"),
    "Small classifiers trained for this project": lambda entry: (
        entry.group == "bundled" and not _trained_on_a_set(entry)
    ),
    "Trained on the sets of “Robust and non-robust data”": _trained_on_a_set,
}


def installed_models() -> frozenset[str]:
    """Draw every classifier on this machine, with a button to attack it. Returns their names."""
    listed = entries()
    for title, belongs in _GROUPS.items():
        group = [entry for entry in listed.values() if belongs(entry)]
        if group:
            st.subheader(title)
        for entry in group:
            _installed_row(entry)
    return frozenset(listed)


def _installed_row(entry: Entry) -> None:
    buttons, _ = _row(entry, "installed")
    with buttons:
        if st.button("Attack this classifier", key=f"use {entry.name}", width="stretch"):
            st.session_state["model"] = entry.name
            st.switch_page("../pages/attack.py")
        if entry.name.startswith(USER_PREFIX):
            st.button(
                "Remove",
                key=f"remove {entry.name}",
                on_click=_remove,
                args=(entry.name,),
                width="stretch",
            )


def downloadable_models(installed: frozenset[str]) -> None:
    """Draw the classifiers whose weights are published, each with a download button.

    ``installed`` are the names that :func:`installed_models` listed. A file that arrived since then
    keeps its button, and the page runs again for it: the two lists never disagree.
    """
    st.caption(
        f"Stored in {plain(str(weights_folder()))}. Offline: copy a file there, such as "
        "squeezenet1_1-b8a52dc0.pth or squeezenet1_1-anything.safetensors, and reload."
    )
    for entry in catalogue(torchvision=True):
        if entry.remote is None:
            continue
        button, below = _row(entry, "published")
        with button:
            if entry.name in installed:
                st.markdown(":green-badge[:material/check: on this machine]")
            else:
                download_button(entry, below)


def loaded_models() -> None:
    """Draw what is in memory, and how much memory is free for more."""
    loaded = MODEL_CACHE.loaded()
    st.subheader("In memory")
    if not loaded:
        st.markdown("No classifier is loaded yet.")
        return
    for model in loaded:
        size = f"{model.bytes / _MB:.1f} MB on {model.device}"
        st.markdown(f"**{plain(model.title)}** :small[{size}]")
    st.caption(
        f"{free_memory(MODEL_CACHE.device()) / 1e9:.1f} GB are free. When there is no room for "
        "another large classifier, the classifier unused for longest is unloaded."
    )


def _row(entry: Entry, place: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """A bordered row that describes one classifier.

    Returns the column for its buttons, and the row itself for what is shown below its columns.
    """
    row = st.container(border=True, key=f"row {place} {entry.name}")
    description, figures, buttons = row.columns(_COLUMNS, vertical_alignment="center")
    description.markdown(
        f"{badge(entry)} **{plain(entry.title)}**  \n"
        f":small[{plain(entry.data)} · {plain(entry.training)}]"
    )
    figures.markdown(f":small[{_figures(entry)}]")
    return buttons, row


def _figures(entry: Entry) -> str:
    lines = []
    if entry.accuracy is not None:
        source = f" ({plain(entry.accuracy_source)})" if entry.accuracy_source else ""
        lines.append(f"{percent(entry.accuracy)} right on clean images{source}")
    lines += [plain(line) for line in robust_accuracy_lines(entry)]
    size = [f"{entry.parameters / _MB:.1f} M parameters"] if entry.parameters else []
    size += [f"{entry.bytes / _MB:.1f} MB"] if entry.bytes else []
    return "  \n".join([*lines, *([", ".join(size)] if size else [])])


def robust_accuracy_lines(entry: Entry) -> list[str]:
    """The known accuracies under attack, each with its source."""
    lines = [f"{percent(row.value)} {row.text} ({row.source})" for row in entry.robust_accuracy]
    if entry.card is not None:
        measured = [row for row in entry.card.accuracy if row.epsilon > 0 and row.attack == "PGD"]
        lines += [
            f"{percent(row.accuracy)} still right under attack at L2 ε = {row.epsilon:g} "
            f"(PGD, {row.steps} steps, measured here)"
            for row in measured[:2]
        ]
    return lines


@report_errors()
def _remove(name: str) -> None:
    remove_model(name.removeprefix(USER_PREFIX))
    MODEL_CACHE.forget(name)
