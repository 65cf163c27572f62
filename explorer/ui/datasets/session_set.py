"""The images built on this page: kept for the session, browsed and downloaded as sets."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import streamlit as st
import torch
from torch import Tensor

from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.read import ConstructedSet
from explorer.datasets.constructed.shards import Row, write_shard
from explorer.datasets.labelled import LabelledImages
from explorer.images.geometry import to_uint8
from explorer.ui.datasets.pair import ClassifierPair
from explorer.ui.datasets.request import BuiltImage

_STATE = "built images"  # in the session's state
MAX_IMAGES = 500  # per session


def add_to_session(image: BuiltImage) -> None:
    """Add an image to the session's; the oldest one is dropped when there are too many."""
    st.session_state[_STATE] = [*st.session_state.get(_STATE, []), image][-MAX_IMAGES:]


def session_sets(pair: ClassifierPair) -> dict[str, tuple[BuiltImage, ...]]:
    """The images of this session that were built with this pair, by the name of their set."""
    images = [each for each in st.session_state.get(_STATE, []) if each.request.row.pair == pair]
    sets = {
        name: tuple(each for each in images if each.request.name == name) for name in CONSTRUCTIONS
    }
    return {name: members for name, members in sets.items() if members}


def as_constructed_set(images: tuple[BuiltImage, ...]) -> ConstructedSet:
    """Images of one set in the form of a set that was read from a file."""
    rows = [as_row(each) for each in images]
    names = images[0].image.predictions[0].names
    labels = torch.tensor([row.label for row in rows])
    construction = CONSTRUCTIONS[images[0].request.name]
    return ConstructedSet(
        construction.name,
        construction.title,
        LabelledImages(torch.stack([row.image for row in rows]), labels, names),
        source_index=_indices([row.source_index for row in rows]),
        source_label=_indices([row.source_label for row in rows]),
        start_index=_indices([row.start_index for row in rows]),
        start_label=_indices([row.start_label for row in rows]),
        target=_indices([row.target for row in rows]),
        predicted=_indices([row.predicted for row in rows]),
        objective=torch.tensor([row.objective for row in rows]),
        reached=torch.tensor([row.reached for row in rows]),
        survives_8bit=torch.tensor([row.survives_8bit for row in rows]),
        about=metadata(images),
    )


def _indices(values: list[int | None] | list[int]) -> Tensor:
    """int64 [N], −1 for None."""
    return torch.tensor([-1 if value is None else value for value in values])


def as_row(built: BuiltImage) -> Row:
    """The image as a row of a Parquet file."""
    image, request = built.image, built.request.row
    assert image.objective is not None
    assert built.source.label is not None
    builder = 1 if CONSTRUCTIONS[image.name].robust else 0
    return Row(
        image=torch.from_numpy(to_uint8(image.image)).permute(2, 0, 1).contiguous(),
        label=image.label,
        source_index=request.index,
        source_label=built.source.label,
        start_index=request.start_index if image.matches_features else None,
        start_label=image.start_label if image.matches_features else None,
        target=None if image.matches_features else image.label,
        objective=float(image.objective.min()),
        reached=image.reached,
        predicted=image.predictions[builder].index,
    )


def metadata(images: tuple[BuiltImage, ...]) -> dict[str, object]:
    """How the images were built: the pair, and each image's source, start and settings."""
    construction = CONSTRUCTIONS[images[0].request.name]
    requests = [each.request.row for each in images]
    return {
        "construction": {"name": construction.name, "title": construction.title},
        "standard": requests[0].pair.standard.name,
        "robust": requests[0].pair.robust.name,
        "images": [
            {
                "source": request.picture.source,
                "start": None if request.start is None else request.start.source,
                **asdict(request.settings),
            }
            for request in requests
        ],
    }


def parquet(images: tuple[BuiltImage, ...]) -> bytes:
    """The set as one Parquet file, in the form of the shards that ``build`` writes."""
    names = images[0].image.predictions[0].names
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.parquet"
        write_shard(path, [as_row(each) for each in images], names, metadata(images))
        return path.read_bytes()
