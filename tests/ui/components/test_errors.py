"""Errors of a page script become one sentence on the page."""

from __future__ import annotations

import logging
import re

import pytest
from streamlit.testing.v1 import AppTest


def page(exception: str) -> AppTest:
    script = f"""
import streamlit as st
from explorer.errors import UserError
from explorer.ui.components.errors import report_errors

notice = st.container()
with report_errors(notice):
    st.write("before")
    {exception}
st.write("after")
"""
    return AppTest.from_string(script, default_timeout=30).run()


def test_a_user_error_is_a_sentence_and_the_page_goes_on() -> None:
    at = page('raise UserError("too few steps; use at least 1")')
    assert [error.value for error in at.error] == ["Too few steps; use at least 1."]
    assert [text.value for text in at.markdown] == ["before", "after"]
    assert not at.exception


def test_a_bug_is_one_sentence_with_the_id_that_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "explorer"):
        at = page('raise RuntimeError("{}day".format("holi"))')
    (error,) = at.error
    bug_id = re.search(r"This is a bug.* under ([0-9a-f]{8})\.", error.value)[1]
    assert bug_id in caplog.text
    assert "RuntimeError" in caplog.text
    assert "holiday" not in caplog.text + error.value
    assert [text.value for text in at.markdown] == ["before", "after"]
    assert not at.exception


def test_streamlit_can_stop_the_page() -> None:
    at = page("st.stop()")
    assert not at.error
    assert [text.value for text in at.markdown] == ["before"]


def test_streamlit_can_run_the_page_again() -> None:
    at = page(
        'if st.session_state.setdefault("runs", 0) == 0: st.session_state.runs = 1; st.rerun()'
    )
    assert not at.error
    assert at.session_state["runs"] == 1
