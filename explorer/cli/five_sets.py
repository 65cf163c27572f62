"""``five-sets``: one picture in each training set of Ilyas et al. (2019), as the page shows it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from tqdm import tqdm

from explorer.classifiers import Classifier, load
from explorer.cli import whole_numbers
from explorer.cli.common import number, print_json, print_warnings, writable_folder
from explorer.cli.given import refuse_void
from explorer.cli.one_image import add_output_options
from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.experiments.ilyas2019.five_sets import construction_for, make_five_sets, noise_start
from explorer.experiments.ilyas2019.five_sets_command import NOISE
from explorer.experiments.ilyas2019.five_sets_result import (
    FiveSetsProgress,
    FiveSetsResult,
    FiveSetsSettings,
    SourceImage,
    StartImage,
)
from explorer.experiments.ilyas2019.model_pair import ModelPair
from explorer.experiments.one_image.attack_image import versions
from explorer.figures.captions import confidence_text
from explorer.figures.five_sets_files import five_sets_files
from explorer.figures.set_words import SETS, looks_like
from explorer.files import write_together
from explorer.images.geometry import preprocess
from explorer.images.open import GALLERY_PREFIX, open_image

_DEFAULTS = FiveSetsSettings()


def add(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("image", help=f"a picture's path, or {GALLERY_PREFIX}KEY")
    add("--start", required=True, help=f"where D_R and D_NR start: a picture, or {NOISE}")
    add("--standard", default="cifar10-standard", help="makes all sets but D_R (cifar10-standard)")
    add("--robust", default="cifar10-robust", help="makes D_R (cifar10-robust)")
    add("--others", nargs="+", default=[], help="classifiers that are only asked about the images")
    add("--label", help="the picture's class (default: the robust classifier's prediction)")
    add("--start-label", help="the class that the start shows (default: unknown)")
    add(
        "--index",
        type=whole_numbers.whole_number(0, whole_numbers.MAX_COUNT),
        default=0,
        help="of the picture, for the random choices (default 0)",
    )
    add(
        "--match-steps",
        type=whole_numbers.construction_steps,
        default=_DEFAULTS.match_steps,
        help="of D_R and D_NR",
    )
    add(
        "--attack-steps",
        type=whole_numbers.construction_steps,
        default=_DEFAULTS.attack_steps,
        help="of D_rand and D_det",
    )
    in_proportion = "(default: the paper's, in proportion to the side)"
    add("--step-size", type=number, help=f"in L2 {in_proportion}")
    add("--epsilon", type=number, help=f"of D_rand and D_det, in L2 {in_proportion}")
    add(
        "--seed",
        type=whole_numbers.seed,
        default=0,
        help="of the noise and of D_rand's label (default 0)",
    )
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if options.start == NOISE:
        refuse_void(options, ("--start-label",), f"--start {NOISE} shows no class")
    out = writable_folder(options.out)
    picture = open_image(options.image)
    start = None if options.start == NOISE else open_image(options.start)
    names = (options.standard, options.robust, *options.others)
    standard, robust, *others = (load(name, device=options.device) for name in names)
    models = ModelPair(standard, robust, tuple(others))
    for classifier in models.classifiers:
        print_warnings(classifier)
    settings = _settings(options, standard)
    label, start_label = (
        None if text is None else standard.find_label(text)
        for text in (options.label, options.start_label)
    )
    source = SourceImage(preprocess(picture.image, standard), label, label, options.index)
    begin = noise_start(settings.seed, options.index, standard.input_size, standard.channels)
    if start is not None:
        begin = StartImage(preprocess(start.image, standard), start_label)
    with tqdm(unit="step", file=sys.stderr, disable=None, leave=False) as bar:

        def show(progress: FiveSetsProgress) -> None:
            bar.set_description(SETS[progress.frame.name].short)
            bar.update()

        row = make_five_sets(source, begin, models, settings, on_progress=show)
    write_together(out, five_sets_files(row))
    if options.json:
        print_json(_values(row, models, options.seed))
    else:
        print("\n".join([*map(_sentence, _rows(row)), f"written to {out}"]))
    return 0


def _settings(options: argparse.Namespace, classifier: Classifier) -> FiveSetsSettings:
    """Raises a :class:`~explorer.errors.UserError` for settings out of range."""
    settings = FiveSetsSettings(
        options.match_steps, options.attack_steps, seed=options.seed
    ).for_size(classifier.input_size)
    if options.step_size is not None:
        settings = replace(settings, step_size=options.step_size)
    if options.epsilon is not None:
        settings = replace(settings, epsilon=options.epsilon)
    for name in CONSTRUCTIONS:
        construction_for(name, settings)
    return settings


def _rows(row: FiveSetsResult) -> list[dict[str, object]]:
    return [
        {
            "set": SETS[image.name].short,
            "label": row.names[image.label],
            "made_to_look_like": looks_like(image, row.names),
            "predictions": {
                model.name: {
                    "name": prediction.name,
                    "confidence": prediction.confidence,
                    "label": float(prediction.probabilities[image.label]),
                }
                for model, prediction in zip(row.models, image.predictions, strict=True)
            },
        }
        for image in row.images
    ]


def _values(row: FiveSetsResult, models: ModelPair, seed: int) -> dict[str, object]:
    notes = [
        {"code": "classifier", "text": note} for each in models.classifiers for note in each.notes
    ]
    return {"rows": _rows(row), "warnings": notes, "seed": seed, "versions": versions()}


def _sentence(values: dict[str, object]) -> str:
    predictions = values["predictions"]
    assert isinstance(predictions, dict)
    said = ", ".join(
        f"{name}: {each['name']} {confidence_text(each['confidence'])}"
        for name, each in predictions.items()
    )
    return f"{values['set']:<6}  labelled {values['label']}; {said}"
