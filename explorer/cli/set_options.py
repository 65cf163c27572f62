"""What ``sweep``, ``smallest`` and ``transfer`` share: their options, images and classifiers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from explorer.classifiers import Classifier, load
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli.common import (
    MAX_LIMIT,
    UsageError,
    check_count,
    print_caveats,
    print_json,
    print_warnings,
    writable_folder,
)
from explorer.cli.data_options import (
    SOURCES,
    add_column_options,
    column_names,
    print_notes,
)
from explorer.engine import PRECISIONS, gradient_model
from explorer.experiments.one_image.attack_image import versions
from explorer.experiments.sweep.image_set import (
    GALLERY,
    ImageSet,
    picture_set,
    read_image_sets,
)
from explorer.experiments.sweep.recipe import ModelRecord, SetRecipe
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.experiments.trust import Caveat, warnings_json
from explorer.figures.series import Series
from explorer.files import write_together
from explorer.images.open import GALLERY_PREFIX, open_image
from explorer.ranks import Ranks, rank_device

OWN_WEIGHTS = "-"
MAX_MODELS = 20


def add_set_options(
    parser: argparse.ArgumentParser, *, models: str = "--model", norm: str = "l2", steps: int = 20
) -> None:
    """The options of a question about many images."""
    add = parser.add_argument
    add("images", nargs="*", metavar="IMAGE", help=f"pictures' paths, or {GALLERY_PREFIX}KEY")
    add("--data", help=f"in place of pictures: {GALLERY}, {SOURCES} or cifar10:train")
    add_column_options(parser)
    add("--limit", type=int, help="use only the first N images of --data")
    add("--label", help="the true class of the pictures (default: each model's own prediction)")
    add(
        models,
        dest="models",
        nargs="+",
        required=True,
        metavar="MODEL",
        help="in the catalogue, or torchvision:NAME, timm:NAME, cifar:NAME, FILE.py:FUNC",
    )
    add(
        "--weights",
        nargs="+",
        help=f"a file of weights for each model in turn; {OWN_WEIGHTS} stands for its own",
    )
    add("--norm", choices=("linf", "l2"), default=norm, help=f"of the change (default {norm})")
    add("--steps", type=int, default=steps, help=f"PGD steps (default {steps})")
    add("--restarts", type=int, default=1, help="random starts (default 1)")
    add("--seed", type=int, default=0, help="of the random starts (default 0)")
    add(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the gradients (default: the fastest on this machine)",
    )
    add("--device", default=AUTO, help=DEVICE_HELP)
    add("--json", action="store_true", help="print one JSON object")
    add("--out", help="also write figures, a table and a recipe into this folder")


@dataclass(frozen=True)
class Question:
    """What was asked: the classifiers, the images as each takes them, and the attack."""

    classifiers: tuple[Classifier, ...]
    images: tuple[ImageSet, ...]
    attack: SetAttack
    recipe: SetRecipe

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers' names, as they were asked for."""
        return tuple(model.name for model in self.recipe.models)

    @property
    def series(self) -> tuple[Series, ...]:
        """The classifiers as series of a chart."""
        return tuple(
            Series(name, each.title, each.robust)
            for name, each in zip(self.names, self.classifiers, strict=True)
        )


def attack_of(options: argparse.Namespace, epsilons: Sequence[float] = ()) -> SetAttack:
    """The attack of the options. Raises a :class:`~explorer.errors.UserError` for wrong ones.

    It loads nothing.
    """
    check_count("--limit", options.limit, MAX_LIMIT)
    if bool(options.images) == (options.data is not None):
        raise UsageError("give either pictures or --data, such as --data gallery")
    if options.label is not None and not options.images:
        raise UsageError("--label is the class of pictures; the images of --data have their own")
    if len(options.models) > MAX_MODELS or len(set(options.models)) < len(options.models):
        raise UsageError(f"name at most {MAX_MODELS} models, each once")
    if options.weights is not None and len(options.weights) != len(options.models):
        raise UsageError(
            f"--weights needs a file for each of the {len(options.models)} models; "
            f"{OWN_WEIGHTS} stands for a model's own"
        )
    if options.out is not None:
        writable_folder(options.out)
    attack = SetAttack(
        options.norm,
        steps=options.steps,
        restarts=options.restarts,
        seed=options.seed,
        precision=options.precision,
    )
    attack.check(epsilons or (0.0,))
    return attack


