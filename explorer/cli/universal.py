"""``universal``: one perturbation that changes what a classifier says of most images."""

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
from explorer.experiments.fitting_images import (
    BUNDLED,
    FIT,
    LIMIT,
    ImageSource,
    read_fitting_images,
)
from explorer.experiments.sweep.caveats import USUAL_EPSILON
from explorer.experiments.sweep.image_set import GALLERY
from explorer.experiments.universal import (
    MAX_BATCH,
    Universal,
    UniversalAttack,
    check_same_input,
    universal,
)
from explorer.experiments.universal_recipe import UniversalRecipe, universal_rows
from explorer.figures.captions import count_of
from explorer.figures.share_chart import share_sentence
from explorer.figures.universal_files import universal_files
from explorer.files import write_together


def add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--data",
        default=BUNDLED,
        help=f"images to fit the perturbation to: {SOURCES}, {GALLERY}, or {BUNDLED}, 250 that "
        f"come with the explorer (default {BUNDLED})",
    )
    add("--test", help="other images to score it on (default: those of --data that are left)")
    add(
        "--fit",
        type=whole_numbers.count,
        help=f"fit to the first N images (default {FIT}, at most half of them)",
    )
    add("--limit", type=whole_numbers.count, help=f"score on at most N others (default {LIMIT})")
    add("--norm", choices=("linf", "l2"), default="linf", help="of the change (default linf)")
    add(
        "--epsilon",
        type=number,
        help="its largest norm, pixels from 0 to 1 (default 8/255 for linf, 0.5 for l2)",
    )
    add("--steps", type=whole_numbers.steps, default=100, help="gradient steps (default 100)")
    add(
        "--batch",
        type=whole_numbers.whole_number(1, MAX_BATCH),
        default=100,
        help="images in a step (default 100)",
    )
    add_judged_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    names = judged_names(options)
    attack = UniversalAttack(
        options.norm,
        USUAL_EPSILON[options.norm] if options.epsilon is None else options.epsilon,
        steps=options.steps,
        batch=options.batch,
        seed=options.seed,
        precision=options.precision,
    )
    out: Path | None = None if options.out is None else writable_folder(options.out)
    source = ImageSource(options.data, options.test, options.fit, options.limit)
    classifiers = load_judged(names, options.device)
    check_same_input(classifiers)
    fit, others = read_fitting_images(source, classifiers)
    recipe = UniversalRecipe(names, attack, source).with_surroundings(classifiers)
    with progress_bar() as show:
        result = universal(classifiers, fit, others, attack, on_step=show)
    if out is not None:
        write_together(out, universal_files(result, recipe))
    if options.json:
        assert recipe.surroundings is not None
        print_json(
            {
                "rows": universal_rows(result),
                "fitted": result.fitted,
                "norm": attack.norm,
                "epsilon": attack.epsilon,
                "warnings": notes_json(classifiers),
                "seed": attack.seed,
                "precision": recipe.surroundings.precision,
                "versions": dict(recipe.surroundings.versions),
            }
        )
    else:
        print(_text(result))
        if out is not None:
            print(f"written to {out}")
    return 0


def _text(result: Universal) -> str:
    fitted = f"fitted to {count_of(result.fitted, 'image')}, scored on others that were right"
    lines = [f"one perturbation, {fitted}"]
    for share, noise in zip(result.shares, result.noise, strict=True):
        lines.append(f"  {share.model}: fooled on {share_sentence(share)}")
        lines.append(f"    random noise of the same size: {share_sentence(noise)}")
    return "\n".join(lines)
