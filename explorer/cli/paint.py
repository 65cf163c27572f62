"""``paint``: classifiers fill a marked part of a picture with what a class looks like to them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image
from torch import Tensor

from explorer.classifiers import Classifier, load
from explorer.cli import whole_numbers
from explorer.cli.common import UsageError, number, print_json, print_warnings, writable_folder
from explorer.cli.one_image import add_output_options
from explorer.cli.progress import progress_bar
from explorer.experiments.features.drawing_recipes import painting_recipe
from explorer.experiments.features.mask import (
    SIDE,
    Box,
    box_cells,
    cells_from,
    cells_mask,
    cells_text,
    picture_mask,
)
from explorer.experiments.features.painting import Painting, PaintingSettings, paint
from explorer.experiments.one_image.attack_image import versions
from explorer.figures.captions import confidence_text, percent
from explorer.figures.drawing_files import painting_files
from explorer.files import write_together
from explorer.images.open import GALLERY_PREFIX, open_image

DIGITS = SIDE * SIDE // 4


def add(parser: argparse.ArgumentParser) -> None:
    usual = PaintingSettings(target=0)
    add = parser.add_argument
    add("image", help=f"a picture's path, or {GALLERY_PREFIX}KEY")
    add("--model", nargs="+", required=True, help="such as cifar10-standard cifar10-robust")
    add("--class", dest="target", required=True, help="by name or index of the first classifier")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--box",
        type=number,
        nargs=4,
        metavar=("LEFT", "TOP", "RIGHT", "BOTTOM"),
        help="the part, from 0 to 1 of what the first classifier sees",
    )
    where.add_argument(
        "--mask",
        help=f"a picture of the same shape, white where it is painted; or the {DIGITS} digits "
        "that the page shows",
    )
    add("--epsilon", type=number, help="the L2 budget (default: 5 at 32 × 32, by the side)")
    add("--steps", type=whole_numbers.steps, default=usual.steps, help=f"(default {usual.steps})")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    settings = PaintingSettings(target=0, epsilon=options.epsilon, steps=options.steps)
    out = writable_folder(options.out)
    picture = open_image(options.image)
    for note in picture.notes:
        print(f"note: {note}", file=sys.stderr)
    classifiers = {name: load(name, device=options.device) for name in options.model}
    if len(classifiers) < len(options.model):
        raise UsageError("name each classifier once")
    for classifier in classifiers.values():
        print_warnings(classifier)
    first = classifiers[options.model[0]]
    settings = replace(settings, target=first.find_label(options.target))
    name, masks = _masks(options, picture.image, classifiers)
    with progress_bar() as show:
        answers = paint(classifiers, picture.image, masks, settings, on_step=show)
    recipe = painting_recipe(answers, settings, name, options.image, classifiers)
    write_together(out, painting_files(answers, settings, recipe))
    if options.json:
        print_json(_values(answers, settings, classifiers))
    else:
        print("\n".join(map(_sentence, answers)))
        print(f"written to {out}")
    return 0


def _masks(
    options: argparse.Namespace, photo: Image.Image, classifiers: dict[str, Classifier]
) -> tuple[str, dict[str, Tensor]]:
    """The mask's name for a command line, and the mask of each classifier."""
    if options.mask is not None and not _is_digits(options.mask):
        mask = open_image(options.mask).image
        return options.mask, {
            name: picture_mask(mask, photo, model) for name, model in classifiers.items()
        }
    cells = box_cells(Box(*options.box)) if options.mask is None else cells_from(options.mask)
    masks = {name: cells_mask(cells, model.input_size) for name, model in classifiers.items()}
    return cells_text(cells), masks


def _is_digits(mask: str) -> bool:
    return len(mask) == DIGITS and not Path(mask).suffix


def _values(
    answers: Sequence[Painting], settings: PaintingSettings, classifiers: dict[str, Classifier]
) -> dict[str, object]:
    notes = [f"{name}: {note}" for name, model in classifiers.items() for note in model.notes]
    return {
        "rows": [
            {
                "model": each.name,
                "target": each.before.names[each.target],
                "picture": {"name": each.before.name, "confidence": each.before.confidence},
                "painted": {"name": each.after.name, "confidence": each.after.confidence},
                "painted_share": each.share,
                "l2": each.length,
                "epsilon": each.epsilon,
                "precision": each.precision,
            }
            for each in answers
        ],
        "steps": settings.steps,
        "warnings": [{"code": "classifier", "text": text} for text in notes],
        "versions": versions(),
    }


def _sentence(each: Painting) -> str:
    return (
        f"{each.name}: {each.before.name}  {confidence_text(each.before.confidence)} → "
        f"{each.after.name}  {confidence_text(each.after.confidence)}; "
        f"{percent(each.share)} of the picture, L2 {each.length:.3f} (allowed: {each.epsilon:g})"
    )
