"""What this project's own classifiers say about the dispute: from their cards, or measured."""

from __future__ import annotations

from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.model_card import PGD, Accuracy
from explorer.experiments.evaluation.auto_pgd import APGD
from explorer.experiments.measured import DISPUTE, DISPUTE_TRAINING, measured
from explorer.figures.captions import percent

MISSING = "not measured here"


def own_figures() -> dict[str, str]:
    """Accuracies and transfers by the names in ``dispute_words.py``, with intervals and n."""
    return {
        "d_ordinary": _transfer("ordinary", "cifar10-d"),
        "d_isolated": _transfer("not to transfer", "cifar10-d"),
        "nr_ordinary": _transfer("ordinary", "cifar10-d_nr"),
        "nr_isolated": _transfer("not to transfer", "cifar10-d_nr"),
        "learned_none_next": _learned("none", "next"),
        "learned_ordinary": _learned("ordinary", "own"),
        "learned_ordinary_next": _learned("ordinary", "next"),
        "learned_isolated": _learned("not to transfer", "own"),
        "learned_isolated_next": _learned("not to transfer", "next"),
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


def _transfer(attack: str, model: str) -> str:
    return _rate(DISPUTE, attack=attack, model=model)


def _learned(attack: str, label: str) -> str:
    return _rate(DISPUTE_TRAINING, attack=attack, label=label)


def _rate(name: str, **wanted: str) -> str:
    """The rate in the row of a measured result that has these values."""
    result = measured(name)
    rows = [] if result is None else result.rows
    row = next((each for each in rows if wanted.items() <= each.items()), None)
    if row is None or row["rate"] is None:
        return MISSING
    interval = f"{percent(row['low'])} to {percent(row['high'])}"
    return f"{percent(row['rate'])} ({interval}, n = {row['n']:,})"
