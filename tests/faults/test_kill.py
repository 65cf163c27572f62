"""A command that is killed leaves nothing half written, and does the rest when started again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.forked import Commands, Fault
from tests.faults.work import QUICK, WHOLE, Work

POINTS = 4  # at which each command is killed


def contents(out: Path) -> dict[str, bytes]:
    """The files of a result by name, without the time that it took."""
    if out.is_file():
        return {".": out.read_bytes()}
    files = {str(path.relative_to(out)): path for path in out.rglob("*") if path.is_file()}
    return {name: _without_time(path) for name, path in files.items()}


def _without_time(path: Path) -> bytes:
    if path.name == "checkpoint.pt":
        return b""
    data = path.read_bytes()
    if path.name == "cifar10-standard.json":
        return json.dumps(json.loads(data) | {"seconds": 0}).encode()
    return data


@pytest.mark.parametrize("name", WHOLE)
def test_a_killed_command_is_continued_to_the_same_bytes(
    forks: Commands, work: Work, tmp_path: Path, name: str
) -> None:
    setup = QUICK.get(name, "")
    expected_out = tmp_path / "undisturbed" / "out"
    expected_out.parent.mkdir()
    fault = Fault(folder=str(expected_out.parent), setup=setup)
    ended = forks.run(*work.arguments(name, expected_out), fault=fault)
    assert ended.status == 0, ended.err
    expected = contents(expected_out)
    points = sorted({1 + i * (ended.changes - 1) // (POINTS - 1) for i in range(POINTS)})
    assert len(points) == POINTS
    for point in points:
        folder = tmp_path / str(point)
        folder.mkdir()
        command = work.arguments(name, folder / "out")
        fault = Fault(folder=str(folder), kill_at=point, setup=setup)
        assert forks.run(*command, fault=fault).status == -9
        if (folder / "out" / WHOLE[name]).exists():
            assert contents(folder / "out") == expected
        ended = forks.run(*command, fault=Fault(setup=setup))
        if "is there already" in ended.err:  # it was killed when all was done
            assert ended.status == 2
        else:
            assert ended.status == 0, ended.err
        assert contents(folder / "out") == expected
        assert [path.name for path in folder.iterdir()] == ["out"]
