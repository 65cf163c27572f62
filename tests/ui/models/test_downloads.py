"""Downloads on the models page: a server that has the weights, and one that has not."""

from __future__ import annotations

import http.server
import threading

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from explorer.classifiers import downloads as published
from explorer.classifiers import imagenet
from explorer.fetch import Remote
from explorer.ui.models import page as models_page
from tests.ui.app import TIMEOUT, component, open_page, wait_until_idle
from tests.ui.models.page import MODELS, text, use

pytestmark = pytest.mark.usefixtures("folders")


def test_a_download_button_says_its_size(folders) -> None:
    at = open_page(MODELS)
    labels = {
        button.key: button.label
        for button in at.button
        if button.key and button.key.startswith("download ")
    }
    assert labels["download torchvision:googlenet"] == "Download 52 MB"
    assert "download madry:resnet50_l2_eps3" in labels
    assert "25.3 %" in text(at)
    assert "RobustBench" in text(at)


class Server(http.server.ThreadingHTTPServer):
    body: bytes | None = None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.server.body
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(monkeypatch):
    """A server on this machine that has, or has not, the weights of SqueezeNet."""
    local = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=local.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{local.server_port}/{imagenet.TORCHVISION_FILES['squeezenet1_1']}"
    monkeypatch.setattr(published, "remote_weights", lambda name: Remote(url))
    yield local
    local.shutdown()
    local.server_close()


def press_download(at: AppTest, name: str) -> AppTest:
    at.button(key=f"download {name}").click().run()
    return wait_until_idle(at)


def test_a_missing_file_is_one_sentence_and_the_button_stays(server) -> None:
    at = press_download(open_page(MODELS), "torchvision:squeezenet1_1")
    (warning,) = at.warning
    assert "404" in warning.value
    assert "by hand" in warning.value
    assert at.button(key="download torchvision:squeezenet1_1").label.startswith("Download")


def test_downloaded_weights_can_be_used_at_once(server, folders) -> None:
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    torch.save(squeezenet1_1(weights=None).state_dict(), folders / "published.pth")
    server.body = (folders / "published.pth").read_bytes()
    at = press_download(open_page(MODELS), "torchvision:squeezenet1_1")
    assert not at.warning
    assert (
        folders / "weights" / imagenet.TORCHVISION_FILES["squeezenet1_1"]
    ).read_bytes() == server.body
    use(at, "torchvision:squeezenet1_1")
    assert len(component(at, "triptych")["pictures"]) == 3
    assert at.session_state["result attack"].report.recipe.model == "torchvision:squeezenet1_1"


def test_weights_that_arrive_while_the_page_is_drawn_can_be_used_too(
    server, folders, monkeypatch
) -> None:
    """The installed models are listed before the downloads: a file may arrive between the two."""
    from torchvision.models import squeezenet1_1

    installed_models = models_page.installed_models

    def list_then_wait() -> frozenset[str]:
        names = installed_models()
        for name, value in st.session_state.items():
            if str(name).startswith("download job "):
                assert value.wait(TIMEOUT)
        return names

    monkeypatch.setattr(models_page, "installed_models", list_then_wait)
    torch.save(squeezenet1_1(weights=None).state_dict(), folders / "published.pth")
    server.body = (folders / "published.pth").read_bytes()
    at = press_download(open_page(MODELS), "torchvision:squeezenet1_1")
    assert at.button(key="use torchvision:squeezenet1_1")


def test_each_classifier_to_download_names_its_file() -> None:
    page = text(open_page(MODELS))
    for name in ("googlenet-1378be20.pth", "resnet50_l2_eps3.ckpt"):
        assert name in page
