"""The lab's section on patches: the bundled one, a new one, and where it sticks."""

from __future__ import annotations

import shlex

import pytest
from streamlit.testing.v1 import AppTest

from explorer.classifiers.packaged import packaged_weights
from tests.ui.app import choose, open_page, shown

PAGE = "../pages/lab.py"
NEW = {
    "lab_section": "Patch",
    "lab_patch_which": "A new one",
    "lab_patch_model": "cifar10-standard",
    "lab_patch_judges": "cifar10-robust",
    "lab_patch_target": "frog",
    "lab_patch_steps": "5",
}


def captions(at: AppTest) -> list[str]:
    """Those of the section's own pictures; the pictures that explain terms have none."""
    pictures = [picture for images in at.get("image") for picture in images.proto.imgs]
    return [picture.caption for picture in pictures if picture.caption]


def test_a_new_patch_is_fitted_scored_and_stuck_on_the_picture() -> None:
    at = open_page(PAGE, **NEW)
    assert not at.error
    assert not at.warning
    (sentence,) = [shown(each.value) for each in at.markdown if "With the patch" in each.value]
    assert "says “frog” for" in sentence
    assert "(95 % interval" in sentence
    assert "With a patch of random noise:" in sentence
    texts = captions(at)
    assert texts[0] == "the patch, for “frog”"
    assert [text.partition(":")[0] for text in texts[1:]] == [
        "as it is",
        "with the patch",
        "with noise in its place",
    ]
    _, command = [each.value for each in at.code]
    words = shlex.split(command)
    assert words[3:6] == ["patch", "--model", "cifar10-standard"]
    assert words[words.index("--target") + 1] == "frog"


def test_moving_it_is_another_picture_and_no_other_patch() -> None:
    at = open_page(PAGE, **NEW)
    before = at.dataframe[0].value.to_dict()
    choose(at, "slider", "lab_patch_x", 0.9)
    assert at.dataframe[0].value.to_dict() == before
    assert "lab_patch_x=0.9" in at.code[0].value


@pytest.mark.skipif(packaged_weights() is None, reason="EfficientNet-Lite0 is missing")
def test_the_first_patch_is_the_bundled_one() -> None:
    at = open_page(PAGE, lab_section="Patch")
    assert not at.error
    assert captions(at)[0] == "the patch, for “starfish”"
    (sentence,) = [shown(each.value) for each in at.markdown if "With the patch" in each.value]
    assert "starfish" in sentence
    assert "--steps 500" in at.code[1].value
