"""What ``sweep``, ``smallest`` and ``transfer`` share: their options, images and classifiers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from explorer.classifiers import Classifier, load
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli import whole_numbers
from explorer.cli.common import (
    MODEL_HELP,
    UsageError,
    add_precision_option,
    add_weights_option,
    print_caveats,
    print_json,
    print_warnings,
    weights_files,
    writable_folder,
)
from explorer.cli.data_options import (
    SOURCES,
    add_column_options,
    column_names,
    print_notes,
)
from explorer.cli.given import refuse_void
from explorer.cli.progress import progress_bar
from explorer.errors import named_twice
from explorer.experiments.sweep.image_set import (
    GALLERY,
    ImageSet,
    picture_set,
    read_image_sets,
)
from explorer.experiments.sweep.question import Answer, answer, asked
from explorer.experiments.sweep.recipe import ModelRecord, SetRecipe
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.experiments.trust import warnings_json
from explorer.figures.set_files import answer_files
from explorer.files import write_together
from explorer.images.open import GALLERY_PREFIX, open_image
from explorer.ranks import connected_ranks, rank_device

MAX_MODELS = 20


def add_set_options(
    parser: argparse.ArgumentParser, *, models: str = "--model", norm: str = "l2", steps: int = 20
) -> None:
    """The options of a question about many images."""
    add = parser.add_argument
    add("images", nargs="*", metavar="IMAGE", help=f"pictures' paths, or {GALLERY_PREFIX}KEY")
    add("--data", help=f"in place of pictures: {GALLERY}, {SOURCES} or cifar10:train")
    add_column_options(parser)
    add("--limit", type=whole_numbers.count, help="use only the first N images of --data")
    add("--label", help="the true class of the pictures (default: each model's own prediction)")
    add(
        models,
        dest="models",
        nargs="+",
        required=True,
        metavar="MODEL",
        help=MODEL_HELP,
    )
    add_weights_option(parser)
    add("--norm", choices=("linf", "l2"), default=norm, help=f"of the change (default {norm})")
    add("--steps", type=whole_numbers.steps, default=steps, help=f"PGD steps (default {steps})")
    add("--restarts", type=whole_numbers.restarts, default=1, help="random starts (default 1)")
    add("--seed", type=whole_numbers.seed, default=0, help="of the random starts (default 0)")
    add_precision_option(parser)
    add("--device", default=AUTO, help=DEVICE_HELP)
    add("--json", action="store_true", help="print one JSON object")
    add("--out", help="also write figures, a table and a recipe into this folder")


def attack_of(options: argparse.Namespace, epsilons: Sequence[float] = ()) -> SetAttack:
    """The attack of the options. Raises a :class:`~explorer.errors.UserError` for wrong ones.

    It loads nothing.
    """
    if bool(options.images) == (options.data is not None):
        raise UsageError("give either pictures or --data, such as --data gallery")
    if options.label is not None and not options.images:
        raise UsageError("--label is the class of pictures; the images of --data have their own")
    if options.images:
        about_data = ("--limit", "--image-column", "--label-column")
        refuse_void(options, about_data, "only --data has these options, and you named pictures")
    if wrong := named_twice(options.images, "picture") or named_twice(options.models, "model"):
        raise UsageError(wrong)
    if len(options.models) > MAX_MODELS:
        raise UsageError(
            f"at most {MAX_MODELS} models can be asked, and you named {len(options.models)}"
        )
    weights_files(options.weights, options.models)
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
    epsilons: Sequence[float],
    show: Callable[[Answer], str],
) -> int:
    """Load the classifiers and the images, and answer; ``show`` makes the text that is printed.

    Under torchrun all ranks must have the same, and the first one prints and writes.
    """
    files = weights_files(options.weights, options.models)
    recipe = SetRecipe(
        question,
        tuple(map(ModelRecord, options.models, files)),
        attack,
        epsilons=tuple(epsilons),
        images=tuple(options.images),
        data=options.data,
        limit=options.limit,
        label=options.label,
        image_column=options.image_column,
        label_column=options.label_column,
    )
    with connected_ranks() as ranks:
        device = rank_device(options.device)
        classifiers = tuple(
            load(name, file, device) for name, file in zip(options.models, files, strict=True)
        )
        images = _images(options, classifiers)
        if ranks.is_first:
            for classifier in classifiers:
                print_warnings(classifier)
            print_notes(images[0].data)
        complete = asked(recipe, classifiers, images)
        ranks.check_same("classifiers and images", complete.recipe.models)
        with progress_bar(hidden=not ranks.is_first) as on_progress:
            result = answer(complete, ranks=ranks, on_progress=on_progress)
        if ranks.is_first:
            _report(options, result, show(result))
    return 0


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


def _report(options: argparse.Namespace, result: Answer, text: str) -> None:
    """Write the files if a folder was named, and print the rows as JSON or ``text``."""
    recipe = result.question.recipe
    print_caveats(result.caveats)
    norm_notes = _norm_notes(options)
    for note in norm_notes:
        print(f"note: {note}", file=sys.stderr)
    if options.out is not None:
        write_together(Path(options.out), answer_files(result))
    if options.json:
        classifiers = result.question.classifiers
        notes = list(dict.fromkeys(note for each in classifiers for note in each.notes))
        print_json(
            {
                "rows": result.rows,
                "warnings": [
                    *warnings_json(result.caveats, notes),
                    *({"code": "norm", "text": note} for note in norm_notes),
                ],
                "seed": recipe.attack.seed,
                "precision": recipe.precision,
                "versions": recipe.versions,
            }
        )
        return
    print(text)
    if options.out is not None:
        print(f"written to {options.out}")


def _norm_notes(options: argparse.Namespace) -> list[str]:
    """What to say of an ε that was written for another norm: L2 is the default here."""
    asked = getattr(options, "epsilon", None) or ()
    texts = asked if isinstance(asked, (list, tuple)) else [asked]
    if options.norm != "l2" or not any("/255" in str(text) for text in texts):
        return []
    return [
        "ε is an L2 distance here, in which n/255 is next to nothing; for the largest change of a "
        "value use --norm linf"
    ]
