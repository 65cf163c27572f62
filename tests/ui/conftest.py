from __future__ import annotations

import pytest

from explorer.experiments.one_image import ladder


@pytest.fixture(autouse=True)
def short_ladders(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ladder behind every answered attack has two rungs, so that pages are idle soon."""
    monkeypatch.setattr(ladder, "COARSE_TO_FINE", (4.0, 32.0))
    monkeypatch.setattr(ladder, "HALVINGS", 0)
    monkeypatch.setattr(ladder, "FIRST_STEPS", 4)
    monkeypatch.setattr(ladder, "RUNG_STEPS", 2)
