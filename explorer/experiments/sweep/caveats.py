"""Whether the figures of a question about many images can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.sweep.accuracy_sweep import SweepRow
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.experiments.sweep.smallest_epsilon import SmallestEpsilons
from explorer.experiments.trust import Caveat, check_sample

USUAL_EPSILON = {"linf": 8 / 255, "l2": 0.5}  # where no result says which ε matters


def set_caveats(
    classifier: Classifier,
    data: LabelledImages,
    attack: SetAttack,
    epsilon: float,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Caveat, ...]:
    """The reasons to doubt what ``attack`` says of ``classifier``, from a sample at ``epsilon``.

    Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    return check_sample(
        classifier, data.images, data.labels, attack.at(epsilon), cancelled=cancelled
    )


def middle_of_sweep(rows: Sequence[SweepRow], norm: str) -> float:
    """The ε above 0 at which the accuracy is nearest to half of the first one."""
    above = [row for row in rows if row.epsilon > 0]
    if not above:
        return USUAL_EPSILON[norm]
    half = rows[0].accuracy / 2
    return min(above, key=lambda row: abs(row.accuracy - half)).epsilon


def middle_of_search(result: SmallestEpsilons, norm: str) -> float:
    """The median of the smallest ε, if attacks get that far."""
    return result.median or USUAL_EPSILON[norm]
