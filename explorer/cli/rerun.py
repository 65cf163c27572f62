"""``rerun``: repeat an attack from its recipe and list what differs."""

from __future__ import annotations

import argparse
import reprlib
import sys
from pathlib import Path

from explorer.classifiers import load
from explorer.cli.common import UsageError, writable_folder
from explorer.cli.one_image import (
    RECIPE_FILE,
    add_output_options,
    print_result,
    run_recipe,
    write_result,
)
from explorer.cli.trust import trust_values
from explorer.experiments.one_image.attack_image import attack_from
from explorer.experiments.one_image.recipe import Recipe, RecipeError
from explorer.experiments.one_image.recipe_file import read_recipe
from explorer.images.open import open_image


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("rerun", help="repeat a recipe and say whether anything differs")
    parser.add_argument("recipe", help="a recipe.json that the explorer wrote")
    parser.add_argument(
        "--image", help="the picture, if it is not where the recipe says (an upload, for example)"
    )
    parser.add_argument("--weights", help="the weights, if they are not where the recipe says")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 where the result is the same, 1 where anything differs."""
    path = Path(options.recipe)
    recipe, class_names = _read(path)
    if (Path(options.out) / RECIPE_FILE).resolve() == path.resolve():
        raise UsageError(f"this would overwrite {path}; choose another folder with --out")
    out = writable_folder(options.out)
    attack_from(recipe)  # refuses wrong settings before anything is loaded
    picture = open_image(options.image or recipe.image)
    classifier = load(recipe.model, options.weights or recipe.weights, options.device)
    found = {field: classifier.find_label(name) for field, name in class_names.items()}
    recipe = recipe.with_classes(
        found.get("label", recipe.label), found.get("target", recipe.target)
    )
    for index in (recipe.label, recipe.target):
        if index is not None and not 0 <= index < len(classifier.labels):
            raise RecipeError(
                f"the recipe names class {reprlib.repr(index)}; {classifier.name} has classes 0 to "
                f"{len(classifier.labels) - 1}"
            )
    report = run_recipe(classifier, picture, recipe)
    missing = recipe.not_compared
    differences = recipe.differences(report.recipe)
    write_result(report, classifier, out)
    print_result(
        report,
        out,
        options.json,
        differences=differences,
        not_compared=missing,
        **trust_values(classifier, report),
    )
    for difference in differences:
        print(f"differs: {difference}", file=sys.stderr)
    if missing:
        names = " and ".join(missing)
        print(f"not compared, as the recipe has no digest of it: {names}", file=sys.stderr)
    elif not differences:
        print("the same again: image, weights and result are identical", file=sys.stderr)
    return 1 if differences else 0


def _read(path: Path) -> tuple[Recipe, dict[str, str]]:
    try:
        return read_recipe(path.read_text(encoding="utf-8"))
    except RecipeError as error:
        raise UsageError(f"{path}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"can't read {path}: {reason}; name a recipe.json") from None
