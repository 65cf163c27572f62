"""Limits of uploads: what the setting and the server allow, said before and checked again."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from explorer.ui.shared.uploads import LABELS, MB, PICTURE, WEIGHTS, UploadError, UploadKind

KINDS = (LABELS, PICTURE, WEIGHTS)
CONFIG = Path(__file__).resolve().parents[3] / ".streamlit" / "config.toml"


@pytest.fixture(autouse=True)
def restored_limit() -> Iterator[None]:
    before = st.get_option("server.maxUploadSize")
    yield
    st.config.set_option("server.maxUploadSize", before)


def upload(size: int) -> UploadedFile:
    return UploadedFile(UploadedFileRec("id", "a file.bin", "", bytes(size)), None)


def test_the_server_accepts_every_upload_that_a_field_allows() -> None:
    server = tomllib.loads(CONFIG.read_text())["server"]["maxUploadSize"]
    assert server == max(kind.setting.default for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
@pytest.mark.parametrize(("setting", "server", "limit"), [(3, 500, 3), (30, 7, 7)])
def test_the_lower_limit_holds(
    kind: UploadKind, setting: int, server: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kind.setting.name, str(setting))
    st.config.set_option("server.maxUploadSize", server)
    assert kind.limit == limit


def test_a_file_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_PICTURE_MB", "2")
    assert len(PICTURE.read(upload(2 * MB))) == 2 * MB
    with pytest.raises(UploadError) as caught:
        PICTURE.read(upload(2 * MB + 100_000))
    assert (
        str(caught.value)
        == "the picture may take up to 2 MB; a file.bin takes 2.1 MB, so choose a smaller file"
    )
