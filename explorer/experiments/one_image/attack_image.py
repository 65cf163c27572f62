"""One image, one classifier, one recipe → one report. The page and the command line both ask this."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from explorer import __version__
from explorer.attacks import PGD, AttackError
from explorer.attacks.loop import OnStep
from explorer.attacks.threat import Threat
from explorer.classifiers import Classifier
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.images.distances import l2, linf, perturbation_image, ssim
from explorer.images.geometry import round_8bit


def image_digest(image: Tensor) -> str:
    """SHA-256 of the pixels as float32 [3, H, W] in row-major order."""
    return hashlib.sha256(image.detach().cpu().float().contiguous().numpy().tobytes()).hexdigest()


def versions() -> dict[str, str]:
    """What the numbers of an attack can depend on, besides the recipe."""
    return {
        "explorer": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def attack_from(recipe: Recipe) -> PGD:
    """The configured attack. Raises ``ValueError`` or :class:`AttackError` for values that can't be."""
    return PGD(
        Threat(recipe.norm, recipe.epsilon),
        steps=recipe.steps,
        step_size=recipe.step_size,
        restarts=recipe.restarts,
        random_start=recipe.random_start,
        loss=recipe.loss,
        keep=recipe.keep,
        precision=recipe.precision,
        seed=recipe.seed,
    )


@torch.no_grad()
def predict(classifier: Classifier, images: Tensor) -> list[Prediction]:
    """What the classifier says of each image of ``images`` [N, 3, H, W]."""
    probabilities = classifier(images.to(classifier.device)).softmax(dim=1).cpu()
    return [Prediction(row, classifier.labels) for row in probabilities]


def succeeds(predicted: int, label: int, target: int | None) -> bool:
    """Wrong label (untargeted) or the target (targeted); never merely a changed prediction."""
    return predicted != label if target is None else predicted == target


def _outcome(before: int, after: int, label: int, target: int | None) -> str:
    """One of :data:`~explorer.experiments.one_image.report.OUTCOMES` from the predicted classes before and after."""
    if succeeds(before, label, target):
        return "misclassified"
    if succeeds(after, label, target):
        return "fooled"
    return "partly" if after not in (label, before) else "held"


def attack_image(
    classifier: Classifier,
    image: Tensor,
    recipe: Recipe,
    *,
    frames: bool = False,
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> AttackReport:
    """Attack ``image`` float32 [3, H, W] in [0, 1] as ``recipe`` says and report; ``recipe.label`` None is the prediction.

    The report's recipe is complete: label, digests, versions, device. Raises :class:`AttackError` for a recipe that can't be
    run on this classifier, :class:`~explorer.errors.Cancelled` when ``cancelled()`` says so.
    """
    attack = attack_from(recipe)
    if recipe.norm == "l2" and recipe.epsilon > image.numel() ** 0.5:
        raise AttackError(
            f"epsilon must not exceed {image.numel() ** 0.5:.1f}, the L2 distance from black to white at this size; "
            f"it is {recipe.epsilon:g}"
        )
    before = predict(classifier, image[None])[0]
    label = before.index if recipe.label is None else recipe.label
    if recipe.target is not None and recipe.target == label:
        raise AttackError(
            f"the target {classifier.labels[label]!r} is what the image already shows; pick another"
        )
    targets = None if recipe.target is None else torch.tensor([recipe.target])
    started = time.perf_counter()
    result = attack(
        classifier,
        image[None],
        torch.tensor([label]),
        targets,
        frames=frames,
        on_step=on_step,
        cancelled=cancelled,
    )
    seconds = time.perf_counter() - started
    adversarial = result.adversarial[0].cpu()
    original = image.detach().cpu()
    after = Prediction(result.logits[0].softmax(dim=0).cpu(), classifier.labels)
    noise, rounded = predict(
        classifier,
        torch.stack([perturbation_image(adversarial - original), round_8bit(adversarial)]),
    )
    return AttackReport(
        recipe=replace(
            recipe,
            label=label,
            image_digest=image_digest(original),
            weights_digest=classifier.digest,
            result_digest=image_digest(adversarial),
            device=str(classifier.device),
            precision=result.precision,
            versions=versions(),
        ),
        original=original,
        adversarial=adversarial,
        label=label,
        target=recipe.target,
        before=before,
        after=after,
        noise=noise,
        outcome=_outcome(before.index, after.index, label, recipe.target),
        success=succeeds(after.index, label, recipe.target),
        survives_8bit=succeeds(rounded.index, label, recipe.target),
        linf=linf(original, adversarial),
        l2=l2(original, adversarial),
        ssim=ssim(original, adversarial),
        trace=result.trace,
        seconds=seconds,
    )
