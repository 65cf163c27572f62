"""``gradients``: the input gradients of two to four classifiers for one picture, side by side."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from explorer.classifiers import Classifier
from explorer.cli import whole_numbers
from explorer.cli.asked_of_several import add_question, read_question
from explorer.cli.common import number, print_json
from explorer.cli.given import note_void
from explorer.cli.judged_options import notes_json
from explorer.cli.progress import progress_bar
from explorer.experiments.features.gradients import (
    COPIES,
    LOGIT,
    MAX_COPIES,
    OBJECTIVES,
    ClassifierGradients,
    GradientSettings,
    gradients,
    gradients_by_kind,
)
from explorer.experiments.features.gradients_recipe import gradients_recipe
from explorer.experiments.one_image.attack_image import versions
from explorer.figures.captions import confidence_text, hundredths
from explorer.figures.gradient_files import gradient_files, map_values
from explorer.files import write_together


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--of",
        choices=OBJECTIVES,
        default=LOGIT,
        help="the class's logit, or its cross-entropy (default logit)",
    )
    parser.add_argument(
        "--class",
        dest="label",
        help="the class, by name or index of the first classifier (default: each one's prediction)",
    )
    parser.add_argument(
        "--smooth",
        type=whole_numbers.whole_number(0, MAX_COPIES),
        default=COPIES,
        help=f"noisy copies of SmoothGrad, 0 for none (default {COPIES})",
    )
    parser.add_argument(
        "--noise",
        type=number,
        default=GradientSettings.spread,
        help="its standard deviation in parts of the picture's range of values "
        f"(default {GradientSettings.spread:g})",
    )
    parser.add_argument(
        "--seed", type=whole_numbers.seed, default=0, help="of the noise (default 0)"
    )
    add_question(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    settings = GradientSettings(
        of=options.of, copies=options.smooth, spread=options.noise, seed=options.seed
    )
    if not settings.copies:
        note_void(options, ("--noise", "--seed"), "--smooth 0 draws no noise")
    out, picture, classifiers = read_question(options)
    if options.label is not None:
        label = classifiers[options.model[0]].find_label(options.label)
        settings = settings.with_label(label)
    with progress_bar("batch") as show:
        answers = gradients(classifiers, picture.image, settings, on_step=show)
    recipe = gradients_recipe(answers, settings, options.image, classifiers)
    write_together(out, gradient_files(answers, settings, recipe))
    if options.json:
        print_json(_values(answers, settings, classifiers))
    else:
        print(_sentences(answers))
        print(f"written to {out}")
    return 0


def _values(
    answers: Sequence[ClassifierGradients],
    settings: GradientSettings,
    classifiers: dict[str, Classifier],
) -> dict[str, object]:
    warnings = [
        {"code": note.code, "text": f"{each.name}: {note.text}"}
        for each in answers
        for note in each.notes
    ]
    warnings += notes_json(classifiers, "classifier")
    return {
        "of": settings.of,
        "rows": [map_values(each, kind) for each in answers for kind in gradients_by_kind(each)],
        "warnings": warnings,
        "seed": settings.seed,
        "precision": "float32",
        "versions": versions(),
    }


def _sentences(answers: Sequence[ClassifierGradients]) -> str:
    lines: list[str] = []
    for each in answers:
        said = f"{each.prediction.name}  {confidence_text(each.prediction.confidence)}"
        lines += [f"{each.name}: {said}", f"  gradient for {each.label_name}"]
        for kind in gradients_by_kind(each):
            values = map_values(each, kind)
            lines.append(
                f"  {kind:<10}  L2 {values['l2_norm_per_pixel_unit']:.3g}  correlation of "
                f"neighbouring pixels {hundredths(values['neighbour_correlation'])}"
            )
        lines += [f"  note: {note.text}" for note in each.notes]
    return "\n".join(lines)
