"""A setting that can't be used: one sentence on every page, and one line for the operator."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.settings import problems
from tests.ui.app import HOME


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("EXPLORER_MODE", "Public", "EXPLORER_MODE must be auto, local or public; it is 'Public'"),
        ("EXPLORER_SECONDS", "abc", "EXPLORER_SECONDS must be a whole number from 1 on"),
        ("EXPLORER_PRECISION", "float8", "EXPLORER_PRECISION must be auto, float32"),
        ("EXPLORER_PICTURE_MB", "0", "EXPLORER_PICTURE_MB must be a whole number from 1 on"),
        ("EXPLORER_NETWORK", "yes", "EXPLORER_NETWORK must be 0 or 1"),
    ],
)
def test_a_wrong_setting_is_said_on_every_page(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert problems() == []
    monkeypatch.setenv(name, value)
    (problem,) = problems()
    assert problem.startswith(words)
    at = AppTest.from_file(str(HOME), default_timeout=60).run()
    (error,) = at.error
    assert "started with a wrong setting" in error.value
    assert not at.title
    assert not at.exception
