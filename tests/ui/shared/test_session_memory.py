"""What belongs to a visitor is kept for the session alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.ui.shared.result_cache import RESULT_CACHE, ResultCache
from tests.ui.app import ATTACK, choose, open_page, wait_until_idle

calls: list[int] = []


def script() -> None:
    import streamlit as st

    from explorer.ui.shared.session_memory import once
    from tests.ui.shared.test_session_memory import compute

    st.write(str(once("key", st.session_state["version"], compute)))


def compute() -> int:
    calls.append(0)
    return len(calls)


def test_a_value_is_computed_once_for_each_version_in_each_session() -> None:
    calls.clear()
    values = []
    one, other = AppTest.from_function(script), AppTest.from_function(script)
    for at, version in ((one, 1), (one, 1), (one, 2), (other, 2)):
        at.session_state["version"] = version
        values.append(at.run().markdown[0].value)
    assert values == ["1", "1", "2", "3"]


def test_results_of_an_uploaded_picture_are_in_no_cache_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    kept: list[object] = []
    monkeypatch.setattr(RESULT_CACHE, "put", lambda key, result: kept.append(result))
    at = open_page(ATTACK, model="cifar10-standard", linf="8", steps="3")
    choose(at, "button_group", "source", "upload")
    assert kept
    kept.clear()
    (widget,) = at.sidebar.file_uploader
    wait_until_idle(widget.set_value(("mine.png", buffer.getvalue(), "image/png")).run())
    assert at.session_state["result attack"].request.picture.source == "upload:mine.png"
    assert kept == []
    own: ResultCache[object] = at.session_state["own results"]
    assert len(own._results) == 1
