"""What the counts mean: one caveat for each check that gives reason to doubt the figure."""

from __future__ import annotations

from collections.abc import Callable

from explorer.classifiers import Classifier
from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.trial import PROBABILITIES_ADVICE, PROBABILITIES_TEXT
from explorer.experiments.trust.caveat import (
    CARLINI,
    CARLINI_WAGNER,
    PINTOR,
    ZIMMERMANN,
    Caveat,
)
from explorer.experiments.trust.evidence import FAINT, Evidence

# Shares of the images. A few stragglers of many change no figure beyond its interval.
FEW = 0.02
SATURATED_SHARE = 0.1
NOISE_SHARE = 0.25
ROUNDING_SHARE = 0.1  # of the successes
CHANCE_SHARE = 0.25  # a good classifier may be unsure of some images
RISING = "loss-rising"  # the code of a caveat that does not concern every question


def caveats_of(evidence: Evidence, classifier: Classifier) -> tuple[Caveat, ...]:
    """The caveats that ``evidence`` on ``classifier`` gives, the gravest first."""
    caveats = (judge(evidence, classifier) for judge in _JUDGES)
    return tuple(caveat for caveat in caveats if caveat is not None)


def gradient_free_caveat(count: int, total: int) -> Caveat | None:
    """Where Square fooled ``count`` of ``total`` images that attacks with gradients had left."""
    if count <= FEW * total:
        return None
    return Caveat(
        "gradient-free-better",
        f"Square, which needs no gradient, succeeds {_where(count, total)} the attacks that follow "
        "the gradient fail, so the gradient misleads them",
        "look for what masks the gradient in the network; its robustness is lower than the figure",
        CARLINI,
    )


def _zero_gradient(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if not seen.zero_gradient:
        return None
    return Caveat(
        "zero-gradient",
        f"the gradient is exactly zero {_at(seen.zero_gradient, seen.images)}, so the attack could "
        "not move and its failure does not show robustness",
        "look for rounding, a threshold or a saturated softmax in the network and attack it "
        "without that step, or ask Square, which needs no gradient: by a second opinion on one "
        "image, by AutoAttack on many",
        CARLINI,
    )


def _random_outputs(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if not seen.changed:
        return None
    return Caveat(
        "random-outputs",
        f"the outputs change {_at(seen.changed, seen.checked)} when the same image is shown again, "
        "so neither success nor failure of one attempt can be repeated",
        "switch off dropout and other random layers, or average the gradients and the predictions "
        "over many passes",
        CARLINI,
    )


def _probabilities(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if not seen.images or seen.probabilities < seen.images:
        return None
    text = PROBABILITIES_TEXT.format(name=classifier.name)
    return Caveat("probabilities", text, PROBABILITIES_ADVICE, PINTOR)


def _near_chance(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if seen.near_chance <= CHANCE_SHARE * seen.checked or seen.probabilities:
        return None
    if classifier.name in bundled_cards():  # unsure as those trained on D_rand and D_det may be,
        return None  # their measured accuracy shows that they have learned something
    return Caveat(
        "near-chance",
        "before the attack the classifier is hardly surer of the right class than by chance "
        f"{_at(seen.near_chance, seen.checked)}, as if it had learned nothing; anything fools such "
        "a classifier, so the result says little about attacks",
        "check that the network is trained, and that its weights, its mean and standard deviation "
        "and the order of its classes belong together",
        CARLINI,
    )


def _saturated(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if seen.saturated <= SATURATED_SHARE * seen.images:
        return None
    return Caveat(
        "saturated",
        f"the outputs are saturated {_at(seen.saturated, seen.images)}: one class has all of the "
        "probability in float32, so confidences say little and the gradient of an ordinary "
        "cross-entropy vanishes",
        "divide the logits by a constant, or use the DLR loss, which ignores their scale",
        CARLINI,
    )


def _noise(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if seen.noise_only > FEW * seen.checked:
        return Caveat(
            "noise-as-good",
            f"random noise of the same norm succeeds {_where(seen.noise_only, seen.checked)} the "
            "attack fails, so the attack is too weak to measure robustness",
            "try more steps, restarts or another loss, and compare with APGD",
            ZIMMERMANN,
        )
    if seen.noise_as_good <= NOISE_SHARE * seen.checked:
        return None
    return Caveat(
        "noise-as-good",
        "random noise of the same norm comes at least half as far as the attack "
        f"{_at(seen.noise_as_good, seen.checked)}, so the attack's direction hardly matters",
        "check that the gradient is the network's own, and compare at a smaller ε",
        CARLINI,
    )


def _one_step(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if seen.one_step_only <= FEW * seen.checked:
        return None
    return Caveat(
        "one-step-better",
        f"a single step succeeds {_where(seen.one_step_only, seen.checked)} the many steps of the "
        "attack fail, which points to masked gradients or to a step size that does not suit",
        "use another step size, more restarts or another loss",
        CARLINI,
    )


def _rising(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if seen.rising <= FEW * seen.images:
        return None
    return Caveat(
        RISING,
        f"the loss was still rising {_at(seen.rising, seen.images)} when the attack ended without "
        "success, so it has not found the worst case",
        "use more steps or a larger step size",
        PINTOR,
    )


def _faint(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if seen.faint <= FEW * seen.succeeded:
        return None
    return Caveat(
        "faint-success",
        "the attack reaches a class of which the classifier is less than "
        f"{100 * FAINT:g} % sure {_at(seen.faint, seen.succeeded)}: it takes the class for hardly "
        "more likely than the others",
        "take a larger ε or more steps, and check that the network is trained",
        CARLINI_WAGNER,
    )


def _rounding(seen: Evidence, classifier: Classifier) -> Caveat | None:
    if seen.lost_by_rounding <= ROUNDING_SHARE * seen.checked_succeeded:
        return None
    return Caveat(
        "lost-by-rounding",
        f"the success is lost {_at(seen.lost_by_rounding, seen.checked_succeeded)} when the "
        "adversarial image is rounded to 8 bits, so a saved picture does not fool the classifier",
        "use a slightly larger ε, or hand on the adversarial image as float32",
        CARLINI,
    )


def _at(count: int, total: int) -> str:
    """``at this image``, or ``at 3 of 20 images``."""
    return "at this image" if total == 1 else f"at {count} of {total} images"


def _where(count: int, total: int) -> str:
    """``where``, or ``at 3 of 20 images at which``."""
    return "where" if total == 1 else f"{_at(count, total)} at which"


_JUDGES: tuple[Callable[[Evidence, Classifier], Caveat | None], ...] = (
    _zero_gradient,
    _random_outputs,
    _probabilities,
    _near_chance,
    _saturated,
    _noise,
    _one_step,
    _rising,
    _faint,
    _rounding,
)
