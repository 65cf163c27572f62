"""What commands with several classifiers share: their options, the output, the table of shares."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

from explorer.classifiers import Classifier, load
from explorer.classifiers.devices import AUTO, DEVICE_HELP
from explorer.cli import whole_numbers
from explorer.cli.common import UsageError, add_precision_option, print_warnings
from explorer.errors import named_twice

MAX_JUDGES = 20


def add_judged_options(parser: argparse.ArgumentParser, *, seed: bool = True) -> None:
    """The classifiers, the ``seed`` if anything is random, and what every command has."""
    add = parser.add_argument
    add("--model", required=True, help="the classifier that is attacked")
    add("--judge", nargs="+", default=[], metavar="MODEL", help="others that see the result")
    if seed:
        add("--seed", type=whole_numbers.seed, default=0, help="of all that is random (default 0)")
    add_precision_option(parser)
    add("--device", default=AUTO, help=DEVICE_HELP)
    add("--json", action="store_true", help="print one JSON object")
    add("--out", help="also write the result, figures, a table and a recipe into this folder")


def judged_names(options: argparse.Namespace) -> tuple[str, ...]:
    """The attacked classifier, then the others. Raises :class:`UsageError` for a name twice."""
    names = (options.model, *options.judge)
    if wrong := named_twice(names, "classifier"):
        raise UsageError(f"{wrong}; the one of --model is always scored")
    if len(options.judge) > MAX_JUDGES:
        raise UsageError(
            f"--judge takes at most {MAX_JUDGES} classifiers, and you named {len(options.judge)}"
        )
    return names


def load_judged(names: Iterable[str], device: str) -> dict[str, Classifier]:
    """The classifiers by name, with what a person should know of them on standard error."""
    classifiers = {name: load(name, device=device) for name in names}
    for classifier in classifiers.values():
        print_warnings(classifier)
    return classifiers


def notes_json(classifiers: Mapping[str, Classifier], code: str = "note") -> list[dict[str, str]]:
    """What a person should know of the classifiers, as a command's ``warnings``."""
    return [
        {"code": code, "text": f"{name}: {note}"}
        for name, each in classifiers.items()
        for note in each.notes
    ]
