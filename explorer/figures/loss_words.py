"""How each loss of an attack is named: in a sentence, in a list of choices, in a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LossWords:
    """``name`` stands in a sentence, ``choice`` in a list of choices, ``column`` in a table."""

    name: str
    choice: str
    column: str


LOSS_WORDS = {
    "ce": LossWords("cross-entropy", "cross-entropy", "loss_cross_entropy_nats"),
    "cw": LossWords("margin", "margin (CW)", "loss_margin_logits"),
    "dlr": LossWords("DLR", "DLR", "loss_dlr_ratio"),
}
"""By the names of :data:`explorer.attacks.losses.LOSSES`."""
