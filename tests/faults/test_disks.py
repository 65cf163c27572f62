"""Disks that are full or can't be written: one sentence, and the old files stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.classifiers import downloads
from explorer.fetch import Remote
from tests.cli.running import run
from tests.faults.conftest import close
from tests.faults.forked import Commands, Fault
from tests.faults.work import QUICK, Work
from tests.fetch.serving import DATA, Server

WRITING = ("attack", "rerun", "build", "train", "mit", "folder", "parquet")


def fill(disk: Path, free: int) -> None:
    """Leave ``free`` bytes on a disk."""
    data = bytes(4096)
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(data):
                pass
        except OSError:
            pass
        file.truncate(file.tell() - free)


def sentence(err: str) -> str:
    """The last of the lines, which has no traceback."""
    assert "Traceback" not in err
    return err.splitlines()[-1]


@pytest.mark.parametrize("free", [0, 8192])
@pytest.mark.parametrize("name", WRITING)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    forks: Commands, work: Work, small_disk: Path, name: str, free: int
) -> None:
    out = small_disk / "out"
    if name not in ("mit", "folder", "parquet"):
        out.mkdir()
        (out / "recipe.json").write_text("old")
    fill(small_disk, free)
    ended = forks.run(*work.arguments(name, out), fault=Fault(setup=QUICK.get(name, "")))
    assert ended.status == 2, ended.err
    assert "the disk is full" in sentence(ended.err)
    assert "make room and start again" in sentence(ended.err)
    if name in ("attack", "rerun"):
        assert {path.name: path.read_text() for path in out.iterdir()} == {"recipe.json": "old"}
    assert not [path for path in small_disk.rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize("name", WRITING)
def test_a_folder_that_can_not_be_written_is_one_sentence(
    forks: Commands, work: Work, read_only: Path, name: str
) -> None:
    close(read_only)
    command = work.arguments(name, read_only / "out")
    ended = forks.run(*command, fault=Fault(setup=QUICK.get(name, "")))
    assert ended.status == 2, ended.err
    assert f"can't write {read_only}" in ended.err or f"write into {read_only}" in ended.err
    assert len(ended.err.splitlines()) == 1 or name == "build"


def test_a_full_disk_keeps_what_arrived_of_a_download(
    capsys, small_disk: Path, server: Server, monkeypatch
) -> None:
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(small_disk))
    monkeypatch.setattr(downloads, "remote_weights", lambda name: Remote(server.url))
    status, out, err = run(capsys, "models", "--fetch", "torchvision:resnet18")
    assert (status, out) == (2, "")
    assert "the disk is full" in sentence(err)
    assert "What arrived is kept; make room and start again" in sentence(err)
    assert not (small_disk / "weights.pth").exists()
    part = (small_disk / "weights.pth.part").read_bytes()
    assert part == DATA[: len(part)]


def test_weights_that_can_not_be_stored_are_one_sentence(
    capsys, read_only: Path, server: Server, monkeypatch
) -> None:
    close(read_only)
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(read_only / "weights"))
    monkeypatch.setattr(downloads, "remote_weights", lambda name: Remote(server.url))
    status, out, err = run(capsys, "models", "--fetch", "torchvision:resnet18")
    assert (status, out) == (2, "")
    assert f"can't write {read_only}" in sentence(err)


@pytest.mark.parametrize("place", ["small_disk", "read_only"])
def test_a_bug_is_reported_where_its_log_can_not_be_written(
    forks: Commands, place: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(place)
    if place == "small_disk":
        fill(folder, 0)
    else:
        close(folder)
    setup = "from explorer.cli import models; models.run = lambda options: 1 // 0"
    fault = Fault(setup=setup, environment={"EXPLORER_CACHE": str(folder)})
    ended = forks.run("models", fault=fault)
    assert ended.status == 70
    assert len(ended.err.splitlines()) == 1
    assert "log.txt" not in ended.err


def test_a_set_is_read_where_nothing_can_be_written(
    forks: Commands, work: Work, read_only: Path, tmp_path: Path
) -> None:
    out = read_only / "built"
    assert forks.run(*work.arguments("build", out)).status == 0
    close(read_only)
    export = ("export", "--set", str(out), "--to", "mit", "--out", str(tmp_path / "export"))
    assert forks.run(*export).status == 0
