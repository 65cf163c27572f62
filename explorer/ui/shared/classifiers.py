"""The classifiers that a page can offer, each loaded once and shared by all sessions.

Models that a visitor of a public server adds are no exception in memory, but only the visitor's own
session has their entries.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st
import torch

from explorer.classifiers import Classifier, ClassifierError, Entry, catalogue, load
from explorer.classifiers.cache import LARGE_MODEL, LoadedModel, ModelCache
from explorer.classifiers.devices import moved
from explorer.classifiers.downloads import local_imagenet
from explorer.classifiers.entry import FUNCTION_GROUP, SESSION_GROUP, own_data
from explorer.classifiers.imagenet import ROBUST_PREFIX
from explorer.classifiers.packaged import EFFICIENTNET, packaged_weights
from explorer.classifiers.session_models import SessionModels
from explorer.classifiers.user_models import UserModels, user_entries
from explorer.files import stat_file
from explorer.ui.components.markdown import plain
from explorer.ui.shared.mode import is_public

MODEL_CACHE = ModelCache()
# What is known of each Python function since the version of its file that was loaded last.
_FACTS: dict[str, tuple[Hashable, dict[str, Any]]] = {}
_ATTEMPTS = 3  # to read a file that is replaced meanwhile
NO_CLASSIFIER = (
    "there is no classifier yet; train one with python -m explorer train tiny12-standard, or add "
    "one on the Models page"
)

# The ImageNet classifier a page begins with: the one of the panda's figure, else the most accurate
# of those that a CPU attacks in seconds.
_PREFERRED = (
    "torchvision:googlenet",
    "torchvision:resnet50",
    EFFICIENTNET,
    "torchvision:resnet18",
    "torchvision:mobilenet_v3_large",
    "torchvision:squeezenet1_1",
)


def close(models: SessionModels) -> None:
    """Delete the models of a session, from memory too."""
    for entry in models.entries():
        forget(entry)
    models.close()


@st.cache_resource(scope="session", on_release=close, show_spinner=False)
def session_models() -> SessionModels:
    """The models that this session has added. Streamlit closes them with the session."""
    return SessionModels()


def entries() -> dict[str, Entry]:
    """The classifiers that need no download, by name; in public mode this session's too."""
    # With torchvision's entries the catalogue imports it, which takes two seconds.
    published = catalogue(torchvision=bool(local_imagenet()))
    available = [entry for entry in published if entry.available]
    added: tuple[Entry, ...] = user_entries()
    if is_public():
        added = (*map(_without_folder, added), *session_models().entries())
    return {entry.name: _described(entry) for entry in (*available, *added)}


def _described(entry: Entry) -> Entry:
    """A Python function with what is known of it since it was loaded; other entries as they are."""
    version, facts = _FACTS.get(entry.name, (None, {}))
    is_known = entry.group == FUNCTION_GROUP and version == file_stamp(entry)
    return replace(entry, **facts) if is_known else entry


def load_functions() -> None:
    """Load the Python functions, whose entries say only then which data they are for.

    The error of one that fails is shown when it is chosen.
    """
    for entry in entries().values():
        if entry.group == FUNCTION_GROUP and entry.name not in _FACTS:
            _FACTS[entry.name] = None, {}
            with st.spinner(f"Loading {plain(entry.title)}"), suppress(ClassifierError):
                classifier_of(entry)


def _facts(model: Classifier) -> dict[str, Any]:
    """What the entry of a Python function says of the classifier that it returned."""
    return {
        "data": own_data(len(model.labels), model.input_size, model.channels),
        "training": "robust" if model.robust else "standard",
        "robust": model.robust,
    }


def _without_folder(entry: Entry) -> Entry:
    """A Python function under the name of its file alone; other entries as they are."""
    if entry.group != FUNCTION_GROUP:
        return entry
    name = f"{entry.where.name}:{_function(entry)}"
    return replace(entry, name=name, title=name)


def _function(entry: Entry) -> str:
    return entry.name.rpartition(".py:")[2]


def classifier(name: str) -> Classifier:
    """The loaded classifier of that name, for the script of a page.

    Raises :class:`~explorer.classifiers.ClassifierError`.
    """
    entry = entries().get(name)
    if entry is None:
        raise ClassifierError(f"there is no classifier {name!r} here; choose another")
    return classifier_of(entry)


