"""Bring your own classifier: weights for one of torchvision's architectures, with labels; or a Python function."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.classifiers import ClassifierError
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.torchvision_models import architectures
from explorer.classifiers.user_models import (
    UserModelCard,
    add_model,
    parse_labels,
    user_models_folder,
)
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.classifiers import MODEL_CACHE

MOST_MB = 500
_FUNCTION = """
```python
# my_models.py
from explorer.classifiers import Classifier

def make():
    net = ...  # any torch module that takes normalised images and returns logits
    return Classifier(net, labels=["cat", "dog"], input_size=(224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
```
```sh
EXPLORER_MODELS=my_models.py:make streamlit run explorer/Home.py
python -m explorer attack photo.jpg --model my_models.py:make --epsilon 4/255 --out out
```
"""


@dataclass(frozen=True)
class Brought:
    """What the form holds when it is sent: the card, and the weights as a path on this machine or as an uploaded file."""

    card: UserModelCard
    path: str
    name: str
    data: bytes


def bring() -> None:
    """The form, and what became of the last one that was sent."""
    st.markdown(
        "**A state dict** for one of torchvision's architectures, as safetensors or as torch saves it. Nothing in the file is run: "
        "what holds more than tensors is refused."
    )
    with st.form("bring"):
        asked = _form()
        sent = st.form_submit_button("Add this classifier", type="primary", icon=":material/add:")
    st.caption(
        f"It is kept in {plain(str(user_models_folder()))} until it is removed, and offered to everybody who uses this explorer on this machine."
    )
    if sent:
        _send(asked)
    _outcome()
    st.divider()
    st.markdown(
        "**A Python function** that returns a classifier, where weights alone do not say how a network is built:"
    )
    st.markdown(_FUNCTION)


def at_this_machine() -> bool:
    """Whether the browser runs on the machine that the explorer runs on: nobody else may name its files."""
    return st.context.ip_address is None


def _form() -> dict[str, Any]:
    left, right = st.columns(2, gap="large")
    with left:
        name = st.text_input("Name", placeholder="my-resnet", key="own name")
        architecture = st.selectbox(
            "Architecture",
            architectures(),
            index=None,
            placeholder="type to search",
            key="own architecture",
        )
        file = st.file_uploader(
            f"Weights (.safetensors, .pth, .pt; up to {MOST_MB} MB)",
            type=["safetensors", "pth", "pt", "ckpt"],
            key="own weights",
            max_upload_size=MOST_MB,
        )
        path = (
            st.text_input("… or their path on this machine", key="own path")
            if at_this_machine()
            else ""
        )
    with right:
        labels = st.file_uploader(
            "Labels (text, one a line; or JSON)", type=["txt", "json"], key="own labels"
        )
        st.caption(
            "Without a file: ImageNet's names where the weights have 1000 classes, else numbers."
        )
        side = st.number_input(
            "Side of the square it sees, in pixels", 16, 1024, 224, key="own side"
        )
        resize = st.number_input(
            "Shorter side of a photograph before the crop", 16, 2048, 256, key="own resize"
        )
        mean = st.text_input("Mean of its normalisation", "0.485, 0.456, 0.406", key="own mean")
        std = st.text_input("Standard deviation", "0.229, 0.224, 0.225", key="own std")
        robust = st.toggle("It was trained to be robust", key="own robust")
    return {
        "name": name,
        "architecture": architecture,
        "file": file,
        "path": path,
        "labels": labels,
        "side": side,
        "resize": resize,
        "mean": mean,
        "std": std,
        "robust": robust,
    }


def _send(asked: dict[str, Any]) -> None:
    st.session_state.pop("brought", None)
    try:
        brought = _read(asked)
    except ClassifierError as error:
        st.error(sentence(str(error)))
        return
    way = session_jobs("models")
    st.session_state["bringing"] = way.submit("bring", object(), partial(_keep, brought))


def _read(asked: dict[str, Any]) -> Brought:
    """The form's values. Raises :class:`ClassifierError` for the first that will not do."""
    if not asked["architecture"]:
        raise ClassifierError("choose the architecture the weights belong to")
    if asked["file"] is None and not asked["path"].strip():
        raise ClassifierError("choose a file with weights, or name one on this machine")
    try:
        labels = (
            parse_labels(asked["labels"].getvalue().decode("utf-8"))
            if asked["labels"] is not None
            else ()
        )
    except UnicodeDecodeError:
        raise ClassifierError("the labels must be text in UTF-8") from None
    card = UserModelCard(
        asked["name"].strip(),
        asked["architecture"],
        labels,
        int(asked["side"]),
        int(asked["resize"]),
        _three(asked["mean"], "mean"),
        _three(asked["std"], "standard deviation"),
        bool(asked["robust"]),
    )
    file = asked["file"]
    return Brought(
        card,
        asked["path"].strip(),
        "" if file is None else file.name,
        b"" if file is None else file.getvalue(),
    )


def _three(text: str, what: str) -> tuple[float, float, float]:
    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError:
        raise ClassifierError(
            f"the {what} must be three numbers with commas between them, such as 0.5, 0.5, 0.5"
        ) from None
    return first, second, third


def _keep(brought: Brought, job: Job[UserModelCard]) -> UserModelCard:
    if not brought.name:
        return add_model(brought.card, brought.path)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"weights{Path(brought.name).suffix}")
        path.write_bytes(brought.data)
        try:
            return add_model(brought.card, path)
        except ClassifierError as error:
            raise ClassifierError(str(error).replace(str(path), brought.name)) from None


def _outcome() -> None:
    job: Job[UserModelCard] | None = st.session_state.get("bringing")
    if job is None:
        return
    card = show_progress(
        session_jobs("models"),
        job,
        "bring",
        lambda job: "Reading the weights and asking the classifier once",
        keep=False,
    )
    if card is not None and job.done:
        MODEL_CACHE.forget(USER_PREFIX + card.name)
        st.success(
            f"{card.name} is here: {card.architecture} with {len(card.labels)} classes.",
            icon=":material/check:",
        )
        if st.button("Attack with it", key="use brought"):
            st.session_state["model"] = USER_PREFIX + card.name
            st.switch_page("../pages/attack.py")
