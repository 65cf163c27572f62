"""Every layout is read, every export is read back, and what is wrong with a file is said in a sentence."""

from __future__ import annotations

import io
import json
import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from explorer.datasets.constructed import plan as planning
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.constructions import D_DET, D_NR
from explorer.datasets.constructed.export import FORMS
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.constructed.read import ConstructedSet, read_set
from explorer.datasets.labelled import DataError
from explorer.datasets.sources import read_source

TENSORS = [
    each.name
    for each in fields(ConstructedSet)
    if each.name not in ("name", "title", "data", "about")
]


@pytest.fixture
def folder(tiny, pictures, tmp_path, monkeypatch):
    """A D_det of 40 images in four shards."""
    monkeypatch.setattr(planning, "SHARD_ROWS", 10)
    made(replace(D_DET, steps=1), tiny, pictures, tmp_path / "det")
    return tmp_path / "det"


def made(construction, tiny, pictures, out):
    out.mkdir()
    plan = load_or_write_plan(
        make_plan(construction, tiny, pictures, source="there", precision="float32"),
        out,
        automatic=False,
    )
    assert build(plan, tiny, pictures, out)


def same_pixels(one, other):
    return torch.equal(one.data.images, other.data.images) and torch.equal(
        one.data.labels, other.data.labels
    )


def test_a_built_folder_comes_back_whole(folder, pictures):
    found = read_set(folder)
    assert (found.name, found.title, len(found)) == ("d_det", D_DET.title, 40)
    assert found.data.names == pictures.names
    assert found.data.images.dtype == torch.uint8
    assert found.data.images.shape == (40, 3, 8, 8)
    assert {name: getattr(found, name).dtype for name in TENSORS} == {
        **dict.fromkeys(TENSORS, torch.int64),
        "objective": torch.float32,
        "reached": torch.bool,
        "survives_8bit": torch.bool,
    }
    assert found.about["seed"] == 0
    assert found.about["rows"] == list(range(40))
    assert "shards" not in found.about
    few = read_set(folder, limit=13)
    assert len(few) == len(few.target) == 13
    assert torch.equal(few.data.images, found.data.images[:13])
    assert few.digest != found.digest


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
    manifest.write_text(listed.replace("data-00001", "../det/data-00001"))
    assert len(read_set(folder)) == 40  # a manifest reaches no file outside its folder
    manifest.unlink()
    with pytest.raises(DataError, match=r"unfinished set \(4 of 4 shards\)"):
        read_set(folder)


def test_a_shard_alone_is_a_parquet_file(folder):
    found = read_set(folder / "data-00000-of-00004.parquet")
    assert (found.name, found.about, len(found)) == ("", {}, 10)
    assert torch.equal(found.target, read_set(folder, limit=10).target)


@pytest.mark.parametrize("form", FORMS)
def test_an_export_reads_back(folder, tmp_path, form):
    found, out = read_set(folder), tmp_path / f"exported.{form}"
    FORMS[form](found, out)
    again = read_set(out)
    if form == "folder":  # taken round the classes
        order = [path.stem for path in sorted(out.rglob("*.png"), key=lambda path: path.stem)]
        assert order == [f"{index:02d}" for index in range(40)]
        assert sorted(again.data.names) == sorted(found.data.names)
        kept = {
            (image.numpy().tobytes(), int(y))
            for image, y in zip(again.data.images, again.data.labels, strict=True)
        }
        assert kept == {
            (image.numpy().tobytes(), int(y))
            for image, y in zip(found.data.images, found.data.labels, strict=True)
        }
        return
    assert same_pixels(again, found)
    assert again.digest == found.digest
    assert again.data.names == found.data.names
    assert (again.name, again.title) == ("d_det", D_DET.title)
    assert again.about["weights_digest"] == found.about["weights_digest"]
    if form == "parquet":
        assert all(torch.equal(getattr(again, name), getattr(found, name)) for name in TENSORS)


def test_columns_without_a_value_survive_an_export(tiny, pictures, tmp_path):
    made(replace(D_NR, steps=1, start="noise"), tiny, pictures, tmp_path / "nr")
    FORMS["parquet"](read_set(tmp_path / "nr"), tmp_path / "one.parquet")
    again = read_set(tmp_path / "one.parquet")
    assert (again.target == -1).all()
    assert (again.start_index == -1).all()
    assert pq.read_table(tmp_path / "one.parquet")["target"].null_count == 40


