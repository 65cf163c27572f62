"""Who recognises a drawn picture: other classifiers of the same classes, each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from explorer.classifiers import Classifier, Entry
from explorer.experiments.compare import matching_class
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.report import Prediction

# The judge that is named first where it is known. Most standard classifiers answer to the noise
# that remains of a start and to little else, whoever drew in it: they can't tell drawings apart.
# This one was trained in the standard way too, but on D_R, and looks through noise. It is not
# independent of cifar10-robust, with which D_R was built.
FIRST_JUDGE = "cifar10-d_r"


@dataclass(frozen=True)
class Recognition:
    """What ``judge`` says of the pictures that ``drawer`` drew, and of the starts.

    ``answers`` and ``recognised`` are per picture; ``control`` counts the starts that the judge
    already took for the class.
    """

    drawer: str
    judge: str
    answers: tuple[Prediction, ...]
    recognised: tuple[bool, ...]
    targets: tuple[int, ...]
    control: int

    @property
    def count(self) -> int:
        """How many pictures are recognised."""
        return sum(self.recognised)

    @property
    def n(self) -> int:
        """How many pictures there are."""
        return len(self.recognised)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the proportion."""
        return wilson(self.count, self.n)

    @property
    def classes(self) -> int:
        """In how many classes more than half of the pictures are recognised."""
        seen = Counter(self.targets)
        known = Counter(t for t, yes in zip(self.targets, self.recognised, strict=True) if yes)
        return sum(2 * known[target] > seen[target] for target in seen)


def recognition(
    drawer: Classifier,
    name: str,
    judge: Classifier,
    judge_name: str,
    starts: Tensor,
    images: Tensor,
    targets: tuple[int, ...],
) -> Recognition | None:
    """What ``judge`` says of ``images`` [N, C, H, W] with classes ``targets`` of ``drawer``.

    None where it takes images of another size, or lacks one of the classes.
    """
    if (judge.input_size, judge.channels) != (drawer.input_size, drawer.channels):
        return None
    own = [matching_class(target, drawer.labels, judge.labels) for target in targets]
    if None in own:
        return None
    answers = tuple(predict(judge, images))
    said = tuple(answer.index == index for answer, index in zip(answers, own, strict=True))
    before = predict(judge, starts)
    control = sum(answer.index == index for answer, index in zip(before, own, strict=True))
    return Recognition(name, judge_name, answers, said, targets, control)


def judge_names(known: Mapping[str, Entry], drawers: Iterable[Classifier]) -> tuple[str, ...]:
    """The bundled classifiers with the classes and the input size of one of the ``drawers``.

    The drawers themselves are among them, and the first judge comes first.
    """
    kinds = {(_folded(each.labels), each.input_size) for each in drawers}
    names = [
        name
        for name, entry in known.items()
        if entry.card is not None
        and entry.available
        and (_folded(entry.card.labels), entry.card.input_size) in kinds
    ]
    return tuple(sorted(names, key=lambda name: name != FIRST_JUDGE))


def _folded(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(label.casefold() for label in labels)
