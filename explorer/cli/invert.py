"""``invert``: from noise to a picture with the features that classifiers see in another one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from explorer.classifiers import Classifier, load
from explorer.cli import whole_numbers
from explorer.cli.common import UsageError, print_json, print_warnings, writable_folder
from explorer.cli.one_image import add_output_options
from explorer.cli.progress import progress_bar
from explorer.experiments.features.drawing_recipes import inversion_recipe
from explorer.experiments.features.inversion import Inversion, InversionSettings, invert
from explorer.experiments.features.starts import STARTS_FROM_NOISE
from explorer.experiments.one_image.attack_image import versions
from explorer.figures.captions import confidence_text, percent
from explorer.figures.drawing_files import inversion_files
from explorer.files import write_together
from explorer.images.open import GALLERY_PREFIX, open_image


def add(parser: argparse.ArgumentParser) -> None:
    usual = InversionSettings()
    add = parser.add_argument
    add("image", help=f"a picture's path, or {GALLERY_PREFIX}KEY")
    add("--model", nargs="+", required=True, help="such as cifar10-standard cifar10-robust")
    add("--steps", type=whole_numbers.steps, default=usual.steps, help=f"(default {usual.steps})")
    add(
        "--start",
        choices=STARTS_FROM_NOISE,
        default=usual.start,
        help=f"uniform noise, or faint noise on grey (default {usual.start})",
    )
    add("--seed", type=whole_numbers.seed, default=0, help="of the noise (default 0)")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    settings = InversionSettings(steps=options.steps, start=options.start, seed=options.seed)
    out = writable_folder(options.out)
    picture = open_image(options.image)
    for note in picture.notes:
        print(f"note: {note}", file=sys.stderr)
    classifiers = {name: load(name, device=options.device) for name in options.model}
    if len(classifiers) < len(options.model):
        raise UsageError("name each classifier once")
    for classifier in classifiers.values():
        print_warnings(classifier)
    with progress_bar() as show:
        answers = invert(classifiers, picture.image, settings, on_step=show)
    recipe = inversion_recipe(answers, settings, options.image, classifiers)
    write_together(out, inversion_files(answers, settings, recipe))
    if options.json:
        print_json(_values(answers, settings, classifiers))
    else:
        print("\n".join(map(_sentence, answers)))
        print(f"written to {out}")
    return 0


def _values(
    answers: Sequence[Inversion], settings: InversionSettings, classifiers: dict[str, Classifier]
) -> dict[str, object]:
    notes = [f"{name}: {note}" for name, model in classifiers.items() for note in model.notes]
    return {
        "rows": [
            {
                "model": each.name,
                "picture": _said(each, of_image=False),
                "inverted": _said(each, of_image=True),
                "relative_feature_distance": {"start": each.distances[0], "end": each.nearest},
                "ssim": each.similarity,
                "ssim_of_start": each.start_similarity,
                "l2": each.pixel_distance,
                "precision": each.precision,
            }
            for each in answers
        ],
        "start": settings.start,
        "steps": settings.steps,
        "warnings": [{"code": "classifier", "text": text} for text in notes],
        "seed": settings.seed,
        "versions": versions(),
    }


def _said(each: Inversion, *, of_image: bool) -> dict[str, object]:
    prediction = each.prediction if of_image else each.target
    return {"name": prediction.name, "confidence": prediction.confidence}


def _sentence(each: Inversion) -> str:
    return (
        f"{each.name}: features at {percent(each.distances[0])} of their length from the "
        f"picture's at the start, at {percent(each.nearest)} at the end; SSIM with the picture "
        f"{each.similarity:.3f}, of the start {each.start_similarity:.3f}; it says "
        f"{each.prediction.name}  {confidence_text(each.prediction.confidence)}"
    )
