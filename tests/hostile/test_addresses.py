"""Pages whose address holds values that no widget can have: each is shown without an exception."""

from __future__ import annotations

import pytest

from tests.ui.app import ATTACK, open_page

ADDRESSES = (
    {"seed": "inf", "restarts": "-inf", "steps": "nan"},
    {"seed": "9" * 400, "steps": "1e999", "step_linf": "-1"},
    {"model": "../../etc/passwd", "image": "<img src=x>", "norm": "\ud7ff\0", "label": "x" * 9999},
)


@pytest.mark.parametrize("address", ADDRESSES, ids=range(len(ADDRESSES)))
def test_a_page_opens_at_any_address(address):
    assert not open_page(ATTACK, **address).exception
