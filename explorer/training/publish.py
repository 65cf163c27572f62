"""What a training gives: a classifier, its measured accuracy, and the two files that ship."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from explorer.classifiers import Classifier
from explorer.classifiers.classifier import freeze
from explorer.classifiers.fitting import load_weights
from explorer.classifiers.model_card import PGD, Accuracy, ModelCard
from explorer.classifiers.small_net import SmallNet
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.evaluation.auto_pgd import APGD, apgd_accuracy
from explorer.experiments.evaluation.robust_accuracy import AccuracyRow, robust_accuracy
from explorer.experiments.one_image.attack_image import versions
from explorer.files import write_together
from explorer.ranks import ALONE, Ranks
from explorer.training.recipes import TrainingRecipe
from explorer.training.trainer import Trainer

EVALUATION_STEPS = 20
ATTACKED_IMAGES = 500


def make_classifier(
    recipe: TrainingRecipe, trainer: Trainer, labels: tuple[str, ...]
) -> Classifier:
    """The classifier with the trainer's weights as they will be read from their file."""
    net = SmallNet(recipe.hyperparameters.network)
    load_weights(net, trainer.weights(), recipe.name)
    return Classifier(
        freeze(net, trainer.device),
        labels=labels,
        input_size=recipe.input_size,
        mean=recipe.mean,
        std=recipe.std,
        name=recipe.name,
        title=recipe.title,
        gallery=recipe.gallery,
        robust=recipe.robust,
    )


def measure(
    classifier: Classifier,
    recipe: TrainingRecipe,
    test: LabelledImages,
    on_batch: Callable[[int, int], None],
    apgd: bool = False,
    ranks: Ranks = ALONE,
) -> tuple[Accuracy, ...]:
    """Accuracy on all test images, then under PGD on :data:`ATTACKED_IMAGES` evenly spaced ones.

    With ``apgd`` follows the accuracy under Auto-PGD, a stronger attack of another library, which
    the first of the ``ranks`` runs alone.
    """
    count = min(ATTACKED_IMAGES, len(test))
    subset = test.take(torch.linspace(0, len(test) - 1, count).long())

    def under_pgd(data: LabelledImages, epsilons: tuple[float, ...], steps: int) -> list[Accuracy]:
        images, labels = data.images, data.labels
        rows = robust_accuracy(
            classifier,
            images,
            labels,
            "l2",
            epsilons,
            steps=max(steps, 1),
            ranks=ranks,
            on_batch=on_batch,
        )
        return _accuracies(recipe, rows, len(data), steps, PGD)

    accuracies = under_pgd(test, (0.0,), 0) + under_pgd(subset, recipe.epsilons, EVALUATION_STEPS)
    if apgd and ranks.is_first:
        steps, images, labels = EVALUATION_STEPS, subset.images, subset.labels
        rows = apgd_accuracy(
            classifier, images, labels, recipe.epsilons, steps=steps, on_batch=on_batch
        )
        accuracies += _accuracies(recipe, rows, len(subset), steps, APGD)
    return tuple(accuracies)


def _accuracies(
    recipe: TrainingRecipe, rows: list[AccuracyRow], n: int, steps: int, attack: str
) -> list[Accuracy]:
    return [
        Accuracy(
            recipe.test_text, n, "l2", row.epsilon, steps, row.accuracy, row.low, row.high, attack
        )
        for row in rows
    ]


def publish(
    recipe: TrainingRecipe,
    trainer: Trainer,
    classifier: Classifier,
    accuracy: tuple[Accuracy, ...],
    folder: Path,
    construction: dict[str, Any],
) -> None:
    """Write ``NAME.safetensors`` and its card ``NAME.json`` into ``folder``.

    ``construction`` says how a constructed training set was made, and is empty for other data.
    Raises :class:`~explorer.files.FileError` where a file can't be written.
    """
    settings, weights = recipe.hyperparameters, trainer.weights()
    values = asdict(settings) | {"images": len(trainer.data)}
    if construction:
        values["set"] = construction
    card = ModelCard(
        name=recipe.name,
        title=recipe.title,
        data=recipe.data,
        training=recipe.training,
        robust=recipe.robust,
        labels=classifier.labels,
        gallery=recipe.gallery,
        input_size=recipe.input_size,
        mean=recipe.mean,
        std=recipe.std,
        network=values.pop("network"),
        recipe=values,
        parameters=sum(value.numel() for value in weights.values()),
        seed=settings.seed,
        hardware=_hardware(trainer.device),
        epochs=trainer.epoch,
        seconds=round(trainer.seconds),
        versions=versions(),
        weights_digest=classifier.digest,
        command=_command(recipe, trainer.epoch),
        accuracy=accuracy,
    )
    # save_file would make a file that only its owner may read.
    files = {"safetensors": save(weights), "json": card.to_json().encode()}
    write_together(folder, {f"{recipe.name}.{kind}": data for kind, data in files.items()})


def _command(recipe: TrainingRecipe, epochs: int) -> str:
    """The command that trains this classifier again."""
    data = f" --data {recipe.construction.upper()}_FOLDER" if recipe.construction else ""
    stop = f" --stop-after {epochs}" if epochs < recipe.hyperparameters.epochs else ""
    return f"python -m explorer train {recipe.name}{data}{stop}"


def _hardware(device: torch.device) -> str:
    """The machine in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.cpu_count()} CPU cores ({platform.machine()}), {torch.get_num_threads()} threads"
