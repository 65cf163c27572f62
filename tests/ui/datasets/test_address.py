"""The address of the data page: what is below the row is restored, too."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from tests.ui.app import component, open_page, wait_until_idle

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "10", "attack_steps": "5"}
BUNDLED = "bundled: cifar10-d_nr-from-noise"


def open_datasets(**address: str) -> AppTest:
    return open_page(DATASETS, **QUICK, **address)


def tiles(at: AppTest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = component(at, "tile_grid")["tiles"]
    return found


def gap(tile: dict[str, Any]) -> float:
    standard, robust = (bar["value"] for bar in tile["bars"])
    return abs(float(standard - robust))


def test_set_class_and_order_are_restored() -> None:
    at = open_datasets(set=BUNDLED, set_class="ship", set_order="largest disagreement")
    assert not at.warning
    assert {tile["label"] for tile in tiles(at)} == {"ship"}
    gaps = list(map(gap, tiles(at)))
    assert gaps == sorted(gaps, reverse=True)


def test_a_page_of_a_set_is_restored_and_another_class_begins_with_its_first() -> None:
    at = open_datasets(set=BUNDLED, set_page="2")
    assert tiles(at)[0]["index"] == 48
    at.selectbox(key="set_class").set_value("ship")
    wait_until_idle(at.run())
    assert "set_page" not in at.query_params
    at.selectbox(key="set_class").set_value("all classes")
    wait_until_idle(at.run())
    assert tiles(at)[0]["index"] == 0


def test_an_image_that_was_built_is_there_again_with_its_set() -> None:
    at = open_datasets(built="d_nr", set="made here: D_NR")
    assert not at.warning
    assert component(at, "live_build")["name"] == "D_NR"
    assert len(tiles(at)) == 1
    built = at.session_state["built images"][0]
    assert built.image is at.session_state["result row"].image("d_nr")
    assert at.query_params["built"] == "d_nr"


def test_a_source_from_a_set_is_restored_whichever_set_is_browsed() -> None:
    at = open_datasets(origin="set", set_index="7", row_set=BUNDLED)
    assert not at.warning
    source = at.session_state["result row"].source
    assert (source.set_name, at.session_state["set_index"]) == ("d_nr", 7)
    assert at.session_state["browsed set"].title == "D: the sample pictures"
    at.sidebar.button_group(key="origin").set_value("gallery")
    wait_until_idle(at.run())
    assert "row_set" not in at.query_params


def test_a_set_that_is_no_longer_there_is_said() -> None:
    at = open_datasets(origin="set", row_set="made here: D_R", built="nosuch", set_page="9")
    texts = [warning.value for warning in at.warning]
    assert any("there is no set" in text.lower() for text in texts)
    (said,) = (text for text in texts if "in this link" in text)
    assert "d\\_nr" in said
    assert "only 1" in said
