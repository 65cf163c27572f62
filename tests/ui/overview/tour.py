"""Reading and using the stops of the tour without a browser."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from explorer.ui.overview.questions import SHOW
from tests.ui.app import component, open_page, wait_until_idle

PENDING = "Choose one, and the answer appears here."


def open_stop(number: int, **address: str) -> AppTest:
    return open_page(stop=str(number), **address)


def group(at: AppTest, key: str) -> Any:
    (item,) = (item for item in at.get("button_group") if item.key == key)
    return item


def choose(at: AppTest, key: str, value: str) -> AppTest:
    group(at, key).set_value(value)
    return wait_until_idle(at.run())


def answer(at: AppTest, stop: str, choice: str = SHOW) -> AppTest:
    return choose(at, f"tour_answer_{stop}", choice)


def click(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click()
    return wait_until_idle(at.run())


def texts(at: AppTest) -> str:
    return "\n".join(item.value.replace("\N{NO-BREAK SPACE}", " ") for item in at.markdown)


def is_pending(at: AppTest) -> bool:
    return any(item.value == PENDING for item in at.caption)


def title(at: AppTest) -> str:
    (only,) = at.title
    return str(only.value)


def cards(at: AppTest) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = component(at, "picture_cards")["cards"]
    return data
