"""Pictures in a row, each with what a classifier says of it, or with a question mark for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from explorer.experiments.one_image.report import Prediction
from explorer.figures.captions import confidence_text
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.shared.imports import picture_drawn

_draw = component(__file__)


@dataclass(frozen=True)
class Card:
    """``image`` float32 [C, H, W] in [0, 1] under its ``title``.

    ``says`` is a classifier's prediction for it, or None while a visitor guesses it: a question
    mark then stands for it. ``note`` is a line below; ``colour`` is that of the prediction.
    ``classifier`` is the name of the classifier that is asked, and ``frame`` the colour of its
    kind.
    """

    title: str
    image: Tensor
    says: Prediction | None
    note: str = ""
    colour: str | None = None
    classifier: str = ""
    frame: str | None = None


def picture_cards(cards: Sequence[Card], key: str) -> None:
    """Draw the ``cards`` side by side, all pictures of one size."""
    _draw(key=key, data={"cards": [_data(card) for card in cards]})
    picture_drawn()


def _data(card: Card) -> dict[str, Any]:
    says = card.says
    words = "?" if says is None else f"{says.name}, {confidence_text(says.confidence)}"
    return {
        "title": card.title,
        "src": data_uri(to_png(card.image), "image/png"),
        "alt": f"{card.title}: the classifier says {words}",
        "name": "?" if says is None else says.name,
        "confidence": "" if says is None else f"{confidence_text(says.confidence)} confidence",
        "note": card.note,
        "colour": card.colour,
        "classifier": card.classifier,
        "frame": card.frame,
        "pixelated": max(card.image.shape[-2:]) < PIXELATED_BELOW,
    }
