"""What the tests do on the models page: read it, press its buttons, fill in its form."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.ui.app import ATTACK, wait_until_idle

MODELS = "../pages/models.py"


def text(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.warning, at.error, at.success)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def use(at: AppTest, name: str) -> AppTest:
    """Press "Attack this classifier". AppTest does not follow the page switch by itself."""
    at.button(key=f"use {name}").click().run()
    return wait_until_idle(at.switch_page(ATTACK).run())


def add(
    at: AppTest,
    name: str,
    architecture: str | None,
    weights: bytes | None,
    labels: str | None = None,
) -> AppTest:
    at.text_input(key="new name").set_value(name)
    if architecture is not None:
        at.selectbox(key="new architecture").set_value(architecture)
    at.number_input(key="new input size").set_value(64)
    at.number_input(key="new resize").set_value(64)
    if weights is not None:
        at.file_uploader(key="new weights").set_value(
            ("mine.safetensors", weights, "application/octet-stream")
        )
    if labels is not None:
        at.file_uploader(key="new labels").set_value(("labels.txt", labels.encode(), "text/plain"))
    (send,) = [button for button in at.button if button.label == "Add this classifier"]
    send.click().run()
    return wait_until_idle(at)
