"""``dispute``: ordinary PGD beside an attack that is built not to transfer."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.cli import whole_numbers
from explorer.cli.common import number, print_json, writable_folder
from explorer.cli.data_options import SOURCES
from explorer.cli.judged_options import (
    add_judged_options,
    judged_names,
    load_judged,
    notes_json,
)
from explorer.cli.progress import progress_bar
from explorer.experiments.dispute import Dispute, DisputeAttack, dispute, dispute_rows
from explorer.experiments.dispute_recipe import DisputeRecipe
from explorer.experiments.sweep.caveats import USUAL_EPSILON
from explorer.experiments.sweep.image_set import GALLERY, read_image_sets
from explorer.experiments.universal import check_same_input
from explorer.figures.dispute_files import dispute_files
from explorer.figures.share_chart import share_sentence
from explorer.files import write_together


def add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--ensemble",
        nargs="+",
        required=True,
        metavar="MODEL",
        help="the classifiers that the second attack is to leave right",
    )
    add("--data", default=GALLERY, help=f"{GALLERY}, {SOURCES} (default {GALLERY})")
    add("--limit", type=whole_numbers.count, help="use only the first N images")
    add("--norm", choices=("linf", "l2"), default="l2", help="of the change (default l2)")
    add(
        "--epsilon",
        type=number,
        help="its largest norm, pixels from 0 to 1 (default 8/255 for linf, 0.5 for l2)",
    )
    add("--steps", type=whole_numbers.steps, default=40, help="of both attacks (default 40)")
    add_judged_options(parser, seed=False)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    options.judge = [*options.ensemble, *options.judge]
    names = judged_names(options)
    epsilon = USUAL_EPSILON[options.norm] if options.epsilon is None else options.epsilon
    attack = DisputeAttack(options.norm, epsilon, steps=options.steps, precision=options.precision)
    out: Path | None = None if options.out is None else writable_folder(options.out)
    classifiers = load_judged(names, options.device)
    check_same_input(classifiers)
    sets = read_image_sets(options.data, list(classifiers.values()), options.limit)
    data = {name: each.data for name, each in zip(names, sets, strict=True)}
    recipe = DisputeRecipe(names, tuple(options.ensemble), attack, options.data, options.limit)
    recipe = recipe.with_surroundings(classifiers)
    with progress_bar() as show:
        result = dispute(classifiers, options.ensemble, data, attack, on_step=show)
    if out is not None:
        write_together(out, dispute_files(result, recipe))
    if options.json:
        assert recipe.surroundings is not None
        print_json(
            {
                "rows": dispute_rows(result),
                "norm": attack.norm,
                "epsilon": attack.epsilon,
                "warnings": notes_json(classifiers),
                "precision": recipe.surroundings.precision,
                "versions": dict(recipe.surroundings.versions),
            }
        )
    else:
        print(_text(result))
        if out is not None:
            print(f"written to {out}")
    return 0


def _text(result: Dispute) -> str:
    lines: list[str] = []
    for name, outcome in result.outcomes.items():
        lines.append(f"{name}: fools {outcome.success.model} on {share_sentence(outcome.success)}")
        for share in outcome.transfers:
            spared = ", in the ensemble" if share.model in result.ensemble else ""
            lines.append(f"  transfers to {share.model}{spared}: {share_sentence(share)}")
    lines.append("random noise of the same size")
    lines += [f"  fools {share.model}: {share_sentence(share)}" for share in result.noise]
    return "\n".join(lines)
