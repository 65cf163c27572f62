"""The page of the constructed sets, without a browser."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.datasets.constructed.read import read_set
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult
from explorer.ui.datasets.request import BuiltImage
from explorer.ui.datasets.session_set import parquet
from explorer.ui.datasets.set_browser import chosen_indices
from explorer.ui.datasets.set_loading import CIFAR, OTHER, SAMPLES
from explorer.ui.shared.set_explanations import explanation
from tests.images.pictures import PICTURE, encoded
from tests.ui.app import TIMEOUT, choose, component, open_page, wait_until_idle

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "20", "attack_steps": "5"}


def open_datasets(**address: str) -> AppTest:
    return open_page(DATASETS, **{**QUICK, **address})


def row(at: AppTest) -> FiveSetsResult:
    result: FiveSetsResult = at.session_state["result row"]
    return result


def press(at: AppTest, name: str) -> BuiltImage:
    """Press a button of "Build it before your eyes" and wait for the image."""
    at.button(key=f"build {name}").click().run()
    deadline = time.monotonic() + TIMEOUT
    while [button for button in at.button if button.key == "build cancel"]:
        assert time.monotonic() < deadline, "the image was not finished"
        time.sleep(0.1)
        at.run()
    assert not at.exception, at.exception
    built: BuiltImage = at.session_state["built images"][-1]
    return built


@pytest.fixture(scope="module")
def visited() -> AppTest:
    return open_datasets()


def test_first_paint_is_a_row_of_five(visited: AppTest) -> None:
    cards = component(visited, "five_sets_row")["cards"]
    assert [card["name"] for card in cards] == ["D", "D_R", "D_NR", "D_rand", "D_det"]
    assert len({card["src"] for card in cards}) == 5
    for card, image in zip(cards, row(visited).images, strict=True):
        assert card["label"] == row(visited).names[image.label]
        assert all(len(each["bars"]) == 2 for each in card["classes"])
        assert all(each["lead"] and each["text"] for each in card["explanation"])
    assert component(visited, "live_build")["name"] == "D_R"
    assert not visited.error


def test_the_samples_are_browsed_with_the_confidence_of_both_classifiers(visited: AppTest) -> None:
    wait_until_idle(visited)
    tiles = component(visited, "tile_grid")["tiles"]
    assert [tile["index"] for tile in tiles] == list(range(20))
    assert all([bar["kind"] for bar in tile["bars"]] == ["standard", "robust"] for tile in tiles)


def test_views_show_scaled_differences(visited: AppTest) -> None:
    for view in ("difference from the source", "change from its start"):
        visited.button_group(key="view").set_value(view)
        wait_until_idle(visited.run())
        notes = [card["note"] for card in component(visited, "five_sets_row")["cards"]]
        assert notes[0] == "not changed"  # and not the whole picture as its own change
        assert all(note.startswith("scaled × ") and "L2 " in note for note in notes[1:])


def test_only_d_r_should_look_like_something_new(visited: AppTest) -> None:
    headings = [card["look_heading"] for card in component(visited, "five_sets_row")["cards"]]
    assert headings == ["shows", "should look like", *["should still look like"] * 3]


def test_class_order_and_page_of_the_grid(visited: AppTest) -> None:
    visited.selectbox(key="set_class").set_value("ship")
    wait_until_idle(visited.run())
    tiles = component(visited, "tile_grid")["tiles"]
    assert {tile["label"] for tile in tiles} == {"ship"}
    visited.selectbox(key="set_class").set_value("all classes")
    visited.button_group(key="set_order").set_value("largest disagreement")
    wait_until_idle(visited.run())
    disagreements = [
        abs(tile["bars"][0]["value"] - tile["bars"][1]["value"])
        for tile in component(visited, "tile_grid")["tiles"]
    ]
    assert disagreements == sorted(disagreements, reverse=True)
    labels, scores = torch.tensor([0, 1, 0, 1]), torch.tensor([0.1, 0.9, 0.3, 0.2])
    assert chosen_indices(labels, None, None) == [0, 1, 2, 3]
    assert chosen_indices(labels, 0, scores) == [2, 0]


def test_a_path_that_leads_nowhere_is_one_sentence(visited: AppTest) -> None:
    visited.selectbox(key="set").set_value(OTHER)
    visited.run()
    visited.text_input(key="set_path").set_value("/nowhere/at/all")
    wait_until_idle(visited.run())
    assert [error.value for error in visited.error] == [
        "There is no file or folder /nowhere/at/all; check the path."
    ]
    assert component(visited, "five_sets_row")["cards"]
    visited.selectbox(key="set").set_value(SAMPLES)
    wait_until_idle(visited.run())
    assert not visited.error


def test_files_of_a_folder_that_were_skipped_are_counted(visited: AppTest, tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").write_bytes(encoded(PICTURE))
    (tmp_path / "cat" / "boxes.txt").write_text("0 0 3 3")
    visited.selectbox(key="set").set_value(OTHER)
    visited.run()
    visited.text_input(key="set_path").set_value(str(tmp_path))
    wait_until_idle(visited.run())
    assert not visited.error
    assert "1 other file was skipped." in [caption.value for caption in visited.caption]
    visited.selectbox(key="set").set_value(SAMPLES)
    wait_until_idle(visited.run())


def test_built_images_join_a_set_that_can_be_read_back(tmp_path: Path) -> None:
    at = open_datasets()
    built = press(at, "d_r")
    assert component(at, "live_build")["steps"] == 20
    assert torch.equal(built.image.image, row(at).image("d_r").image)
    first = press(at, "d_det")
    second = press(at, "d_det")
    assert torch.equal(first.image.image, second.image.image)
    assert "made here: D_det" in at.selectbox(key="set").options
    (tmp_path / "set.parquet").write_bytes(parquet((first, second)))
    stored = read_set(tmp_path / "set.parquet")
    assert (stored.name, len(stored)) == ("d_det", 2)
    assert stored.data.labels.tolist() == [first.image.label] * 2
    assert stored.source_label is not None
    assert stored.source_label.tolist() == [first.source.label] * 2
    np.testing.assert_array_equal(
        stored.data.images[0].numpy(), (first.image.image * 255).round().byte().numpy()
    )
    at.selectbox(key="set").set_value("made here: D_det")
    wait_until_idle(at.run())
    assert len(component(at, "tile_grid")["tiles"]) == 2


def test_an_image_of_a_set_becomes_the_source() -> None:
    at = open_datasets()
    at.sidebar.button_group(key="origin").set_value("set")
    wait_until_idle(at.run())
    choose(at, "number_input", "set_index", 3)
    assert row(at).source.index == 3
    assert (
        component(at, "five_sets_row")["cards"][0]["label"] == row(at).names[row(at).source.label]
    )
    choose(at, "selectbox", "pair", "tiny12")  # whose classes are others
    assert "other classes" in at.sidebar.warning[0].value
    assert row(at).source.image.shape == (3, 64, 64)
    assert not at.error


def test_noise_and_a_larger_image_keep_the_papers_proportions() -> None:
    at = open_datasets(pair="tiny12", begin="noise", length="0.2", match_steps="10")
    assert row(at).start.noise
    assert (row(at).settings.step_size, row(at).settings.epsilon) == (0.4, 1.0)
    assert component(at, "five_sets_row")["cards"][2]["looks_like"] == "noise"


def test_a_sentence_claims_only_what_was_reached(visited: AppTest) -> None:
    result = row(visited)
    for image in result.images[1:]:
        prediction = image.predictions[1 if image.name == "d_r" else 0].index
        reached = replace(image, label=prediction)
        missed = replace(image, label=(prediction + 1) % 10)
        assert explanation(result, reached)[0].lead == "Shows"
        assert explanation(result, missed)[0].lead == "This attempt failed:"


def test_without_a_network_the_download_of_cifar10_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR10

    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    at = open_datasets()
    at.selectbox(key="set").set_value(CIFAR).run()
    wait_until_idle(at)
    at.button(key="download_cifar10").click().run()
    wait_until_idle(at)
    (error,) = at.error
    assert "can't be reached" in error.value
    assert not list(tmp_path.rglob("*.gz"))
    at.run()
    assert not at.error  # it is not tried again by itself
    assert at.button(key="download_cifar10")
