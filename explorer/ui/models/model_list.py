"""The classifiers on screen: on this machine, to download, and loaded in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Entry, catalogue
from explorer.classifiers.downloads import download_path
from explorer.classifiers.entry import FUNCTION_GROUP, USER_GROUP
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.figures.captions import NORM_NAMES, percent
from explorer.files import weights_folder
from explorer.system import free_memory
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import plain
from explorer.ui.models.attack_button import attack_button
from explorer.ui.models.download_button import download_button
from explorer.ui.models.own_models import is_own, is_removable, remove_own
from explorer.ui.shared.classifiers import MODEL_CACHE, entries, load_functions, loaded_models
from explorer.ui.shared.mode import is_public
from explorer.ui.shared.words import badge

_COLUMNS = (4, 4, 2.6)
_MB = 1e6
_REMOVED = "removed model"  # in the session's state


@dataclass(frozen=True)
class _Removed:
    """A classifier that was removed just now, and the place of its row in its group."""

    entry: Entry
    position: int


def _trained_on_a_set(entry: Entry) -> bool:
    return entry.group == "bundled" and " on " in entry.training


_GROUPS: dict[str, Callable[[Entry], bool]] = {
    "Your own": is_own,
    "Added by those who run this server": lambda entry: (
        entry.group in (USER_GROUP, FUNCTION_GROUP) and not is_own(entry)
    ),
    "ImageNet": lambda entry: entry.group in ("packaged", "torchvision", "robust"),
    "Small classifiers trained for this project": lambda entry: (
        entry.group == "bundled" and not _trained_on_a_set(entry)
    ),
    "Trained on the sets of “Robust and non-robust data”": _trained_on_a_set,
}


def installed_models() -> frozenset[str]:
    """Draw every classifier on this machine, with a button to attack it. Returns their names."""
    load_functions()  # whose entries then say what they are
    listed = entries()
    removed: _Removed | None = st.session_state.pop(_REMOVED, None)
    for title, belongs in _GROUPS.items():
        group: list[Entry | _Removed] = [entry for entry in listed.values() if belongs(entry)]
        if removed is not None and belongs(removed.entry):
            group.insert(removed.position, removed)
        if group:
            st.header(title)
        for position, row in enumerate(group):
            if isinstance(row, Entry):
                _installed_row(row, position)
            else:
                with st.container(border=True, key="row removed"):
                    st.markdown(f"Removed {plain(row.entry.title)}.")
    return frozenset(listed)


def _installed_row(entry: Entry, position: int) -> None:
    buttons, _ = _row(entry, "installed")
    with buttons:
        attack_button(entry.name, f"use {entry.name}")
        if is_removable(entry):
            # Asked once, and inside of this row: a second click hits no other row's button.
            with st.popover("Remove", key=f"ask {entry.name}", width="stretch"):
                st.button(
                    f"Remove {plain(entry.title)}",
                    key=f"remove {entry.name}",
                    on_click=_remove,
                    args=(_Removed(entry, position),),
                )


def downloadable_models(installed: frozenset[str]) -> None:
    """Draw the classifiers whose weights are published, each with a download button.

    ``installed`` are the names that :func:`installed_models` listed. A file that arrived since then
    keeps its button, and the page runs again for it: the two lists never disagree.
    """
    if is_public():
        st.caption("Downloads stay on the server, and all visitors can choose them.")
    else:
        st.caption(
            f"Stored in {plain(str(weights_folder()))}. Offline: copy there the file that a row "
            "names, and reload the page."
        )
    for entry in catalogue(torchvision=True):
        if entry.remote is None:
            continue
        button, below = _row(entry, "published", file_name(entry))
        with button:
            if entry.name in installed:
                st.markdown(":green-badge[:material/check: here]")
            else:
                download_button(entry, below)


def file_name(entry: Entry) -> str:
    """The published name of a classifier's weights, under which a copy of them is known."""
    assert entry.remote is not None
    return download_path(entry.remote).name


def models_in_memory() -> None:
    """Draw what is in memory, and how much memory is free for more."""
    loaded = loaded_models()
    st.header("In memory")
    if not loaded:
        st.markdown("No classifier is loaded yet.")
        return
    for model in loaded:
        size = f"{model.bytes / _MB:.1f} MB ({str(model.device).upper()})"
        st.markdown(f"**{plain(model.title)}** :small[{size}]")
    st.caption(
        f"{free_memory(MODEL_CACHE.device()) / 1e9:.1f} GB are free. When there is no room for "
        "another large classifier, the classifier unused for longest is unloaded."
    )


def _row(entry: Entry, place: str, file: str = "") -> tuple[DeltaGenerator, DeltaGenerator]:
    """A bordered row that describes one classifier and, if it is given, names its ``file``.

    Returns the column for its buttons, and the row itself for what is shown below its columns.
    """
    row = st.container(border=True, key=f"row {place} {entry.name}")
    description, figures, buttons = row.columns(_COLUMNS, vertical_alignment="center")
    description.markdown(
        f"{badge(entry)} **{plain(entry.title)}**  \n"
        f":small[{plain(entry.data)} · {plain(entry.training)}]"
    )
    figures.markdown(f":small[{_figures(entry)}]" + (f"  \n:small[{plain(file)}]" if file else ""))
    return buttons, row


def _figures(entry: Entry) -> str:
    lines = []
    if entry.accuracy is not None:
        source = f" ({plain(entry.accuracy_source)})" if entry.accuracy_source else ""
        lines.append(f"{percent(entry.accuracy)} right on unchanged images{source}")
    lines += [plain(line) for line in robust_accuracy_lines(entry)]
    size = [f"{entry.parameters / _MB:.1f} M parameters"] if entry.parameters else []
    size += [f"{entry.bytes / _MB:.1f} MB"] if entry.bytes else []
    return "  \n".join([*lines, *([", ".join(size)] if size else [])])


def robust_accuracy_lines(entry: Entry) -> list[str]:
    """The known accuracies under attack, each with its source."""
    lines = [
        f"{percent(row.value)} still right under {row.text} ({row.source})"
        for row in entry.robust_accuracy
    ]
    if entry.card is not None:
        measured = [row for row in entry.card.accuracy if row.epsilon > 0 and row.attack == "PGD"]
        lines += [
            f"{percent(row.accuracy)} still right under attack at {NORM_NAMES[row.norm]} ε = "
            f"{format_epsilon(row.epsilon, row.norm)} (PGD, {row.steps} steps, {row.n:,} images)"
            for row in measured[:2]
        ]
    return lines


@report_errors()
def _remove(removed: _Removed) -> None:
    remove_own(removed.entry)
    st.session_state[_REMOVED] = removed
