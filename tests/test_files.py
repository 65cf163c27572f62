"""Files are whole or absent, and the environment chooses the folders."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from explorer import files
from explorer.files import (
    FileError,
    cache_folder,
    create_first,
    data_folder,
    disk_error,
    new_folder,
    sha256,
    shared_folder,
    weights_folder,
    write_atomically,
)

ROOT = Path(__file__).resolve().parents[1]
VARIABLES = ("CACHE", "DATA", "SHARED", "WEIGHTS")


def fail(code: int):
    """A function that fails as a system call does."""

    def call(*_):
        raise OSError(code, os.strerror(code))

    return call


def write_half(path: Path) -> None:
    path.write_bytes(b"half")
    raise ZeroDivisionError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "file"
    for data in (b"one", b"two"):
        write_atomically(path, data)
        assert path.read_bytes() == data
        assert names(tmp_path) == ["file"]
    assert sha256(path) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "the disk is full: {} was not written. What is done is kept; make room"),
        (errno.EDQUOT, "the disk is full: {} was not written. What is done is kept; make room"),
        (errno.EIO, "can't write {}: Input/output error"),
        (errno.EACCES, "can't write {}: Permission denied"),
    ],
)
def test_a_disk_that_fails_leaves_the_old_file(tmp_path, monkeypatch, function, code, message):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(files.os, function, fail(code))
    with pytest.raises(FileError) as error:
        write_atomically(path, b"new")
    assert str(error.value).startswith(message.format(path))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_missing_folder_is_a_file_error(tmp_path):
    with pytest.raises(FileError, match=r"can't write .*: No such file or directory"):
        write_atomically(tmp_path / "missing" / "file", b"data")


def test_what_remains_is_said_only_if_the_disk_is_full():
    full, other = (OSError(code, os.strerror(code)) for code in (errno.ENOSPC, errno.EIO))
    assert "Nothing is kept" in str(disk_error(Path("a"), full, "Nothing is kept"))
    assert "Nothing is kept" not in str(disk_error(Path("a"), other, "Nothing is kept"))


def test_threads_that_write_the_same_file_do_not_mix_their_bytes(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([i]) * 300_000 for i in range(6)]
    threads = [threading.Thread(target=write_atomically, args=(path, data)) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("links", [True, False])
def test_create_first_writes_only_a_new_file(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(files.os, "link", fail(errno.EPERM))
    path = tmp_path / "file"
    assert create_first(path, b"one")
    assert not create_first(path, b"two")
    assert path.read_bytes() == b"one"
    assert names(tmp_path) == ["file"]


def test_one_of_several_processes_creates_the_file(tmp_path):
    path = tmp_path / "file"
    code = (
        "import pathlib, sys; from explorer.files import create_first\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(create_first(pathlib.Path(sys.argv[1]), sys.argv[2].encode() * 100_000))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), letter],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in "abc"
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0] for process in processes]
    assert sorted(answers) == ["False\n", "False\n", "True\n"]
    assert path.read_bytes() == b"abc"[answers.index("True\n")].to_bytes() * 100_000
    assert names(tmp_path) == ["file"]


def test_a_full_disk_creates_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "fsync", fail(errno.ENOSPC))
    with pytest.raises(FileError, match="the disk is full"):
        create_first(tmp_path / "file", b"data")
    assert names(tmp_path) == []


def test_a_new_folder_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "parent" / "folder"
    with new_folder(path) as folder:
        (folder / "file").write_text("text")
        assert not path.exists()
    assert (path / "file").read_text() == "text"
    assert names(tmp_path / "parent") == ["folder"]


def test_a_new_folder_does_not_replace_files(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with new_folder(path) as folder:  # an empty one is replaced
        (folder / "file").write_text("old")
    with pytest.raises(FileExistsError), new_folder(path) as folder:
        (folder / "file").write_text("new")
    assert (path / "file").read_text() == "old"
    assert names(tmp_path) == ["folder"]


def test_a_new_folder_that_fails_is_not_left_behind(tmp_path):
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "folder") as folder:
        write_half(folder / "file")
    assert names(tmp_path) == []


def test_a_new_folder_below_a_file_is_another_error_than_an_occupied_one(tmp_path):
    (tmp_path / "file").write_text("")
    for path, error in (
        (tmp_path / "file", FileExistsError),
        (tmp_path / "file" / "below", NotADirectoryError),
    ):
        with pytest.raises(error), new_folder(path):
            pytest.fail("the folder can't be made")
    sentence = str(disk_error(path, NotADirectoryError(20, "Not a directory"), hint="move it"))
    assert sentence == f"can't write {path}: Not a directory; move it"
    assert names(tmp_path) == ["file"]


@pytest.fixture
def environment(monkeypatch):
    """The environment without any variable that chooses a folder."""
    for name in ("TORCH_HOME", "XDG_CACHE_HOME", *(f"EXPLORER_{each}" for each in VARIABLES)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/person")
    return monkeypatch


def test_default_folders(environment):
    assert cache_folder() == Path("/home/person/.cache/adversarial-explorer")
    assert weights_folder() == Path("/home/person/.cache/torch/hub/checkpoints")
    assert data_folder() == Path("data")
    assert shared_folder() == ROOT.parent / "shared"
    environment.setenv("XDG_CACHE_HOME", "/scratch/cache")
    assert cache_folder() == Path("/scratch/cache/adversarial-explorer")


def test_folders_that_the_environment_names(environment):
    functions = (cache_folder, data_folder, shared_folder, weights_folder)
    for name, function in zip(VARIABLES, functions, strict=True):
        environment.setenv(f"EXPLORER_{name}", f"~/{name}")
        assert function() == Path("/home/person") / name
        environment.setenv(f"EXPLORER_{name}", "")  # as if it were not set
        assert name not in str(function())


@pytest.mark.parametrize("torch_home", [None, "/scratch/torch", "~/torch"])
@pytest.mark.parametrize("cache", [None, "/scratch/cache", "~/cache"])
def test_weights_lie_where_torch_downloads_them(environment, torch_home, cache):
    for name, value in (("TORCH_HOME", torch_home), ("XDG_CACHE_HOME", cache)):
        if value:
            environment.setenv(name, value)
    environment.setattr(torch.hub, "_hub_dir", None)
    assert weights_folder() == Path(torch.hub.get_dir()) / "checkpoints"
