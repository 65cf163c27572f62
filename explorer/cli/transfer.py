"""``transfer``: how often an attack on one classifier fools another, also under torchrun."""

from __future__ import annotations

import argparse

from explorer.cli.common import UsageError
from explorer.cli.set_options import (
    Question,
    add_set_options,
    ask,
    attack_of,
    progress_bar,
    report,
)
from explorer.experiments.one_image.recipe import parse_number
from explorer.experiments.sweep.caveats import set_caveats
from explorer.experiments.sweep.recipe import TRANSFER
from explorer.experiments.sweep.transfer import TransferCell, transfer_matrix
from explorer.experiments.trust import Caveat
from explorer.figures.captions import percent
from explorer.figures.set_captions import attack_line
from explorer.figures.set_files import transfer_files
from explorer.ranks import connected_ranks

DEFAULT_EPSILON = {"linf": "8/255", "l2": "0.5"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        TRANSFER, help="how often an attack on one classifier fools another"
    )
    add_set_options(parser, models="--models")
    parser.add_argument(
        "--epsilon", help="the largest norm of the change (default 0.5 for l2, 8/255 for linf)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    epsilon = parse_number(options.epsilon or DEFAULT_EPSILON[options.norm])
    attack = attack_of(options, [epsilon])
    if len(options.models) < 2:
        raise UsageError("--models needs at least two classifiers, such as A B")
    with connected_ranks() as ranks:
        question = ask(options, TRANSFER, attack, ranks, [epsilon])
        with progress_bar(ranks, TRANSFER) as on_progress:
            cells = transfer_matrix(
                question.classifiers,
                [each.data for each in question.images],
                attack,
                epsilon,
                ranks=ranks,
                on_progress=on_progress,
            )
        if ranks.is_first:
            rows = [_row(question, cell) for cell in cells]
            report(
                options,
                question,
                rows,
                _caveats(question, epsilon),
                _text(question, cells),
                lambda: transfer_files(
                    cells, question.series, question.recipe, len(question.images[0]), rows
                ),
            )
    return 0


def _caveats(question: Question, epsilon: float) -> list[Caveat]:
    if epsilon == 0:
        return []
    return [
        caveat
        for classifier, images in zip(question.classifiers, question.images, strict=True)
        for caveat in set_caveats(classifier, images.data, question.attack, epsilon)
    ]


def _row(question: Question, cell: TransferCell) -> dict[str, object]:
    return {
        "from": question.names[cell.row],
        "to": question.names[cell.column],
        "n": cell.n,
        "rate": cell.rate,
        "low": cell.low,
        "high": cell.high,
    }


def _text(question: Question, cells: list[TransferCell]) -> str:
    lines = [attack_line(question.recipe, len(question.images[0]))]
    for cell in cells:
        pair = f"from {question.names[cell.row]} to {question.names[cell.column]}"
        if cell.rate is None:
            lines.append(f"  {pair}: no image is classified correctly by both")
        else:
            lines.append(
                f"  {pair}: {percent(cell.rate)} of {cell.n} (95 % interval {percent(cell.low)} to "
                f"{percent(cell.high)})"
            )
    return "\n".join(lines)
