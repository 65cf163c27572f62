"""Settings from the environment: defaults, values, and sentences for texts that can't be used."""

from __future__ import annotations

import pytest

from explorer.errors import UserError
from explorer.settings import GRAPHS, MODE, SECONDS, SETTINGS


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_unset_and_empty_settings_have_their_default(setting, monkeypatch) -> None:
    assert setting.value == setting.default
    monkeypatch.setenv(setting.name, " ")
    assert setting.value == setting.default


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [(MODE, "public", "public"), (GRAPHS, "1", True), (GRAPHS, "0", False), (SECONDS, "30", 30)],
)
def test_a_setting_is_read_when_it_is_used(setting, text, value, monkeypatch) -> None:
    monkeypatch.setenv(setting.name, text)
    assert setting.value == value


@pytest.mark.parametrize(
    ("setting", "text", "words"),
    [
        (MODE, "open", "EXPLORER_MODE must be auto, local or public; it is 'open'"),
        (GRAPHS, "yes", "EXPLORER_GRAPHS must be 0 or 1; it is 'yes'"),
        (SECONDS, "0", "EXPLORER_SECONDS must be a whole number from 1 on; it is '0'"),
        (SECONDS, "soon", "EXPLORER_SECONDS must be a whole number from 1 on; it is 'soon'"),
    ],
)
def test_a_text_that_cannot_be_used_is_a_sentence(setting, text, words, monkeypatch) -> None:
    monkeypatch.setenv(setting.name, text)
    with pytest.raises(UserError) as caught:
        _ = setting.value
    assert str(caught.value) == words
