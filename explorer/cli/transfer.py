"""``transfer``: how often an attack on one classifier fools another, also under torchrun."""

from __future__ import annotations

import argparse

from explorer.cli.common import UsageError
from explorer.cli.set_options import add_set_options, ask, attack_of
from explorer.experiments.one_image.recipe import parse_number
from explorer.experiments.sweep.caveats import USUAL_EPSILON
from explorer.experiments.sweep.question import Answer
from explorer.experiments.sweep.recipe import TRANSFER
from explorer.figures.captions import percent
from explorer.figures.set_captions import attack_line


def add(parser: argparse.ArgumentParser) -> None:
    add_set_options(parser, models="--models")
    parser.add_argument(
        "--epsilon", help="the largest norm of the change (default 0.5 for l2, 8/255 for linf)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    usual = USUAL_EPSILON[options.norm]
    epsilon = usual if options.epsilon is None else parse_number(options.epsilon)
    attack = attack_of(options, [epsilon])
    if len(options.models) < 2:
        raise UsageError("--models needs at least two classifiers, such as A B")
    return ask(options, TRANSFER, attack, [epsilon], _text)


def _text(result: Answer) -> str:
    question = result.question
    lines = [attack_line(question.recipe, len(question.images[0]))]
    for cell in result.cells:
        pair = f"from {question.names[cell.row]} to {question.names[cell.column]}"
        if cell.rate is None:
            lines.append(f"  {pair}: no image is classified correctly by both")
        else:
            lines.append(
                f"  {pair}: {percent(cell.rate)} of {cell.n} (95 % interval {percent(cell.low)} to "
                f"{percent(cell.high)})"
            )
    return "\n".join(lines)
