"""The checks of a figure as it is computed: attacks are added one by one, caveats come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from explorer.attacks import PGD, AttackResult
from explorer.attacks.loop import select_rows
from explorer.classifiers import Classifier
from explorer.experiments.evaluation.robust_accuracy import is_correct
from explorer.experiments.trust.caveat import Caveat
from explorer.experiments.trust.evidence import Evidence
from explorer.experiments.trust.judgement import caveats_of
from explorer.experiments.trust.passes import ExtraPasses
from explorer.experiments.trust.traces import trace_evidence

SAMPLE = 16  # images of each ε that have extra passes


class TrustCheck:
    """Collects the evidence of a figure's attacks, and judges it.

    Every trace is read. Extra passes, about five, see at most ``sample`` images of each ε; 0 leaves
    them out. None of them changes an attack or torch's global random state.
    """

    def __init__(self, classifier: Classifier, *, sample: int = SAMPLE) -> None:
        self._classifier, self._sample = classifier, sample
        self._checked: dict[float | None, int] = {}  # images by ε; None: an ε for each image
        self.evidence = Evidence()

    def add(
        self,
        images: Tensor,
        labels: Tensor,
        attack: PGD,
        result: AttackResult,
        targets: Tensor | None = None,
        *,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Add what ``attack(classifier, images, labels, targets)`` returned.

        ``images`` are float32 [N, C, H, W], which must be classified correctly without an attack.
        Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
        """
        result, labels = result.to(torch.device("cpu")), labels.cpu()
        targets = None if targets is None else targets.cpu()
        self.evidence += trace_evidence(result, labels, targets, attack.loss)
        epsilon = attack.threat.epsilon
        key = None if isinstance(epsilon, Tensor) else epsilon
        count = min(len(images), self._sample - self._checked.get(key, 0))
        if count <= 0:
            return
        self._checked[key] = self._checked.get(key, 0) + count
        # Evenly spaced: in a batch over several ε each of them is represented.
        rows = torch.linspace(0, len(images) - 1, count).round().long()
        self.evidence += ExtraPasses(
            self._classifier,
            images.detach().cpu()[rows],
            labels[rows],
            None if targets is None else targets[rows],
            _for_rows(attack, rows),
            _rows_of(result, rows),
            cancelled,
        ).evidence()

    def caveats(self) -> tuple[Caveat, ...]:
        """What to know before trusting the figure; empty when all is well."""
        return caveats_of(self.evidence, self._classifier)


def check_attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    attack: PGD,
    result: AttackResult,
    targets: Tensor | None = None,
    *,
    sample: int = SAMPLE,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Caveat, ...]:
    """The caveats of one attack; the arguments are those of :class:`TrustCheck`."""
    check = TrustCheck(classifier, sample=sample)
    check.add(images, labels, attack, result, targets, cancelled=cancelled)
    return check.caveats()


def check_sample(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    attack: PGD,
    *,
    sample: int = SAMPLE,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Caveat, ...]:
    """The caveats of ``attack`` on at most ``sample`` images, which it attacks for the purpose.

    For figures of many images and ε, such as a sweep: at an ε in its middle. ``images`` are uint8
    or float32 [N, C, H, W]; those that are misclassified without an attack are left out, and a
    figure without any other has no caveats.
    """
    rows = torch.linspace(0, len(images) - 1, min(len(images), 2 * sample)).round().long()
    pixels, truth = images[rows].cpu(), labels[rows].cpu()
    pixels = pixels if pixels.is_floating_point() else pixels.float() / 255
    correct = is_correct(classifier, pixels, truth).nonzero().flatten()[:sample]
    if not len(correct):
        return ()
    pixels, truth = pixels[correct], truth[correct]
    result = attack(classifier, pixels, truth, cancelled=cancelled)
    return check_attack(
        classifier, pixels, truth, attack, result, sample=sample, cancelled=cancelled
    )


def _for_rows(attack: PGD, rows: Tensor) -> PGD:
    """The same attack for some of the images, int64 [K]."""
    threat = replace(attack.threat, epsilon=select_rows(attack.threat.epsilon, rows))
    size = attack.step_size
    return replace(
        attack, threat=threat, step_size=None if size is None else select_rows(size, rows)
    )


def _rows_of(result: AttackResult, rows: Tensor) -> AttackResult:
    """What the extra passes need of some of the images: all but the trace."""
    return replace(
        result,
        adversarial=result.adversarial[rows],
        success=result.success[rows],
        logits=result.logits[rows],
    )
