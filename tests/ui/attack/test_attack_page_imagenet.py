"""The attack page with an ImageNet classifier: the panda, the crop, targets, full resolution."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.classifiers.packaged import EFFICIENTNET
from explorer.images.geometry import Crop
from tests.conftest import shared
from tests.ui.app import ATTACK, choose, component, open_page, outcome, wait_until_idle

MODEL = "torchvision:squeezenet1_1"


@pytest.fixture(autouse=True)
def weights(monkeypatch):
    monkeypatch.setenv(
        "EXPLORER_WEIGHTS", str(shared("weights", "squeezenet1_1-imagenet1k.safetensors").parent)
    )


def open_panda(**address: str) -> AppTest:
    return open_page(
        ATTACK,
        **{"model": MODEL, "image": "giant panda", "linf": "1.785", "steps": "10", **address},
    )


def recipe(at: AppTest):
    return at.session_state["result attack"].report.recipe


def names(at: AppTest, number: int = 0) -> list[str]:
    triptychs = [
        item
        for item in at.get("bidi_component")
        if item.proto.component_name == "explorer.triptych"
    ]
    assert len(triptychs) > number
    report = at.session_state[["result attack", "result attack fgsm"][number]].report
    return [report.before.name, report.after.name]


def test_the_preset_makes_the_panda_a_gibbon_with_fgsm_beside_pgd() -> None:
    at = open_page(ATTACK, model="cifar10-standard")
    wait_until_idle(at.button(key="preset panda → gibbon").click().run())
    assert recipe(at).model == EFFICIENTNET  # more accurate than SqueezeNet
    assert recipe(at).epsilon == pytest.approx(0.007)
    assert names(at) == ["giant panda", "gibbon"]
    assert names(at, 1)[0] == "giant panda"
    assert at.session_state["result attack fgsm"].report.recipe.is_fgsm
    assert outcome(at) in ("fooled", "partly", "held")


def test_the_drawn_panda_is_recognised() -> None:
    at = open_panda(linf="0")
    assert at.session_state["result attack"].report.before.confidence > 0.95


def test_the_crop_is_shown_and_moved() -> None:
    at = open_panda()
    data = component(at, "crop")
    assert data["position"] == [0.5, 0.5]
    assert data["size"] == pytest.approx([224 / 320, 224 / 256])
    before = recipe(at).image_digest
    choose(at, "slider", "crop_x", 0.0)
    choose(at, "slider", "zoom", 1.5)
    assert recipe(at).crop == Crop(0.0, 0.5, 1.5)
    assert recipe(at).image_digest != before
    assert "--crop 0,0.5,1.5" in recipe(at).command()
    assert component(at, "crop")["size"][1] == pytest.approx(224 / 384)


def test_the_address_restores_the_crop_and_another_picture_begins_in_the_middle() -> None:
    at = open_panda(crop_x="0.25", zoom="2.0")
    assert recipe(at).crop == Crop(0.25, 0.5, 2.0)
    choose(at, "selectbox", "image", "rocket")
    assert recipe(at).crop == Crop()


def test_a_small_picture_for_a_small_classifier_has_no_crop() -> None:
    at = open_page(ATTACK, model="cifar10-standard")
    assert not [
        item for item in at.get("bidi_component") if item.proto.component_name == "explorer.crop"
    ]


def suggestions(at: AppTest, kind: str) -> list[str]:
    return [button.label for button in at.button if (button.key or "").startswith(f"target {kind}")]


def test_targets_are_suggested_by_kind() -> None:
    at = open_panda()
    report = at.session_state["result attack"].report
    order = report.before.probabilities.argsort(descending=True).tolist()
    assert suggestions(at, "Runners-up") == [report.names[index] for index in order[1:5]]
    assert "gibbon" in suggestions(at, "Nearest")
    random = suggestions(at, "Random")
    at.button(key="draw").click().run()
    assert suggestions(wait_until_idle(at), "Random") != random
    (button,) = [
        button
        for button in at.button
        if (button.key or "").startswith("target Nearest") and button.label == "gibbon"
    ]
    wait_until_idle(button.click().run())
    assert recipe(at).target == 368
    wait_until_idle(at.button(key="no target").click().run())
    assert recipe(at).target is None


def test_the_change_is_applied_to_the_whole_photograph() -> None:
    at = open_panda(target="gibbon")
    wait_until_idle(at.toggle(key="full_resolution").set_value(True).run())
    assert any("still fools" in text.value and "gibbon" in text.value for text in at.markdown)
    report = at.session_state["result full resolution"].report
    assert report.success
    assert report.full_resolution.photo.size == (640, 512)
