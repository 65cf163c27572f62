"""``models --add``: a checkpoint with its labels, stored as the Models page stores it."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.cli.common import UsageError, number, print_json
from explorer.cli.given import refuse_void
from explorer.cli.whole_numbers import pixels

# What describes the checkpoint of --add, and is void without it.
OPTIONS = (
    *("--name", "--architecture", "--labels", "--input-size", "--resize", "--mean", "--std"),
    "--trained-robust",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--add`` and the options that describe its checkpoint."""
    add = parser.add_argument_group("a checkpoint of your own").add_argument
    add(
        "--add",
        metavar="FILE",
        help="store these weights, safetensors or as torch saves them; all commands and pages "
        "then know the classifier as user:NAME",
    )
    add("--name", help="its name (default: the file's)")
    add("--architecture", help="the network that the weights belong to; needed with --add")
    add(
        "--labels",
        metavar="FILE",
        help="its classes, one per line, or JSON (default: ImageNet's or CIFAR-10's names if there "
        "are as many classes, else numbers)",
    )
    published = "(default: as the architecture was published)"
    add("--input-size", type=pixels, metavar="PIXELS", help=f"the side of its input {published}")
    add(
        "--resize",
        type=pixels,
        metavar="PIXELS",
        help=f"what the shorter side of a picture is resized to before it is cropped {published}",
    )
    add(
        "--mean",
        type=number,
        nargs="+",
        help=f"of its normalisation, a number per colour {published}",
    )
    add("--std", type=number, nargs="+", help=f"standard deviation, as for --mean {published}")
    add("--trained-robust", action="store_true", help="it was trained to be robust")


def add_model(options: argparse.Namespace) -> int:
    """Store the checkpoint after a trial run, and print its name and classes."""
    from explorer.classifiers.architectures import check_architecture, published_preprocessing
    from explorer.classifiers.class_labels import read_labels, repeated_note
    from explorer.classifiers.entry import USER_PREFIX
    from explorer.classifiers.user_model_card import UserModelCard
    from explorer.classifiers.user_models import machine_models

    if options.architecture is None:
        raise UsageError(
            "--add needs --architecture, the network that the weights belong to, such as resnet18"
        )
    check_architecture(options.architecture)
    for flag in ("mean", "std"):
        if len(getattr(options, flag) or "rgb") not in (1, 3):
            raise UsageError(f"--{flag} takes three numbers, or one for grey pictures")
    side, shorter, mean, std = published_preprocessing(options.architecture)
    input_size = side if options.input_size is None else options.input_size
    models = machine_models()
    card = UserModelCard(
        options.name or Path(options.add).stem,
        options.architecture,
        () if options.labels is None else read_labels(Path(options.labels)),
        input_size,
        max(shorter, input_size) if options.resize is None else options.resize,
        tuple(options.mean or mean),
        tuple(options.std or std),
        options.trained_robust,
    )
    card = models.add(card, options.add)
    name = USER_PREFIX + card.name
    if options.json:
        print_json({"name": name, "classes": card.labels, "where": str(models.folder / card.name)})
        return 0
    print(f"{name}: {card.architecture} with {len(card.labels)} classes, in {models.folder}")
    if note := repeated_note(card.labels, card.name):
        print(f"note: {note}")
    return 0


def refuse_without_file(options: argparse.Namespace) -> None:
    """Raise :class:`UsageError` for options that describe a checkpoint where none is added."""
    refuse_void(options, OPTIONS, "only --add has these options")
