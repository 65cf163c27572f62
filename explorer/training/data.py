"""The images that a recipe trains on and those that it is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.datasets.constructed.read import read_set
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.datasets.near_duplicates import exclude_near_duplicates
from explorer.datasets.parquet import read_parquet
from explorer.datasets.sources import read_source
from explorer.images.geometry import BILINEAR
from explorer.training.recipes import TrainingRecipe

_CARD_KEYS = ("construction", "model", "weights_digest", "plan")


@dataclass(frozen=True)
class _Preprocessing:
    """What reading test images needs to know of a classifier before it is trained."""

    labels: tuple[str, ...]
    input_size: tuple[int, int]
    resize: int | None = None
    interpolation: str = BILINEAR
    channels: int = 3


def read_files(recipe: TrainingRecipe, folder: Path) -> tuple[LabelledImages, LabelledImages]:
    """Training and test images from the recipe's files below ``folder``, with no image in both.

    Raises :class:`DataError`.
    """
    train, test = read_parquet(folder / recipe.train_file), read_parquet(folder / recipe.test_file)
    if recipe.near_duplicates_in_train:
        train = exclude_near_duplicates(train, test.images)
    return _first(train, recipe.limit), test


def read_constructed(
    recipe: TrainingRecipe, folder: str, test: str
) -> tuple[LabelledImages, LabelledImages, dict[str, Any]]:
    """The constructed set in ``folder``, the test images of source ``test``, and the set's record.

    The record says for the card how the set was made. Raises :class:`DataError`.
    """
    constructed = read_set(folder)
    if constructed.name != recipe.construction:
        raise DataError(
            f"{recipe.name} is trained on {recipe.construction}; "
            f"{folder} holds {constructed.name or 'another kind of data'}"
        )
    size = tuple(constructed.data.images.shape[2:])
    if size != recipe.input_size:
        raise DataError(f"{folder} has images of {size}; {recipe.name} takes {recipe.input_size}")
    about = constructed.about
    return (
        _first(constructed.data, recipe.limit),
        read_source(test, _Preprocessing(constructed.data.names, recipe.input_size)),
        {name: about[name] for name in _CARD_KEYS if name in about},
    )


def _first(data: LabelledImages, limit: int | None) -> LabelledImages:
    return data if limit is None else data.take(torch.arange(min(limit, len(data))))
