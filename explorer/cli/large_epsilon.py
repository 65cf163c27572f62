"""``large-epsilon``: what classifiers must be shown until they say the target."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from explorer.cli import whole_numbers
from explorer.cli.asked_of_several import add_question, read_question
from explorer.cli.common import add_precision_option, check_l2_radius, number, print_json
from explorer.cli.judged_options import notes_json
from explorer.cli.progress import progress_bar
from explorer.experiments.features.large_epsilon import (
    STEPS,
    LargeEpsilon,
    default_epsilon,
    large_epsilon,
    large_epsilon_recipe,
)
from explorer.experiments.one_image.attack_image import versions
from explorer.figures.captions import confidence_text
from explorer.figures.large_epsilon_files import large_epsilon_files, large_epsilon_rows
from explorer.files import write_together


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--epsilon", type=number, help="the largest L2 radius (default 6 at 32 × 32 pixels)"
    )
    parser.add_argument(
        "--target", help="the class, by name or index of the first classifier (default: a likely)"
    )
    parser.add_argument(
        "--steps", type=whole_numbers.steps, default=STEPS, help=f"equal steps (default {STEPS})"
    )
    add_precision_option(parser)
    add_question(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    out, picture, classifiers = read_question(options)
    first = classifiers[options.model[0]]
    epsilon = default_epsilon(first.input_size) if options.epsilon is None else options.epsilon
    check_l2_radius("--epsilon", epsilon, first)
    target = None if options.target is None else first.find_label(options.target)
    recipe = large_epsilon_recipe(
        options.image,
        options.model[0],
        epsilon,
        target,
        steps=options.steps,
        precision=options.precision,
    )
    with progress_bar() as show:
        answers = large_epsilon(classifiers, picture.image, recipe, on_step=show)
    write_together(out, large_epsilon_files(answers))
    if options.json:
        print_json(
            {
                "rows": large_epsilon_rows(answers),
                "warnings": notes_json(classifiers, "classifier"),
                "precision": answers[0].reports[-1].recipe.precision,
                "versions": versions(),
            }
        )
    else:
        print(_sentences(answers))
        print(f"written to {out}")
    return 0


def _sentences(answers: Sequence[LargeEpsilon]) -> str:
    lines: list[str] = []
    for each in answers:
        lines.append(f"{each.name}, towards {each.target_name}:")
        for report in each.reports:
            said = f"{report.after.name}  {confidence_text(report.after.confidence)}"
            lines.append(f"  L2 ε = {report.recipe.epsilon:g}: {said}")
        for transfer in each.seen_by:
            answer = transfer.answer
            if answer is None:
                lines.append(f"  {transfer.shown_to}: {transfer.note}")
            else:
                said = f"{answer.after.name}  {confidence_text(answer.after.confidence)}"
                lines.append(f"  shown to {transfer.shown_to}: {said}")
    return "\n".join(lines)
