"""``dispute-training``: what networks learn from the two attacks of the dispute."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from explorer.cli import whole_numbers
from explorer.cli.common import (
    number,
    print_json,
    writable_folder,
)
from explorer.cli.progress import progress_bar
from explorer.experiments.dispute import DisputeAttack
from explorer.experiments.surroundings import surroundings_of
from explorer.figures.captions import percent
from explorer.files import shared_folder, write_together

_ATTACKED, _ENSEMBLE = "cifar10-standard", ("cifar10-d", "cifar10-d-plain")
_RECIPE = "cifar10-d_det"  # whose images and settings are taken: 10,000 images, no augmentation


def add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--model", default=_ATTACKED, help=f"the attacked classifier (default {_ATTACKED})")
    add(
        "--ensemble",
        nargs="+",
        default=list(_ENSEMBLE),
        metavar="MODEL",
        help="the classifiers that the second attack is to leave right "
        f"(default {' '.join(_ENSEMBLE)})",
    )
    add("--data", help="the folder with cifar10/ (default: EXPLORER_SHARED/data)")
    add("--limit", type=whole_numbers.count, help="attack only the first N images (default 10,000)")
    add("--norm", choices=("linf", "l2"), default="l2", help="of the change (default l2)")
    add("--epsilon", type=number, default=0.5, help="its largest norm (default 0.5)")
    add("--steps", type=whole_numbers.steps, default=10, help="of both attacks (default 10)")
    add(
        "--epochs",
        type=whole_numbers.epochs,
        help="of each training (default: those of cifar10-d_det)",
    )
    add("--out", help="the folder for recipe.json, which has the settings and the rows")
    add("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from explorer.classifiers import load
    from explorer.training.data import read_files
    from explorer.training.dispute import learned_from, next_class_sets
    from explorer.training.recipes import TRAINING_RECIPES

    attack = DisputeAttack(options.norm, options.epsilon, steps=options.steps)
    recipe = TRAINING_RECIPES[_RECIPE]
    if options.epochs is not None:
        settings = replace(recipe.hyperparameters, epochs=options.epochs)
        recipe = replace(recipe, hyperparameters=settings)
    out: Path | None = None if options.out is None else writable_folder(options.out)
    folder = Path(options.data) if options.data else shared_folder() / "data"
    train, test = read_files(replace(recipe, construction=None), folder)
    if options.limit is not None:
        train = train.take(torch.arange(min(options.limit, len(train))))
    names = (options.model, *options.ensemble)
    classifiers = {name: load(name) for name in names}
    attacked, *ensemble = classifiers.values()
    with progress_bar("batch") as show:
        sets = next_class_sets(attacked, ensemble, train, attack, show)
    learned = []
    for name, data in sets.items():
        with progress_bar("epoch") as show:
            learned.append(learned_from(name, data, test, recipe, show))
    rows = [row for each in learned for row in each.rows()]
    values = {
        "format": 1,
        "command": _command(options),
        "models": names,
        "surroundings": asdict(surroundings_of(classifiers, attack.precision)),
        "rows": rows,
    }
    if out is not None:
        text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
        write_together(out, {"recipe.json": text.encode()})
    if options.json:
        print_json(values)
        return 0
    for row in rows:
        print(_line(row))
    if out is not None:
        print(f"written to {out}")
    return 0


def _line(row: dict[str, Any]) -> str:
    said = "the image's class" if row["label"] == "own" else "the class after it"
    return (
        f"trained on {row['trained']:,} images, attack: {row['attack']}: says {said} on "
        f"{percent(row['rate'])} ({percent(row['low'])} to {percent(row['high'])}, "
        f"n = {row['n']:,})"
    )


def _command(options: argparse.Namespace) -> str:
    words = ["python", "-m", "explorer", "dispute-training", "--model", options.model]
    words += ["--ensemble", *options.ensemble, "--norm", options.norm]
    words += ["--epsilon", f"{options.epsilon:g}", "--steps", str(options.steps)]
    words += [] if options.limit is None else ["--limit", str(options.limit)]
    words += [] if options.epochs is None else ["--epochs", str(options.epochs)]
    return shlex.join([*words, "--out", options.out or "out"])
