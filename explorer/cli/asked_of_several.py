"""What the commands share that ask several classifiers about one picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from explorer.classifiers import Classifier
from explorer.cli.common import writable_folder
from explorer.cli.judged_options import load_judged
from explorer.cli.one_image import add_output_options
from explorer.experiments.compare import check_classifiers
from explorer.images.decode import DecodedImage
from explorer.images.open import GALLERY_PREFIX, open_image


def add_question(parser: argparse.ArgumentParser) -> None:
    """The options of the picture, the classifiers, the device and the output."""
    parser.add_argument("image", help=f"a picture's path, or {GALLERY_PREFIX}KEY")
    parser.add_argument(
        "--model",
        nargs="+",
        required=True,
        help="2 to 4 classifiers, such as cifar10-standard cifar10-robust",
    )
    add_output_options(parser)


def read_question(
    options: argparse.Namespace,
) -> tuple[Path, DecodedImage, dict[str, Classifier]]:
    """The folder to write to, the picture, and the classifiers by name, with notes on the way."""
    check_classifiers(options.model)
    out = writable_folder(options.out)
    picture = open_image(options.image)
    for note in picture.notes:
        print(f"note: {note}", file=sys.stderr)
    return out, picture, load_judged(options.model, options.device)
