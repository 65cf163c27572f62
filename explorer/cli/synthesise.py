"""``synthesise``: classifiers draw pictures of classes from noise, and others say what they see."""

from __future__ import annotations

import argparse
from dataclasses import replace

from explorer.classifiers import Classifier, catalogue, load
from explorer.cli import whole_numbers
from explorer.cli.common import UsageError, number, print_json, print_warnings, writable_folder
from explorer.cli.data_options import SOURCES, print_notes
from explorer.cli.one_image import add_output_options
from explorer.cli.progress import progress_bar
from explorer.datasets.labelled import LabelledImages
from explorer.datasets.sources import read_source
from explorer.experiments.features.drawing_recipes import synthesis_recipe
from explorer.experiments.features.recognition import judge_names
from explorer.experiments.features.starts import DATA, STARTS
from explorer.experiments.features.synthesis import (
    MAX_COUNT,
    MAX_STEPS,
    Synthesis,
    SynthesisSettings,
    synthesise,
)
from explorer.experiments.one_image.attack_image import versions
from explorer.figures.drawing_files import synthesis_files
from explorer.figures.drawing_rows import judge_rows
from explorer.files import write_together


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", nargs="+", required=True, help="those that draw: cifar10-robust, for example"
    )
    parser.add_argument(
        "--class",
        dest="classes",
        nargs="+",
        help="by name or index of the first classifier (default: all, if they are few)",
    )
    parser.add_argument(
        "--judge",
        nargs="+",
        help="those that are asked what they see (default: all bundled ones of the same classes)",
    )
    usual = SynthesisSettings()
    add = parser.add_argument
    add(
        "--count",
        type=whole_numbers.whole_number(1, MAX_COUNT),
        default=1,
        help="pictures of each class (default 1)",
    )
    add("--epsilon", type=number, help="the L2 budget (default: 20 at 32 × 32, by the side)")
    add(
        "--steps",
        type=whole_numbers.whole_number(1, MAX_STEPS),
        default=usual.steps,
        help=f"(default {usual.steps})",
    )
    add(
        "--start",
        choices=STARTS,
        default=usual.start,
        help="uniform noise, faint noise on grey, or a Gaussian of each class fitted on --data "
        f"(default {usual.start})",
    )
    add("--data", help=f"labelled pictures for --start {DATA}: {SOURCES}")
    add("--seed", type=whole_numbers.seed, default=0, help="of the starts (default 0)")
    add_output_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if (options.data is None) != (options.start != DATA):
        raise UsageError(f"--start {DATA} and --data PICTURES go together; name both or neither")
    settings = SynthesisSettings(
        count=options.count,
        epsilon=options.epsilon,
        steps=options.steps,
        start=options.start,
        seed=options.seed,
    )
    out = writable_folder(options.out)
    classifiers = _load(options.model, options.device)
    first = classifiers[options.model[0]]
    if options.classes is not None:
        settings = replace(settings, classes=tuple(map(first.find_label, options.classes)))
    known = {entry.name: entry for entry in catalogue()}
    names = options.judge or judge_names(known, classifiers.values())
    judges = {name: classifiers.get(name) or load(name, device=options.device) for name in names}
    data = None if options.data is None else _data(options.data, classifiers)
    with progress_bar() as show:
        synthesis = synthesise(classifiers, settings, judges, data=data, on_step=show)
    if options.judge and not synthesis.judges:
        raise UsageError(
            "none of the judges has these classes and this size of picture; name others with "
            "--judge"
        )
    judge = (synthesis.judges or options.model)[0]
    recipe = synthesis_recipe(synthesis, settings, classifiers, options.data)
    write_together(out, synthesis_files(synthesis, settings, judge, recipe))
    if options.json:
        print_json(_values(synthesis, settings, classifiers))
    else:
        print(_sentences(synthesis))
        print(f"written to {out}")
    return 0


def _load(names: list[str], device: str) -> dict[str, Classifier]:
    classifiers = {name: load(name, device=device) for name in names}
    if len(classifiers) < len(names):
        raise UsageError("name each classifier once")
    for classifier in classifiers.values():
        print_warnings(classifier)
    return classifiers


def _data(source: str, classifiers: dict[str, Classifier]) -> dict[str, LabelledImages]:
    data = {name: read_source(source, model) for name, model in classifiers.items()}
    print_notes(next(iter(data.values())))
    return data


def _values(
    synthesis: Synthesis, settings: SynthesisSettings, classifiers: dict[str, Classifier]
) -> dict[str, object]:
    notes = [f"{name}: {note}" for name, model in classifiers.items() for note in model.notes]
    return {
        "rows": [
            {
                "model": drawing.name,
                "epsilon": drawing.epsilon,
                "precision": drawing.precision,
                "pictures": [
                    {"class": drawing.names[target], "l2": length}
                    for target, length in zip(drawing.targets, drawing.lengths, strict=True)
                ],
                "judges": _judges(synthesis, drawing.name),
            }
            for drawing in synthesis.drawings
        ],
        "start": settings.start,
        "steps": settings.steps,
        "warnings": [{"code": "classifier", "text": text} for text in notes],
        "seed": settings.seed,
        "versions": versions(),
    }


def _judges(synthesis: Synthesis, drawer: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for judge in synthesis.judges:
        answer = synthesis.recognition(drawer, judge)
        if answer is None:
            continue
        low, high = answer.interval
        rows.append(
            {
                "judge": judge,
                "recognised": answer.count,
                "n": answer.n,
                "low": low,
                "high": high,
                "classes_recognised": answer.classes,
                "classes": len(set(answer.targets)),
                "starts_recognised": answer.control,
                "drew_them": judge == drawer,
                "answers": [each.name for each in answer.answers],
            }
        )
    return rows


def _sentences(synthesis: Synthesis) -> str:
    lines = ["recognised as the class, with 95 % Wilson intervals"]
    for row in judge_rows(synthesis):
        lines.append(f"{row.judge} says of the pictures")
        for drawing, cell in zip(synthesis.drawings, row.cells, strict=True):
            lines.append(f"  of {drawing.name:<20}  {cell}")
        lines.append(f"  of the starts            {row.control}")
    return "\n".join(lines)
