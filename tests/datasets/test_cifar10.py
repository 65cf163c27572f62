"""CIFAR-10 from a server that works, and from servers that fail: nothing incomplete stays."""

from __future__ import annotations

import errno
import hashlib
import pickle
import socket
import tarfile

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

from explorer.datasets import cifar10
from explorer.datasets.cifar10 import download_cifar10, has_cifar10, read_cifar10
from explorer.datasets.labelled import DataError
from explorer.datasets.sources import read_source
from explorer.errors import Cancelled
from explorer.fetch import download
from explorer.files import FileError
from tests.datasets.cifar10_server import (
    falls_silent,
    never_ends,
    packed,
    resets,
    sends,
    serving,
    trickles,
)

NAMES = ["cat", "dog"]


@pytest.fixture(scope="module")
def files():
    """The files of a small CIFAR-10: four training images, two test images, two classes.

    The images are noise, so that they don't compress.
    """
    noise = np.random.default_rng(0).integers(0, 256, (6, 3072), dtype=np.uint8)
    return {
        "data_batch_1": pickle.dumps({"data": noise[:4], "labels": [0, 1, 1, 0]}),
        "test_batch": pickle.dumps({"data": noise[4:], "labels": [1, 0]}),
        "batches.meta": pickle.dumps({"label_names": NAMES}),
    }


@pytest.fixture
def archive(files, monkeypatch):
    """The archive of ``files``, with whose MD5s torchvision's are replaced."""
    md5 = {name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", md5["data_batch_1"]]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5["test_batch"]]])
    monkeypatch.setattr(
        CIFAR10,
        "meta",
        {"filename": "batches.meta", "key": "label_names", "md5": md5["batches.meta"]},
    )
    data = packed(files)
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(data).hexdigest())
    monkeypatch.setattr(cifar10, "ARCHIVE_BYTES", len(data))
    monkeypatch.setattr(download, "_CHUNK", 4096)
    return data


@pytest.mark.parametrize("respond", [sends, trickles])
def test_it_is_fetched_and_read(tmp_path, monkeypatch, archive, respond):
    progress = []
    root = tmp_path / "new" / "data"
    with serving(monkeypatch, respond(archive)):
        folder = download_cifar10(root, lambda done, total: progress.append((done, total)))
    assert folder == root / "cifar-10-batches-py"
    assert list(root.iterdir()) == [folder]  # neither the archive nor anything temporary
    assert progress == sorted(progress)
    assert progress[-1] == (len(archive), len(archive))
    assert read_cifar10(train=True, folder=root).labels.tolist() == [0, 1, 1, 0]
    assert read_cifar10(limit=1, train=False, folder=root).images.shape == (1, 3, 32, 32)
    monkeypatch.setenv("EXPLORER_DATA", str(root))

    class ClassifierInput:
        labels = ("dog", "cat")
        input_size = (32, 32)
        channels = 3
        resize = None
        interpolation = "bilinear"

    assert read_source("cifar10", ClassifierInput()).labels.tolist() == [0, 1]
    with pytest.raises(DataError, match="CIFAR-10: name it cifar10 or cifar10:train"):
        read_source(str(root), ClassifierInput())
    assert download_cifar10(root) == folder  # without a server


@pytest.mark.parametrize(
    ("respond", "words"),
    [
        (lambda data: sends(b"gone", status=404), "answered 404"),
        (lambda data: sends(b"oh", status=500), "answered 500"),
        (
            lambda data: sends(b"<html>log in to this network</html>"),
            "has a file of 35 bytes where",
        ),
        (lambda data: sends(data[:-9] + b"wrongwron"), "is not CIFAR-10"),
        (
            lambda data: sends(data, length=len(data) - 100),
            "has a file of .* bytes where .* are expected",
        ),
        (
            lambda data: sends(data, length=len(data) + 100),
            "has a file of .* bytes where .* are expected",
        ),
        (lambda data: sends(b""), "has a file of 0 bytes where"),
        (falls_silent, "the connection broke after"),
        (resets, "the connection broke after"),
        (never_ends, "sends more than the"),
    ],
    ids=[
        "404",
        "500",
        "a page",
        "wrong bytes",
        "says less",
        "says more",
        "empty",
        "silent",
        "reset",
        "endless",
    ],
)
def test_a_server_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, archive, respond, words):
    with serving(monkeypatch, respond(archive)), pytest.raises(DataError, match=words):
        download_cifar10(tmp_path, timeout=0.5)
    assert list(tmp_path.iterdir()) == []
    assert not has_cifar10(tmp_path)


