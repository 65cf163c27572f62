"""The images made on this page: kept for the session, browsed like any set, and downloaded as one."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import streamlit as st
import torch

from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.read import ConstructedSet
from explorer.datasets.constructed.shards import Row, write_shard
from explorer.datasets.labelled import LabelledImages
from explorer.images.geometry import to_uint8
from explorer.ui.datasets.request import BuiltImage, ClassifierPair

_STATE = "made here"
MOST = 500  # images a session keeps


def keep_made(made: BuiltImage) -> None:
    """Add an image to the session's; the oldest goes when there are too many."""
    st.session_state[_STATE] = [*st.session_state.get(_STATE, []), made][-MOST:]


def session_sets(pair: ClassifierPair) -> dict[str, tuple[BuiltImage, ...]]:
    """What was made with this pair, by construction."""
    mine = [made for made in st.session_state.get(_STATE, []) if made.question.row.pair == pair]
    found = {
        name: tuple(made for made in mine if made.question.name == name) for name in CONSTRUCTIONS
    }
    return {name: each for name, each in found.items() if each}


def made_set(made: tuple[BuiltImage, ...]) -> ConstructedSet:
    """The images as a set, like one that was read from a file."""
    rows = [row_of(each) for each in made]
    names = made[0].image.predictions[0].names
    data = LabelledImages(
        torch.stack([row.image for row in rows]), torch.tensor([row.label for row in rows]), names
    )

    def column(values: list[int | None]) -> torch.Tensor:
        return torch.tensor([-1 if value is None else value for value in values])

    construction = CONSTRUCTIONS[made[0].question.name]
    return ConstructedSet(
        construction.name,
        construction.title,
        data,
        source_index=column([row.source_index for row in rows]),
        source_label=column([row.source_label for row in rows]),
        start_index=column([row.start_index for row in rows]),
        start_label=column([row.start_label for row in rows]),
        target=column([row.target for row in rows]),
        predicted=column([row.predicted for row in rows]),
        objective=torch.tensor([row.objective for row in rows]),
        reached=torch.tensor([row.reached for row in rows]),
        survives_8bit=torch.tensor([row.survives_8bit for row in rows]),
        about=stamp(made),
    )


def row_of(made: BuiltImage) -> Row:
    """The row of a Parquet file."""
    image, question = made.image, made.question.row
    assert image.objective is not None
    assert made.source.label is not None
    builder = 1 if CONSTRUCTIONS[image.name].robust else 0
    return Row(
        torch.from_numpy(to_uint8(image.image)).permute(2, 0, 1).contiguous(),
        image.label,
        question.index,
        made.source.label,
        question.start_index if image.matched else None,
        image.start_label if image.matched else None,
        None if image.matched else image.label,
        float(image.objective.min()),
        image.reached,
        image.predictions[builder].index,
    )


def stamp(made: tuple[BuiltImage, ...]) -> dict[str, object]:
    """How the images were made: the classifiers of the pair, and each image's source, start and settings."""
    construction, pair = CONSTRUCTIONS[made[0].question.name], made[0].question.row.pair
    images = [
        {
            "source": each.question.row.picture.source,
            "start": None if each.question.row.start is None else each.question.row.start.source,
            **asdict(each.question.row.settings),
        }
        for each in made
    ]
    return {
        "construction": {"name": construction.name, "title": construction.title},
        "standard": pair.standard.name,
        "robust": pair.robust.name,
        "images": images,
    }


def parquet(made: tuple[BuiltImage, ...]) -> bytes:
    """The set as one Parquet file, as ``build`` writes its shards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.parquet"
        write_shard(
            path, [row_of(each) for each in made], made[0].image.predictions[0].names, stamp(made)
        )
        return path.read_bytes()
