"""A tile is opened as the image that it is: of the set it belongs to, with the same pixels."""

from __future__ import annotations

import numpy as np
from streamlit.testing.v1 import AppTest

from explorer.ui.datasets.loaded_set import SOURCE_SET
from explorer.ui.datasets.set_browser import controls_as_built
from tests.ui.app import component, open_page, wait_until_idle

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "10", "attack_steps": "5"}


def open_set(name: str) -> AppTest:
    at = open_page(DATASETS, **QUICK)
    at.selectbox(key="set").set_value(name)
    return wait_until_idle(at.run())


def test_an_image_of_a_bundled_set_has_the_name_of_its_set() -> None:
    at = open_set("bundled: cifar10-d_nr-from-noise")
    loaded = at.session_state["browsed set"]
    at.session_state[SOURCE_SET] = loaded
    at.session_state["set_index"] = 7
    at.session_state["origin"] = "set"
    wait_until_idle(at.run())
    cards = component(at, "five_sets_row")["cards"]
    assert (cards[0]["name"], cards[0]["title"]) == ("D_NR", "the source, as it is")
    assert [card["name"] for card in cards[1:]] == ["D_R", "D_NR", "D_rand", "D_det"]
    shown = at.session_state["result row"].image("d").image
    np.testing.assert_array_equal((shown * 255).round().byte(), loaded.set.data.images[7])


def test_an_image_of_a_computed_set_is_in_the_row_that_it_opens(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    at = open_set("from the samples: D_NR")
    loaded = at.session_state["browsed set"]
    title = loaded.sample(3)
    at.session_state["row_image"] = title
    for key, value in controls_as_built(loaded, 3).items():
        at.session_state[key] = value
    wait_until_idle(at.run())
    row = at.session_state["result row"]
    image = row.image("d_nr")
    assert image.label == int(loaded.set.data.labels[3])
    # Of a batch, as sets are built, and alone: the last bits of a float32 may differ.
    levels = (image.image * 255).round() - loaded.set.data.images[3].float()
    assert float(levels.abs().max()) <= 1
