"""The small example of the tour: a standard and a robust classifier, and a picture for both."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.classifiers import ClassifierError, Entry
from explorer.experiments.one_image.recipe import Recipe
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.classifiers import NO_CLASSIFIER, classifier, default_pair, entries
from explorer.ui.shared.image_picker import default_sample, gallery_picture, known_label
from explorer.ui.shared.picture import Picture

STEPS = 40  # the comparison's own


@dataclass(frozen=True)
class Example:
    """``robust`` is None if this machine has no robust classifier of the same data."""

    standard: Entry
    robust: Entry | None
    picture: Picture

    def attack(self, entry: Entry, levels: float) -> AttackRequest:
        """The attack on one of the two with ε = ``levels`` / 255 in L∞."""
        label = known_label(self.picture, classifier(entry.name))
        recipe = Recipe(self.picture.source, entry.name, "linf", levels / 255, STEPS, label=label)
        return AttackRequest(self.picture, recipe)

    @property
    def pair(self) -> tuple[Entry, Entry]:
        """The standard and the robust classifier. Raises :class:`ClassifierError` without both."""
        if self.robust is None:
            raise ClassifierError(
                "this stop needs a standard and a robust classifier of the same data; train them: "
                "python -m explorer train cifar10-standard, then cifar10-robust"
            )
        return self.standard, self.robust


def small_example() -> Example:
    """The example for this machine: CIFAR-10's if it has that.

    Raises :class:`ClassifierError` if there is no classifier and
    :class:`~explorer.images.decode.ImageError` if there is no sample.
    """
    known = entries()
    names = default_pair(known)
    if not names:
        raise ClassifierError(NO_CLASSIFIER)
    standard = known[names[0]]
    robust = known[names[-1]]
    model = classifier(standard.name)
    picture = gallery_picture(default_sample(model), model.gallery)
    is_pair = robust.robust and not standard.robust and robust.data == standard.data
    return Example(standard, robust if is_pair else None, picture)
