"""The live ε: its rungs are computed once for all ε, and the slider agrees with the controls."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest

from tests.ui.app import ATTACK, choose, component, open_page


def rungs(at: AppTest) -> list[dict[str, Any]]:
    """All rungs that the page sends to the browser."""
    parts = [
        json.loads(item.proto.json)[0]
        for item in at.get("bidi_component")
        if item.proto.component_name == "explorer.ladder_rungs"
    ]
    assert len({(part["place"], part["ladder"]) for part in parts}) == 1
    return [rung for part in parts for rung in part["rungs"]]


def test_the_rungs_are_sent_and_stay_the_same_for_another_epsilon() -> None:
    at = open_page(ATTACK, model="cifar10-standard", linf="2.5", steps="7")
    (ladder,) = component(at, "live_epsilon")["ladders"]
    assert ladder["is_complete"]
    assert not ladder["message"]
    assert ladder["exact"]["text"] == "2.5/255"
    first = rungs(at)
    assert [round(255 * rung["epsilon"], 6) for rung in first] == [0, 4, 32]
    assert first[0]["shown"]["mark"]["word"] == "held"
    choose(at, "slider", "linf", 3.0)
    data = component(at, "live_epsilon")
    assert data["value"] == 3
    assert data["ladders"][0]["id"] == ladder["id"]
    assert rungs(at) == first


def test_another_picture_has_another_ladder() -> None:
    at = open_page(ATTACK, model="cifar10-standard", linf="2.5", steps="7")
    ladder = component(at, "live_epsilon")["ladders"][0]["id"]
    choose(at, "selectbox", "target", "ship")
    (other,) = component(at, "live_epsilon")["ladders"]
    assert other["id"] != ladder
    assert [curve["of"] for curve in other["curves"]] == ["predicted", "label", "target"]
    assert all("target" in rung["probabilities"] for rung in rungs(at))


def test_the_range_and_the_unit_follow_the_norm() -> None:
    at = open_page(ATTACK, model="cifar10-standard", norm="L2", l2="0.75", steps="7")
    data = component(at, "live_epsilon")
    slider = next(item for item in at.sidebar.slider if item.key == "l2")
    assert (data["value"], data["unit"], data["suffix"]) == (0.75, 1, "")
    assert (data["largest"], data["step"]) == (slider.max, slider.step)
    assert data["largest"] == max(rung["epsilon"] for rung in rungs(at))


def test_fgsm_has_a_ladder_of_single_steps() -> None:
    at = open_page(ATTACK, model="cifar10-standard", linf="2.5", method="FGSM")
    (ladder,) = component(at, "live_epsilon")["ladders"]
    assert not ladder["is_warm"]
    assert all(rung["is_exact"] for rung in rungs(at))
