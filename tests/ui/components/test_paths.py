"""Messages for visitors of a public server name files without their folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.errors import UserError
from explorer.files import ASSETS
from explorer.ui.components.errors import error_text
from explorer.ui.components.paths import without_folders


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("/srv/cache/set.parquet is damaged", "set.parquet is damaged"),
        ("can't write /srv/a/b: no space", "can't write b: no space"),
        ("'/srv/a.py:make' failed", "'a.py:make' failed"),
        ("(/srv/a/b.) and “/srv/c”", "(b.) and “c”"),
        ("put it into /srv/weights/ by hand", "put it into weights by hand"),
        ("copy x.pth to /srv.", "copy x.pth to srv."),
        # no absolute paths
        ("ε = 8/255, and/or 1 / 2", "ε = 8/255, and/or 1 / 2"),
        ("https://example.org/a/b.pth can't be reached", None),
        ("runs/sets/d_r holds no set", None),
    ],
)
def test_absolute_paths_become_names(text: str, public: str | None) -> None:
    assert without_folders(text) == (text if public is None else public)


def test_the_explorers_own_folders_may_have_spaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "the cache of the server"
    monkeypatch.setenv("EXPLORER_CACHE", str(cache))
    assert without_folders(f"can't write {cache / 'sets' / 'a b'}: full") == "can't write a b: full"
    assert without_folders(f"there is no {cache}") == "there is no the cache of the server"
    assert without_folders(f"{ASSETS / 'a.json'} is damaged") == "a.json is damaged"


def test_only_visitors_of_a_public_server_get_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    error = UserError("/srv/a/b.parquet is damaged; build it again")
    monkeypatch.setenv("EXPLORER_MODE", "local")
    assert error_text(error) == str(error)
    monkeypatch.setenv("EXPLORER_MODE", "public")
    assert error_text(error) == "b.parquet is damaged; build it again"