def test_the_release_layout_is_lists_of_float_tensors(folder, tmp_path):
    FORMS["mit"](read_set(folder), tmp_path / "mit")
    images = torch.load(tmp_path / "mit" / "CIFAR_ims", weights_only=True)
    labels = torch.load(tmp_path / "mit" / "CIFAR_lab", weights_only=True)
    assert isinstance(images, list)
    assert torch.cat(images).dtype == torch.float32
    assert torch.equal(torch.cat(images), read_set(folder).data.images.float() / 255)
    assert torch.equal(torch.cat(labels), read_set(folder).data.labels)


def test_an_export_never_overwrites_nor_leaves_half_a_set(folder, tmp_path):
    found = read_set(folder)
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
        with pytest.raises(DataError, match=words):
            FORMS[form](found, out)
    for names, words in (
        (("cat", "a/b", "ship"), "no folder can be called 'a/b'"),
        (("cat", "Cat", "ship"), "two classes are called"),
    ):
        with pytest.raises(DataError, match=words):
            FORMS["folder"](
                replace(found, data=replace(found.data, names=names)), tmp_path / "named"
            )
    with pytest.raises(DataError, match="lacks the columns"):
        FORMS["parquet"](replace(found, target=None), tmp_path / "foreign.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["det", "file", "full"]


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_is_one_sentence_in_an_export(folder, tmp_path, form):
    """A real one where there is /dev/full: every write to it fails with "no space left"."""
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    found, out, real = read_set(folder), tmp_path / "out", Path.open

    def full(path, mode="r", *rest, **options):
        return real(Path("/dev/full") if "w" in mode else path, mode, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(DataError, match=r"the disk is full: .*out was not written"):
            FORMS[form](found, out)
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
    found = read_set(tmp_path / "a.parquet")
    assert (found.name, found.title, found.target, found.about) == ("", "a", None, {})
    assert np.array_equal(found.data.images.permute(0, 2, 3, 1).numpy(), arrays)
    for name, array in zip(("dog", "cat", "dog", "dog"), arrays, strict=True):
        (tmp_path / "f" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / name / f"{array[0, 0, 0]}.png").write_bytes(png(array))
    (tmp_path / "f" / "dog" / ".DS_Store").write_bytes(b"left by a Mac")
    assert read_set(tmp_path / "f").data.labels.tolist() == [0, 1, 1, 1]
    assert read_set(tmp_path / "f").data.names == ("cat", "dog")
    (tmp_path / "f" / "dog" / "large.png").write_bytes(png(np.zeros((10, 10, 3), np.uint8)))
    with pytest.raises(DataError, match=r"differ in size .*large.png"):
        read_set(tmp_path / "f")
    with pytest.raises(DataError, match=r"holds Parquet files but no manifest"):
        read_set(tmp_path)
    with pytest.raises(DataError, match="there is no file or folder"):
        read_set(tmp_path / "nowhere")


@pytest.mark.parametrize("labels", [["a", "b"], [0.5, 1.0], pa.array([0, None], pa.int64())])
def test_labels_that_are_no_classes_are_refused(tmp_path, labels):
    cells = [{"bytes": png(np.zeros((8, 8, 3), np.uint8))}] * 2
    pq.write_table(pa.table({"img": cells, "label": labels}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="must be whole numbers, one in each row"):
        read_set(tmp_path / "a.parquet")


class Viewer:
    labels = ("ship", "cat", "dog", "zebra")
    input_size = (8, 8)
    resize = 12
    interpolation = "bilinear"


def test_a_classifier_reads_every_layout_in_its_own_order_of_classes(folder, tmp_path):
    found = read_set(folder)
    for form in FORMS:
        FORMS[form](found, tmp_path / form)
    wanted = torch.tensor([1, 2, 0])[found.data.labels]
    for source in (folder, tmp_path / "mit", tmp_path / "parquet"):
        data = read_source(str(source), Viewer())
        assert torch.equal(
            data.images, found.data.images
        )  # ours are as a classifier sees them: not resized again
        assert torch.equal(data.labels, wanted)
    assert torch.equal(
        read_source(str(tmp_path / "folder"), Viewer()).labels.bincount(), wanted.bincount()
    )
    large = Viewer()
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
    found = read_set(folder)
    assert loaded.features["label"].names == list(found.data.names)
    assert loaded["label"] == found.data.labels.tolist()
    assert loaded["start_index"] == [None] * 40
    assert np.array_equal(
        np.stack([np.asarray(each) for each in loaded["img"]]),
        found.data.images.permute(0, 2, 3, 1).numpy(),
    )


def test_the_metadata_of_one_file_is_small(folder, tmp_path):
    """The rows of the plan are a column already."""
    FORMS["parquet"](read_set(folder), tmp_path / "one.parquet")
    stamp = json.loads(pq.read_schema(tmp_path / "one.parquet").metadata[b"explorer"])
    assert "rows" not in stamp
    assert stamp["classes"] == ["cat", "dog", "ship"]
