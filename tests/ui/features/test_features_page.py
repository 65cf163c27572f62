"""The features page: what it shows is what the core computes, and each choice is in its link."""

from __future__ import annotations

import io
import json
import shlex
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from explorer.__main__ import _parser
from explorer.classifiers import load
from explorer.experiments.features.gradients import GradientSettings, gradients
from explorer.figures.feature_rows import gradient_row
from explorer.images.gallery import samples
from explorer.images.geometry import to_png
from explorer.ui.components.images import data_uri
from explorer.ui.features.section_exports import FILES
from explorer.ui.features.sections import SECTIONS
from explorer.ui.shared import known_result
from explorer.ui.shared.result_cache import ResultCache
from tests.planted import MARKUP, markup_on, plant_pair
from tests.ui.app import choose, component, data_of, open_page, wait_until_idle

FEATURES = "../pages/features.py"
PAIR = ["cifar10-standard", "cifar10-robust"]
QUICK = {"features_copies": "8"}


def rows(at: AppTest) -> list[dict]:
    """The rows of pictures, of all components on the page."""
    elements = [
        element
        for element in at.get("bidi_component")
        if element.proto.component_name == "explorer.picture_rows"
    ]
    return [row for each in elements for row in data_of(each)["rows"]]


def main_choose(at: AppTest, kind: str, key: str, value: object) -> AppTest:
    """Set a widget of the section and wait until the page is idle."""
    (widget,) = [item for item in getattr(at, kind) if item.key == key]
    widget.set_value(value)
    return wait_until_idle(at.run())


def test_it_opens_with_the_gradients_of_a_standard_and_a_robust_classifier() -> None:
    at = open_page(FEATURES, **QUICK)
    assert not at.error
    assert [(row["title"], row["training"]) for row in rows(at)] == [
        ("CIFAR-10 standard", "standard"),
        ("CIFAR-10 robust", "robust"),
    ]
    cat = next(each for each in samples("cifar10") if each.title == "cat")
    models = {name: load(name) for name in PAIR}
    settings = GradientSettings(copies=8)
    for row, each in zip(rows(at), gradients(models, cat.read(), settings), strict=True):
        expected = gradient_row(each)
        assert row["sentence"] == expected.sentence
        assert [tile["src"] for tile in row["tiles"]] == [
            data_uri(to_png(tile.image), "image/png") for tile in expected.tiles
        ]
        assert all(tile["pixelated"] and tile["alt"] for tile in row["tiles"])
    link, command = (code.value for code in at.code)
    address = parse_qs(urlsplit(link).query)
    assert (address["features_models"], address["features_section"]) == (PAIR, ["Gradients"])
    assert all(key.startswith("features_") for key in address)
    options = _parser().parse_args(shlex.split(command)[3:])
    assert (options.command, options.model, options.smooth) == ("gradients", PAIR, 8)
    assert [button.label for button in at.get("download_button")] == [each for each, *_ in FILES]


def test_a_class_and_the_loss_are_asked_and_the_link_has_them() -> None:
    at = open_page(FEATURES, features_gradient_class="truck", features_of="loss", **QUICK)
    assert all("“truck”" in row["sentence"] for row in rows(at))
    options = _parser().parse_args(shlex.split(at.code[1].value)[3:])
    assert (options.label, options.of) == ("9", "loss")
    before = rows(at)
    main_choose(at, "slider", "features_copies", 0)
    assert [len(row["tiles"]) for row in rows(at)] == [3, 3]
    main_choose(at, "slider", "features_copies", 8)
    assert rows(at) == before


def test_the_whole_gallery_is_asked_on_request() -> None:
    at = open_page(FEATURES, features_copies="0", features_gallery="true")
    texts = " ".join(markdown.value for markdown in at.markdown)
    assert f"on {len(samples('cifar10'))} of {len(samples('cifar10'))} pictures" in texts
    assert "95 % Wilson interval" in texts


