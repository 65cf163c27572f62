from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from explorer.datasets.labelled import DataError, read_parquet
from explorer.datasets.near_duplicates import near_duplicates
from explorer.datasets.sources import read_source

NAMES = ["cat", "dog"]


class Viewer:
    labels = ("dog", "cat", "ship")
    input_size = (8, 8)
    resize = None
    interpolation = "bilinear"


def png(array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def pictures(n=5, side=8):
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def write(path, cells, labels, column="img", names=NAMES):
    table = pa.table({column: [{"bytes": c, "path": None} for c in cells], "label": labels})
    if names:
        info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize("column", ["img", "image"])
def test_pixels_labels_and_names_come_through(tmp_path, column):
    arrays = pictures()
    data = read_parquet(write(tmp_path / "a.parquet", map(png, arrays), [0, 1, 0, 1, 1], column))
    assert np.array_equal(data.images.permute(0, 2, 3, 1).numpy(), arrays)
    assert data.labels.tolist() == [0, 1, 0, 1, 1]
    assert data.names == tuple(NAMES)
    assert len(read_parquet(tmp_path / "a.parquet", limit=2)) == 2


def test_labels_are_counted_as_the_classifier_does(tmp_path):
    path = write(tmp_path / "a.parquet", map(png, pictures()), [0, 1, 0, 1, 1])
    data = read_source(str(path), Viewer())
    assert data.labels.tolist() == [1, 0, 1, 0, 0]
    with pytest.raises(DataError, match="does not know, such as 'zebra'"):
        read_source(
            str(write(tmp_path / "b.parquet", map(png, pictures()), [0] * 5, names=["zebra"])),
            Viewer(),
        )
    with pytest.raises(DataError, match="labels from 0 to 7"):
        read_source(
            str(write(tmp_path / "c.parquet", map(png, pictures()), [7, 0, 0, 0, 0], names=None)),
            Viewer(),
        )


def test_pictures_of_other_sizes_are_brought_to_the_classifiers(tmp_path):
    cells = [png(pictures(1, 8)[0]), png(pictures(1, 20)[0])]
    path = write(tmp_path / "a.parquet", cells, [0, 1])
    assert read_source(str(path), Viewer()).images.shape == (2, 3, 8, 8)
    with pytest.raises(DataError, match="differ in size"):
        read_parquet(path)


def test_what_is_wrong_with_a_file_is_said(tmp_path):
    (tmp_path / "text.parquet").write_text("hello")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "columns.parquet")
    write(tmp_path / "rotten.parquet", [b"rotten"], [0])
    write(tmp_path / "empty.parquet", [], pa.array([], pa.int64()))
    for name, words in (
        ("nowhere", "there is no file"),
        ("text", "not a readable Parquet"),
        ("columns", "has the columns a; it needs"),
        ("rotten", "row 0 .* not a readable image"),
        ("empty", "has no rows|holds no image"),
    ):
        with pytest.raises(DataError, match=words):
            read_parquet(tmp_path / f"{name}.parquet")


def test_twins_are_found_again_after_recompression():
    arrays = np.kron(
        np.random.default_rng(1).integers(0, 256, (30, 4, 4, 3), dtype=np.uint8),
        np.ones((1, 4, 4, 1), np.uint8),
    )
    recompressed = []
    for array in arrays:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "JPEG", quality=60)
        recompressed.append(np.asarray(Image.open(buffer)))
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    images = torch.from_numpy(np.stack(recompressed)).permute(0, 3, 1, 2)[order]
    found = near_duplicates(images, torch.from_numpy(arrays[:10]).permute(0, 3, 1, 2))
    assert torch.equal(order[found], torch.arange(10))