def ask(
    options: argparse.Namespace,
    question: str,
    attack: SetAttack,
    ranks: Ranks,
    epsilons: Sequence[float] = (),
) -> Question:
    """Load the classifiers and the images. Under torchrun all ranks must have the same."""
    weights = options.weights or [OWN_WEIGHTS] * len(options.models)
    files = [None if each == OWN_WEIGHTS else each for each in weights]
    device = rank_device(options.device)
    classifiers = tuple(
        load(name, file, device) for name, file in zip(options.models, files, strict=True)
    )
    images = _images(options, classifiers)
    if ranks.is_first:
        for classifier in classifiers:
            print_warnings(classifier)
        print_notes(images[0].data)
    models = tuple(
        ModelRecord(
            name,
            file,
            classifier.digest,
            each.data.digest,
            gradient_model(classifier, attack.precision)[1],
        )
        for name, file, classifier, each in zip(
            options.models, files, classifiers, images, strict=True
        )
    )
    ranks.check_same("classifiers and images", models)
    is_cpu = classifiers[0].device.type == "cpu"
    recipe = SetRecipe(
        question,
        models,
        attack,
        epsilons=tuple(epsilons),
        images=tuple(options.images),
        data=options.data,
        limit=options.limit,
        label=options.label,
        image_column=options.image_column,
        label_column=options.label_column,
        device=str(classifiers[0].device),
        threads=torch.get_num_threads() if is_cpu else None,
        versions=versions(),
    )
    return Question(classifiers, images, attack, recipe)


def _images(options: argparse.Namespace, classifiers: Sequence[Classifier]) -> tuple[ImageSet, ...]:
    if options.data is not None:
        named = column_names(options)
        return tuple(read_image_sets(options.data, classifiers, options.limit, named))
    pictures = [(source, open_image(source).image) for source in options.images]
    labels = [
        None if options.label is None else each.find_label(options.label) for each in classifiers
    ]
    return tuple(
        picture_set(pictures, classifier, label)
        for classifier, label in zip(classifiers, labels, strict=True)
    )


@contextmanager
def progress_bar(ranks: Ranks, description: str) -> Iterator[Callable[[int, int], None]]:
    """An ``on_progress(done, total)`` that draws a bar on standard error, for the first rank."""
    hidden = None if ranks.is_first else True
    with tqdm(desc=description, unit="step", file=sys.stderr, disable=hidden, leave=False) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def report(
    options: argparse.Namespace,
    question: Question,
    rows: Sequence[dict[str, object]],
    caveats: Sequence[Caveat],
    text: str,
    files: Callable[[], dict[str, bytes]],
) -> None:
    """Write ``files`` if a folder was named, and print ``rows`` as JSON or ``text``.

    The recipe is written last. ``caveats`` are printed on standard error too.
    """
    caveats = tuple(dict.fromkeys(caveats))
    print_caveats(caveats)
    if options.out is not None:
        recipe = {"recipe.json": question.recipe.to_json().encode()}
        write_together(Path(options.out), files() | recipe)
    if options.json:
        notes = list(dict.fromkeys(note for each in question.classifiers for note in each.notes))
        print_json(
            {
                "rows": list(rows),
                "warnings": warnings_json(caveats, notes),
                "seed": question.attack.seed,
                "precision": question.recipe.precision,
                "versions": question.recipe.versions,
            }
        )
        return
    print(text)
    if options.out is not None:
        print(f"written to {options.out}")
