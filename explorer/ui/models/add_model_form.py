"""The form for a classifier that a person adds, and what it holds when it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import ClassifierError
from explorer.classifiers.architectures import architectures, published_preprocessing
from explorer.classifiers.cifar_networks import CIFAR_NETWORKS
from explorer.classifiers.class_labels import decode_labels, parse_labels
from explorer.classifiers.classifier import RGB
from explorer.classifiers.torchvision_models import INCEPTIONS
from explorer.classifiers.user_model_card import MAX_INPUT, MIN_INPUT, UserModelCard
from explorer.settings import INPUT_PIXELS
from explorer.ui.shared.mode import is_public
from explorer.ui.shared.uploads import LABELS, WEIGHTS

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile


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
    transform_input: bool

    def new_model(self) -> NewModel:
        """What to add. Raises :class:`UserError` for the first field that can't be used."""
        if not self.architecture:
            raise ClassifierError("choose the architecture that the weights belong to")
        if self.weights is None and not self.path.strip():
            or_name = "" if is_public() else ", or name one on this machine"
            raise ClassifierError(f"choose a file with weights{or_name}")
        if self.weights is not None and self.path.strip():
            raise ClassifierError(
                "choose a file with weights or name one on this machine, not both; empty one of "
                "the two fields"
            )
        card = UserModelCard(
            self.name.strip(),
            self.architecture,
            _labels(self.labels),
            int(self.input_size),
            int(self.resize),
            _numbers(self.mean, "mean"),
            _numbers(self.std, "standard deviation"),
            self.robust,
            self.transform_input,
        )
        if self.weights is None:
            return NewModel(card, self.path.strip(), "", b"")
        return NewModel(card, "", self.weights.name, WEIGHTS.read(self.weights))


def model_form() -> tuple[FormValues, bool, DeltaGenerator]:
    """Draw the form, below the choice of the architecture, on which some of its fields depend.

    Returns its fields, whether it was sent just now, and the place for the outcome: above the
    button, so that whoever has just pressed the button sees it on a screen of any height.
    """
    architecture = st.selectbox(
        "Architecture",
        architectures(),
        index=None,
        placeholder="type to search",
        key="new architecture",
        help="A softmax at the end of a network has no weights and is left out: the explorer "
        "computes probabilities itself.",
    )
    with st.form("new model"):
        left, right = st.columns(2, gap="large")
        with left:
            values = _what_it_is(architecture)
        with right:
            values |= _how_it_sees(architecture)
        outcome = st.container(key="new outcome")
        sent = st.form_submit_button("Add this classifier", type="primary", icon=":material/add:")
    return FormValues(**values), sent, outcome


def _what_it_is(architecture: str | None) -> dict[str, Any]:
    return {
        "name": st.text_input("Name", placeholder="my-resnet", key="new name"),
        "architecture": architecture,
        "weights": WEIGHTS.field("Weights as safetensors, or as torch saves them", "new weights"),
        "path": ""
        if is_public()
        else st.text_input("… or their path on this machine", key="new path"),
        "robust": st.toggle("It was trained to be robust", key="new robust"),
        "transform_input": _transform_input() if architecture in INCEPTIONS else True,
    }


def _transform_input() -> bool:
    return st.toggle(
        "It transforms its input (transform_input)",
        True,
        key="new transform input",
        help="On for torchvision’s published weights and what was fine-tuned from them. Off for a "
        "network that was trained from scratch: torchvision leaves the option off there.",
    )


def _how_it_sees(architecture: str | None) -> dict[str, Any]:
    labels = LABELS.field("Labels as text, one per line, or JSON", "new labels")
    st.caption(
        "Without a file: ImageNet's names for weights with 1,000 classes, otherwise numbers."
        if architecture not in CIFAR_NETWORKS
        else "Without a file: CIFAR-10's names for weights with 10 classes, otherwise numbers."
    )
    largest = min(MAX_INPUT, INPUT_PIXELS.value) if is_public() else MAX_INPUT
    side, shorter, mean, std, suffix = _defaults(architecture)
    size, resize = st.columns(2)
    return {
        "labels": labels,
        "input_size": size.number_input(
            "Input size (pixels)",
            MIN_INPUT,
            largest,
            min(side, largest),
            key=f"new input size{suffix}",
        ),
        "resize": resize.number_input(
            "Shorter side (pixels)",
            MIN_INPUT,
            2 * MAX_INPUT,
            shorter,
            key=f"new resize{suffix}",
            help="A photograph is resized until its shorter side is so long, and then cropped.",
        ),
        "mean": st.text_input("Mean of its normalisation", mean, key=f"new mean{suffix}"),
        "std": st.text_input(
            "Standard deviation",
            std,
            key=f"new std{suffix}",
            help="Three numbers, one per colour, as for the mean; one for grey images.",
        ),
    }


def _defaults(architecture: str | None) -> tuple[int, int, str, str, str]:
    """Input size, shorter side, mean and standard deviation, and what tells their fields apart."""
    side, shorter, mean, std = published_preprocessing(architecture or "")
    suffix = f" {architecture}" if architecture in CIFAR_NETWORKS else ""
    return side, shorter, _text(mean), _text(std), suffix


def _text(colours: RGB) -> str:
    return ", ".join(f"{colour:g}" for colour in colours)


def _labels(file: UploadedFile | None) -> tuple[str, ...]:
    if file is None:
        return ()
    return parse_labels(decode_labels(LABELS.read(file)))


def _numbers(text: str, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3):
        raise ClassifierError(
            f"the {what} must be three numbers with commas between them, such as 0.5, 0.5, 0.5, or "
            "one for grey images"
        )
    return numbers