def test_only_the_chosen_section_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    results: ResultCache[object] = ResultCache()
    monkeypatch.setattr(known_result, "_RESULTS", results)
    at = open_page(FEATURES, features_section="Layer by layer", features_layers_l2="0.25")
    assert not at.error
    assert len(results._results) == 1
    assert [len(row["tiles"]) for row in rows(at)] == [3, 3]
    assert len(at.get("plotly_chart")) == 2
    assert "features_copies" not in at.session_state
    for row in rows(at):
        assert row["tiles"][1]["notes"][0] == "L2 0.25"


def test_a_large_epsilon_moves_both_rows_and_the_files_can_be_built() -> None:
    at = open_page(FEATURES, features_section="Large ε", features_large_l2="1")
    assert not at.error
    titles = ["picture", "ε = 0.25", "ε = 0.5", "ε = 1"]
    assert [[tile["title"] for tile in row["tiles"]] for row in rows(at)] == [titles] * 2
    main_choose(at, "selectbox", "features_large_target", "truck")
    assert all("“truck”" in row["sentence"] for row in rows(at))
    options = _parser().parse_args(shlex.split(at.code[1].value)[3:])
    assert (options.command, options.model) == ("large-epsilon", list(PAIR))
    assert (options.target, options.epsilon) == ("9", 1.0)
    main_choose(at, "selectbox", "features_large_target", "cat")
    (error,) = at.error
    assert "lassifier already says" in error.value


def test_fewer_than_two_classifiers_are_one_sentence() -> None:
    at = open_page(FEATURES, features_models=["cifar10-robust", "gone"], **QUICK)
    (warning,) = at.warning
    assert "gone" in warning.value
    (error,) = at.error
    assert "this has 1; add another one" in error.value
    choose(at, "multiselect", "features_models", PAIR)
    assert not at.error
    assert len(rows(at)) == 2
    choose(at, "multiselect", "features_models", PAIR[:1])
    assert len(at.error) == 1
    assert len(rows(at)) == 2  # the last result stays, and so do all controls
    assert at.selectbox(key="features_image").value == "cat"
    assert "Below is the last result." in [each.value for each in at.caption]
    assert not at.code  # the address is not that of this result


def test_the_keys_of_the_sections_are_the_pages_own_and_different() -> None:
    keys = [key for section in SECTIONS for key in section.linked]
    assert all(key.startswith("features_") for key in keys)
    assert len(set(keys)) == len(keys)
    assert len({section.title for section in SECTIONS}) == len(SECTIONS)


@pytest.mark.parametrize("section", ["Gradients", "Layer by layer"])
def test_names_from_outside_are_shown_as_text(tmp_path, monkeypatch, section) -> None:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    plant_pair(tmp_path)
    at = open_page(
        FEATURES,
        features_section=section,
        features_models=["user:planted-standard", "user:planted-robust"],
        features_copies="0",
    )
    assert not at.error, [each.value for each in at.error]
    shown = json.dumps(rows(at), ensure_ascii=False)
    assert json.dumps(MARKUP, ensure_ascii=False)[1:-1] in shown
    assert not markup_on(at)


def test_a_zip_has_every_file(monkeypatch) -> None:
    built: dict[str, bytes] = {}

    def keep(files, build, name, key):
        built.update({file.ending: build(file.ending) for file in files})

    monkeypatch.setattr("explorer.ui.features.section_exports.download_buttons", keep)
    at = open_page(FEATURES, features_copies="0")
    assert not at.error
    with zipfile.ZipFile(io.BytesIO(built[".zip"])) as archive:
        assert archive.read("gradients.csv") == built[".csv"]
        recipe = json.loads(archive.read("recipe.json"))
    assert [model["name"] for model in recipe["models"]] == PAIR
    assert recipe["settings"]["copies"] == 0
    assert component(at, "picture_rows")["rows"]
