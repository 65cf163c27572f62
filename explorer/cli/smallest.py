"""``smallest``: the smallest ε that fools a classifier, image by image, also under torchrun."""

from __future__ import annotations

import argparse

from explorer.cli.set_options import (
    Question,
    add_set_options,
    ask,
    attack_of,
    progress_bar,
    report,
)
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.caveats import middle_of_search, set_caveats
from explorer.experiments.sweep.recipe import SMALLEST
from explorer.experiments.sweep.smallest_epsilon import SmallestEpsilons, smallest_epsilons
from explorer.experiments.trust import Caveat
from explorer.figures.set_captions import attack_line
from explorer.figures.set_files import smallest_files
from explorer.ranks import Ranks, connected_ranks


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        SMALLEST,
        help="the smallest ε that fools a classifier, an upper bound for each image",
    )
    add_set_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    attack = attack_of(options)
    with connected_ranks() as ranks:
        question = ask(options, SMALLEST, attack, ranks)
        results = {
            name: _search(question, index, ranks) for index, name in enumerate(question.names)
        }
        if ranks.is_first:
            rows: list[dict[str, object]] = [
                {"model": name, "image": key, "epsilon": epsilon, "success": epsilon is not None}
                for (name, result), images in zip(results.items(), question.images, strict=True)
                for key, epsilon in zip(images.keys, result.values, strict=True)
            ]
            report(
                options,
                question,
                rows,
                _caveats(question, results),
                _text(question, results),
                lambda: smallest_files(
                    results, question.images, question.series, question.recipe, rows
                ),
            )
    return 0


def _search(question: Question, index: int, ranks: Ranks) -> SmallestEpsilons:
    with progress_bar(ranks, question.names[index]) as on_progress:
        return smallest_epsilons(
            question.classifiers[index],
            question.images[index].data,
            question.attack,
            ranks=ranks,
            on_progress=on_progress,
        )


def _caveats(question: Question, results: dict[str, SmallestEpsilons]) -> list[Caveat]:
    attack = question.attack
    return [
        caveat
        for classifier, images, result in zip(
            question.classifiers, question.images, results.values(), strict=True
        )
        for caveat in set_caveats(
            classifier, images.data, attack, middle_of_search(result, attack.norm)
        )
    ]


def _text(question: Question, results: dict[str, SmallestEpsilons]) -> str:
    norm = question.attack.norm
    lines = [attack_line(question.recipe, len(question.images[0]))]
    for (name, result), images in zip(results.items(), question.images, strict=True):
        median = result.median
        middle = "none" if median is None else format_epsilon(median, norm)
        lines.append(f"{name}: median of the smallest ε that fools it {middle}")
        for key, epsilon in zip(images.keys, result.values, strict=True):
            shown = "no attack succeeded" if epsilon is None else format_epsilon(epsilon, norm)
            lines.append(f"  {key}  {shown}")
    return "\n".join(lines)
