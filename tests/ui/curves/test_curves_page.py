"""The page of accuracy against ε: what it shows is what the core computes; all is in its link."""

from __future__ import annotations

import csv
import io
import json
import shlex
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from explorer.__main__ import _parser
from explorer.classifiers import load
from explorer.experiments.sweep import image_set
from explorer.experiments.sweep.accuracy_sweep import accuracy_sweep
from explorer.experiments.sweep.image_set import read_image_sets
from explorer.experiments.sweep.question import Answer
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.images.gallery import samples
from explorer.ui.curves.exports import FILES, build, command_of
from tests.cli.running import run
from tests.images.pictures import encoded, noise
from tests.planted import MARKUP, markup_on
from tests.ui.app import choose, open_page, shown, wait_until_idle

CURVES = "../pages/curves.py"
PAIR = ["cifar10-standard", "cifar10-robust"]
SHORT = {"curves_steps": "1", "curves_epsilon": "0 0.5"}


def answer_on(at: AppTest) -> Answer:
    """The answer on the page, which the session has."""
    answer: Answer = at.session_state["result curves"]
    return answer


def chart(at: AppTest) -> dict:
    (element,) = at.get("plotly_chart")
    spec: dict = json.loads(element.proto.spec)
    return spec


@pytest.fixture(scope="module")
def page() -> AppTest:
    return open_page(CURVES, **SHORT)


def test_a_second_visitor_does_not_wait_for_what_was_computed(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: object, **__: object) -> Answer:
        raise AssertionError("computed again")

    monkeypatch.setattr("explorer.ui.curves.answer_job.answer", compute)
    at = open_page(CURVES, **SHORT)
    assert not at.error
    assert answer_on(at) is answer_on(page)


def test_it_opens_with_the_curves_of_a_standard_and_a_robust_classifier(page: AppTest) -> None:
    assert page.multiselect(key="curves_models").value == PAIR
    answer = answer_on(page)
    model = load("cifar10-robust", device="cpu")
    (images,) = read_image_sets("gallery", [model])
    attack = SetAttack("linf", steps=1)
    assert answer.curves["cifar10-robust"] == accuracy_sweep(model, images.data, attack, [0, 0.5])
    named = [trace.get("name") for trace in chart(page)["data"] if trace.get("name")]
    assert named == [
        f"CIFAR-10 {kind}: {what}"
        for kind in ("standard", "robust")
        for what in ("accuracy", "mean confidence in the label")
    ]


def test_link_and_command_ask_the_same(page: AppTest) -> None:
    link, command = (block.value for block in page.get("code"))
    address = parse_qs(urlsplit(link).query)
    assert address["curves_models"] == PAIR
    assert address["curves_epsilon"] == ["0 0.5"]
    again = open_page(CURVES, **address)
    assert answer_on(again).rows == answer_on(page).rows
    words = shlex.split(command)
    options = _parser().parse_args(words[3:])
    assert options.command == "sweep"
    assert (options.models, options.data, options.norm) == (PAIR, "gallery", "linf")


def test_every_file_can_be_built(page: AppTest) -> None:
    answer = answer_on(page)
    magic = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml", ".zip": b"PK"}
    for file in FILES:
        data = build(answer, file.ending)
        assert data.startswith(magic.get(file.ending, b"")), file
    table = list(csv.DictReader(io.StringIO(build(answer, ".csv").decode())))
    assert [row["model"] for row in table] == [row["model"] for row in answer.rows]
    with zipfile.ZipFile(io.BytesIO(build(answer, ".zip"))) as archive:
        assert archive.namelist()[-1] == "recipe.json"
    assert json.loads(build(answer, ".json"))["command"].startswith("python -m explorer sweep")
    assert command_of(answer).endswith("--out sweep")


def test_the_command_of_the_page_writes_the_recipe_of_the_page(
    page: AppTest, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    recipe = build(answer_on(page), ".json")
    assert json.loads(recipe)["attack"]["precision"] != "auto"
    words = shlex.split(page.get("code")[-1].value)[3:-1]
    status, _, err = run(capsys, *words, str(tmp_path))
    assert status == 0, err
    assert (tmp_path / "recipe.json").read_bytes() == recipe


def test_an_uploaded_picture_counts_by_its_prediction_and_its_name_is_text() -> None:
    at = open_page(CURVES, **SHORT)
    at = choose(at, "segmented_control", "curves_pictures", "Your pictures")
    assert "upload one picture" in at.error[0].value.lower()
    name = f"{MARKUP}.png"
    at.file_uploader(key="curves_upload").set_value(
        [(name, encoded(noise(40, 40), "PNG"), "image/png"), ("b.txt", b"no picture", "text/plain")]
    )
    at = wait_until_idle(at.run())
    assert len(at.error) == 1
    rows = answer_on(at).rows
    assert {row["n"] for row in rows} == {1}
    assert rows[0]["accuracy"] == 1.0
    assert not markup_on(at)


def test_a_smallest_epsilon_and_a_transfer_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four pictures: the walk to the smallest ε has sixty steps, however few an attack has."""
    monkeypatch.setattr(image_set, "samples", lambda kind: samples(kind)[:4])
    at = open_page(
        CURVES,
        curves_question="Transfer between classifiers",
        curves_steps="2",
        curves_norm="L2",
    )
    assert len(answer_on(at).cells) == 4
    assert "Beside the paper" in [each.value for each in at.header]
    at = choose(at, "multiselect", "curves_models", ["cifar10-standard"])
    assert "two classifiers" in at.error[0].value
    assert at.slider(key="curves_steps").value == 2  # all controls stay
    at = choose(at, "selectbox", "curves_question", "Smallest ε of each picture")
    assert not at.error
    assert len(answer_on(at).rows) == 4
    assert all(row["success"] for row in answer_on(at).rows)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"curves_epsilon": "0:1"}, "START:STOP:STEP"),
        ({"curves_epsilon": "2"}, "must not exceed 255/255"),
        ({"curves_pictures": "A data set", "curves_data": "nowhere"}, "nowhere"),
        ({"curves_models": ["cifar10-standard", "tiny12-standard"]}, "does not know"),
    ],
)
def test_what_can_not_be_asked_is_one_sentence(address: dict, words: str) -> None:
    at = open_page(CURVES, **{**SHORT, **address})
    assert len(at.error) == 1
    assert words in shown(at.error[0].value)
