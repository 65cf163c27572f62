"""The attack page says how long a long question takes, and refuses what takes too long."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app import ATTACK, choose, open_page, pixels


def said(at: AppTest) -> list[str]:
    return [caption.value for caption in at.sidebar.caption if "question may take" in caption.value]


def test_a_long_question_is_announced_and_refused_by_what_earlier_ones_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = open_page(ATTACK, model="tiny12-standard", linf="8", steps="10")
    assert said(at) == []
    before = pixels(at, 2)
    choose(at, "slider", "steps", 200)
    choose(at, "number_input", "restarts", 10)
    (line,) = said(at)
    assert line.startswith("A question may take 2 min of this machine; this one takes about ")
    assert not at.error
    monkeypatch.setenv("EXPLORER_SECONDS", "1")
    choose(at, "number_input", "seed", 5)
    (error,) = at.error
    assert error.value.startswith("This would now take about ")
    assert "a question may take 1 s of this machine; ask again" in error.value
    assert any("last result" in caption.value for caption in at.caption)
    assert pixels(at, 2).shape == before.shape
    choose(at, "number_input", "restarts", 1)
    choose(at, "slider", "steps", 10)
    assert not at.error
    assert np.abs(pixels(at, 2).astype(int) - pixels(at, 0)).max() == 8
