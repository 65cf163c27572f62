"""``compare``: one attack on several classifiers, with noise as a control and all transfers."""

from __future__ import annotations

import argparse
import sys

from explorer.classifiers import Classifier, load
from explorer.cli.attack import add_settings, recipe_of, with_named_classes
from explorer.cli.common import (
    add_weights_option,
    print_caveats,
    print_json,
    print_warnings,
    weights_files,
    writable_folder,
)
from explorer.cli.one_image import add_output_options
from explorer.cli.progress import progress_bar
from explorer.experiments.compare import (
    ComparedClassifier,
    Comparison,
    check_classifiers,
    compare,
)
from explorer.experiments.noise_control import NoiseControl
from explorer.experiments.one_image.attack_image import versions
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import Prediction
from explorer.experiments.picture_transfer import Transfer
from explorer.experiments.trust import warnings_json
from explorer.figures.captions import confidence_text
from explorer.figures.comparison_files import comparison_files
from explorer.figures.comparison_table import fooled_draws
from explorer.files import write_together
from explorer.images.open import GALLERY_PREFIX, open_image


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", help=f"a picture's path, or {GALLERY_PREFIX}KEY")
    parser.add_argument(
        "--model",
        nargs="+",
        required=True,
        help="2 to 4 classifiers, such as cifar10-standard cifar10-robust; --label and --target "
        "are classes of the first, and those of the same name in the others",
    )
    add_weights_option(parser)
    add_settings(parser)
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    check_classifiers(options.model)
    weights = dict(zip(options.model, weights_files(options.weights, options.model), strict=True))
    out = writable_folder(options.out)
    recipe = recipe_of(options, options.model[0])
    picture = open_image(options.image)
    for note in picture.notes:
        print(f"note: {note}", file=sys.stderr)
    classifiers = {name: load(name, file, options.device) for name, file in weights.items()}
    recipe = with_named_classes(recipe, options, classifiers[options.model[0]])
    for classifier in classifiers.values():
        print_warnings(classifier)
    with progress_bar() as show:
        comparison = compare(classifiers, picture.image, recipe, weights=weights, on_step=show)
    for each in comparison.classifiers:
        notes = classifiers[each.name].notes
        own = [one for one in each.control.caveats if one.sentence not in notes]
        print_caveats(own, each.name)
    write_together(out, comparison_files(comparison))
    if options.json:
        print_json(_values(comparison, recipe, classifiers))
    else:
        print(_sentences(comparison))
        print(f"written to   {out}")
    return 0


def _values(
    comparison: Comparison, recipe: Recipe, classifiers: dict[str, Classifier]
) -> dict[str, object]:
    precisions = {each.name: each.report.recipe.precision for each in comparison.classifiers}
    warnings = [{"code": note.code, "text": note.text} for note in comparison.notes]
    for each in comparison.classifiers:
        own = warnings_json(each.control.caveats, classifiers[each.name].notes)
        warnings += [one | {"text": f"{each.name}: {one['text']}"} for one in own]
    return {
        "rows": [_row(each) for each in comparison.classifiers],
        "transfers": [_transfer(each) for each in comparison.transfers],
        "warnings": warnings,
        "seed": recipe.seed,
        "precision": precisions,
        "versions": versions(),
    }


def _row(each: ComparedClassifier) -> dict[str, object]:
    report = each.report
    label = float(report.before.probabilities[report.label])
    return {
        "model": each.name,
        "label": {"name": report.names[report.label], "confidence": label},
        "original": _answer(report.before),
        "adversarial": _answer(report.after),
        "success": report.success,
        "outcome": report.outcome,
        "survives_8bit": report.survives_8bit,
        "linf": report.linf,
        "l2": report.l2,
        "ssim": report.ssim,
        "noise": _noise(each.noise),
    }


def _noise(noise: NoiseControl) -> dict[str, object]:
    return _answer(noise.prediction) | {
        "outcome": noise.outcome,
        "linf": noise.linf,
        "l2": noise.l2,
        "draws": noise.draws,
        "successes": noise.successes,
        "label_confidence": noise.label_confidence,
    }


def _transfer(transfer: Transfer) -> dict[str, object]:
    names: dict[str, object] = {"from": transfer.made_on, "to": transfer.shown_to}
    answer = transfer.answer
    if answer is None:
        empty = dict.fromkeys(("original", "adversarial", "success", "outcome"))
        return {**names, **empty, "note": transfer.note}
    return {
        **names,
        "original": _answer(answer.before),
        "adversarial": _answer(answer.after),
        "success": answer.success,
        "outcome": answer.outcome,
        "note": transfer.note,
    }


def _answer(prediction: Prediction) -> dict[str, object]:
    return {"name": prediction.name, "confidence": prediction.confidence}


def _sentences(comparison: Comparison) -> str:
    lines: list[str] = []
    for each in comparison.classifiers:
        report, noise = each.report, each.noise
        lines += [
            f"{each.name}: {report.outcome}",
            f"  original     {_said(report.before)}",
            f"  adversarial  {_said(report.after)}",
            f"  noise        {_said(noise.prediction)}; {fooled_draws(noise)}",
        ]
    for transfer in comparison.transfers:
        if transfer.made_on != transfer.shown_to:
            lines.append(f"made on {transfer.made_on}, shown to {transfer.shown_to}: ")
            lines[-1] += _transfer_said(transfer)
    return "\n".join([*lines, *(f"note: {note.text}" for note in comparison.notes)])


def _said(prediction: Prediction) -> str:
    return f"{prediction.name}  {confidence_text(prediction.confidence)}"


def _transfer_said(transfer: Transfer) -> str:
    if transfer.answer is None:
        return f"not shown, {transfer.note}"
    note = f" ({transfer.note})" if transfer.note else ""
    return f"{transfer.answer.outcome}, {_said(transfer.answer.after)}{note}"
