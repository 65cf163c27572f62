"""The form for a classifier that a person adds, and what it holds when it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.classifiers import ClassifierError
from explorer.classifiers.class_labels import parse_labels
from explorer.classifiers.torchvision_models import architectures
from explorer.classifiers.user_model_card import UserModelCard

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MAX_WEIGHTS_MB = 500
_WEIGHT_TYPES = ["safetensors", "pth", "pt", "ckpt"]
_WEIGHTS_LABEL = f"Weights (.safetensors, .pth, .pt; up to {MAX_WEIGHTS_MB} MB)"


@dataclass(frozen=True)
class NewModel:
    """A classifier to add. ``data`` are the uploaded weights and ``file_name`` is their name;
    without an upload both are empty and ``path`` names a file on this machine.
    """

    card: UserModelCard
    path: str
    file_name: str
    data: bytes


@dataclass(frozen=True)
class FormValues:
    """The fields of the form as they were filled in."""

    name: str
    architecture: str | None
    weights: UploadedFile | None
    path: str
    labels: UploadedFile | None
    input_size: int
    resize: int
    mean: str
    std: str
    robust: bool

    def new_model(self) -> NewModel:
        """What to add. Raises :class:`ClassifierError` for the first field that can't be used."""
        if not self.architecture:
            raise ClassifierError("choose the architecture that the weights belong to")
        if self.weights is None and not self.path.strip():
            raise ClassifierError("choose a file with weights, or name one on this machine")
        card = UserModelCard(
            self.name.strip(),
            self.architecture,
            _labels(self.labels),
            self.input_size,
            self.resize,
            _three_numbers(self.mean, "mean"),
            _three_numbers(self.std, "standard deviation"),
            self.robust,
        )
        if self.weights is None:
            return NewModel(card, self.path.strip(), "", b"")
        return NewModel(card, "", self.weights.name, self.weights.getvalue())


def is_local_browser() -> bool:
    """Whether the browser runs on this machine. Other visitors must not name its files."""
    return st.context.ip_address is None


def model_form() -> tuple[FormValues, bool]:
    """Draw the form. Returns its fields, and whether it was sent just now."""
    with st.form("new model"):
        left, right = st.columns(2, gap="large")
        with left:
            name = st.text_input("Name", placeholder="my-resnet", key="new name")
            architecture = st.selectbox(
                "Architecture",
                architectures(),
                index=None,
                placeholder="type to search",
                key="new architecture",
            )
            weights = st.file_uploader(
                _WEIGHTS_LABEL,
                type=_WEIGHT_TYPES,
                key="new weights",
                max_upload_size=MAX_WEIGHTS_MB,
            )
            path = ""
            if is_local_browser():
                path = st.text_input("… or their path on this machine", key="new path")
        with right:
            labels = st.file_uploader(
                "Labels (text, one per line; or JSON)", type=["txt", "json"], key="new labels"
            )
            st.caption(
                "Without a file: ImageNet's names for weights with 1000 classes, otherwise numbers."
            )
            input_size = st.number_input("Input size (pixels)", 16, 1024, 224, key="new input size")
            resize = st.number_input(
                "Resize the shorter side to (pixels)", 16, 2048, 256, key="new resize"
            )
            mean = st.text_input("Mean of its normalisation", "0.485, 0.456, 0.406", key="new mean")
            std = st.text_input("Standard deviation", "0.229, 0.224, 0.225", key="new std")
            robust = st.toggle("It was trained to be robust", key="new robust")
        sent = st.form_submit_button("Add this classifier", type="primary", icon=":material/add:")
    values = FormValues(
        name, architecture, weights, path, labels, int(input_size), int(resize), mean, std, robust
    )
    return values, sent


def _labels(file: UploadedFile | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        return parse_labels(file.getvalue().decode("utf-8"))
    except UnicodeDecodeError:
        raise ClassifierError("the labels must be text in UTF-8") from None


def _three_numbers(text: str, what: str) -> tuple[float, float, float]:
    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError:
        raise ClassifierError(
            f"the {what} must be three numbers with commas between them, such as 0.5, 0.5, 0.5"
        ) from None
    return first, second, third
