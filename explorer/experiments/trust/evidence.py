"""What the checks counted, apart from what it means: sums over batches, ε and processes."""

from __future__ import annotations

from dataclasses import dataclass, fields

FAINT = 0.01  # a confidence at which a classifier does not really recognise the class
CHANCE_ODDS = 2  # times those of a guess among all classes: below, it has hardly learned the class


@dataclass(frozen=True)
class Evidence:
    """Counts over attacked images, each of which was classified correctly before the attack.

    From the traces, over ``images``: those for which the attack ``succeeded``, and of these those
    whose new class has next to no confidence (``faint``, below :data:`FAINT`); whose gradient was
    exactly zero (``zero_gradient``); at which the outputs were ``probabilities``; at which they
    were ``saturated``; and whose loss was ``rising`` when the attack gave up.

    From extra passes, over ``checked`` of these images, on which the attack succeeded
    ``checked_succeeded`` times: images of whose class the classifier was hardly surer before the
    attack than by chance (``near_chance``, below :func:`near_chance_below`); outputs that
    ``changed`` when the same image was shown again; ``noise_succeeded`` of ``noise_trials`` with
    noise of the attack's norm; images at which such noise came half as far as the attack
    (``noise_as_good``); images that noise or a single step fooled though the attack did not
    (``noise_only``, ``one_step_only``); and successes that were ``lost_by_rounding`` to 8 bits.
    """

    images: int = 0
    succeeded: int = 0
    faint: int = 0
    zero_gradient: int = 0
    probabilities: int = 0
    saturated: int = 0
    rising: int = 0
    checked: int = 0
    checked_succeeded: int = 0
    near_chance: int = 0
    changed: int = 0
    noise_trials: int = 0
    noise_succeeded: int = 0
    noise_as_good: int = 0
    noise_only: int = 0
    one_step_only: int = 0
    lost_by_rounding: int = 0

    def __add__(self, other: Evidence) -> Evidence:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return Evidence(**{name: value + getattr(other, name) for name, value in values.items()})


def near_chance_below(classes: int) -> float:
    """The confidence in the right one of so many classes below which it is hardly above a guess.

    Its odds are then :data:`CHANCE_ODDS` times 1 to ``classes - 1``: 2/11 of ten classes, about
    twice 1/10, and 2/3 of two classes, where twice a half would be certainty.
    """
    return CHANCE_ODDS / (classes - 1 + CHANCE_ODDS)
