"""Pictures from files."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from explorer.images import decode as module
from explorer.images.decode import ImageError
from explorer.images.read import read_image
from tests.images.pictures import PICTURE, PIXELS, encoded, one_sentence


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"  # a PNG under another name
    path.write_bytes(encoded(PICTURE))
    np.testing.assert_array_equal(np.asarray(read_image(path).image), PIXELS)
    np.testing.assert_array_equal(np.asarray(read_image(str(path)).image), PIXELS)


def test_read_missing(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        read_image(tmp_path / "none.png")
    assert one_sentence(error) == f"{tmp_path}/none.png does not exist; check the path"


def test_read_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        read_image(tmp_path)
    assert one_sentence(error) == f"{tmp_path} is a folder; name a picture in it"


def test_read_unreadable(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    (tmp_path / "file").write_bytes(b"x")
    for path in (loop, tmp_path / "file" / "in.png", tmp_path / ("n" * 300)):
        with pytest.raises(ImageError) as error:
            read_image(path)
        assert "can't be read (" in one_sentence(error)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every file")
def test_read_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(PICTURE))
    path.chmod(0)
    with pytest.raises(ImageError) as error:
        read_image(path)
    assert "can't be read (Permission denied)" in one_sentence(error)


def test_read_a_pipe_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    with pytest.raises(ImageError) as error:
        read_image(path)
    assert "is not a regular file" in one_sentence(error)


def test_read_a_path_with_a_nul_character() -> None:
    with pytest.raises(ImageError) as error:
        read_image("a\0b.png")
    assert one_sentence(error) == "'a\\x00b.png' is not a path; check it"


def test_read_too_large_a_file(tmp_path: Path) -> None:
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(module.MAX_BYTES + 2**20)  # sparse
    tracemalloc.start()
    try:
        with pytest.raises(ImageError) as error:
            read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20  # refused before it was read
    finally:
        tracemalloc.stop()
    assert one_sentence(error) == f"{path} has 65 MiB; at most 64 are read, so make it smaller"
