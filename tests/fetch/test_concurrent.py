"""Concurrent and cancelled downloads, and disks that fail."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time

import pytest

from explorer.errors import Cancelled
from explorer.fetch import FetchError, Remote, fetch
from tests.fetch.serving import DATA, PART_FILES, ROOT, SHA, other_files


def test_a_cancelled_download_continues_later(server, path):
    progress = []
    remote = Remote(server.url, digest=SHA)
    with pytest.raises(Cancelled):
        fetch(
            remote,
            path,
            on_bytes=lambda *values: progress.append(values),
            cancelled=lambda: len(progress) >= 3,
        )
    assert len(progress) == 3
    assert other_files(path) == PART_FILES
    fetch(remote, path)
    assert (path.read_bytes(), server.requests[-1]) == (DATA, f"bytes={progress[-1][0]}-")


def test_concurrent_downloads_make_one_request(server, path):
    def slowly(handler):
        server.released.wait(0.3)
        server.answer = None
        server.requests.pop()
        server.reply(handler)

    server.answer = slowly
    threads = [
        threading.Thread(target=fetch, args=(Remote(server.url, digest=SHA), path))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (path.read_bytes(), server.requests, other_files(path)) == (DATA, ["all"], [])


def test_waiting_for_another_process_can_be_cancelled(server, path):
    path.parent.mkdir()
    code = (
        "import sys, pathlib, explorer.fetch as f\n"
        "with f.file_lock(pathlib.Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as other:
        assert other.stdout.readline() == b"locked\n"
        deadline = time.monotonic() + 0.3
        with pytest.raises(Cancelled):
            fetch(Remote(server.url), path, cancelled=lambda: time.monotonic() > deadline)
        assert server.requests == []
    fetch(Remote(server.url), path)  # the other process has ended
    assert other_files(path) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            errno.ENOSPC,
            "the disk is full: .*weights.pth was not written. What arrived is kept; make",
        ),
        (errno.EIO, "can't write .*cache/weights.pth: Input/output error"),
    ],
)
def test_a_disk_that_fails(server, path, monkeypatch, code, words):
    def fsync(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FetchError, match=words):
        fetch(Remote(server.url, digest=SHA), path)
    assert not path.exists()


def test_a_folder_that_can_not_be_created(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match=r"can't write .*file.deep.x\.pth: "):
        fetch(Remote(server.url), tmp_path / "file" / "deep" / "x.pth")
