"""``rerun``: repeat an attack or another command from its recipe and list what differs."""

from __future__ import annotations

import argparse
import json
import reprlib
import sys
from pathlib import Path
from typing import Any

from explorer.classifiers import load
from explorer.cli.common import UsageError, writable_folder
from explorer.cli.one_image import (
    RECIPE_FILE,
    add_output_options,
    print_result,
    run_recipe,
    write_result,
)
from explorer.cli.rerun_command import repeat_command
from explorer.cli.trust import trust_values
from explorer.experiments.one_image.attack_image import attack_from
from explorer.experiments.one_image.recipe import RecipeError
from explorer.experiments.one_image.recipe_file import read_recipe
from explorer.images.open import open_image


def add(parser: argparse.ArgumentParser) -> None:
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
    text = _text(path)
    if (Path(options.out) / RECIPE_FILE).resolve() == path.resolve():
        raise UsageError(f"this would overwrite {path}; choose another folder with --out")
    if (values := _with_command(text)) is not None:
        return repeat_command(options.parsers, path, values, options)
    return _repeat_attack(path, text, options)


def _repeat_attack(path: Path, text: str, options: argparse.Namespace) -> int:
    try:
        recipe, class_names = read_recipe(text)
    except RecipeError as error:
        raise UsageError(f"{path}: {error}") from None
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
    missing, same = recipe.not_compared, recipe.compared
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
    if same and not differences:
        print(f"the same again: {', '.join(same)}", file=sys.stderr)
    if missing:
        print(
            f"not compared, as the recipe has no record of it: {', '.join(missing)}",
            file=sys.stderr,
        )
    return 1 if differences else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        others = sorted(each.name for each in path.parent.glob("recipe*.json") if each != path)
        name = f"{others[0]}, which lies there" if others else "a recipe.json"
        raise UsageError(f"can't read {path}: {reason}; name {name}") from None


def _with_command(text: str) -> dict[str, Any] | None:
    """The recipe, if it has a command of its own; None for an attack's."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None  # reading it as the recipe of an attack says what is wrong
    return values if isinstance(values, dict) and "command" in values else None
