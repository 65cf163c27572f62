"""The lab's section on universal perturbations: what it shows, and its link and command."""

from __future__ import annotations

import json
import shlex
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from explorer.ui.lab.universal_controls import LINKED
from tests.cli.running import run
from tests.ui.app import choose, open_page, shown

PAGE = "../pages/lab.py"
FAST = {
    "lab_section": "Universal perturbation",
    "lab_uni_steps": "5",
    "lab_uni_batch": "10",
    "lab_uni_judges": "cifar10-robust",
}


def test_it_says_how_often_the_change_and_noise_fool_with_intervals() -> None:
    at = open_page(PAGE, **FAST)
    assert not at.error
    assert not at.warning
    (sentence,) = [shown(each.value) for each in at.markdown if "One change with ε" in each.value]
    assert "of 20 pictures (95 % interval" in sentence
    assert "Random noise of the same size:" in sentence
    rows = at.dataframe[0].value.to_dict("records")
    assert [(row["what"], row["classifier"]) for row in rows] == [
        (change, model)
        for change in ("one perturbation", "random noise")
        for model in ("CIFAR-10 standard", "CIFAR-10 robust")
    ]
    assert all(row["share"].endswith(" %") and " to " in row["95 % interval"] for row in rows)
    link, command = [each.value for each in at.code][-2:]
    assert "lab_uni_steps=5" in link
    words = shlex.split(command)
    assert words[3:6] == ["universal", "--model", "cifar10-standard"]
    assert words[words.index("--steps") + 1] == "5"


def test_another_epsilon_is_another_question() -> None:
    at = open_page(PAGE, **FAST)
    choose(at, "slider", "lab_uni_linf", 0.0)
    (sentence,) = [shown(each.value) for each in at.markdown if "One change with ε" in each.value]
    assert "ε = 0/255" in sentence
    assert "on 0.0 % of 20" in sentence


def test_a_data_set_that_is_not_named_or_not_there_is_one_sentence() -> None:
    at = open_page(PAGE, **FAST, lab_uni_images="A data set")
    assert "Name a data set" in at.error[0].value
    at = open_page(PAGE, **FAST, lab_uni_images="A data set", lab_uni_data="nowhere")
    assert "nowhere" in at.error[0].value


def test_what_a_link_can_not_mean_is_said() -> None:
    at = open_page(PAGE, **{**FAST, "lab_uni_linf": "99"})
    assert "Not everything in this link can be used" in at.warning[0].value


def test_its_files_are_those_of_the_command() -> None:
    from explorer.classifiers import load
    from explorer.experiments.fitting_images import ImageSource, read_fitting_images
    from explorer.experiments.universal import UniversalAttack, universal
    from explorer.experiments.universal_recipe import UniversalRecipe
    from explorer.figures.comparison_files import zipped
    from explorer.figures.universal_files import universal_files

    models = {"cifar10-standard": load("cifar10-standard", device="cpu")}
    source, attack = ImageSource("gallery"), UniversalAttack("l2", 0.5, steps=2, batch=5)
    result = universal(models, *read_fitting_images(source, models), attack)
    recipe = UniversalRecipe(tuple(models), attack, source)
    files = universal_files(result, recipe)
    assert files == universal_files(result, recipe)
    names = zipfile.ZipFile(BytesIO(zipped(files))).namelist()
    assert {f"universal.{kind}" for kind in ("png", "pdf", "svg", "csv")} <= set(names)
    assert json.loads(files["recipe.json"])["rows"][0]["model"] == "cifar10-standard"


def test_the_command_of_the_page_writes_the_recipe_of_the_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    at = open_page(PAGE, **FAST)
    answer = at.session_state["result lab universal"]
    recipe = answer.recipe.to_json(answer.result).encode()
    assert json.loads(recipe)["attack"]["precision"] != "auto"
    words = shlex.split(at.code[-1].value)[3:-1]
    status, _, err = run(capsys, *words, str(tmp_path))
    assert status == 0, err
    assert (tmp_path / "recipe.json").read_bytes() == recipe


def test_every_key_of_the_link_is_the_sections_own() -> None:
    assert all(key.startswith("lab_uni_") for key in LINKED)
