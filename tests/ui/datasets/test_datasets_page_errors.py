"""What the data page shows when something fails, and with classifiers that a person added."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest
from torchvision.models import mobilenet_v3_small

from explorer.classifiers import ClassifierError
from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models
from explorer.ui.datasets import page, sections
from tests.ui.app import component, open_page, shown, wait_until_idle
from tests.ui.user_model import SOURCE

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "20", "attack_steps": "5"}


def fail(error: Exception):
    def raising(*_: object) -> None:
        raise error

    return raising


def errors(at: AppTest) -> list[str]:
    return [shown(error.value) for error in at.error]


def test_after_an_error_the_last_row_stays(monkeypatch) -> None:
    at = open_page(DATASETS, **QUICK)
    cards = component(at, "five_sets_row")["cards"]
    with monkeypatch.context() as patch:
        patch.setattr(page, "choose_row", fail(ClassifierError("the weights are gone")))
        wait_until_idle(at.run())
        assert errors(at) == ["The weights are gone."]
        assert component(at, "five_sets_row")["cards"] == cards
        patch.setattr(page, "choose_row", fail(RuntimeError("secret.png")))
        wait_until_idle(at.run())
        (error,) = errors(at)
        assert "this is a bug" in error.casefold()
        assert "secret" not in error
        assert component(at, "five_sets_row")["cards"] == cards
    wait_until_idle(at.run())
    assert not at.error


def test_an_error_in_one_section_leaves_the_others(monkeypatch) -> None:
    monkeypatch.setattr(sections, "browse", fail(RuntimeError("secret.png")))
    at = open_page(DATASETS, **QUICK)
    (error,) = errors(at)
    assert "this is a bug" in error.casefold()
    assert component(at, "live_build")["name"] == "D_R"
    assert at.get("plotly_chart")


def test_a_module_that_flattens_with_view_leaves_the_page_as_it_is(tmp_path, monkeypatch) -> None:
    (tmp_path / "lenet.py").write_text(SOURCE)
    monkeypatch.setenv("EXPLORER_MODELS", f"{tmp_path / 'lenet.py'}:make")
    at = open_page(DATASETS, **QUICK)
    assert not at.error
    assert len(component(at, "five_sets_row")["cards"]) == 5


@pytest.fixture
def user_pair(tmp_path, monkeypatch) -> str:
    """The title of a standard and a robust classifier of two classes that a person added."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    torch.manual_seed(0)
    save_file(mobilenet_v3_small(num_classes=2).state_dict(), tmp_path / "w.safetensors")
    for name, robust in (("mine-standard", False), ("mine-robust", True)):
        card = UserModelCard(
            name, "mobilenet_v3_small", ("ant", "bee"), input_size=32, resize=32, robust=robust
        )
        machine_models().add(card, tmp_path / "w.safetensors")
    return "user:mine"


def test_a_pair_that_a_person_added(user_pair) -> None:
    at = open_page(DATASETS, pair=user_pair, match_steps="10", attack_steps="5")
    assert not at.error
    cards = component(at, "five_sets_row")["cards"]
    # A sample of the gallery shows none of the two classes: the robust classifier labels it.
    assert cards[0]["label"] in ("ant", "bee")
    assert (cards[0]["look_heading"], cards[0]["looks_like"]) == ("shows", "unknown")
    tiles = component(at, "tile_grid")["tiles"]
    assert {tile["label"] for tile in tiles} == {"no label"}
    assert not any(tile["bars"] for tile in tiles)


def test_a_link_to_classifiers_that_are_not_here_says_so() -> None:
    at = open_page(DATASETS, pair="user:a and user:b", **QUICK)
    (warning,) = at.sidebar.warning
    text = shown(warning.value).replace("**", "")
    assert text.startswith("The link asks for the classifiers a and b, which are not")
    assert "Instead, this page uses CIFAR-10;" in text
    assert not open_page(DATASETS, pair="tiny12", **QUICK).sidebar.warning
