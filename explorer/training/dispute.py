"""What a network learns from each of the two attacks of the dispute, under the next class' label.

Nakkiran (2019, “Adversarial Examples are Just Bugs, Too”, Distill): if adversarial examples are
features, a network trained on them learns something true of the class that they were moved to. From
those that are built not to transfer it should learn only what people see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.dispute import DisputeAttack, isolated_attack
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.fooled_share import predictions
from explorer.experiments.sweep.set_attack import batch_size, pixels_of
from explorer.training.checkpoint import TrainingError
from explorer.training.publish import make_classifier
from explorer.training.recipes import TrainingRecipe
from explorer.training.trainer import Trainer

UNCHANGED, ORDINARY, ISOLATED = "none", "ordinary", "not to transfer"


@dataclass(frozen=True)
class Learned:
    """A network trained on ``trained`` images of one ``attack``, asked about ``n`` test images.

    ``right`` answers are the images' own class, ``shifted`` ones the class after it.
    """

    attack: str
    trained: int
    n: int
    right: int
    shifted: int

    def rows(self) -> list[dict[str, object]]:
        """A table's rows: how often the network says the image's class, and the next one."""
        return [
            {
                **{"attack": self.attack, "trained": self.trained, "label": label, "n": self.n},
                **{"count": count, "rate": count / self.n},
                **dict(zip(("low", "high"), wilson(count, self.n), strict=True)),
            }
            for label, count in (("own", self.right), ("next", self.shifted))
        ]


def next_class_sets(
    attacked: Classifier,
    ensemble: Sequence[Classifier],
    data: LabelledImages,
    attack: DisputeAttack,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, LabelledImages]:
    """Training sets by the attack that made them; all have the next class as their label.

    They hold the same images: those that both attacks, rounded to 8 bits, moved to the next class.
    Raises :class:`~explorer.training.checkpoint.TrainingError` where there are none.
    """
    size = batch_size(data.images)
    batches = [slice(first, first + size) for first in range(0, len(data), size)]
    images: dict[str, list[Tensor]] = {UNCHANGED: [], ORDINARY: [], ISOLATED: []}
    moved: list[Tensor] = []  # positions of the images that both attacks moved
    targets = (data.labels + 1) % len(attacked.labels)
    for number, rows in enumerate(batches):
        pixels, labels, aims = pixels_of(data.images[rows]), data.labels[rows], targets[rows]
        ordinary = attack.pgd(attacked, pixels, labels, aims).adversarial
        isolated = isolated_attack(attacked, ensemble, pixels, labels, attack, targets=aims)
        attempts = {UNCHANGED: pixels, ORDINARY: ordinary, ISOLATED: isolated}
        rounded = {name: (each * 255).round().byte() for name, each in attempts.items()}
        reached = [predictions(attacked, rounded[name]) == aims for name in (ORDINARY, ISOLATED)]
        both = (reached[0] & reached[1]).nonzero().flatten()
        moved.append(both + rows.start)
        for name, each in rounded.items():
            images[name].append(each[both])
        on_step(number + 1, len(batches))
    positions = torch.cat(moved)
    if not len(positions):
        raise TrainingError(
            "no image was moved to the next class by both attacks; take a larger ε or more steps"
        )
    return {
        name: replace(data, images=torch.cat(each), labels=targets[positions], rows=positions)
        for name, each in images.items()
    }


def learned_from(
    name: str,
    data: LabelledImages,
    test: LabelledImages,
    recipe: TrainingRecipe,
    on_epoch: Callable[[int, int], None] = lambda done, total: None,
) -> Learned:
    """What a network says of the ``test`` images, trained on ``data`` as in ``recipe``.

    Raises :class:`~explorer.training.checkpoint.TrainingError` for fewer images than a batch.
    """
    settings = recipe.hyperparameters
    trainer = Trainer(settings, data, recipe.mean, recipe.std)
    for epoch in range(settings.epochs):
        trainer.run_epoch()
        on_epoch(epoch + 1, settings.epochs)
    classifier = make_classifier(recipe, trainer, test.names)
    answers = predictions(classifier, test.images)
    shifted = (test.labels + 1) % len(classifier.labels)
    right, next_class = (int((answers == each).sum()) for each in (test.labels, shifted))
    return Learned(name, len(data), len(test), right, next_class)
