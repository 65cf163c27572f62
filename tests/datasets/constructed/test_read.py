"""Every layout is read, every export is read back, and every fault of a file is named."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from explorer.datasets.constructed import shards
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.constructions import D_DET, D_NR
from explorer.datasets.constructed.export import FORMATS
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.constructed.read import ConstructedSet, read_set
from explorer.datasets.labelled import DataError
from explorer.datasets.parquet import read_parquet
from explorer.datasets.sources import read_source
from explorer.files import FileError

ROOT = Path(__file__).resolve().parents[3]
TENSORS = [
    each.name
    for each in fields(ConstructedSet)
    if each.name not in ("name", "title", "data", "about")
]


@pytest.fixture
def folder(tiny, pictures, tmp_path, monkeypatch):
    """A D_det of 40 images in four shards."""
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)
    build_in(tmp_path / "det", replace(D_DET, steps=1), tiny, pictures)
    return tmp_path / "det"


def build_in(folder, construction, tiny, pictures):
    folder.mkdir()
    plan = make_plan(construction, tiny, pictures, source="there", precision="float32")
    plan = load_or_write_plan(plan, folder, automatic=False)
    assert build(plan, tiny, pictures, folder)


def same_pixels(one, other):
    return torch.equal(one.data.images, other.data.images) and torch.equal(
        one.data.labels, other.data.labels
    )


def pairs(dataset):
    """Every image's bytes with its label, without an order."""
    images = [image.numpy().tobytes() for image in dataset.data.images]
    return set(zip(images, dataset.data.labels.tolist(), strict=True))


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


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_reads_back(folder, tmp_path, form):
    dataset, out = read_set(folder), tmp_path / f"exported.{form}"
    FORMATS[form](dataset, out)
    again = read_set(out)
    if form == "folder":  # read class by class in turn
        order = [path.stem for path in sorted(out.rglob("*.png"), key=lambda path: path.stem)]
        assert order == [f"{index:02d}" for index in range(40)]
        assert sorted(again.data.names) == sorted(dataset.data.names)
        assert pairs(again) == pairs(dataset)
        return
    assert same_pixels(again, dataset)
    assert again.digest == dataset.digest
    assert again.data.names == dataset.data.names
    assert (again.name, again.title) == ("d_det", D_DET.title)
    assert again.about["weights_digest"] == dataset.about["weights_digest"]
    if form == "parquet":
        assert all(torch.equal(getattr(again, name), getattr(dataset, name)) for name in TENSORS)


def test_columns_without_a_value_survive_an_export(tiny, pictures, tmp_path):
    build_in(tmp_path / "nr", replace(D_NR, steps=1, start="noise"), tiny, pictures)
    FORMATS["parquet"](read_set(tmp_path / "nr"), tmp_path / "one.parquet")
    again = read_set(tmp_path / "one.parquet")
    assert (again.target == -1).all()
    assert (again.start_index == -1).all()
    assert pq.read_table(tmp_path / "one.parquet")["target"].null_count == 40


def test_the_release_layout_is_lists_of_float_tensors(folder, tmp_path):
    FORMATS["mit"](read_set(folder), tmp_path / "mit")
    images = torch.load(tmp_path / "mit" / "CIFAR_ims", weights_only=True)
    labels = torch.load(tmp_path / "mit" / "CIFAR_lab", weights_only=True)
    assert isinstance(images, list)
    assert torch.cat(images).dtype == torch.float32
    assert torch.equal(torch.cat(images), read_set(folder).data.images.float() / 255)
    assert torch.equal(torch.cat(labels), read_set(folder).data.labels)


def test_an_export_overwrites_nothing_and_leaves_no_half_a_set(folder, tmp_path):
    dataset = read_set(folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("")
    for form, out, words in (
        ("mit", tmp_path / "full", "is there already and not empty"),
        ("folder", tmp_path / "full", "is there already and not empty"),
        ("parquet", tmp_path / "file", "is there already"),
        ("mit", tmp_path / "file" / "below", "can't write"),
        ("parquet", tmp_path / "nowhere" / "a.parquet", "can't write"),
    ):
        with pytest.raises((DataError, FileError), match=words):
            FORMATS[form](dataset, out)
    for names, words in (
        (("cat", "a/b", "ship"), "no folder can be called 'a/b'"),
        (("cat", "Cat", "ship"), "two classes are called"),
    ):
        renamed = replace(dataset, data=replace(dataset.data, names=names))
        with pytest.raises(DataError, match=words):
            FORMATS["folder"](renamed, tmp_path / "named")
    with pytest.raises(DataError, match="lacks the columns"):
        FORMATS["parquet"](replace(dataset, target=None), tmp_path / "foreign.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["det", "file", "full"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_one_sentence_in_an_export(folder, tmp_path, form):
    """Every write to /dev/full fails for want of space."""
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    dataset, out, real = read_set(folder), tmp_path / "out", Path.open

    def full(path, mode="r", *rest, **options):
        return real(Path("/dev/full") if "w" in mode else path, mode, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(FileError, match=r"the disk is full: .*out was not written"):
            FORMATS[form](dataset, out)
    assert [path.name for path in tmp_path.iterdir()] == ["det"]


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


class ClassifierInput:
    labels = ("ship", "cat", "dog", "zebra")
    input_size = (8, 8)
    channels = 3
    resize = 12
    interpolation = "bilinear"


def test_a_classifier_reads_every_layout_in_its_own_order_of_classes(folder, tmp_path):
    dataset = read_set(folder)
    for form in FORMATS:
        FORMATS[form](dataset, tmp_path / form)
    expected = torch.tensor([1, 2, 0])[dataset.data.labels]
    for source in (folder, tmp_path / "mit", tmp_path / "parquet"):
        data = read_source(str(source), ClassifierInput())
        assert torch.equal(data.images, dataset.data.images)  # preprocessed when they were built
        assert torch.equal(data.labels, expected)
    data = read_source(str(tmp_path / "folder"), ClassifierInput())
    assert torch.equal(data.labels.bincount(), expected.bincount())
    large = ClassifierInput()
    large.input_size = (12, 12)
    assert read_source(str(folder), large, limit=3).images.shape == (3, 3, 12, 12)
    large.labels = ("cat", "dog")
    with pytest.raises(DataError, match="does not know, such as 'ship'"):
        read_source(str(folder), large)


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


def test_the_metadata_of_one_file_is_small(folder, tmp_path):
    """The rows of the plan are a column already."""
    FORMATS["parquet"](read_set(folder), tmp_path / "one.parquet")
    stamp = json.loads(pq.read_schema(tmp_path / "one.parquet").metadata[b"explorer"])
    assert "rows" not in stamp
    assert stamp["classes"] == ["cat", "dog", "ship"]


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
