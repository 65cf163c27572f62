"""Parquet files of others: their columns, shards and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from explorer.datasets.columns import ColumnNames
from explorer.datasets.constructed.read import read_set
from explorer.datasets.labelled import DataError
from explorer.datasets.sources import read_source
from tests.images.pictures import encoded

IMAGE, CLASSES = {"_type": "Image"}, {"_type": "ClassLabel", "names": ["cat", "dog"]}


def cell(level: int) -> dict[str, Any]:
    return {"bytes": encoded(Image.new("RGB", (8, 8), (level, 0, 0))), "path": None}


def write(path: Path, columns: dict[str, Any], features: dict[str, Any] | None = None) -> Path:
    table = pa.table(columns)
    if features:
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        table = table.replace_schema_metadata(metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize("picture", ["photo", "pixel_values"])
@pytest.mark.parametrize("label", ["species", "fine"])
def test_columns_are_found_by_their_types(tmp_path, picture, label):
    columns = {"id": [7, 8], "name": ["a", "b"], picture: [cell(1), cell(2)], label: [1, 0]}
    features = {picture: IMAGE, label: CLASSES, "id": {"_type": "Value", "dtype": "int64"}}
    data = read_set(write(tmp_path / "a.parquet", columns, features)).data
    assert (data.labels.tolist(), data.names) == ([1, 0], ("cat", "dog"))
    assert data.images[:, 0, 0, 0].tolist() == [1, 2]


def test_columns_without_types_are_found_if_only_one_fits(tmp_path):
    columns = {"jpg": [cell(1)["bytes"]], "cls": [3], "score": [0.5]}
    assert read_set(write(tmp_path / "a.parquet", columns)).data.labels.tolist() == [3]


def test_a_person_names_columns(tmp_path):
    columns = {"image": [cell(1)], "mask": [cell(2)], "coarse": [0], "fine": [1]}
    features = {"image": IMAGE, "mask": IMAGE, "coarse": CLASSES, "fine": CLASSES}
    path = write(tmp_path / "a.parquet", columns, features)
    with pytest.raises(DataError, match=r"needs one with labels, called label, or named with --la"):
        read_set(path)
    data = read_set(path, named=ColumnNames("mask", "fine")).data
    assert (data.labels.tolist(), data.images[0, 0, 0, 0].item()) == ([1], 2)
    with pytest.raises(DataError, match="has no column nothing; it has image, mask, coarse, fine"):
        read_set(path, named=ColumnNames(label="nothing"))
    with pytest.raises(
        DataError, match=r"the column coarse of .* holds no pictures: its type is in"
    ):
        read_set(path, named=ColumnNames("coarse", "fine"))
    with pytest.raises(
        DataError, match=r"the column mask of .* holds no labels: its type is struct"
    ):
        read_set(path, named=ColumnNames("image", "mask"))


class ClassifierInput:
    labels = ("dog", "tench", "cat")
    input_size = (8, 8)
    channels = 3
    resize = None
    interpolation = "bilinear"


@pytest.mark.parametrize("dictionary", [False, True])
def test_labels_may_be_texts(tmp_path, dictionary):
    labels: Any = pa.array(["tench, Tinca tinca", "dog", "dog"])
    columns = {
        "image": [cell(1), cell(2), cell(3)],
        "label": labels.dictionary_encode() if dictionary else labels,
    }
    path = write(tmp_path / "a.parquet", columns)
    assert read_set(path).data.names == ("dog", "tench, Tinca tinca")
    assert read_set(path).data.labels.tolist() == [1, 0, 0]
    assert read_source(str(path), ClassifierInput()).labels.tolist() == [1, 0, 0]


def test_images_without_a_label_are_refused(tmp_path):
    path = write(tmp_path / "a.parquet", {"image": [cell(1)], "label": [-1]})
    with pytest.raises(DataError, match=r"has images without a label \(-1\)"):
        read_source(str(path), ClassifierInput())


def shards(folder: Path, split: str, count: int = 3) -> None:
    for index in range(count):
        name = f"{split}-{index:05}-of-{count:05}.parquet"
        write(folder / name, {"image": [cell(10 * index), cell(10 * index + 1)], "label": [0, 1]})


@pytest.mark.parametrize("below", ["", "data"])
def test_the_shards_of_a_folder_are_one_set(tmp_path, below):
    shards(tmp_path / below, "train")
    data = read_set(tmp_path).data
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 10, 11, 20, 21]
    assert read_set(tmp_path, limit=3).data.images[:, 0, 0, 0].tolist() == [0, 1, 10]
    (tmp_path / below / "train-00001-of-00003.parquet").unlink()
    with pytest.raises(DataError, match="lacks the shard 00001-of-00003"):
        read_set(tmp_path)


def test_one_of_several_splits_is_named_by_a_pattern(tmp_path):
    shards(tmp_path, "train")
    shards(tmp_path, "test", 1)
    with pytest.raises(DataError, match=r"holds the splits test, train; name one .*/test-\*\.par"):
        read_set(tmp_path)
    data = read_source(str(tmp_path / "train-*.parquet"), ClassifierInput())
    assert data.images[:, 0, 0, 0].tolist() == [0, 1, 10, 11, 20, 21]
    with pytest.raises(DataError, match="no file matches"):
        read_set(tmp_path / "valid-*.parquet")


def test_shards_with_other_columns_are_no_set(tmp_path):
    shards(tmp_path, "train", 2)
    other = {"image": [cell(1)], "label": ["cat"]}
    write(tmp_path / "train-00001-of-00002.parquet", other)
    with pytest.raises(DataError, match="have different columns"):
        read_set(tmp_path)
