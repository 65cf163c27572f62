"""What an address asks in vain is told apart from an address that is late."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from explorer.ui.shared import address

KEY = "section"


class Address(dict[str, list[str]]):
    def get_all(self, key: str) -> list[str]:
        return self.get(key, [])


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Streamlit's address and state, as one run of a page after another has them."""
    page = SimpleNamespace(query_params=Address(), session_state={})
    monkeypatch.setattr(address, "st", page)
    return page


def run(page: Any, asked: str, chosen: str, *, to_the_end: bool = True) -> dict[str, str]:
    """What a run refuses whose address says ``asked`` and whose widget has ``chosen``."""
    page.query_params = Address({KEY: [asked]})
    if KEY in page.session_state:
        page.session_state[KEY] = chosen
    address.remember_asked(KEY)
    page.session_state[KEY] = chosen  # the widget
    refused = address.refused_values(KEY) if to_the_end else {}
    return {key: each.text for key, each in refused.items()}


def test_a_link_that_asks_for_what_is_not_there_is_refused(page: Any) -> None:
    assert run(page, "Paintings", "Gradients") == {KEY: "Paintings"}
    assert run(page, "Gradients", "Gradients") == {KEY: "Paintings"}
    assert run(page, "Layers", "Layers") == {}  # the visitor chose


def test_an_address_that_lags_behind_quick_clicks_asks_nothing(page: Any) -> None:
    assert run(page, "Gradients", "Gradients") == {}
    run(page, "Painting", "Painting", to_the_end=False)  # the next click stops it
    assert run(page, "Painting", "Layers") == {}


def test_a_value_that_was_passed_in_a_run_that_never_began_asks_nothing(page: Any) -> None:
    assert run(page, "5.0", "5.0") == {}
    assert run(page, "5.25", "5.5") == {}  # moved on from 5.25 before its run reached the widgets


def test_what_is_asked_of_a_widget_that_comes_later_is_remembered_until_then(page: Any) -> None:
    page.query_params = Address({KEY: ["x"]})
    address.remember_asked(KEY)
    assert address.refused_values(KEY) == {}  # the widget is not drawn yet
    assert run(page, "x", "y") == {KEY: "x"}
