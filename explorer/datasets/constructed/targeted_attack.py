"""D_rand and D_det: images attacked towards another class (Ilyas et al. 2019, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from explorer.attacks import PGD
from explorer.attacks.loop import OnStep
from explorer.attacks.threat import Threat
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import Constructed, Construction


def targeted_construction(
    construction: Construction,
    classifier: Classifier,
    sources: Tensor,
    labels: Tensor,
    targets: Tensor,
    *,
    precision: str = "auto",
    on_step: OnStep | None = None,
    on_image: Callable[[int, Tensor], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Constructed:
    """Attack ``sources`` [N, 3, H, W] towards ``targets`` int64 [N] in the L2 ball: eq. 7 of the paper, from the image itself.

    Of the T + 1 points the one that is called the target with the least cross-entropy is kept.
    """
    assert construction.epsilon is not None
    attack = PGD(
        Threat("l2", construction.epsilon),
        steps=construction.steps,
        step_size=construction.step_size,
        random_start=False,
        precision=precision,
    )
    result = attack(
        classifier,
        sources,
        labels,
        targets,
        on_step=on_step,
        on_image=on_image,
        cancelled=cancelled,
    )
    return Constructed(result.adversarial, -result.trace.loss)
