"""The app without a browser: open a page, wait for its attack, read what it shows."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "explorer" / "Home.py"
ATTACK = "../pages/attack.py"
TIMEOUT = 90  # seconds


def open_page(page: str | None = None, **address: str | list[str]) -> AppTest:
    """The overview, or ``page``, with these values in its address; its attack has finished."""
    at = AppTest.from_file(str(HOME), default_timeout=TIMEOUT)
    for key, value in address.items():
        at.query_params[key] = value
    if page is not None:
        at.switch_page(page)  # before the first run, as a browser that opens a page's address
    return wait_until_idle(at.run())


def wait_until_idle(at: AppTest) -> AppTest:
    """Run the page again until no job is running, as the page's own fragment does in a browser."""
    deadline = time.monotonic() + TIMEOUT
    while at.get("progress"):
        assert time.monotonic() < deadline, "the job did not finish"
        time.sleep(0.1)
        at.run()
    assert not at.exception, at.exception
    return at


def component(at: AppTest, name: str) -> dict[str, Any]:
    """The data of the first component with this name on the page."""
    element = next(
        item for item in at.get("bidi_component") if item.proto.component_name == f"explorer.{name}"
    )
    return data_of(element)


def data_of(element: Any) -> dict[str, Any]:
    """The data of a component; the space before a "%", which breaks no line, is a plain one."""
    text = element.proto.json.replace("\\u00a0", " ").replace("\N{NO-BREAK SPACE}", " ")
    data: dict[str, Any]
    (data,) = json.loads(text)
    return data


def shown(markdown: str) -> str:
    """The text that the browser shows of Markdown from ``explorer.ui.components.markdown``.

    Spaces at which a line must not end are ordinary ones here.
    """
    text = markdown.replace(":small[]", "").replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\\(.)", r"\1", text)


def outcome(at: AppTest) -> str:
    """The word beside the triptych, such as "fooled"."""
    return str(component(at, "triptych")["mark"]["word"])


def pixels(at: AppTest, picture: int) -> np.ndarray:
    """uint8 [H, W, 3] of a picture of the triptych: 0 original, 1 perturbation, 2 adversarial."""
    head, _, body = component(at, "triptych")["pictures"][picture]["src"].partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


def choose(at: AppTest, kind: str, key: str, value: object) -> AppTest:
    """Set a widget of the sidebar and wait until the page is idle."""
    (widget,) = [item for item in getattr(at.sidebar, kind) if item.key == key]
    widget.set_value(value)
    return wait_until_idle(at.run())
