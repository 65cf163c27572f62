"""What this project's own classifiers say about the dispute, read from their cards."""

from __future__ import annotations

from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.model_card import PGD, Accuracy
from explorer.experiments.evaluation.auto_pgd import APGD
from explorer.figures.captions import percent

MISSING = "not measured here"


def own_figures() -> dict[str, str]:
    """The accuracies by the names that ``dispute_words.py`` has for them, with intervals and n."""
    return {
        "d_rand": _accuracy("cifar10-d_rand"),
        "d_det": _accuracy("cifar10-d_det"),
        "d_r_pgd": _accuracy("cifar10-d_r", 0.25),
        "d_r_apgd": _accuracy("cifar10-d_r", 0.25, APGD),
        "d_pgd": _accuracy("cifar10-d", 0.25),
        "d_apgd": _accuracy("cifar10-d", 0.25, APGD),
    }


def _accuracy(name: str, epsilon: float = 0.0, attack: str = PGD) -> str:
    card = bundled_cards().get(name)
    accuracy: Accuracy | None = None if card is None else card.at(epsilon, attack)
    if accuracy is None:
        return MISSING
    interval = f"{percent(accuracy.low)} to {percent(accuracy.high)}"
    return f"{percent(accuracy.accuracy)} ({interval}, n = {accuracy.n:,})"
