"""Images and labels from Parquet files; one reader of pictures for files, folders and uploads."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import ExifTags, Image

from explorer.datasets.image_folder import read_folder
from explorer.datasets.labelled import DataError
from explorer.datasets.near_duplicates import exclude_near_duplicates, near_duplicates
from explorer.datasets.parquet import read_parquet
from explorer.datasets.sources import read_source
from explorer.images.isolated import decode_isolated
from explorer.images.open import open_image
from tests.images.pictures import PICTURE, encoded
from tests.images.profiles import DISPLAY_P3, profile

NAMES = ["cat", "dog"]


class ClassifierInput:
    labels = ("dog", "cat", "ship")
    input_size = (8, 8)
    channels = 3
    resize = None
    interpolation = "bilinear"


def png(array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def pictures(n=5, side=8):
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def write(path, cells, labels, column="img", names=NAMES, **layout):
    table = pa.table({column: [{"bytes": c, "path": None} for c in cells], "label": labels})
    if names:
        info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    pq.write_table(table, path, **layout)
    return path


@pytest.mark.parametrize(
    "layout",
    [
        {"row_group_size": 2},
        {"dictionary_pagesize_limit": 100, "data_page_size": 100},
        {"use_dictionary": False, "row_group_size": 1},
    ],
    ids=["several row groups", "a dictionary that overflows", "without dictionaries"],
)
def test_a_file_may_be_laid_out_in_any_way(tmp_path, layout):
    arrays = pictures()
    path = write(tmp_path / "a.parquet", map(png, arrays), [0, 1, 0, 1, 1], **layout)
    data = read_parquet(path)
    assert np.array_equal(data.images.permute(0, 2, 3, 1).numpy(), arrays)
    assert data.labels.tolist() == [0, 1, 0, 1, 1]
    assert read_parquet(path, limit=3).labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize("column", ["img", "image"])
def test_pixels_labels_and_names_are_read(tmp_path, column):
    arrays = pictures()
    data = read_parquet(write(tmp_path / "a.parquet", map(png, arrays), [0, 1, 0, 1, 1], column))
    assert np.array_equal(data.images.permute(0, 2, 3, 1).numpy(), arrays)
    assert data.labels.tolist() == [0, 1, 0, 1, 1]
    assert data.names == tuple(NAMES)
    assert len(read_parquet(tmp_path / "a.parquet", limit=2)) == 2


def test_labels_become_the_indices_of_the_classifier(tmp_path):
    path = write(tmp_path / "a.parquet", map(png, pictures()), [0, 1, 0, 1, 1])
    data = read_source(str(path), ClassifierInput())
    assert data.labels.tolist() == [1, 0, 1, 0, 0]
    write(tmp_path / "b.parquet", map(png, pictures()), [0] * 5, names=["zebra"])
    with pytest.raises(DataError, match="does not know, such as 'zebra'"):
        read_source(str(tmp_path / "b.parquet"), ClassifierInput())
    write(tmp_path / "c.parquet", map(png, pictures()), [7, 0, 0, 0, 0], names=None)
    with pytest.raises(DataError, match="labels from 0 to 7"):
        read_source(str(tmp_path / "c.parquet"), ClassifierInput())


def test_pictures_of_different_sizes_are_preprocessed_to_one(tmp_path):
    cells = [png(pictures(1, 8)[0]), png(pictures(1, 20)[0])]
    path = write(tmp_path / "a.parquet", cells, [0, 1])
    assert read_source(str(path), ClassifierInput()).images.shape == (2, 3, 8, 8)
    with pytest.raises(DataError, match=r"differ in size \(row 1 of .* from row 0 of"):
        read_parquet(path)


def rgba_png():
    rgba = np.random.default_rng(2).integers(0, 256, (8, 12, 4), dtype=np.uint8)
    return png(rgba)


def png_16_bit():
    return png(np.random.default_rng(3).integers(0, 65536, (8, 12), dtype=np.uint16))


def rotated_jpeg():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    buffer = io.BytesIO()
    Image.fromarray(pictures(1, 12)[0, :8]).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def wide_colours():
    return encoded(PICTURE, icc_profile=profile("Display P3", DISPLAY_P3))


@pytest.mark.parametrize("make", [rgba_png, png_16_bit, rotated_jpeg, wide_colours])
def test_all_ways_in_give_the_same_pixels(tmp_path, make):
    data = make()
    upload = np.asarray(decode_isolated(data, "upload").image)
    (tmp_path / "named.png").write_bytes(data)
    assert np.array_equal(np.asarray(open_image(str(tmp_path / "named.png")).image), upload)
    naive = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert upload.shape != naive.shape or (upload != naive).any()  # plain Pillow gives others
    write(tmp_path / "a.parquet", [data], [0])
    (tmp_path / "folder" / "cat").mkdir(parents=True)
    (tmp_path / "folder" / "cat" / "picture").write_bytes(data)
    for images in (
        read_parquet(tmp_path / "a.parquet").images,
        read_folder(tmp_path / "folder").images,
    ):
        assert np.array_equal(images[0].permute(1, 2, 0).numpy(), upload)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_8_bit_colour_is_what_pillow_decodes(tmp_path, format):
    buffer = io.BytesIO()
    Image.fromarray(pictures(1, 32)[0]).save(buffer, format)
    write(tmp_path / "a.parquet", [buffer.getvalue()], [0])
    pixels = read_parquet(tmp_path / "a.parquet").images[0].permute(1, 2, 0).numpy()
    assert np.array_equal(pixels, np.asarray(Image.open(buffer)))


def test_an_unusable_file_is_refused_with_its_fault(tmp_path):
    (tmp_path / "text.parquet").write_text("hello")
    (tmp_path / "nothing.parquet").touch()
    write(tmp_path / "whole.parquet", [b"a"], [0])
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-9])
    pq.write_table(pa.table({"a": [1]}), tmp_path / "columns.parquet")
    write(tmp_path / "rotten.parquet", [b"rotten"], [0])
    write(tmp_path / "empty.parquet", [], pa.array([], pa.int64()))
    for name, words in (
        ("nowhere", "there is no file"),
        ("text", "is not a Parquet file; name one, or a folder"),
        ("nothing", "is empty; download or save it again"),
        ("cut", "is damaged or cut short"),
        ("columns", "has the columns a; it needs"),
        ("rotten", "row 0 of .* is not a picture that can be read here"),
        ("empty", "has no rows|holds no image"),
    ):
        with pytest.raises(DataError, match=words):
            read_parquet(tmp_path / f"{name}.parquet")


def test_near_duplicates_are_recognised_after_recompression():
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
    nearest = near_duplicates(images, torch.from_numpy(arrays[:10]).permute(0, 3, 1, 2))
    assert torch.equal(order[nearest], torch.arange(10))


def test_two_columns_of_one_name_are_an_error(tmp_path):
    schema = pa.schema([("img", pa.binary()), ("label", pa.int64()), ("label", pa.int64())])
    table = pa.Table.from_arrays([pa.array([b""]), pa.array([0]), pa.array([1])], schema=schema)
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match="several columns named label"):
        read_parquet(tmp_path / "twice.parquet")


def test_leaving_out_every_image_is_refused(tmp_path):
    data = read_parquet(write(tmp_path / "a.parquet", map(png, pictures()), [0, 1, 0, 1, 1]))
    assert len(exclude_near_duplicates(data, data.images[:2])) == 3
    with pytest.raises(DataError, match="no image is left: all 5"):
        exclude_near_duplicates(data, data.images)


@pytest.mark.parametrize("column", ["img", "image", "label"])
def test_two_columns_of_one_name_are_refused(tmp_path, column):
    table = pq.read_table(write(tmp_path / "a.parquet", map(png, pictures(1)), [0], "image"))
    image, label = table["image"], table["label"]
    names = [column, column, "image" if column == "label" else "label"]
    pq.write_table(
        pa.table([label, label, image] if column == "label" else [image, image, label], names),
        tmp_path / "a.parquet",
    )
    with pytest.raises(DataError, match=f"a.parquet has several columns named {column}"):
        read_parquet(tmp_path / "a.parquet")


def repeated(cell: bytes, rows: int) -> pa.Table:
    """A table of a few kilobytes, however many rows it has."""
    cells = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [cell])
    return pa.table({"img": cells, "label": np.zeros(rows, np.int64)})


@pytest.mark.parametrize(
    ("cell", "rows", "words"),
    [
        (png(np.zeros((9, 9), np.uint8)), 30_000, "has 30,000 rows, far too many for its size"),
        (png(np.zeros((4800, 4800), np.uint8)), 50, "have far too many pixels for its size"),
        (bytes(10**8), 3, "unpacks to 95 MiB, far too much for its size"),
        (bytes(10**7), 500, "row 0 of .* is not a picture"),  # 5 GB if each row had its own
    ],
)
def test_a_small_file_that_becomes_enormous(tmp_path, cell, rows, words):
    pq.write_table(repeated(cell, rows), tmp_path / "t.parquet", compression="zstd")
    with pytest.raises(DataError, match=words):
        read_parquet(tmp_path / "t.parquet")


def test_names_of_columns_are_shown_in_short(tmp_path):
    pq.write_table(pa.table({f"a\n{index}": [1] for index in range(999)}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"has the columns a\?0, .*…; it needs") as error:
        read_parquet(tmp_path / "t.parquet")
    assert len(str(error.value).replace(str(tmp_path), "")) < 250
