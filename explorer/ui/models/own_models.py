"""Where the visitor's own models are: in public mode in the session, else on this machine."""

from __future__ import annotations

import streamlit as st

from explorer.classifiers import Entry
from explorer.classifiers.entry import FUNCTION_GROUP, SESSION_GROUP, USER_GROUP, USER_PREFIX
from explorer.classifiers.session_models import SessionModels
from explorer.classifiers.user_models import UserModels, machine_models
from explorer.errors import count_of
from explorer.settings import SESSION_MODELS, SESSION_MODELS_MB
from explorer.ui.components.markdown import plain
from explorer.ui.shared.classifiers import entries, forget, session_models
from explorer.ui.shared.mode import is_public

ADDED = "added model"  # in the session's state: the card of the model that was added last


def own_models() -> UserModels | SessionModels:
    """The models that the visitor may add to and remove from."""
    return session_models() if is_public() else machine_models()


def is_own(entry: Entry) -> bool:
    """Whether the visitor brought this classifier; in local mode every visitor is the owner."""
    groups = (SESSION_GROUP,) if is_public() else (USER_GROUP, FUNCTION_GROUP)
    return entry.group in groups


def is_removable(entry: Entry) -> bool:
    """Whether the visitor may remove this classifier."""
    return is_own(entry) and entry.group != FUNCTION_GROUP


def remove_own(entry: Entry) -> None:
    """Delete a model and drop it from memory; nothing if it is already gone.

    Raises :class:`~explorer.classifiers.ClassifierError` for a model of somebody else.
    """
    known = entries().get(entry.name)
    if known is not None and is_removable(known):
        own_models().remove(entry.title)
        added = st.session_state.get(ADDED)
        if added is not None and USER_PREFIX + added.name == entry.name:
            del st.session_state[ADDED]
        forget(entry)


def where_stored() -> str:
    """Markdown: what becomes of a model that is added."""
    if is_public():
        most = SESSION_MODELS.value
        return (
            "Only you can choose it. It is deleted when you close or reload this page, or when the "
            f"connection breaks. You may have {count_of(most, 'model')} at a time, "
            f"with {SESSION_MODELS_MB.value} MB of weights in total."
        )
    return (
        f"Stored in {plain(str(machine_models().folder))} until it is removed. Everybody who uses "
        "this explorer on this machine can choose it."
    )