def classifier_of(entry: Entry) -> Classifier:
    """The loaded classifier of an entry, for any thread.

    Raises :class:`~explorer.classifiers.ClassifierError`.
    """
    for _ in range(_ATTEMPTS):
        version = _version(entry)
        model = MODEL_CACHE.get(_key(entry), entry.bytes, version, partial(_load, entry))
        if stat_file(entry.where) is None and entry.group == SESSION_GROUP:
            forget(entry)  # the session ended while it was loaded
        if _version(entry) == version:
            if entry.group == FUNCTION_GROUP:
                _FACTS[entry.name] = version, _facts(model)
            return model
    raise ClassifierError(
        f"{entry.where.name} changes all the time; try again when it has been written"
    )


def _version(entry: Entry) -> Hashable:
    stamp = file_stamp(entry)
    if stamp is None:
        raise _gone(entry)
    return stamp


def file_stamp(entry: Entry) -> Hashable:
    """Equal as long as the file is the same one with the same contents; None if it is gone.

    A file that replaces another may have its time and its size.
    """
    status = stat_file(entry.where)
    return status and (entry.where, status.st_ino, status.st_size, status.st_mtime_ns)


def forget(entry: Entry) -> None:
    """Drop a classifier from memory."""
    MODEL_CACHE.forget(_key(entry))


def loaded_models() -> list[LoadedModel]:
    """The classifiers in memory that the visitor may know of, the most recently used first."""
    known = {_key(entry) for entry in entries().values()}
    return [model for model in MODEL_CACHE.loaded() if model.name in known]


def is_loaded(entry: Entry) -> bool:
    """Whether the classifier is in memory."""
    return any(model.name == _key(entry) for model in MODEL_CACHE.loaded())


def belongs_to_session(name: str) -> bool:
    """Whether the visitor has added the classifier of that name for this session alone."""
    return is_public() and any(entry.name == name for entry in session_models().entries())


def identity(model: Classifier) -> Hashable:
    """Equal for classifiers with equal predictions under equal names: the key of their results."""
    return (
        model.digest,
        model.labels,
        model.mean,
        model.std,
        model.input_size,
        model.resize,
        model.outputs,
    )


def _key(entry: Entry) -> str:
    """Under what :data:`MODEL_CACHE` has it: two sessions may give their models the same name."""
    return str(entry.where) if entry.group == SESSION_GROUP else entry.name


def _load(entry: Entry) -> Classifier:
    if entry.group == SESSION_GROUP:
        model = UserModels(entry.where.parents[1]).load(entry.title, torch.device("cpu"))
        return moved(model, MODEL_CACHE.device(), required=False)
    if entry.group == FUNCTION_GROUP:
        name = f"{entry.where}:{_function(entry)}"
        model = load(name)
        model.name = entry.name
        model.notes = tuple(note.replace(name, entry.name) for note in model.notes)
        return model
    return load(entry.name)


def _gone(entry: Entry) -> ClassifierError:
    return ClassifierError(f"{entry.title} is no longer here: its weights were removed")


def load_for_page(name: str) -> Classifier:
    """The loaded classifier, with a spinner on the page while a large one is read."""
    entry = entries().get(name)
    if entry is None or (entry.bytes or 0) <= LARGE_MODEL or is_loaded(entry):
        return classifier(name)
    with st.spinner(f"Loading {plain(entry.title)}"):
        return classifier_of(entry)


def default_pair(known: Mapping[str, Entry]) -> list[str]:
    """A standard classifier and a robust one of the same data, of CIFAR-10 if there are any.

    Without such a pair they are the first two classifiers.
    """
    robust = sorted(
        (entry for entry in known.values() if entry.robust),
        key=lambda entry: not entry.name.startswith("cifar10"),
    )
    for entry in robust:
        for other in known.values():
            if other.data == entry.data and not other.robust:
                return [other.name, entry.name]
    return list(known)[:2]


def best_imagenet() -> str | None:
    """The ImageNet classifier that a page begins with, or None if this machine has none."""
    packaged = (EFFICIENTNET,) if packaged_weights() else ()
    available = (*packaged, *local_imagenet())
    standard = [name for name in available if not name.startswith(ROBUST_PREFIX)]
    return next((name for name in (*_PREFERRED, *standard, *available) if name in available), None)
