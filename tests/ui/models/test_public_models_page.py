"""The models page of a public server: a visitor's models are the visitor's, within limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import save, save_file
from streamlit.testing.v1 import AppTest

from explorer.classifiers.session_models import SessionModels
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models
from explorer.ui.models import own_models
from explorer.ui.shared import classifiers
from tests.ui.app import ATTACK, open_page, shown, wait_until_idle
from tests.ui.models.page import MODELS, add, text, use

FUNCTION = """
import torch
from explorer.classifiers import Classifier


def make():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3072, 2))
    return Classifier(net, labels=["a", "b"], input_size=(32, 32), gallery="cifar10")
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLORER_MODE", "public")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionModels]:
    """The models of the visitor. To Streamlit, all visitors of AppTest are one session."""
    models = SessionModels()
    be(models, monkeypatch)
    yield models
    models.close()


def be(models: SessionModels, patch: pytest.MonkeyPatch) -> None:
    """Be the visitor with these models."""
    for module in (classifiers, own_models):
        patch.setattr(module, "session_models", lambda: models)


@pytest.fixture
def operators_model(state, folders: Path) -> str:
    save_file(state, folders / "w.safetensors")
    card = UserModelCard("theirs", "mobilenet_v3_small", input_size=64, resize=64)
    machine_models().add(card, folders / "w.safetensors")
    return "user:theirs"


def keys(at: AppTest) -> set[str]:
    return {str(button.key) for button in at.button}


def in_memory() -> set[str]:
    return {model.title for model in classifiers.MODEL_CACHE.loaded()}


def test_a_model_is_attacked_removed_and_never_part_of_this_machine(state, folders) -> None:
    at = add(open_page(MODELS), "mine", "mobilenet_v3_small", save(state), "ant\nbee\n")
    assert "Added mine: mobilenet_v3_small with 2 classes" in text(at)
    assert machine_models().cards() == {}
    use(at, "user:mine")
    assert at.session_state["result attack"].report.names == ("ant", "bee")
    at.switch_page(MODELS).run()
    at.button(key="remove user:mine").click().run()
    assert "Removed mine." in text(at)
    assert "mine" not in in_memory()
    assert not list((folders / "cache").rglob("*.safetensors"))


def test_a_model_is_unknown_to_another_session_and_goes_with_its_own(
    state, folders, session: SessionModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = add(open_page(MODELS), "mine", "mobilenet_v3_small", save(state), "ant\nbee\n")
    use(at, "user:mine")
    assert "mine" in in_memory()
    with monkeypatch.context() as patch:
        be(SessionModels(), patch)
        there = open_page(ATTACK, model="user:mine")
        assert there.session_state["result attack"].report.recipe.model != "user:mine"
        (warning,) = there.warning
        assert "asks for the classifier mine, which is not here" in plainly(warning.value)
        wait_until_idle(there.switch_page(MODELS).run())
        assert not {"use user:mine", "remove user:mine"} & keys(there)
        assert "mine" not in plainly(" ".join(element.value for element in there.markdown)).split()
    classifiers.close(session)  # as Streamlit does at the end of the session
    assert "mine" not in in_memory()
    assert not list((folders / "cache").rglob("*.safetensors"))


def plainly(markdown: str) -> str:
    return shown(markdown).replace("**", "")


def test_the_operators_models_are_offered_and_not_removed(operators_model: str) -> None:
    at = open_page(MODELS)
    assert f"use {operators_model}" in keys(at)
    assert f"remove {operators_model}" not in keys(at)
    add(at, "theirs", "mobilenet_v3_small", b"never read")
    assert "already a classifier named theirs" in shown(at.error[0].value)


def test_the_page_names_no_folder_and_offers_no_path_function_or_download(
    folders: Path, operators_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folders / "models.py").write_text(FUNCTION)
    monkeypatch.setenv("EXPLORER_MODELS", f"{folders / 'models.py'}:make")
    at = open_page(MODELS)
    assert not [field for field in at.text_input if field.key == "new path"]
    assert "A Python function" not in text(at).replace("*", "")
    assert not [key for key in keys(at) if key.startswith("download")]
    assert [tab.label for tab in at.tabs] == ["On this server", "Add your own"]
    assert str(folders) not in text(at) + "".join(keys(at))
    use(at, "models.py:make")
    assert at.session_state["result attack"].report.names == ("a", "b")
    assert str(folders) not in text(at) + "".join(code.value for code in at.code)


def test_downloads_are_offered_if_the_operator_allows_them(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_NETWORK", "1")
    at = open_page(MODELS)
    assert "download torchvision:googlenet" in keys(at)
    assert str(folders) not in text(at)


def test_the_limits_are_said_before_and_a_refusal_names_them(
    state, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_SESSION_MODELS", "1")
    at = open_page(MODELS)
    assert "You may have 1 model at a time, with 600 MB of weights in total." in text(at)
    assert at.number_input(key="new input size").max == 512
    add(at, "first", "mobilenet_v3_small", save(state))
    at.button(key="add another").click().run()
    add(at, "second", "mobilenet_v3_small", save(state))
    (error,) = at.error
    assert "a visitor may have 1 model at a time" in error.value
