"""Folders of pictures as people have them: with other files, splits, and folders below classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.image_folder import read_folder
from explorer.datasets.labelled import DataError
from explorer.datasets.sources import read_source
from tests.images.pictures import PICTURE, encoded


def put(path: Path, data: bytes = encoded(PICTURE)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_other_files_are_skipped_and_counted(tmp_path):
    put(tmp_path / "README.md", b"# pictures")
    put(tmp_path / "cat" / "a.png")
    put(tmp_path / "cat" / "Thumbs.db", b"\xd0\xcf\x11\xe0")
    put(tmp_path / "cat" / "n01_boxes.txt", b"a.png 0 0 3 3")
    put(tmp_path / "cat" / ".DS_Store", b"hidden")
    put(tmp_path / "dog" / "without an ending")
    put(tmp_path / "dog" / "photo.jfif", encoded(PICTURE, "JPEG"))
    data = read_folder(tmp_path)
    assert data.names == ("cat", "dog")
    assert data.labels.tolist() == [0, 1, 1]
    assert data.notes == ("3 other files were skipped",)
    assert data.take(data.labels == 1).notes == data.notes


def test_a_damaged_picture_is_not_skipped(tmp_path):
    put(tmp_path / "cat" / "a.jpg", b"<!DOCTYPE html>")
    with pytest.raises(DataError, match=r"a\.jpg is a web page"):
        read_folder(tmp_path)
    put(tmp_path / "cat" / "a.jpg", encoded(PICTURE)[:60])
    with pytest.raises(DataError, match="damaged"):
        read_folder(tmp_path)


def test_a_folder_without_pictures(tmp_path):
    put(tmp_path / "cat" / "a.txt", b"none")
    with pytest.raises(DataError, match="hold no pictures"):
        read_folder(tmp_path)


def test_the_layout_of_tiny_imagenet(tmp_path):
    for name in ("n01443537", "n02123045"):
        put(tmp_path / "train" / name / "images" / f"{name}_0.JPEG", encoded(PICTURE, "JPEG"))
        put(tmp_path / "train" / name / f"{name}_boxes.txt", b"boxes")
    put(tmp_path / "test" / "images" / "test_0.JPEG", encoded(PICTURE, "JPEG"))
    put(tmp_path / "wnids.txt", b"n01443537")
    data = read_folder(tmp_path)  # test has no classes
    assert data.names == ("n01443537", "n02123045")
    assert (data.labels.tolist(), data.notes) == ([0, 1], ("2 other files were skipped",))
    arrays = {"val_0.JPEG": 10, "val_1.JPEG": 200, "val_2.JPEG": 90}
    for name, level in arrays.items():
        picture = encoded(PICTURE.point(lambda _, level=level: level), "PNG")
        put(tmp_path / "val" / "images" / name, picture)
    lines = ["val_0.JPEG\tn02123045\t0\t0", "val_1.JPEG\tn01443537\t0\t0"]
    put(tmp_path / "val" / "val_annotations.txt", "\n".join(lines).encode())
    with pytest.raises(DataError, match=r"holds the splits train, val; name one, such as .*train"):
        read_folder(tmp_path)
    data = read_folder(tmp_path / "val")
    assert data.names == ("n01443537", "n02123045")
    assert data.labels.tolist() == [0, 1]
    assert data.images[:, 0, 0, 0].tolist() == [200, 10]
    assert data.notes == ("1 other file was skipped",)
    put(tmp_path / "val" / "val_annotations.txt", b"../../secret.png\tn01443537\n")
    with pytest.raises(DataError, match=r"has no file and its class in line 1$"):
        read_folder(tmp_path / "val")


def test_a_class_may_be_called_train(tmp_path):
    put(tmp_path / "train" / "a.png")
    assert read_folder(tmp_path).names == ("train",)


def test_the_dog_and_the_garment_are_two_classes(tmp_path):
    class ClassifierInput:
        labels = ("Cardigan", "cardigan", "zebra")
        input_size = (16, 16)
        channels = 3
        resize = None
        interpolation = "bilinear"

    put(tmp_path / "Cardigan" / "dog.png")
    put(tmp_path / "cardigan" / "garment.png", encoded(PICTURE.point(lambda _: 9)))
    data = read_source(str(tmp_path), ClassifierInput())
    assert data.labels.tolist() == [0, 1]
    assert np.unique(data.images[1]).tolist() == [9]