def test_no_connection_is_one_sentence(tmp_path, monkeypatch, archive):
    sentence = r"127.0.0.1 can't be reached .*check the connection. Or unpack .*everything else"
    with socket.socket() as listener:  # a port without a server
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{port}/x.tar.gz")
        with pytest.raises(DataError, match=f"{sentence} works"):
            download_cifar10(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_download_is_resumed(tmp_path, monkeypatch, archive):
    starts = []

    def resumes(handler, released):
        start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        starts.append(start)
        handler.send_response(206 if start else 200)
        handler.send_header("ETag", '"one"')
        handler.send_header("Content-Length", str(len(archive) - start))
        handler.send_header("Content-Range", f"bytes {start}-{len(archive) - 1}/{len(archive)}")
        handler.end_headers()
        handler.wfile.write(
            archive[start : max(start, 5000)] if starts.count(5000) < 2 else archive[start:]
        )

    sentence = (
        r"the connection broke after .*what arrived is kept: try again to continue.*Or unpack"
    )
    with serving(monkeypatch, resumes):
        with pytest.raises(DataError, match=sentence):
            download_cifar10(tmp_path)
        assert (tmp_path / ".cifar-10-python.tar.gz.part").read_bytes() == archive[:5000]
        assert not has_cifar10(tmp_path)
        download_cifar10(tmp_path)
    assert starts == [0, 5000, 5000]
    assert has_cifar10(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-batches-py"]


def test_a_download_can_be_cancelled(tmp_path, monkeypatch, archive):
    calls = []
    with serving(monkeypatch, sends(archive)), pytest.raises(Cancelled):
        download_cifar10(
            tmp_path, lambda *progress: calls.append(progress), cancelled=lambda: len(calls) >= 2
        )
    assert len(calls) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_copy_is_fetched_again(tmp_path, monkeypatch, archive):
    with serving(monkeypatch, sends(archive)):
        download_cifar10(tmp_path)
        batch = tmp_path / "cifar-10-batches-py" / "test_batch"
        whole = batch.read_bytes()
        batch.write_bytes(whole[:100])
        sentence = r"is not in .*, or not complete; fetch it with: python -m explorer download"
        with pytest.raises(DataError, match=sentence):
            read_cifar10(train=False, folder=tmp_path)
        download_cifar10(tmp_path)
    assert batch.read_bytes() == whole


def test_an_archive_of_other_files_is_not_kept(tmp_path, monkeypatch, archive, files):
    for other in (
        packed({**files, "test_batch": b"other"}),
        packed(files, "../outside"),
        b"no archive at all",
    ):
        monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(other).hexdigest())
        with serving(monkeypatch, sends(other)), pytest.raises(DataError, match="CIFAR-10"):
            download_cifar10(tmp_path / "data")
        assert list((tmp_path / "data").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, archive):
    (tmp_path / "file").write_text("")
    sentence = r"can't write .*/data/cifar-10-batches-py: .*; EXPLORER_DATA names another folder"
    with pytest.raises(FileError, match=sentence):
        download_cifar10(tmp_path / "file" / "data")


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch, archive):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    sentence = r"the disk is full: .*cifar-10-batches-py was not written. Unpacking .* needs 360 MB"
    with serving(monkeypatch, sends(archive)), pytest.raises(FileError, match=sentence):
        download_cifar10(tmp_path)
    assert list(tmp_path.iterdir()) == []
