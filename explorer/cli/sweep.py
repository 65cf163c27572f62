"""``sweep``: accuracy and mean confidence of classifiers against ε, also under torchrun."""

from __future__ import annotations

import argparse

from explorer.cli.set_options import add_set_options, ask, attack_of
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.epsilons import parse_epsilons
from explorer.experiments.sweep.question import Answer
from explorer.experiments.sweep.recipe import SWEEP
from explorer.figures.captions import confidence_text, percent
from explorer.figures.set_captions import attack_line


def add(parser: argparse.ArgumentParser) -> None:
    add_set_options(parser)
    parser.add_argument(
        "--epsilon",
        nargs="+",
        help="numbers and ranges START:STOP:STEP, such as 0:1:0.05, or 0:8/255:1/255 "
        "with --norm linf (default: a scale that ends where the accuracy is about 0)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    epsilons = parse_epsilons(options.epsilon or ())
    return ask(options, SWEEP, attack_of(options, epsilons), epsilons, _text)


def _text(result: Answer) -> str:
    recipe = result.question.recipe
    lines = [attack_line(recipe, len(result.question.images[0]))]
    for name, rows in result.curves.items():
        lines.append(name)
        for row in rows:
            epsilon = format_epsilon(row.epsilon, recipe.attack.norm)
            lines.append(
                f"  ε = {epsilon:>9}  accuracy {percent(row.accuracy):>8}   95 % interval "
                f"{percent(row.low)} to {percent(row.high)}   mean confidence in the label "
                f"{confidence_text(row.confidence)}"
            )
    return "\n".join(lines)
