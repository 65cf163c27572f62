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
from explorer.ui.datasets.words import shows
from tests.ui.app import PATIENCE, choose, component, open_page, settle

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "20", "attack_steps": "5"}


def open_datasets(**address: str) -> AppTest:
    return open_page(DATASETS, **{**QUICK, **address})


def row(at: AppTest) -> FiveSetsResult:
    found: FiveSetsResult = at.session_state["result row"]
    return found


def press(at: AppTest, name: str) -> BuiltImage:
    """Press a button of "Build it before your eyes" and wait for the image."""
    at.button(key=f"build {name}").click().run()
    deadline = time.monotonic() + PATIENCE
    while [button for button in at.button if button.key == "build cancel"]:
        assert time.monotonic() < deadline, "the image was not finished"
        time.sleep(0.1)
        at.run()
    assert not at.exception, at.exception
    made: BuiltImage = at.session_state["made here"][-1]
    return made


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
        assert card["shows"]
        assert card["shows_not"]
    assert component(visited, "live_build")["name"] == "D_R"
    assert not visited.error


def test_the_samples_are_browsed_with_what_both_classifiers_believe(visited: AppTest) -> None:
    settle(visited)
    tiles = component(visited, "tile_grid")["tiles"]
    assert [tile["index"] for tile in tiles] == list(range(20))
    assert all([bar["kind"] for bar in tile["bars"]] == ["standard", "robust"] for tile in tiles)


def test_views_show_magnified_differences(visited: AppTest) -> None:
    visited.button_group(key="view").set_value("difference to the source")
    settle(visited.run())
    notes = [card["note"] for card in component(visited, "five_sets_row")["cards"]]
    assert notes[0] == "the source itself"
    assert all(note.startswith("magnified ") and "L2 " in note for note in notes[1:])


def test_class_order_and_page_of_the_grid(visited: AppTest) -> None:
    visited.selectbox(key="set_class").set_value("ship")
    settle(visited.run())
    tiles = component(visited, "tile_grid")["tiles"]
    assert {tile["label"] for tile in tiles} == {"ship"}
    visited.selectbox(key="set_class").set_value("all classes")
    visited.button_group(key="set_order").set_value("most surprising")
    settle(visited.run())
    gaps = [
        abs(tile["bars"][0]["value"] - tile["bars"][1]["value"])
        for tile in component(visited, "tile_grid")["tiles"]
    ]
    assert gaps == sorted(gaps, reverse=True)
    labels, gap = torch.tensor([0, 1, 0, 1]), torch.tensor([0.1, 0.9, 0.3, 0.2])
    assert chosen_indices(labels, None, None) == [0, 1, 2, 3]
    assert chosen_indices(labels, 0, gap) == [2, 0]


def test_a_path_that_leads_nowhere_is_one_sentence(visited: AppTest) -> None:
    visited.selectbox(key="set").set_value(OTHER)
    visited.run()
    visited.text_input(key="set_path").set_value("/nowhere/at/all")
    settle(visited.run())
    assert [error.value for error in visited.error] == [
        "there is no file or folder /nowhere/at/all"
    ]
    assert component(visited, "five_sets_row")["cards"]
    visited.selectbox(key="set").set_value(SAMPLES)
    settle(visited.run())
    assert not visited.error


def test_made_images_join_a_set_that_can_be_read_back(tmp_path: Path) -> None:
    at = open_datasets()
    made = press(at, "d_r")
    assert component(at, "live_build")["steps"] == 20
    assert torch.equal(made.image.image, row(at).image("d_r").image)
    first = press(at, "d_det")
    second = press(at, "d_det")
    assert torch.equal(first.image.image, second.image.image)
    assert "made here: D_det" in at.selectbox(key="set").options
    (tmp_path / "set.parquet").write_bytes(parquet((first, second)))
    found = read_set(tmp_path / "set.parquet")
    assert (found.name, len(found)) == ("d_det", 2)
    assert found.data.labels.tolist() == [first.image.label] * 2
    assert found.source_label is not None
    assert found.source_label.tolist() == [first.source.label] * 2
    np.testing.assert_array_equal(
        found.data.images[0].numpy(), (first.image.image * 255).round().byte().numpy()
    )
    at.selectbox(key="set").set_value("made here: D_det")
    settle(at.run())
    assert len(component(at, "tile_grid")["tiles"]) == 2


def test_an_image_of_a_set_becomes_the_source() -> None:
    at = open_datasets()
    at.sidebar.button_group(key="origin").set_value("set")
    settle(at.run())
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
    assert component(at, "five_sets_row")["cards"][2]["seen"] == "noise"


def test_a_sentence_claims_only_what_was_reached(visited: AppTest) -> None:
    found = row(visited)
    for image in found.images[1:]:
        said = image.predictions[1 if image.name == "d_r" else 0].index
        assert "fell short" not in shows(found, replace(image, label=said))[0]
        assert "fell short" in shows(found, replace(image, label=(said + 1) % 10))[0]


def test_without_a_network_the_download_of_cifar10_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR10

    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(
        CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz"
    )  # nobody listens there
    at = open_datasets()
    at.selectbox(key="set").set_value(CIFAR).run()
    settle(at)
    at.button(key="fetch_cifar").click().run()
    settle(at)
    (error,) = at.error
    assert "can't be reached" in error.value
    assert not list(tmp_path.rglob("*.gz"))
    at.run()
    assert not at.error  # it is not tried again by itself
    assert at.button(key="fetch_cifar")
