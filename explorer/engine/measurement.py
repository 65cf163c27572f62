"""How long the forms of a classifier take on this machine, measured with care."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import log

from torch import Tensor

from explorer.classifiers import Classifier
from explorer.engine.gradient_model import GradientModel
from explorer.engine.optimized_copy import noise
from explorer.engine.precision import gradient_model
from explorer.engine.tuning import FORMS, keep_tuning

BATCHES = (1, 8)
MIN_ROUNDS, MAX_ROUNDS = 5, 40
SECONDS = 10.0  # for one batch size, unless MIN_ROUNDS take longer


@dataclass(frozen=True)
class Tuning:
    """The quickest ``precision``, and ``milliseconds`` of a gradient by form and batch size."""

    precision: str
    milliseconds: dict[str, dict[int, float]]


def tune(classifier: Classifier, clock: Callable[[], float] = time.perf_counter) -> Tuning:
    """Measure the forms of ``classifier`` and make the quickest the choice of this machine.

    The forms take turns, and the least of many rounds counts, since a busy machine slows any of
    them at random. The quickest has the least product of its times for the batch sizes. Raises
    :class:`~explorer.files.FileError` where the finding can't be kept.
    """
    models = {}
    for form in FORMS:
        model, used = gradient_model(classifier, form)
        if used == form:  # else no such copy agrees with the classifier
            models[form] = model
    milliseconds: dict[str, dict[int, float]] = {form: {} for form in models}
    for batch in BATCHES:
        for form, seconds in _least(models, noise(classifier, batch), clock).items():
            milliseconds[form][batch] = round(1000 * seconds, 3)
    quickest = min(models, key=lambda form: sum(map(log, milliseconds[form].values())))
    keep_tuning(classifier, quickest, milliseconds)
    return Tuning(quickest, milliseconds)


def _least(
    models: dict[str, GradientModel], images: Tensor, clock: Callable[[], float]
) -> dict[str, float]:
    """The least seconds of a gradient for ``images``, by form."""
    least = dict.fromkeys(models, float("inf"))
    started = clock()
    for completed in range(MAX_ROUNDS):
        if completed >= MIN_ROUNDS and clock() - started > SECONDS:
            break
        for form, model in models.items():
            before = clock()
            logits, vjp = model.logits_vjp(images)
            float(vjp(logits.softmax(dim=1)).sum())  # waits for the device
            least[form] = min(least[form], clock() - before)
    return least
