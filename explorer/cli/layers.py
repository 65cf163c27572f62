"""``layers``: at which layer an attack leaves the path of the clean picture, beside noise."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from explorer.cli import whole_numbers
from explorer.cli.asked_of_several import add_question, read_question
from explorer.cli.common import add_precision_option, check_l2_radius, number, print_json
from explorer.cli.judged_options import notes_json
from explorer.cli.progress import progress_bar
from explorer.experiments.features.layers import ClassifierLayers, compare_layers, layers_recipe
from explorer.experiments.one_image.attack_image import versions
from explorer.figures.layer_files import layer_files, layer_rows
from explorer.files import write_together


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--epsilon", type=number, default=0.5, help="the attack's L2 radius (default 0.5)"
    )
    parser.add_argument(
        "--seed", type=whole_numbers.seed, default=0, help="of start and noise (default 0)"
    )
    add_precision_option(parser)
    add_question(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    out, picture, classifiers = read_question(options)
    check_l2_radius("--epsilon", options.epsilon, classifiers[options.model[0]])
    recipe = layers_recipe(
        options.image,
        options.model[0],
        options.epsilon,
        seed=options.seed,
        precision=options.precision,
    )
    with progress_bar() as show:
        answers = compare_layers(classifiers, picture.image, recipe, on_step=show)
    write_together(out, layer_files(answers))
    if options.json:
        print_json(
            {
                "rows": layer_rows(answers),
                "warnings": notes_json(classifiers, "classifier"),
                "seed": options.seed,
                "precision": answers[0].report.recipe.precision,
                "versions": versions(),
            }
        )
    else:
        print(_sentences(answers))
        print(f"written to {out}")
    return 0


def _sentences(answers: Sequence[ClassifierLayers]) -> str:
    lines: list[str] = []
    for each in answers:
        last, parting = each.layers[-1], each.parting
        where = "do not part" if parting is None else f"part at {parting.name}"
        lines += [
            f"{each.name}: {each.report.before.name}, attacked {each.report.after.name}",
            f"  the paths {where}; relative distance of the logits {last.adversarial:.2f} for the "
            f"attack, {last.mean_noise:.2f} for noise",
        ]
    return "\n".join(lines)
