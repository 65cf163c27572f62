"""What the commands share that read a data set: its columns, and notes on how it was read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from explorer.cli.given import refuse_void
from explorer.datasets.columns import ColumnNames
from explorer.datasets.labelled import LabelledImages
from explorer.datasets.sources import CIFAR10, CIFAR10_TRAIN
from explorer.experiments.sweep.image_set import GALLERY

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
    """The columns that the person named. Raises :class:`UsageError` for data that has none."""
    if _has_no_columns(options.data):
        columns = ("--image-column", "--label-column")
        refuse_void(options, columns, f"only a table has columns, and {options.data} is none")
    return ColumnNames(options.image_column, options.label_column)


def _has_no_columns(source: str) -> bool:
    if source in (GALLERY, CIFAR10, CIFAR10_TRAIN):
        return True
    folder = Path(source)
    return folder.is_dir() and not any(folder.glob("*.parquet"))


def print_notes(data: LabelledImages) -> None:
    """Print on standard error how the data was read."""
    for note in data.notes:
        print(f"note: {note}", file=sys.stderr)
