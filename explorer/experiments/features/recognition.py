"""Who recognises a drawn picture: other classifiers of the same classes, each with its interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from explorer.classifiers import Classifier, Entry
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import logits_of
from explorer.experiments.compare import matching_class
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.one_image.report import Prediction

# The judge that is named first where it is known. Most standard classifiers answer to the noise
# that remains of a start and to little else, whoever drew in it: they can't tell drawings apart.
# This one was trained in the standard way too, but on D_R, and looks through noise. It is not
# independent of cifar10-robust, with which D_R was built.
FIRST_JUDGE = "cifar10-d_r"


class Drawn(Protocol):
    """What a classifier drew; a :class:`~explorer.experiments.features.synthesis.Drawing`."""

    @property
    def name(self) -> str:
        """The classifier's."""

    @property
    def targets(self) -> tuple[int, ...]:
        """The class of each picture."""

    @property
    def starts(self) -> Tensor:
        """Where the pictures began, float32 [N, C, H, W]."""

    @property
    def images(self) -> Tensor:
        """The pictures, of the same shape."""


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


def recognitions(
    judge: Classifier, judge_name: str, drawings: Sequence[Drawn], drawers: Mapping[str, Classifier]
) -> tuple[Recognition, ...]:
    """What ``judge`` says of each of the drawings that it can judge.

    It can't judge pictures of another size, nor classes that it lacks.
    """
    fitting = [(each, _own_classes(judge, drawers[each.name], each.targets)) for each in drawings]
    judged = [(each, own) for each, own in fitting if own is not None]
    batches: list[Tensor] = []
    for drawing, _ in judged:
        for images in (drawing.starts, drawing.images):
            if not any(images is known or torch.equal(images, known) for known in batches):
                batches.append(images)
    if not batches:
        return ()
    with evaluation_mode(judge):
        logits = logits_of(judge, torch.cat(batches).to(judge.device)).cpu()
    parts = logits.split([len(each) for each in batches])
    said: list[Tensor] = [part.softmax(dim=1) for part in parts]

    def of(images: Tensor) -> Tensor:
        return next(
            part for part, known in zip(said, batches, strict=True) if torch.equal(images, known)
        )

    return tuple(
        _recognition(drawing, judge, judge_name, own, of(drawing.starts), of(drawing.images))
        for drawing, own in judged
    )


def _own_classes(
    judge: Classifier, drawer: Classifier, targets: Iterable[int]
) -> tuple[int, ...] | None:
    """The judge's classes of the same names; None if it can't judge the drawer's pictures."""
    if (judge.input_size, judge.channels) != (drawer.input_size, drawer.channels):
        return None
    own = []
    for target in targets:
        index = matching_class(target, drawer.labels, judge.labels)
        if index is None:
            return None
        own.append(index)
    return tuple(own)


def _recognition(
    drawing: Drawn,
    judge: Classifier,
    judge_name: str,
    own: tuple[int, ...],
    before: Tensor,
    after: Tensor,
) -> Recognition:
    """``before`` and ``after`` [N, C] are the judge's probabilities for starts and pictures."""
    classes = torch.tensor(own)
    recognised = tuple((after.argmax(dim=1) == classes).tolist())
    control = int((before.argmax(dim=1) == classes).sum())
    answers = tuple(Prediction(row, judge.labels) for row in after)
    return Recognition(drawing.name, judge_name, answers, recognised, drawing.targets, control)


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
