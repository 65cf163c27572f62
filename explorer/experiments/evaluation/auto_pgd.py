"""A second opinion on robust accuracy: Auto-PGD (Croce and Hein 2020, arXiv 2003.01690), from torchattacks, not our own code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.errors import UserError
from explorer.experiments.evaluation.robust_accuracy import AccuracyRow, accuracy_rows, correct

APGD = "APGD"
APGD_TEXT = "APGD on cross-entropy, then targeted APGD on DLR (torchattacks)"


class _Pixels(nn.Module):
    """A classifier as the module torchattacks expects: it takes pixels and has parameters."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier, self.module = classifier, classifier.module

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(images)


def apgd_accuracy(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    *,
    steps: int = 20,
    seed: int = 0,
    batch: int = 250,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> list[AccuracyRow]:
    """L2 accuracy at each ε for ``images`` uint8 [N, 3, H, W] under APGD-CE and, for those it leaves, targeted APGD-DLR.

    An image fooled at one ε counts as fooled at every larger one. Raises ``ValueError`` where torchattacks is not installed.
    """
    try:
        from torchattacks import APGD as Untargeted
        from torchattacks import APGDT as Targeted
    except ImportError:
        raise UserError(
            "APGD comes from torchattacks: pip install --no-deps torchattacks"
        ) from None
    model, ascending = _Pixels(classifier).eval(), sorted(set(epsilons))
    held = dict.fromkeys(ascending, 0)
    for start in range(0, len(images), batch):
        pixels, truth = images[start : start + batch].float() / 255, labels[start : start + batch]
        standing = correct(classifier, pixels, truth)
        pixels, truth = (
            pixels[standing].to(classifier.device),
            truth[standing].to(classifier.device),
        )
        for epsilon in ascending:
            for kind, options in (
                (Untargeted, {}),
                (Targeted, {"n_classes": len(classifier.labels)}),
            ):
                if epsilon == 0 or not len(pixels):
                    continue
                attack = kind(model, norm="L2", eps=epsilon, steps=steps, seed=seed, **options)
                with torch.random.fork_rng():  # torchattacks seeds the global generator
                    fooled = ~correct(classifier, attack(pixels, truth), truth)
                pixels, truth = pixels[~fooled], truth[~fooled]
            held[epsilon] += len(pixels)
        on_batch(min(start + batch, len(images)), len(images))
    return accuracy_rows(held, len(images), epsilons)
