"""Text from outside is shown as it is, on every page: it never becomes Markdown or HTML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui.datasets.set_loading import OTHER
from explorer.ui.shared.classifiers import entries
from tests.images.pictures import encoded, noise
from tests.planted import (
    FILE_MARKUP,
    MARKUP,
    markup_on,
    plant_functions,
    plant_pair,
    plant_sets,
    texts_on,
)
from tests.ui.app import ATTACK, component, open_page, wait_until_idle

DATASETS, MODELS = "../pages/datasets.py", "../pages/models.py"


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    names = plant_functions(tmp_path)
    monkeypatch.setenv("EXPLORER_MODELS", ",".join(names))
    return names


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    return plant_pair(tmp_path)


def assert_is_text(at: AppTest) -> None:
    assert not markup_on(at)
    assert not at.exception


def test_names_of_classes_models_and_uploads_on_the_attack_page(functions) -> None:
    working, _ = functions
    at = open_page(ATTACK, model=working, steps="3", linf="8", target=f"1 {MARKUP}")
    at.button_group(key="source").set_value("upload")
    at.run()
    at.file_uploader(key="upload").set_value(
        (f"{FILE_MARKUP}.png", encoded(noise(48, 48)), "image/png")
    )
    wait_until_idle(at.run())
    assert not at.error, [each.value for each in at.error]
    at.toggle(key="full_resolution").set_value(True)
    wait_until_idle(at.run())
    assert at.session_state["result attack"].request.picture.title == f"{FILE_MARKUP}.png"
    assert f"1 {MARKUP}" in component(at, "triptych")["verdict"]
    assert "Suggest a target" in texts_on(at)
    assert_is_text(at)


def test_plotly_shows_names_as_text(functions) -> None:
    at = open_page(ATTACK, model=functions[0], steps="2", linf="8")
    (chart,) = at.get("plotly_chart")
    spec = json.dumps(json.loads(chart.proto.spec), ensure_ascii=False)
    assert "&lt;img src=x" in spec
    assert "<img" not in spec
    assert "<script" not in spec


def test_what_a_persons_code_says_when_it_fails(functions) -> None:
    at = open_page(ATTACK, model=functions[1], steps="2", linf="8")
    (error,) = at.error
    assert "planted" in error.value
    assert_is_text(at)


def test_a_picture_that_cannot_be_read() -> None:
    at = open_page(ATTACK, model="cifar10-standard", steps="2")
    at.button_group(key="source").set_value("upload")
    at.run()
    at.file_uploader(key="upload").set_value((f"{FILE_MARKUP}.png", b"no picture", "image/png"))
    wait_until_idle(at.run())
    (error,) = at.error
    assert "planted" in error.value
    assert_is_text(at)


def test_names_of_classes_and_sets_on_the_data_page(pair: str, tmp_path: Path) -> None:
    good, bad = plant_sets(tmp_path)
    at = open_page(DATASETS, pair=pair, match_steps="10", attack_steps="5")
    assert MARKUP in component(at, "five_sets_row")["cards"][0]["label"]
    assert_is_text(at)
    at.selectbox(key="set").set_value(OTHER)
    at.run()
    at.text_input(key="set_path").set_value(str(good))
    wait_until_idle(at.run())
    assert {tile["label"] for tile in component(at, "tile_grid")["tiles"]} == {
        f"1 {MARKUP}",
        f"2 {MARKUP}",
    }
    at.button_group(key="origin").set_value("set")
    wait_until_idle(at.run())
    assert_is_text(at)
    at.button_group(key="origin").set_value("upload")
    wait_until_idle(at.run())
    at.text_input(key="set_path").set_value(str(bad))
    wait_until_idle(at.run())
    (error,) = at.error
    assert "has the columns" in error.value
    assert_is_text(at)


def test_a_set_of_other_classes(tmp_path: Path) -> None:
    good, _ = plant_sets(tmp_path)
    at = open_page(DATASETS, match_steps="10", attack_steps="5")
    at.selectbox(key="set").set_value(OTHER)
    at.run()
    at.text_input(key="set_path").set_value(str(good))
    wait_until_idle(at.run())
    at.button_group(key="origin").set_value("set")
    wait_until_idle(at.run())
    assert "has other classes" in texts_on(at)
    assert_is_text(at)


def test_names_on_the_models_page_and_the_overview(functions, pair, monkeypatch) -> None:
    at = open_page(ATTACK, model=functions[0], steps="2")  # which loads it: its title is listed
    wait_until_idle(at.switch_page(MODELS).run())
    assert "planted" in texts_on(at)
    assert_is_text(at)
    monkeypatch.setattr(
        "explorer.ui.overview.landing_example.entries",
        lambda: {name: entry for name, entry in entries().items() if name == functions[0]},
    )
    at = open_page()
    assert MARKUP in component(at, "triptych")["verdict"]
    assert_is_text(at)
