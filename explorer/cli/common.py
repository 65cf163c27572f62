"""What the commands share: numbers, output folders and JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.error import UsageError as UsageError
from explorer.experiments.one_image.numbers import RecipeError, parse_number
from explorer.files import make_folder
from explorer.settings import PRECISIONS

if TYPE_CHECKING:
    from explorer.attacks import PGD
    from explorer.classifiers import Classifier
    from explorer.experiments.trust import Caveat


OWN_WEIGHTS = "-"  # in --weights of several models
MODEL_HELP = (
    "in the catalogue, or torchvision:NAME, madry:NAME, timm:NAME, cifar:NAME, user:NAME, "
    "FILE.py:FUNC"
)


def add_precision_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the gradients: float32; folded, float32 too, by a quicker copy of the network; "
        "or bfloat16, coarser and quicker; success is always decided in float32 (default auto: "
        "the quickest on this machine)",
    )


def add_model_options(
    parser: argparse.ArgumentParser,
    help_text: str = MODEL_HELP,
) -> None:
    parser.add_argument("--model", required=True, help=help_text)
    parser.add_argument("--weights", help="a local .safetensors or .pth state dict")


def add_weights_option(parser: argparse.ArgumentParser) -> None:
    """The weights of several models, which :func:`weights_files` reads."""
    parser.add_argument(
        "--weights",
        nargs="+",
        help=f"a file of weights for each model in turn; {OWN_WEIGHTS} stands for its own",
    )


def weights_files(weights: Sequence[str] | None, models: Sequence[str]) -> list[str | None]:
    """The file of each model, None for its own weights. Raises :class:`UsageError`."""
    if weights is None:
        return [None] * len(models)
    if len(weights) != len(models):
        raise UsageError(
            f"--weights needs one file for each model, and {len(models)} in all; {OWN_WEIGHTS} "
            "stands for a model's own"
        )
    return [None if each == OWN_WEIGHTS else each for each in weights]


def print_warnings(classifier: Classifier) -> None:
    """Print on standard error what a person who uses ``classifier`` should know."""
    for note in classifier.notes:
        print(f"warning: {note}", file=sys.stderr)


def print_caveats(caveats: Iterable[Caveat], name: str | None = None) -> None:
    """Print on standard error why a figure may not be trusted, that of ``name`` among several."""
    whose = f"{name}: " if name else ""
    for caveat in caveats:
        print(f"warning: {whose}{caveat.sentence} ({caveat.reference.url})", file=sys.stderr)


def number(text: str) -> float:
    """The number in ``text``, ``0.03`` or ``8/255``; an argparse type."""
    try:
        return parse_number(text)
    except RecipeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def check_l2_radius(flag: str, epsilon: float, classifier: Classifier) -> None:
    """Raise :class:`UsageError` for an L2 radius that is 0, or beyond all of its pictures."""
    height, width = classifier.input_size
    most = (classifier.channels * height * width) ** 0.5
    if not 0 < epsilon <= most:
        raise UsageError(
            f"{flag} must be above 0 and at most {most:.1f}, the L2 distance from black to white "
            f"at this size; it is {epsilon:g}"
        )


def draws_starts(attack: PGD, effort: str | None) -> bool:
    """Whether anything in the attack with this effort is random, so that its seed matters."""
    from explorer.experiments.effort import THOROUGH  # which imports torch

    return effort == THOROUGH or not all(map(attack.starts_at_image, range(attack.restarts)))


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def writable_folder(out: str | Path) -> Path:
    """The folder ``out``, made if need be and tried before any work is done.

    Raises :class:`UsageError` where nothing can be written there.
    """
    folder = Path(out)
    if out == "":  # of a variable that is not set; Path would take it for the current folder
        raise UsageError("--out is empty; name a folder, or . for the current one")
    try:
        make_folder(folder)
        # A file of its own for each process: the ranks of torchrun try the same folder at once.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(
            f"can't write into {folder}: {reason}; choose another folder with --out"
        ) from None
    return folder
