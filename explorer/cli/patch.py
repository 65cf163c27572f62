"""``patch``: a small picture that, stuck anywhere, makes a classifier say its target."""

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
from explorer.experiments.fitting_images import FIT, LIMIT, ImageSource, read_fitting_images
from explorer.experiments.patch import MAX_BATCH, Patch, PatchAttack, adversarial_patch
from explorer.experiments.patch_recipe import GALLERY_SOURCE, PatchRecipe, patch_rows, targets_of
from explorer.experiments.sweep.image_set import GALLERY
from explorer.figures.captions import count_of
from explorer.figures.patch_files import patch_files
from explorer.figures.share_chart import share_sentence
from explorer.files import write_together


def add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--target", required=True, help="the class that it is to say, by name or index")
    add(
        "--data",
        default=GALLERY,
        help=f"pictures to fit the patch to: {GALLERY} or {SOURCES} (default {GALLERY})",
    )
    add(
        "--test",
        help="pictures to score it on (default: the gallery again, at places that no step used, "
        "or those of --data that are left)",
    )
    add("--fit", type=whole_numbers.count, help=f"fit to the first N pictures (default {FIT})")
    add("--limit", type=whole_numbers.count, help=f"score on at most N pictures (default {LIMIT})")
    add("--area", type=number, default=0.05, help="of the patch, of the picture's (default 0.05)")
    add("--rotation", type=number, default=20.0, help="at most, in degrees (default 20)")
    add("--steps", type=whole_numbers.steps, default=400, help="gradient steps (default 400)")
    add(
        "--batch",
        type=whole_numbers.whole_number(1, MAX_BATCH),
        default=8,
        help="pictures in a step (default 8)",
    )
    add_judged_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    names = judged_names(options)
    _attack(options, 0)  # refuses wrong settings before anything is loaded
    out: Path | None = None if options.out is None else writable_folder(options.out)
    classifiers = load_judged(names, options.device)
    attacked = classifiers[options.model]
    attack = _attack(options, attacked.find_label(options.target))
    targets = targets_of(classifiers, attack.target)
    source = _source(options)
    fit, others = read_fitting_images(source, classifiers)
    recipe = PatchRecipe(names, attacked.labels[attack.target], attack, source)
    recipe = recipe.with_surroundings(classifiers)
    with progress_bar() as show:
        result = adversarial_patch(classifiers, fit, others, targets, attack, on_step=show)
    if out is not None:
        write_together(out, patch_files(result, recipe))
    if options.json:
        assert recipe.surroundings is not None
        print_json(
            {
                "rows": patch_rows(result),
                "fitted": result.fitted,
                "target": recipe.target,
                "area": attack.area,
                "warnings": notes_json(classifiers),
                "seed": attack.seed,
                "precision": recipe.surroundings.precision,
                "versions": dict(recipe.surroundings.versions),
            }
        )
    else:
        print(_text(result, recipe.target))
        if out is not None:
            print(f"written to {out}")
    return 0


def _attack(options: argparse.Namespace, target: int) -> PatchAttack:
    return PatchAttack(
        target,
        area=options.area,
        rotation=options.rotation,
        steps=options.steps,
        batch=options.batch,
        seed=options.seed,
        precision=options.precision,
    )


def _source(options: argparse.Namespace) -> ImageSource:
    asked = ImageSource(options.data, options.test, options.fit, options.limit)
    return GALLERY_SOURCE if asked == ImageSource(GALLERY) else asked


def _text(result: Patch, target: str) -> str:
    fitted = f"fitted to {count_of(result.fitted, 'picture')}, scored at places of its own"
    lines = [f"a patch towards {target}, {fitted}"]
    for share, noise in zip(result.shares, result.noise, strict=True):
        lines.append(f"  {share.model}: says {target} on {share_sentence(share)}")
        lines.append(f"    a patch of random noise: {share_sentence(noise)}")
    return "\n".join(lines)
