"""D_rand and D_det: images attacked towards another class (Ilyas et al. 2019, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from explorer.attacks import PGD, OnStep, Threat
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import Construction, ConstructionResult


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
) -> ConstructionResult:
    """``sources`` [N, 3, H, W] attacked towards ``targets`` int64 [N] in the L2 ball; eq. 7.

    The attack starts at the image itself. Of the T + 1 points it keeps the one that is classified
    as the target with the least cross-entropy. Callbacks and errors are those of
    :meth:`explorer.attacks.PGD.__call__`.
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
    return ConstructionResult(result.adversarial, -result.trace.loss)
