"""The comparison page: what it shows is what the core computes, and each choice is in its link."""

from __future__ import annotations

import csv
import io
import json
import shlex
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from explorer.__main__ import _parser
from explorer.classifiers import load
from explorer.experiments.compare import Comparison, compare
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.captions import percent
from explorer.images.gallery import samples
from explorer.ui.compare.exports import FILES, build
from explorer.ui.compare.page import ShownComparison
from explorer.ui.shared.classifiers import default_pair, entries
from tests.images.pictures import encoded, noise
from tests.planted import MARKUP, markup_on, plant_pair
from tests.ui.app import choose, component, data_of, open_page, wait_until_idle

COMPARE = "../pages/compare.py"
PAIR = ["cifar10-standard", "cifar10-robust"]


def shown_on(at: AppTest) -> ShownComparison:
    """The comparison on the page, which the session has."""
    shown: ShownComparison = at.session_state["compare_shown"]
    return shown


def rows(at: AppTest) -> list[dict]:
    """The data of the classifiers' rows."""
    elements = [
        element
        for element in at.get("bidi_component")
        if element.proto.component_name == "explorer.classifier_row"
    ]
    return [data_of(element) for element in elements]


def test_it_opens_with_a_standard_beside_a_robust_classifier() -> None:
    at = open_page(COMPARE, compare_steps="3")
    assert at.multiselect(key="compare_models").value == PAIR
    assert [(row["training"], row["title"]) for row in rows(at)] == [
        ("standard", "CIFAR-10 standard"),
        ("robust", "CIFAR-10 robust"),
    ]
    comparison = shown_on(at).comparison
    expected = expected_comparison()
    for each, row, same in zip(comparison.classifiers, rows(at), expected.classifiers, strict=True):
        assert each.report.recipe == same.report.recipe
        assert row["pictures"][3]["confidence"].startswith(
            percent(each.noise.prediction.confidence)
        )
        assert each.noise.label_confidence == same.noise.label_confidence
    assert [each.answer.after.name for each in comparison.transfers if each.answer] == [
        each.answer.after.name for each in expected.transfers if each.answer
    ]
    table = component(at, "answers")
    assert [row["title"] for row in table["rows"]] == [
        "original",
        "made to fool CIFAR-10 standard",
        "made to fool CIFAR-10 robust",
        "noise of the same size",
    ]
    check_exports(at, comparison)


def expected_comparison() -> Comparison:
    """What the core computes for the page's first question."""
    sample = next(each for each in samples("cifar10") if each.title == "cat")
    models = {name: load(name) for name in PAIR}
    recipe = Recipe(f"gallery:{sample.key}", PAIR[0], "linf", 4 / 255, 3, label=sample.label)
    return compare(models, sample.read(), recipe)


def check_exports(at: AppTest, comparison: Comparison) -> None:
    """The files hold what is shown, the link restores it, the command asks the same."""
    assert [button.label for button in at.get("download_button")] == [each for each, *_ in FILES]
    table = list(csv.DictReader(io.StringIO(build(comparison, ".csv").decode())))
    assert len(table) == 2 * (1 + 2 + 1)
    with zipfile.ZipFile(io.BytesIO(build(comparison, ".zip"))) as archive:
        recipe = json.loads(archive.read("recipe-cifar10-robust.json"))
        assert archive.read("comparison.svg").startswith(b"<?xml")
        assert recipe["result_digest"] == comparison.classifiers[1].report.recipe.result_digest
    link, command = (code.value for code in at.code)
    address = parse_qs(urlsplit(link).query)
    assert address["compare_models"] == PAIR
    assert address["compare_steps"] == ["3"]
    assert all(key.startswith("compare_") for key in address)
    used = comparison.classifiers[0].report.recipe.precision
    assert address["compare_precision"] == [used] != ["auto"]
    options = _parser().parse_args(shlex.split(command)[3:])
    assert (options.command, options.model, options.steps, options.label) == (
        "compare",
        PAIR,
        3,
        "3",
    )
    assert options.precision == used


def test_a_link_restores_its_choices_and_a_slider_moves_every_row() -> None:
    models = ["tiny12-standard", "tiny12-robust"]
    at = open_page(COMPARE, compare_models=models, compare_method="FGSM", compare_linf="2")
    assert [row["title"] for row in rows(at)] == [entries()[name].title for name in models]
    recipes = [each.report.recipe for each in shown_on(at).comparison.classifiers]
    assert all(recipe.is_fgsm for recipe in recipes)
    assert {recipe.label for recipe in recipes} == {8}  # the leafhopper is an insect
    choose(at, "slider", "compare_linf", 8.0)
    for row, each in zip(rows(at), shown_on(at).comparison.classifiers, strict=True):
        assert each.report.recipe.epsilon == pytest.approx(8 / 255)
        assert row["pictures"][3]["title"] == "original + noise, L∞ 8/255"
    choose(at, "slider", "compare_linf", 2.0)
    assert all("from cache" in row["cost"] for row in rows(at))


def test_one_classifier_is_too_few_and_the_last_comparison_stays() -> None:
    at = open_page(COMPARE, compare_method="FGSM")
    before = component(at, "answers")
    at.multiselect(key="compare_models").set_value(PAIR[:1])
    wait_until_idle(at.run())
    (error,) = at.error
    assert "2 to 4 classifiers, and this has 1" in error.value
    assert component(at, "answers") == before
    assert at.selectbox(key="compare_image").value == "cat"  # all controls stay
    at.multiselect(key="compare_models").set_value(PAIR)
    wait_until_idle(at.run())
    assert not at.error
    at.selectbox(key="compare_target").set_value("cat")
    wait_until_idle(at.run())
    assert all("he label already is" in error.value for error in at.error)
    assert len(at.error) == 2


def test_an_upload_has_no_label_and_no_place_in_the_link() -> None:
    at = open_page(COMPARE, compare_method="FGSM")
    at.button_group(key="compare_source").set_value("upload")
    at.run()
    at.file_uploader(key="compare_upload").set_value(
        ("my cat.png", encoded(noise(40, 40)), "image/png")
    )
    wait_until_idle(at.run())
    comparison = shown_on(at).comparison
    assert all(each.report.label == each.report.before.index for each in comparison.classifiers)
    assert any("can't be part of a link" in caption.value for caption in at.caption)
    assert "'my cat.png'" in at.code[1].value


def test_what_a_link_asks_and_is_not_here_is_named() -> None:
    at = open_page(COMPARE, compare_models=["cifar10-robust", "gone"], compare_method="FGSM")
    (warning,) = at.warning
    assert "gone" in warning.value
    (error,) = at.error
    assert "this has 1; add another one" in error.value


def test_the_default_is_a_pair_of_the_same_data() -> None:
    known = entries()
    assert default_pair(known) == PAIR
    without = {name: entry for name, entry in known.items() if name != "cifar10-robust"}
    first, second = (known[name] for name in default_pair(without))
    assert (first.robust, second.robust, first.data) == (False, True, second.data)
    standard = {name: entry for name, entry in known.items() if not entry.robust}
    assert default_pair(standard) == list(standard)[:2]


def test_names_from_outside_are_shown_as_text(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    plant_pair(tmp_path)
    at = open_page(
        COMPARE,
        compare_models=["user:planted-standard", "user:planted-robust"],
        compare_method="FGSM",
    )
    assert not at.error, [each.value for each in at.error]
    assert MARKUP in rows(at)[0]["verdict"]
    assert MARKUP in component(at, "answers")["rows"][0]["cells"][0]["name"]
    assert not markup_on(at)
