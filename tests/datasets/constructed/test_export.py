"""Every export is read back, by us and by others, and none leaves half a set or overwrites one."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch

from explorer.datasets.constructed.constructions import D_DET, D_NR
from explorer.datasets.constructed.export import FORMATS
from explorer.datasets.constructed.read import read_set
from explorer.datasets.labelled import DataError
from explorer.datasets.sources import read_source
from explorer.files import FileError
from tests.datasets.constructed.building import TENSORS, build_in, plan_for


def same_pixels(one, other):
    return torch.equal(one.data.images, other.data.images) and torch.equal(
        one.data.labels, other.data.labels
    )


def pairs(dataset):
    """Every image's bytes with its label, without an order."""
    images = [image.numpy().tobytes() for image in dataset.data.images]
    return set(zip(images, dataset.data.labels.tolist(), strict=True))


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
    plan = plan_for(tiny, pictures, replace(D_NR, steps=1, start="noise"))
    build_in(tmp_path / "nr", plan, tiny, pictures)
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
        (("cat", "dog.", "ship"), "no folder can be called 'dog.'"),
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


def test_the_metadata_of_one_file_is_small(folder, tmp_path):
    """The rows of the plan are a column already."""
    FORMATS["parquet"](read_set(folder), tmp_path / "one.parquet")
    stamp = json.loads(pq.read_schema(tmp_path / "one.parquet").metadata[b"explorer"])
    assert "rows" not in stamp
    assert stamp["classes"] == ["cat", "dog", "ship"]
