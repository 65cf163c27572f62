"""An attack on one image as a recipe describes it: what the pages and the commands both call."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from explorer import __version__
from explorer.attacks import PGD, AttackError, OnStep, Threat
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import thread_count
from explorer.experiments.effort import with_effort
from explorer.experiments.one_image.recipe import Recipe, RecipeError, RecordedPrediction
from explorer.experiments.one_image.report import AttackedImage, AttackReport, Prediction
from explorer.images.distances import l2, linf, perturbation_image, ssim
from explorer.images.geometry import round_8bit
from explorer.settings import COMPILE

MAX_THREADS = 1024


def image_digest(image: Tensor) -> str:
    """SHA-256 of the pixels as float32 [3, H, W] in row-major order, in hexadecimal digits."""
    return hashlib.sha256(image.detach().cpu().float().contiguous().numpy().tobytes()).hexdigest()


def versions() -> dict[str, str]:
    """The versions of the software on which the result of an attack can depend."""
    compiled = {"torch.compile": "on"} if COMPILE.value else {}
    return {
        "explorer": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        **compiled,
    }


def attack_from(recipe: Recipe) -> PGD:
    """The attack with the settings of ``recipe``, without what its effort adds.

    Raises a :class:`~explorer.errors.UserError` for settings out of range.
    """
    if recipe.threads is not None and not 1 <= recipe.threads <= MAX_THREADS:
        raise RecipeError(f"threads must be from 1 to {MAX_THREADS:,}; they are {recipe.threads}")
    attack = PGD(
        Threat(recipe.norm, recipe.epsilon),
        steps=recipe.steps,
        step_size=recipe.step_size,
        restarts=recipe.restarts,
        random_start=recipe.random_start,
        rule=recipe.rule,
        loss=recipe.loss,
        keep=recipe.keep,
        precision=recipe.precision,
        seed=recipe.seed,
    )
    with_effort(attack, recipe.effort)  # refuses one that there is not
    return attack


@torch.no_grad()
def predict(classifier: Classifier, images: Tensor) -> list[Prediction]:
    """The classifier's prediction for each of ``images``, float32 [N, C, H, W] in [0, 1].

    The classifier is in evaluation mode meanwhile.
    """
    with evaluation_mode(classifier):
        probabilities = classifier(images.to(classifier.device)).softmax(dim=1).cpu()
    return [Prediction(row, classifier.labels) for row in probabilities]


def is_success(predicted: int, label: int, target: int | None) -> bool:
    """Whether ``predicted`` is the target or, without one, any class but the label.

    A prediction that merely changed is no success.
    """
    return predicted != label if target is None else predicted == target


def attack_image(
    classifier: Classifier,
    image: Tensor,
    recipe: Recipe,
    *,
    frames: bool = False,
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> AttackReport:
    """Attack ``image``, float32 [3, H, W] in [0, 1], with the settings of ``recipe``.

    Where ``recipe.label`` is None, the label is the classifier's prediction. ``frames`` keeps the
    image of every step in the trace; ``on_step(steps done, steps, loss)`` reports progress. The
    report's recipe is complete: it has the label, digests, versions, device and precision. Raises
    :class:`AttackError` for a recipe that does not suit this classifier or image, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    attack = attack_from(recipe)
    largest = image.numel() ** 0.5
    if recipe.norm == "l2" and recipe.epsilon > largest:
        raise AttackError(
            f"epsilon must not exceed {largest:.1f}, the L2 distance from black to white at this "
            f"size; it is {recipe.epsilon:g}"
        )
    before = predict(classifier, image[None])[0]
    label, target = label_of(recipe, before), recipe.target
    started = time.perf_counter()
    with thread_count(recipe.threads):
        threads = torch.get_num_threads() if classifier.device.type == "cpu" else None
        result = with_effort(attack, recipe.effort)(
            classifier,
            image[None],
            torch.tensor([label]),
            None if target is None else torch.tensor([target]),
            frames=frames,
            on_step=on_step,
            cancelled=cancelled,
        )
    seconds = time.perf_counter() - started
    after = Prediction(result.logits[0].softmax(dim=0).cpu(), classifier.labels)
    attacked = attacked_image(
        classifier, image, result.adversarial[0], before, after, label=label, target=target
    )
    return AttackReport(
        **vars(attacked),
        recipe=replace(
            recipe,
            label=label,
            image_digest=image_digest(attacked.original),
            weights_digest=classifier.digest,
            result_digest=image_digest(attacked.adversarial),
            original=RecordedPrediction(before.name, before.confidence),
            adversarial=RecordedPrediction(after.name, after.confidence),
            device=str(classifier.device),
            precision=result.precision,
            threads=threads,
            versions=versions(),
        ),
        trace=result.trace,
        seconds=seconds,
    )


def label_of(recipe: Recipe, before: Prediction) -> int:
    """The recipe's label or, where it has none, what the classifier says ``before`` the attack.

    Raises :class:`AttackError` if that is the target.
    """
    label = before.index if recipe.label is None else recipe.label
    if recipe.target == label:
        says = "the classifier already says" if recipe.label is None else "the label already is"
        raise AttackError(f"{says} {before.names[label]!r}; choose another target")
    return label


def attacked_image(
    classifier: Classifier,
    image: Tensor,
    adversarial: Tensor,
    before: Prediction,
    after: Prediction,
    *,
    label: int,
    target: int | None,
) -> AttackedImage:
    """What became of ``image`` [3, H, W] as ``adversarial``, with distances.

    ``before`` and ``after`` are the classifier's predictions for the two.
    """
    original, adversarial = image.detach().cpu(), adversarial.cpu()
    perturbation = perturbation_image(adversarial - original)
    noise, rounded = predict(classifier, torch.stack([perturbation, round_8bit(adversarial)]))
    return AttackedImage(
        original=original,
        adversarial=adversarial,
        label=label,
        target=target,
        before=before,
        after=after,
        noise=noise,
        outcome=outcome_of(before.index, after.index, label, target),
        success=is_success(after.index, label, target),
        survives_8bit=is_success(rounded.index, label, target),
        linf=linf(original, adversarial),
        l2=l2(original, adversarial),
        ssim=ssim(original, adversarial),
    )


def outcome_of(before: int, after: int, label: int, target: int | None) -> str:
    """One of :data:`~explorer.experiments.one_image.report.OUTCOMES`.

    ``before`` and ``after`` are the classes predicted for the original and adversarial image.
    """
    if is_success(before, label, target):
        return "misclassified"
    if is_success(after, label, target):
        return "fooled"
    return "held" if after in (label, before) else "partly"
