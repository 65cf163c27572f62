"""The tables of Ilyas et al. 2019 beside the results of this project's own classifiers.

What a classifier can do depends on its training set: ordinary training on D_R gives robustness,
ordinary training on D_NR, D_rand and D_det gives accuracy without robustness. The results are read
from the model cards of the bundled classifiers; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, product

from explorer.classifiers.model_card import PGD, Accuracy, ModelCard
from explorer.experiments.evaluation.auto_pgd import APGD
from explorer.experiments.evaluation.ratio import Ratio, ratio_of

EPSILONS = (0.0, 0.25, 0.5)
D, D_R, NO_AUGMENTATION = "D", "D_R", " (no augmentation)"


@dataclass(frozen=True)
class PublishedAccuracy:
    """The paper's accuracy, for a ResNet-50 on CIFAR-10, at each of :data:`EPSILONS`.

    A value is None where the paper has none; ``table`` says where the values are printed.
    """

    table: str
    values: tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class ComparisonRow:
    """One way of training: the paper's accuracy and our classifier's card (None: not here)."""

    title: str
    published: PublishedAccuracy
    card: ModelCard | None

    def accuracy(self, epsilon: float, attack: str = PGD) -> Accuracy | None:
        """Our classifier's accuracy at ``epsilon``, None where it was not measured."""
        return None if self.card is None else self.card.at(epsilon, attack)


_UNPUBLISHED = PublishedAccuracy("", (None, None, None))
_ROWS = (
    (D, "cifar10-d", PublishedAccuracy("table 7", (0.9525, 0.0449, 0.0))),
    ("D (adversarial)", "cifar10-robust", PublishedAccuracy("table 7", (0.9083, 0.8248, 0.7090))),
    (D_R, "cifar10-d_r", PublishedAccuracy("table 7", (0.8540, 0.4820, 0.2185))),
    ("D_NR", "cifar10-d_nr", PublishedAccuracy("table 7", (0.8768, 0.0082, 0.0))),
    ("D_rand", "cifar10-d_rand", PublishedAccuracy("table 1", (0.633, None, None))),
    ("D_det", "cifar10-d_det", PublishedAccuracy("table 1", (0.437, None, None))),
    (D + NO_AUGMENTATION, "cifar10-d-plain", _UNPUBLISHED),
    (D_R + NO_AUGMENTATION, "cifar10-d_r-plain", _UNPUBLISHED),
)


def paper_comparison(cards: dict[str, ModelCard]) -> tuple[ComparisonRow, ...]:
    """All rows, in the paper's order; ``cards`` are those of the classifiers here, by name."""
    return tuple(
        ComparisonRow(title, published, cards.get(name)) for title, name, published in _ROWS
    )


@dataclass(frozen=True)
class RankAgreement:
    """How the ranks of our classifiers at ``epsilon`` agree with the paper's, pair by pair.

    ``agree`` are ordered as in the paper, ``against`` the other way round, and ``undecided`` have
    95 % intervals that overlap. A pair is of row titles, the paper's better one first.
    """

    epsilon: float
    agree: tuple[tuple[str, str], ...]
    undecided: tuple[tuple[str, str], ...]
    against: tuple[tuple[str, str], ...]


def rank_agreement(rows: Iterable[ComparisonRow], epsilon: float) -> RankAgreement:
    """Compare every pair of rows for which both the paper and we have an accuracy at ``epsilon``.

    The paper's order is one of ways to train, so that classifiers trained on more images than the
    rest, such as the adversarially trained one, count too.
    """
    column = EPSILONS.index(epsilon)
    agree: list[tuple[str, str]] = []
    undecided: list[tuple[str, str]] = []
    against: list[tuple[str, str]] = []
    for one, other in combinations(rows, 2):
        first, second = one.published.values[column], other.published.values[column]
        if first is None or second is None or first == second:
            continue
        better, worse = (one, other) if first > second else (other, one)
        titles = better.title, worse.title
        better_ours, worse_ours = better.accuracy(epsilon), worse.accuracy(epsilon)
        if better_ours is None or worse_ours is None:
            continue
        if better_ours.low > worse_ours.high:
            agree.append(titles)
        elif worse_ours.low > better_ours.high:
            against.append(titles)
        else:
            undecided.append(titles)
    return RankAgreement(epsilon, tuple(agree), tuple(undecided), tuple(against))


@dataclass(frozen=True)
class Gain:
    """The accuracy at ``epsilon`` under ``attack`` after training on D_R and, alike, on D.

    Both classifiers were trained on as many images; ``augmented`` says whether these were shifted
    and mirrored.
    """

    epsilon: float
    attack: str
    d_r: Accuracy
    d: Accuracy
    augmented: bool = True

    @property
    def ratio(self) -> Ratio | None:
        """How many times as accurate D_R is as D; None where too few images are right to say so."""
        return ratio_of(right_images(self.d_r), self.d_r.n, right_images(self.d), self.d.n)


def right_images(accuracy: Accuracy) -> int:
    """How many images an accuracy stands for."""
    return round(accuracy.accuracy * accuracy.n)


def gains(rows: Iterable[ComparisonRow]) -> tuple[Gain, ...]:
    """The gains at each ε, under PGD and APGD, with and without augmentation, where measured."""
    by_title = {row.title: row for row in rows}
    gains = []
    for ending, epsilon, attack in product(("", NO_AUGMENTATION), EPSILONS[1:], (PGD, APGD)):
        d_r = by_title[D_R + ending].accuracy(epsilon, attack)
        d = by_title[D + ending].accuracy(epsilon, attack)
        if d_r is not None and d is not None:
            gains.append(Gain(epsilon, attack, d_r, d, augmented=not ending))
    return tuple(gains)


def training_set_size(card: ModelCard) -> int | None:
    """How many images a classifier was trained on, None where its card does not say."""
    images = card.recipe.get("images")
    return int(images) if isinstance(images, int) else None
