"""The files of the download buttons hold what the page shows."""

from __future__ import annotations

import csv
import io
import json
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.errors import UserError
from explorer.ui.attack.exports import (
    EPSILONS,
    FILES,
    PLACE,
    STEPS,
    build,
    build_ladder,
)
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.exports import build_file
from explorer.ui.shared.ladder_job import LadderState
from explorer.ui.shared.words import eight_bits
from tests.ui.app import ATTACK, component, open_page, pixels


@pytest.fixture(scope="module")
def page() -> tuple[AppTest, AttackResponse]:
    at = open_page(ATTACK, model="cifar10-standard", linf="8", steps="6")
    return at, at.session_state["result attack"]


def test_the_link_and_the_command_pin_the_precision_that_was_used(page) -> None:
    at, response = page
    used = response.report.recipe.precision
    assert used in ("float32", "folded", "bfloat16")
    link, command = (code.value for code in at.code)
    address = dict(parse_qsl(urlsplit(link).query))
    assert address["precision"] == used
    assert ("--precision " + used) in command
    again = open_page(ATTACK, **{**address, "precision": "folded"})
    assert again.selectbox(key="precision").value == "folded"
    assert again.session_state["result attack"].report.recipe.precision == "folded"


def test_a_precision_that_is_not_to_be_had_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.engine.precision._agreeing_copy", lambda *_: None)
    at = open_page(ATTACK, model="cifar10-d_nr", precision="bfloat16", steps="2")
    assert at.session_state["result attack"].report.recipe.precision == "float32"
    assert any("can't be attacked in bfloat16 here" in info.value for info in at.info)


def test_there_is_a_button_for_each_file(page) -> None:
    at, _ = page
    assert [button.label for button in at.get("download_button")] == [
        file.label for file in (*FILES, *STEPS, *EPSILONS)
    ]


def test_the_images_are_the_ones_on_screen(page) -> None:
    at, response = page
    png = np.asarray(Image.open(io.BytesIO(build(response, ".png"))))
    exact = np.load(io.BytesIO(build(response, ".npy")))
    np.testing.assert_array_equal(png, pixels(at, 2))
    np.testing.assert_array_equal(np.rint(exact * 255).transpose(1, 2, 0), png)


def test_the_trace_and_the_recipe_are_those_of_the_result(page) -> None:
    at, response = page
    rows = list(csv.DictReader(io.StringIO(build(response, "-trace.csv").decode())))
    assert [row["predicted_name"] for row in rows] == component(at, "scrubber")["names"]
    recipe = json.loads(build(response, "-recipe.json"))
    assert recipe["steps"] == 6
    assert recipe["epsilon"] == pytest.approx(8 / 255)


@pytest.mark.parametrize(
    ("ending", "magic"),
    [("-triptych.png", b"\x89PNG"), ("-triptych.pdf", b"%PDF"), ("-triptych.svg", b"<?xml")],
)
def test_the_figures_are_of_their_kind(page, ending: str, magic: bytes) -> None:
    assert build(page[1], ending).startswith(magic)


@pytest.mark.parametrize("ending", [file.ending for file in STEPS])
def test_the_moving_pictures_have_every_step(page, ending: str) -> None:
    _, response = page
    image = Image.open(io.BytesIO(build(response, ending)))
    kept = int(response.report.trace.kept[0])
    assert image.n_frames == 7 + (kept != 6)  # steps 0 to 6, and the one that was kept


def test_the_ladder_moves_once_it_is_there(page) -> None:
    at, response = page
    _, job = at.session_state[f"ladder {PLACE}"]
    with pytest.raises(UserError, match="not finished"):
        build_ladder(response, LadderState("", job=Job("none", lambda job: None)), ".gif")
    assert job.wait(60)
    image = Image.open(io.BytesIO(build_ladder(response, LadderState("", job=job), ".webp")))
    assert image.n_frames >= len(job.result.ladder.rungs) - 1


def test_the_page_says_whether_8_bits_are_enough(page) -> None:
    at, response = page
    assert plain(eight_bits(response.report)) in [caption.value for caption in at.caption]


def test_a_file_that_cannot_be_built_is_a_reported_bug(
    page, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("explorer.figures.export.adversarial_npy", lambda report: 1 / 0)
    with pytest.raises(RuntimeError, match="this is a bug") as caught:
        build_file(partial(build, page[1]), ".npy")
    assert str(caught.value).split()[-1] in caplog.text
