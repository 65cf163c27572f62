"""The claim of Ilyas et al. 2019, as their tables have it and as this project's own classifiers came out.

A set teaches what its classifiers then can do: what is trained in the ordinary way on D_R is robust, on D_NR, D_rand and D_det it
is accurate and not robust. Ours are read from the cards of the bundled classifiers; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, product

from explorer.classifiers.model_card import PGD, Accuracy, ModelCard
from explorer.experiments.evaluation.auto_pgd import APGD

EPSILONS = (0.0, 0.25, 0.5)
D, D_R, PLAIN = "D", "D_R", " (no augmentation)"


@dataclass(frozen=True)
class Published:
    """Accuracy in the paper, ResNet-50 on CIFAR-10, at each of :data:`EPSILONS` (None where it gives none), and the table, if any."""

    table: str
    values: tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class ComparisonRow:
    """What one way of training reached: the paper's figures and, where the classifier is here, its card."""

    title: str
    classifier: str
    published: Published
    card: ModelCard | None

    def ours(self, epsilon: float, attack: str = PGD) -> Accuracy | None:
        """Our accuracy at ``epsilon``."""
        return None if self.card is None else self.card.at(epsilon, attack)


_NONE = Published("", (None, None, None))
_ROWS = (
    (D, "cifar10-d", Published("table 7", (0.9525, 0.0449, 0.0))),
    ("D (adversarial)", "cifar10-robust", Published("table 7", (0.9083, 0.8248, 0.7090))),
    (D_R, "cifar10-d_r", Published("table 7", (0.8540, 0.4820, 0.2185))),
    ("D_NR", "cifar10-d_nr", Published("table 7", (0.8768, 0.0082, 0.0))),
    ("D_rand", "cifar10-d_rand", Published("table 1", (0.633, None, None))),
    ("D_det", "cifar10-d_det", Published("table 1", (0.437, None, None))),
    (D + PLAIN, "cifar10-d-plain", _NONE),
    (D_R + PLAIN, "cifar10-d_r-plain", _NONE),
)


def paper_comparison(cards: dict[str, ModelCard]) -> tuple[ComparisonRow, ...]:
    """The rows of the claim, in the paper's order, with the ``cards`` of the classifiers that are here, by name."""
    return tuple(
        ComparisonRow(title, name, published, cards.get(name)) for title, name, published in _ROWS
    )


@dataclass(frozen=True)
class RankAgreement:
    """Whether the paper's order came out at ``epsilon``: of all pairs of rows, ``agree`` are ordered as in the paper,
    ``undecided`` have 95 % intervals that overlap, ``against`` are ordered the other way; pairs by title, the paper's better first."""

    epsilon: float
    agree: tuple[tuple[str, str], ...]
    undecided: tuple[tuple[str, str], ...]
    against: tuple[tuple[str, str], ...]


def rank_agreement(rows: Iterable[ComparisonRow], epsilon: float) -> RankAgreement:
    """Compare every pair of rows that both have figures at ``epsilon``. Classifiers trained on more images than the rest, such as the
    adversarially trained one, count too: the paper's order is of ways to train."""
    column = EPSILONS.index(epsilon)
    found: dict[str, list[tuple[str, str]]] = {"agree": [], "undecided": [], "against": []}
    for one, other in combinations(rows, 2):
        theirs = one.published.values[column], other.published.values[column]
        first, second = one.ours(epsilon), other.ours(epsilon)
        if None in theirs or first is None or second is None or theirs[0] == theirs[1]:
            continue
        assert theirs[0] is not None
        assert theirs[1] is not None
        better, worse = (first, second) if theirs[0] > theirs[1] else (second, first)
        names = (one.title, other.title) if theirs[0] > theirs[1] else (other.title, one.title)
        if better.low > worse.high:
            found["agree"].append(names)
        elif worse.low > better.high:
            found["against"].append(names)
        else:
            found["undecided"].append(names)
    return RankAgreement(
        epsilon, *(tuple(found[kind]) for kind in ("agree", "undecided", "against"))
    )


@dataclass(frozen=True)
class Gain:
    """How many times as accurate the classifier trained on D_R is as the one trained in the same way on as many images of D, at
    ``epsilon``; None where the latter got none right. ``augmented`` says whether both saw shifted and mirrored images."""

    epsilon: float
    attack: str
    robust: Accuracy
    standard: Accuracy
    augmented: bool = True

    @property
    def ratio(self) -> float | None:
        return self.robust.accuracy / self.standard.accuracy if self.standard.accuracy else None


def gains(rows: Iterable[ComparisonRow]) -> tuple[Gain, ...]:
    """What training on D_R gained over training on D, with and without augmentation, at each ε, by our PGD and by the stronger
    attack, where both were measured."""
    by_title = {row.title: row for row in rows}
    found = []
    for ending, epsilon, attack in product(("", PLAIN), EPSILONS[1:], (PGD, APGD)):
        robust, standard = (
            by_title[D_R + ending].ours(epsilon, attack),
            by_title[D + ending].ours(epsilon, attack),
        )
        if robust is not None and standard is not None:
            found.append(Gain(epsilon, attack, robust, standard, augmented=not ending))
    return tuple(found)


def trained_on(card: ModelCard) -> int | None:
    """How many images a classifier was trained on, by its card."""
    images = card.recipe.get("images")
    return int(images) if isinstance(images, int) else None
