"""The catalogue on screen: what is here, what can be fetched and how far that is, what is in memory."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import ClassifierError, Entry, catalogue
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.user_models import remove_model
from explorer.figures.captions import percent
from explorer.files import weights_folder
from explorer.system import free_memory
from explorer.ui.components.markdown import plain
from explorer.ui.models.download_button import fetch_button
from explorer.ui.shared.classifiers import MODEL_CACHE, entries
from explorer.ui.shared.words import badge

_COLUMNS = [5, 4, 2]
_MB = 1e6
_GROUPS: dict[str, Callable[[Entry], bool]] = {
    "Your own": lambda entry: entry.group == "own",
    "ImageNet": lambda entry: entry.group in ("torchvision", "robust"),
    "Small ones, made by this project": lambda entry: (
        entry.group == "bundled" and not _on_a_set(entry)
    ),
    "Trained on the sets of “Robust and non-robust data”": lambda entry: (
        entry.group == "bundled" and _on_a_set(entry)
    ),
}


def _on_a_set(entry: Entry) -> bool:
    return " on " in entry.training


def here() -> frozenset[str]:
    """Every classifier that is on this machine, with a way to use it. Returns their names."""
    found = entries()
    for title, chosen in _GROUPS.items():
        group = [entry for entry in found.values() if chosen(entry)]
        if group:
            st.subheader(title)
        for entry in group:
            _usable(entry)
    return frozenset(found)


def _usable(entry: Entry) -> None:
    action, _ = _row(entry, "here")
    with action:
        if st.button("Attack with it", key=f"use {entry.name}", width="stretch"):
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


def fetchable(shown: frozenset[str]) -> None:
    """Those whose weights are published, with a button that says what fetching takes. ``shown`` are the names that :func:`here`
    listed: a file that arrived since then is not called here before it can be used, the page runs again for it."""
    st.caption(
        f"They are kept in {plain(str(weights_folder()))}; a file that is put there by hand under its published name is taken too."
    )
    for entry in catalogue(torchvision=True):
        if entry.remote is None:
            continue
        action, below = _row(entry, "fetch")
        with action:
            if entry.name in shown:
                st.markdown(":green-badge[:material/check: on this machine]")
            else:
                fetch_button(entry, below)


def in_memory() -> None:
    """What is loaded, and what room is left for more."""
    loaded = MODEL_CACHE.loaded()
    st.subheader("In memory")
    if not loaded:
        st.markdown("No classifier is loaded yet.")
        return
    for each in loaded:
        st.markdown(f"**{plain(each.title)}** :small[{each.bytes / _MB:.1f} MB on {each.device}]")
    st.caption(
        f"{free_memory(MODEL_CACHE.device()) / 1e9:.1f} GB are free. When there is no room for another large classifier, the one that was not used for "
        "the longest time is let go."
    )


def _row(entry: Entry, place: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """One classifier: what it is and what it can do. Returns the place for its buttons, and the one below all."""
    row = st.container(border=True, key=f"row {place} {entry.name}")
    what, figures, action = row.columns(_COLUMNS, vertical_alignment="center")
    what.markdown(
        f"{badge(entry)} **{plain(entry.title)}**  \n:small[{plain(entry.data)} · {plain(entry.training)}]"
    )
    figures.markdown(f":small[{_figures(entry)}]")
    return action, row


def _figures(entry: Entry) -> str:
    lines = []
    if entry.accuracy is not None:
        source = f" ({plain(entry.accuracy_source)})" if entry.accuracy_source else ""
        lines.append(f"{percent(entry.accuracy)} right on clean images{source}")
    lines += [plain(text) for text in robust_words(entry)]
    size = [f"{entry.parameters / _MB:.1f} M parameters"] if entry.parameters else []
    size += [f"{entry.bytes / _MB:.1f} MB"] if entry.bytes else []
    return "  \n".join([*lines, *([", ".join(size)] if size else [])])


def robust_words(entry: Entry) -> list[str]:
    """What is known of its accuracy under attack, with the source."""
    words = [f"{percent(row.value)} {row.text} ({row.source})" for row in entry.robust_accuracy]
    if entry.card is not None:
        measured = [row for row in entry.card.accuracy if row.epsilon > 0 and row.attack == "PGD"]
        words += [
            f"{percent(row.accuracy)} at L2 ε = {row.epsilon:g} (PGD, {row.steps} steps, measured here)"
            for row in measured[:2]
        ]
    return words


def _remove(name: str) -> None:
    try:
        remove_model(name.removeprefix(USER_PREFIX))
    except ClassifierError as error:
        st.toast(str(error), icon=":material/error:")
    MODEL_CACHE.forget(name)
