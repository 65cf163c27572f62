"""A temporary file is removed by its process or by a later one, and never while it is in use."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from explorer import leftovers
from explorer.files import new_folder, remove_folder, write_atomically, write_together
from explorer.leftovers import remove_leftovers, temporary_file, temporary_folder
from tests.test_files import ROOT, names

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
HOLD = (
    "import pathlib, sys\n"
    "from explorer.leftovers import temporary_file, temporary_folder\n"
    "folder = pathlib.Path(sys.argv[1])\n"
    "with temporary_file(folder) as file, temporary_folder(folder) as inner:\n"
    "    (inner / 'a').write_text('half'); file.write_text('half')\n"
    "    print('ready', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def other_process(tmp_path):
    """A process that is writing a file and a folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_what_another_process_is_writing_is_left_alone_until_it_is_killed(tmp_path, other_process):
    remove_leftovers(tmp_path)
    assert len(names(tmp_path)) == 2
    other_process.kill()
    other_process.wait()
    assert len(names(tmp_path)) == 2
    write_atomically(tmp_path / "file", b"data")
    assert names(tmp_path) == ["file"]


def test_no_clock_is_asked(tmp_path, other_process, monkeypatch):
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    monkeypatch.setattr(time, "time", lambda: 1e12)
    remove_leftovers(tmp_path)
    assert len(names(tmp_path)) == 2
    other_process.kill()
    other_process.wait()
    for path in tmp_path.iterdir():
        os.utime(path, (4e9, 4e9))
    monkeypatch.setattr(time, "time", lambda: 0.0)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_what_other_threads_are_writing_is_left_alone(tmp_path):
    """Two sessions of the app write to the same folder."""
    errors = []

    def write(letter: str) -> None:
        try:
            for number in range(30):
                write_atomically(tmp_path / f"{letter}{number % 3}", letter.encode() * 1000)
                with new_folder(tmp_path / f"folder {letter}") as folder:
                    (folder / "file").write_text(letter)
                remove_folder(tmp_path / f"folder {letter}")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert names(tmp_path) == [f"{letter}{number}" for letter in "abcd" for number in range(3)]


def test_a_file_that_is_taken_for_a_leftover_before_it_is_locked_is_made_again(
    tmp_path, monkeypatch
):
    lock, removed = leftovers._lock, []

    def remove_then_lock(path: Path) -> int | None:
        if not removed:
            removed.append(path)
            remove_leftovers(tmp_path)
        return lock(path)

    monkeypatch.setattr(leftovers, "_lock", remove_then_lock)
    write_atomically(tmp_path / "file", b"data")
    assert removed
    assert names(tmp_path) == ["file"]


def test_without_locks_files_are_written_and_none_is_removed(tmp_path, monkeypatch):
    def no_locks(*_) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(leftovers.fcntl, "flock", no_locks)
    with temporary_file(tmp_path), temporary_folder(tmp_path):
        write_atomically(tmp_path / "file", b"data")
        assert len(names(tmp_path)) == 3
    assert names(tmp_path) == ["file"]


def test_files_of_others_are_left_alone(tmp_path):
    os.mkfifo(tmp_path / ".explorer-0.part")  # must not be waited for
    (tmp_path / ".explorer-1.part").symlink_to(tmp_path / "file")
    for name in ("file", "file.part", ".explorer-2", "explorer-3.part", ".file.1-2.part"):
        (tmp_path / name).write_text("text")
    before = set(names(tmp_path))
    write_atomically(tmp_path / "new", b"data")
    assert set(names(tmp_path)) - {"new"} == before


def kills(step: int, folder: Path, files: dict[str, bytes]) -> bool:
    """Write ``files`` in a process that is killed at its ``step``-th change of the file system.

    False if it does fewer changes than that.
    """
    process = os.fork()
    if not process:
        changes = 0

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal changes
            writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
            if writing or event in ("os.rename", "os.remove", "os.link", "os.mkdir"):
                changes += 1
                if changes == step:
                    os.kill(os.getpid(), 9)

        sys.addaudithook(count)
        write_together(folder, files)
        os._exit(0)
    return os.waitpid(process, 0)[1] == 9


def test_files_that_belong_together_are_never_mixed(tmp_path):
    """The last one is there only if the others are of the same call, wherever it is killed."""
    old, new = ({name: f"{age} {name}".encode() for name in "abc"} for age in ("old", "new"))
    write_together(tmp_path, old)
    step, seen = 1, set()
    while kills(step, tmp_path, new):
        files = {path.name: path.read_bytes() for path in tmp_path.glob("[abc]")}
        seen.add("c" in files)
        assert "c" not in files or files in (old, new)
        write_together(tmp_path, old)
        assert names(tmp_path) == ["a", "b", "c"]
        step += 1
    assert step > 10
    assert seen == {True, False}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == new


def test_files_that_belong_together_stay_where_there_is_no_room(tmp_path, monkeypatch):
    old = {"a": b"old", "b": b"old"}
    write_together(tmp_path, old)
    synced, real = [], os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ValueError, match=r"the disk is full: .*b was not written"):
        write_together(tmp_path, {"a": b"new", "b": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_a_folder_is_removed_by_one_process(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("text")
    remove_folder(folder)
    assert names(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        remove_folder(folder)
    assert names(tmp_path) == []
