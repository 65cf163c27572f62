"""Which questions are a visitor's own, so that no other session gets their results."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from explorer.ui.shared import own_question
from explorer.ui.shared.own_question import is_own_question


@pytest.fixture(autouse=True)
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundled classifier, one that this session added, and one whose file is gone."""
    (tmp_path / "weights").write_bytes(b"")
    places = {"bundled": "weights", "added": "weights", "gone": "nowhere"}
    entries = {name: SimpleNamespace(where=tmp_path / place) for name, place in places.items()}
    monkeypatch.setattr(own_question, "entries", lambda: entries)
    monkeypatch.setattr(own_question, "belongs_to_session", lambda name: name == "added")


def test_what_every_session_has_is_nobodys_own() -> None:
    assert not is_own_question(["bundled"])
    assert not is_own_question(["bundled"], ["gallery:cifar10-01"], "gallery")


@pytest.mark.parametrize(
    ("names", "pictures", "data"),
    [
        (["bundled", "added"], (), None),
        (["gone"], (), "gallery"),
        (["bundled"], ["gallery:cifar10-01", "upload:cat.png"], None),
        (["bundled"], (), "/tmp/set.parquet"),
    ],
)
def test_what_other_sessions_lack_or_may_change_is_own(names, pictures, data) -> None:
    assert is_own_question(names, pictures, data)
