"""Several who fetch one file, those who stop, and disks that fail."""

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
from tests.fetch.serving import DATA, KEPT, ROOT, SHA, litter


def test_it_can_be_stopped_and_gone_on_with(server, path):
    said = []
    remote = Remote(server.url, digest=SHA)
    with pytest.raises(Cancelled):
        fetch(
            remote,
            path,
            on_bytes=lambda *progress: said.append(progress),
            cancelled=lambda: len(said) >= 3,
        )
    assert len(said) == 3
    assert litter(path) == KEPT
    fetch(remote, path)
    assert (path.read_bytes(), server.asked[-1]) == (DATA, f"bytes={said[-1][0]}-")


def test_two_at_once_fetch_it_once(server, path):
    def slowly(handler):
        server.released.wait(0.3)
        server.answer = None
        server.asked.pop()
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
    assert (path.read_bytes(), server.asked, litter(path)) == (DATA, ["all"], [])


def test_waiting_for_another_can_be_stopped(server, path):
    path.parent.mkdir()
    holds = (
        "import sys, pathlib, explorer.fetch as f\n"
        "with f.alone(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holds, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as other:
        assert other.stdout.readline() == b"held\n"
        until = time.monotonic() + 0.3
        with pytest.raises(Cancelled):
            fetch(Remote(server.url), path, cancelled=lambda: time.monotonic() > until)
        assert server.asked == []
    fetch(Remote(server.url), path)  # the other process is done
    assert litter(path) == []


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EIO, "Input/output error")]
)
def test_a_disk_that_fails_is_said(server, path, monkeypatch, code, words):
    def fsync(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FetchError, match=f"can't write weights.pth into .*cache: {words}"):
        fetch(Remote(server.url, digest=SHA), path)
    assert not path.exists()


def test_a_folder_that_can_not_be_made_is_said(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match=r"can't write x\.pth into .*file.deep: "):
        fetch(Remote(server.url), tmp_path / "file" / "deep" / "x.pth")
