"""What the commands share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from explorer.cli.common import writable_folder


def test_many_processes_may_try_one_folder_at_once(tmp_path) -> None:
    # One file for all would be removed by the first while the others try to.
    with ThreadPoolExecutor(8) as executor:
        folders = list(executor.map(writable_folder, [tmp_path / "out"] * 400))
    assert folders == [tmp_path / "out"] * 400
    assert not list((tmp_path / "out").iterdir())
