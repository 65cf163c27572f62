"""Every layout is read, and every fault of a file is named."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from explorer.datasets.constructed.constructions import D_DET
from explorer.datasets.constructed.read import read_set
from explorer.datasets.labelled import DataError
from explorer.datasets.parquet import read_parquet
from explorer.datasets.sources import read_source
from tests.datasets.constructed.building import TENSORS

ROOT = Path(__file__).resolve().parents[3]


def test_a_built_folder_is_read_back(folder, pictures):
    dataset = read_set(folder)
    assert (dataset.name, dataset.title, len(dataset)) == ("d_det", D_DET.title, 40)
    assert dataset.data.names == pictures.names
    assert dataset.data.images.dtype == torch.uint8
    assert dataset.data.images.shape == (40, 3, 8, 8)
    assert {name: getattr(dataset, name).dtype for name in TENSORS} == {
        **dict.fromkeys(TENSORS, torch.int64),
        "objective": torch.float32,
        "reached": torch.bool,
        "survives_8bit": torch.bool,
    }
    assert dataset.about["seed"] == 0
    assert dataset.about["rows"] == list(range(40))
    assert "shards" not in dataset.about
    few = read_set(folder, limit=13)
    assert len(few) == len(few.target) == 13
    assert torch.equal(few.data.images, dataset.data.images[:13])
    assert few.digest != dataset.digest


def test_an_unfinished_or_damaged_folder_is_named(folder):
    shard, manifest = folder / "data-00001-of-00004.parquet", folder / "manifest.json"
    whole, listed = shard.read_bytes(), manifest.read_text()
    shard.unlink()
    with pytest.raises(DataError, match=r"data-00001-of-00004.parquet is missing"):
        read_set(folder)
    assert len(read_set(folder, limit=10)) == 10  # the first shard alone is needed
    shard.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"data-00001-of-00004.parquet was changed"):
        read_set(folder)
    shard.write_bytes(whole)
    for text in ("{", "[]", "{}", '{"shards": []}', '{"shards": [1]}'):
        manifest.write_text(text)
        with pytest.raises(
            DataError, match=r"manifest.json (can't be read|is no manifest|lists no shards)"
        ):
            read_set(folder)
    for old, new, words in (
        ('"d_det"', "[]", "manifest.json has a construction whose name"),
        ("data-00001", r"\u0000", "manifest.json lists .* no file name"),
        ('"rows": 10', '"rows": Infinity', "manifest.json lists no shards"),
        (listed, "[" * 100_000, "manifest.json can't be read"),
    ):
        manifest.write_text(listed.replace(old, new))
        with pytest.raises(DataError, match=words):
            read_set(folder)
    manifest.write_text(listed.replace("data-00001", "../det/data-00001"))
    assert len(read_set(folder)) == 40  # a manifest reaches no file outside its folder
    manifest.unlink()
    with pytest.raises(DataError, match=r"unfinished set \(4 of 4 shards\)"):
        read_set(folder)
    for text in ('{"rows": 5}', '{"rows": null}', "{}"):
        (folder / "plan.json").write_text(text)
        with pytest.raises(DataError, match=r"plan\.json lists no rows"):
            read_set(folder)


def test_a_path_that_cannot_be_read_is_named_with_the_reason(tmp_path, monkeypatch):
    for read in (read_set, read_parquet, lambda path: read_source(str(path), None)):
        with pytest.raises(DataError, match=r"aaa can't be read \(File name too long\); check"):
            read(tmp_path / ("a" * 300))
    (tmp_path / "cat").mkdir()
    listing = Path.iterdir

    def iterdir(path):
        if path.name == "cat":
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(DataError, match=r"cat can't be read \(Permission denied\)"):
        read_set(tmp_path)


def test_a_shard_alone_is_a_parquet_file(folder):
    dataset = read_set(folder / "data-00000-of-00004.parquet")
    assert (dataset.name, dataset.about, len(dataset)) == ("", {}, 10)
    assert torch.equal(dataset.target, read_set(folder, limit=10).target)


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def test_any_parquet_file_and_image_folder_is_a_set(tmp_path):
    arrays = np.random.default_rng(0).integers(0, 256, (4, 9, 9, 3), dtype=np.uint8)
    columns = {
        "image": [{"bytes": png(array)} for array in arrays],
        "label": [1, 0, 1, 1],
        "target": ["a"] * 4,
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    dataset = read_set(tmp_path / "a.parquet")
    assert (dataset.name, dataset.title, dataset.target, dataset.about) == ("", "a", None, {})
    assert np.array_equal(dataset.data.images.permute(0, 2, 3, 1).numpy(), arrays)
    for name, array in zip(("dog", "cat", "dog", "dog"), arrays, strict=True):
        (tmp_path / "f" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / name / f"{array[0, 0, 0]}.png").write_bytes(png(array))
    (tmp_path / "f" / "dog" / ".DS_Store").write_bytes(b"written by macOS")
    assert read_set(tmp_path / "f").data.labels.tolist() == [0, 1, 1, 1]
    assert read_set(tmp_path / "f").data.names == ("cat", "dog")
    (tmp_path / "f" / "dog" / "large.png").write_bytes(png(np.zeros((10, 10, 3), np.uint8)))
    with pytest.raises(DataError, match=r"differ in size .*large.png"):
        read_set(tmp_path / "f")
    with pytest.raises(DataError, match=r"holds Parquet files but no manifest"):
        read_set(tmp_path)
    with pytest.raises(DataError, match="there is no file or folder"):
        read_set(tmp_path / "nowhere")


@pytest.mark.parametrize("labels", [[[0], [1]], [0.5, 1.0], pa.array([0, None], pa.int64())])
def test_labels_that_are_neither_whole_numbers_nor_texts_are_refused(tmp_path, labels):
    cells = [{"bytes": png(np.zeros((8, 8, 3), np.uint8))}] * 2
    pq.write_table(pa.table({"img": cells, "label": labels}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="must be whole numbers or texts, one in each row"):
        read_set(tmp_path / "a.parquet")


def test_hugging_faces_datasets_reads_the_shards(folder, tmp_path):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(
        "parquet",
        data_files=str(folder / "data-*.parquet"),
        cache_dir=str(tmp_path / "cache"),
        split="train",
    )
    dataset = read_set(folder)
    assert loaded.features["label"].names == list(dataset.data.names)
    assert loaded["label"] == dataset.data.labels.tolist()
    assert loaded["start_index"] == [None] * 40
    assert np.array_equal(
        np.stack([np.asarray(each) for each in loaded["img"]]),
        dataset.data.images.permute(0, 2, 3, 1).numpy(),
    )


def test_reading_a_set_imports_neither_attacks_nor_engine():
    program = (
        "import sys, explorer.datasets.constructed.read\n"
        "print(*(name for name in sys.modules if name.startswith('explorer.')))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    rooms = {name.split(".")[1] for name in output.split()}
    assert "datasets" in rooms
    assert not rooms & {"attacks", "engine", "classifiers"}
