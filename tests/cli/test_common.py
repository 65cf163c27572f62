"""What the commands share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer.__main__ import main
from explorer.cli.common import UsageError, writable_folder


def test_many_processes_may_try_one_folder_at_once(tmp_path) -> None:
    # One file for all would be removed by the first while the others try to.
    with ThreadPoolExecutor(8) as executor:
        folders = list(executor.map(writable_folder, [tmp_path / "out"] * 400))
    assert folders == [tmp_path / "out"] * 400
    assert not list((tmp_path / "out").iterdir())


def test_a_refused_command_leaves_no_folder_of_its_own(tmp_path, capsys) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for out in (tmp_path / "new" / "deep", mine):
        command = ["attack", "gallery:none", "--model", "cifar10-standard", "--epsilon", "0.1"]
        assert main([*command, "--out", str(out)]) == 2
        assert "no picture 'none'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [mine]


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(UsageError, match="--out is empty; name a folder"):
        writable_folder("")
