"""What the commands share that read a data set: its columns, and notes on how it was read."""

from __future__ import annotations

import argparse
import sys

from explorer.datasets.columns import ColumnNames
from explorer.datasets.labelled import LabelledImages

SOURCES = (
    "FILE.parquet, a pattern of its shards, a FOLDER with a sub-folder per class, "
    "hf://OWNER/NAME:SPLIT, cifar10"
)


def add_column_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--image-column", help="of --data (default: the one of pictures, or img or image)"
    )
    parser.add_argument("--label-column", help="of --data (default: the one of classes, or label)")


def column_names(options: argparse.Namespace) -> ColumnNames:
    """The columns that the person named."""
    return ColumnNames(options.image_column, options.label_column)


def print_notes(data: LabelledImages) -> None:
    """Print on standard error how the data was read."""
    for note in data.notes:
        print(f"note: {note}", file=sys.stderr)
