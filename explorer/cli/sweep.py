"""``sweep``: accuracy and mean confidence of classifiers against ε, also under torchrun."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from explorer.cli.set_options import (
    Question,
    add_set_options,
    ask,
    attack_of,
    progress_bar,
    report,
)
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.accuracy_sweep import SweepRow, accuracy_sweep
from explorer.experiments.sweep.caveats import middle_of_sweep, set_caveats
from explorer.experiments.sweep.epsilons import automatic_epsilons, parse_epsilons
from explorer.experiments.sweep.recipe import SWEEP
from explorer.experiments.trust import Caveat
from explorer.figures.set_captions import attack_line
from explorer.figures.set_files import sweep_files
from explorer.ranks import Ranks, connected_ranks


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        SWEEP, help="accuracy and confidence of one or more classifiers against ε"
    )
    add_set_options(parser)
    parser.add_argument(
        "--epsilon",
        nargs="+",
        help="numbers and ranges START:STOP:STEP, such as 0:1:0.05 or 0:8/255:1/255 "
        "(default: a scale that ends where the accuracy is about 0)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    epsilons = parse_epsilons(options.epsilon or ())
    attack = attack_of(options, epsilons)
    with connected_ranks() as ranks:
        question = ask(options, SWEEP, attack, ranks, epsilons)
        curves = {name: _curve(question, index, ranks) for index, name in enumerate(question.names)}
        if ranks.is_first:
            rows = [{"model": name, **asdict(row)} for name in curves for row in curves[name]]
            report(
                options,
                question,
                rows,
                _caveats(question, curves),
                _text(question, curves),
                lambda: sweep_files(curves, question.series, question.recipe, rows),
            )
    return 0


def _curve(question: Question, index: int, ranks: Ranks) -> list[SweepRow]:
    data, epsilons = question.images[index].data, question.recipe.epsilons
    largest = question.attack.largest_epsilon(data.images[0])
    with progress_bar(ranks, question.names[index]) as on_progress:
        return accuracy_sweep(
            question.classifiers[index],
            data,
            question.attack,
            epsilons or automatic_epsilons(question.attack.norm, largest),
            until_zero=not epsilons,
            ranks=ranks,
            on_progress=on_progress,
        )


def _caveats(question: Question, curves: dict[str, list[SweepRow]]) -> list[Caveat]:
    attack = question.attack
    return [
        caveat
        for classifier, images, rows in zip(
            question.classifiers, question.images, curves.values(), strict=True
        )
        for caveat in set_caveats(
            classifier, images.data, attack, middle_of_sweep(rows, attack.norm)
        )
    ]


def _text(question: Question, curves: dict[str, list[SweepRow]]) -> str:
    lines = [attack_line(question.recipe, len(question.images[0]))]
    for name, rows in curves.items():
        lines.append(name)
        for row in rows:
            epsilon = format_epsilon(row.epsilon, question.attack.norm)
            lines.append(
                f"  ε = {epsilon:>9}  accuracy {row.accuracy:7.2%}   95 % interval "
                f"{row.low:.2%} to {row.high:.2%}   mean confidence in the label "
                f"{row.confidence:.2%}"
            )
    return "\n".join(lines)
