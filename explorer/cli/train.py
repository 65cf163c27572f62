"""``train``: train a bundled classifier again, from the last whole epoch if it was stopped.

Under torchrun the ranks divide each batch among them, and the first one writes.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from explorer.classifiers.catalogue import BUNDLED_FOLDER
from explorer.classifiers.checkpoint import read_checkpoint
from explorer.classifiers.devices import AUTO, DEVICE_HELP, resolve_device
from explorer.classifiers.model_card import Accuracy
from explorer.cli import whole_numbers
from explorer.cli.common import (
    UsageError,
    print_json,
    writable_folder,
)
from explorer.datasets.labelled import LabelledImages
from explorer.figures.captions import percent
from explorer.files import shared_folder
from explorer.ranks import Ranks, connected_ranks, rank_device
from explorer.training.data import read_constructed, read_files
from explorer.training.publish import make_classifier, measure, publish
from explorer.training.recipes import TRAINING_RECIPES, TrainingRecipe
from explorer.training.trainer import Trainer, TrainingProgress

CHECKPOINT = "checkpoint.pt"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", choices=tuple(TRAINING_RECIPES), help="the classifier")
    parser.add_argument(
        "--data",
        help="the folder with cifar10/ and tiny-imagenet-12/ (default: EXPLORER_SHARED/data); for "
        "cifar10-d_r, -d_nr, -d_rand and -d_det the constructed set that build made",
    )
    parser.add_argument(
        "--test",
        help="for those four: the images to measure on (default: the originals held out of "
        "training)",
    )
    parser.add_argument(
        "--apgd", action="store_true", help="measure also under Auto-PGD (needs torchattacks)"
    )
    parser.add_argument(
        "--out", help="the folder for the checkpoint, the weights and the card (default: runs/NAME)"
    )
    parser.add_argument(
        "--epochs", type=whole_numbers.epochs, help="passes over the data (default: the recipe's)"
    )
    parser.add_argument(
        "--stop-after",
        type=whole_numbers.epochs,
        help="stop after this many of the epochs and write the result",
    )
    parser.add_argument(
        "--seed", type=whole_numbers.seed, help="random seed (default: the recipe's)"
    )
    parser.add_argument(
        "--threads", type=whole_numbers.threads, help="CPU threads (default: torch's choice)"
    )
    parser.add_argument("--device", default=AUTO, help=DEVICE_HELP)
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if None not in (options.epochs, options.stop_after) and options.stop_after > options.epochs:
        raise UsageError(
            f"--stop-after {options.stop_after} is later than the last of {options.epochs} epochs; "
            "lower it, or leave it out"
        )
    recipe = _with_options(TRAINING_RECIPES[options.name], options)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    out = writable_folder(options.out or Path("runs") / recipe.name)
    with connected_ranks() as ranks:
        return _run(recipe, options, out, ranks)


def _run(recipe: TrainingRecipe, options: argparse.Namespace, out: Path, ranks: Ranks) -> int:
    device = resolve_device(rank_device(options.device))
    train, test, construction = _read(recipe, options)
    initial = None
    if recipe.start_from is not None:
        initial = read_checkpoint(BUNDLED_FOLDER / f"{recipe.start_from}.safetensors").state
    trainer = Trainer(
        recipe.hyperparameters, train, recipe.mean, recipe.std, str(device), initial, ranks
    )
    ranks.check_same("training set", train.digest)
    ranks.check_same("test images", test.digest)
    _train(trainer, out / CHECKPOINT, options.stop_after or recipe.hyperparameters.epochs)
    classifier = make_classifier(recipe, trainer, test.names)
    hidden = None if ranks.is_first else True
    with tqdm(desc="measuring", unit="image", file=sys.stderr, disable=hidden) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        accuracy = measure(classifier, recipe, test, progress, options.apgd, ranks)
    if not ranks.is_first:
        return 0
    publish(recipe, trainer, classifier, accuracy, out, construction)
    _print_result(recipe, trainer, accuracy, out, options.json)
    return 0


def _with_options(recipe: TrainingRecipe, options: argparse.Namespace) -> TrainingRecipe:
    settings = recipe.hyperparameters
    if options.epochs is not None:
        settings = replace(settings, epochs=options.epochs)
    if options.seed is not None:
        settings = replace(settings, seed=options.seed)
    return replace(recipe, hyperparameters=settings)


def _read(
    recipe: TrainingRecipe, options: argparse.Namespace
) -> tuple[LabelledImages, LabelledImages, dict[str, Any]]:
    """Training images, test images, and how a constructed training set was made."""
    folder = shared_folder() / "data"
    if recipe.construction is None:
        if options.test is not None:
            raise UsageError(
                f"{recipe.name} is measured on the images held out of its training; leave --test "
                "out"
            )
        return *read_files(recipe, Path(options.data) if options.data else folder), {}
    if options.data is None:
        raise UsageError(f"{recipe.name} is trained on a constructed set; name it with --data")
    return read_constructed(recipe, options.data, options.test or str(folder / recipe.test_file))


def _train(trainer: Trainer, checkpoint: Path, stop_after: int) -> None:
    if checkpoint.is_file():
        trainer.restore(checkpoint)
        if trainer.ranks.is_first:
            print(f"continues after epoch {trainer.epoch}", file=sys.stderr)
    trainer.ranks.check_same("checkpoint", trainer.epoch)
    while trainer.epoch < min(trainer.settings.epochs, stop_after):
        _run_epoch(trainer)
        if trainer.ranks.is_first:
            trainer.save(checkpoint)


def _run_epoch(trainer: Trainer) -> None:
    label = f"epoch {trainer.epoch + 1} of {trainer.settings.epochs}"
    hidden = None if trainer.ranks.is_first else True
    with tqdm(total=100, desc=label, unit="%", file=sys.stderr, disable=hidden) as bar:

        def report(progress: TrainingProgress) -> None:
            bar.update(round(100 * progress.fraction) - bar.n)
            bar.set_postfix(loss=f"{progress.loss:.3f}", accuracy=percent(progress.accuracy))

        last = trainer.run_epoch(report)
    if hidden:
        return
    print(
        f"{label}: loss {last.loss:.3f}, accuracy {percent(last.accuracy)}, "
        f"{last.rate:.0f} images/s",
        file=sys.stderr,
    )


def _print_result(
    recipe: TrainingRecipe,
    trainer: Trainer,
    accuracy: tuple[Accuracy, ...],
    out: Path,
    as_json: bool,
) -> None:
    if as_json:
        keys = ("attack", "epsilon", "n", "accuracy", "low", "high")
        rows = [{key: asdict(row)[key] for key in keys} for row in accuracy]
        values = {"model": recipe.name, "out": str(out), "seconds": trainer.seconds, "rows": rows}
        print_json(values)
        return
    for row in accuracy:
        print(
            f"{row.attack} L2 ε = {row.epsilon:<5g} {percent(row.accuracy)}  "
            f"(95 % interval {percent(row.low)} to {percent(row.high)}, n = {row.n})"
        )
    print(f"written to {out}")
