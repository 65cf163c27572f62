"""``train``: one command per bundled classifier; stopped and started again, it goes on after the last whole epoch."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from explorer.classifiers.catalogue import BUNDLED
from explorer.classifiers.checkpoint import read_weights
from explorer.classifiers.classifier import resolve_device
from explorer.cli.common import UsageError, print_json, writable_folder
from explorer.datasets.labelled import LabelledImages
from explorer.files import shared_folder
from explorer.training.recipes import (
    CHECKPOINT,
    TRAINING_RECIPES,
    TrainingRecipe,
    classifier_of,
    measure,
    publish,
    read_built,
    read_data,
)
from explorer.training.trainer import Trainer, TrainingProgress


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("train", help="train one of the bundled classifiers again")
    parser.add_argument("name", choices=tuple(TRAINING_RECIPES), help="which one")
    parser.add_argument(
        "--data",
        help="the folder with cifar10/ and tiny-imagenet-12/ (default: EXPLORER_SHARED/data); for cifar10-d_r, -d_nr, -d_rand and "
        "-d_det the constructed set that build made",
    )
    parser.add_argument(
        "--test",
        help="for those four: what to measure on (default: the originals held out of training)",
    )
    parser.add_argument(
        "--apgd", action="store_true", help="measure also under Auto-PGD (needs torchattacks)"
    )
    parser.add_argument(
        "--out", help="the folder for the checkpoint, the weights and the card (default: runs/NAME)"
    )
    parser.add_argument(
        "--epochs", type=int, help="how many times to see the data (default: as the recipe says)"
    )
    parser.add_argument(
        "--stop-after",
        type=int,
        help="stop after this many epochs of the recipe and write what there is",
    )
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    bundle = _adjusted(TRAINING_RECIPES[options.name], options)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    out = writable_folder(options.out or Path("runs") / bundle.name)
    device = resolve_device(options.device)
    train, held_out, about = _read(bundle, options)
    start = (
        None
        if bundle.start_from is None
        else read_weights(BUNDLED / f"{bundle.start_from}.safetensors")
    )
    trainer = Trainer(bundle.recipe, train, bundle.mean, bundle.std, str(device), start)
    checkpoint = out / CHECKPOINT
    if checkpoint.is_file():
        trainer.restore(checkpoint)
        print(f"goes on after epoch {trainer.epoch}", file=sys.stderr)
    while trainer.epoch < min(bundle.recipe.epochs, options.stop_after or bundle.recipe.epochs):
        _epoch(trainer)
        trainer.save(checkpoint)
    _finish(bundle, trainer, held_out, out, options, about)
    return 0


def _read(
    bundle: TrainingRecipe, options: argparse.Namespace
) -> tuple[LabelledImages, LabelledImages, dict[str, Any]]:
    folder = shared_folder() / "data"
    if bundle.built is None:
        if options.test is not None:
            raise UsageError(
                f"{bundle.name} is measured on the images held out of its training; leave --test out"
            )
        return *read_data(bundle, Path(options.data) if options.data else folder), {}
    if options.data is None:
        raise UsageError(f"{bundle.name} is trained on a constructed set; name it with --data")
    return read_built(bundle, options.data, options.test or str(folder / bundle.held_out))


def _adjusted(bundle: TrainingRecipe, options: argparse.Namespace) -> TrainingRecipe:
    recipe = bundle.recipe
    if options.epochs is not None:
        if options.epochs < 1:
            raise UsageError(f"--epochs must be at least 1; it is {options.epochs}")
        recipe = replace(recipe, epochs=options.epochs)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    return replace(bundle, recipe=recipe)


def _epoch(trainer: Trainer) -> None:
    label = f"epoch {trainer.epoch + 1} of {trainer.recipe.epochs}"
    with tqdm(total=100, desc=label, unit="%", file=sys.stderr, disable=None) as bar:

        def report(progress: TrainingProgress) -> None:
            bar.update(round(100 * progress.done) - bar.n)
            bar.set_postfix(loss=f"{progress.loss:.3f}", accuracy=f"{progress.accuracy:.1%}")

        last = trainer.run_epoch(report)
    print(
        f"{label}: loss {last.loss:.3f}, accuracy {last.accuracy:.1%}, {last.rate:.0f} images/s",
        file=sys.stderr,
    )


def _finish(
    bundle: TrainingRecipe,
    trainer: Trainer,
    held_out: LabelledImages,
    out: Path,
    options: argparse.Namespace,
    about: dict[str, Any],
) -> None:
    """Measure the weights as they will be read back, and write them with their card."""
    weights, device = trainer.weights(), trainer.device
    classifier = classifier_of(bundle, weights, held_out.names, device)
    with tqdm(desc="measuring", unit="image", file=sys.stderr, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        accuracy = measure(classifier, bundle, held_out, progress, options.apgd)
    publish(bundle, weights, held_out.names, accuracy, classifier.digest, trainer, out, about)
    rows = [
        {
            "attack": r.attack,
            "epsilon": r.epsilon,
            "n": r.n,
            "accuracy": r.accuracy,
            "low": r.low,
            "high": r.high,
        }
        for r in accuracy
    ]
    if options.json:
        print_json(
            {"model": bundle.name, "out": str(out), "seconds": trainer.seconds, "rows": rows}
        )
        return
    for row in accuracy:
        print(
            f"{row.attack} L2 ε = {row.epsilon:<5g} {row.accuracy:.2%}  (95 % interval {row.low:.2%} to {row.high:.2%}, n = {row.n})"
        )
    print(f"written to {out}")
