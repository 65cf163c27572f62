"""A public server's pages name no folder of the server, whatever they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import UserError
from tests.planted import texts_on
from tests.ui.app import ATTACK, HOME, open_page, shown
from tests.ui.user_model import SOURCE

COMPARE, DATASETS = "../pages/compare.py", "../pages/datasets.py"
MODELS = "../pages/models.py"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all that the operator of a public server has."""
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "lenet.py").write_text(SOURCE)
    monkeypatch.setenv("EXPLORER_MODE", "public")
    monkeypatch.setenv("EXPLORER_NETWORK", "1")
    monkeypatch.setenv("EXPLORER_MODELS", f"{folder / 'lenet.py'}:make")
    for name in ("CACHE", "WEIGHTS", "DATA"):
        monkeypatch.setenv(f"EXPLORER_{name}", str(folder / name.lower()))
    return folder


def assert_names_no_folder(at: AppTest, server: Path) -> None:
    text = shown(texts_on(at))
    for folder in (server, HOME.parent, Path.home()):
        assert str(folder) not in text


@pytest.mark.parametrize("page", [None, ATTACK, COMPARE, DATASETS, MODELS])
def test_the_pages(page: str | None, server: Path) -> None:
    at = open_page(page, match_steps="10", attack_steps="5", compare_steps="2")
    assert not at.error
    assert_names_no_folder(at, server)


def test_what_a_visitor_takes_along(server: Path) -> None:
    at = open_page(ATTACK, model="lenet.py:make", steps="2")
    assert not at.error
    report = at.session_state["result attack"].report
    assert report.recipe.model == "lenet.py:make"
    assert str(server) not in report.recipe.to_json()
    assert_names_no_folder(at, server)


@pytest.mark.parametrize(
    ("page", "function"),
    [
        (None, "explorer.ui.overview.panda_stop.landing_examples"),
        (ATTACK, "explorer.ui.attack.page.load_for_page"),
        (COMPARE, "explorer.ui.compare.page.choose_comparison"),
        (DATASETS, "explorer.ui.datasets.page.choose_row"),
        (MODELS, "explorer.ui.models.page.installed_models"),
    ],
)
def test_errors(
    page: str | None, function: str, server: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UserError(f"{server / 'cache' / 'a file'} can't be read; check {server}")

    monkeypatch.setattr(function, fail)
    at = open_page(page)
    assert "file can't be read; check server." in shown(texts_on(at))
    assert_names_no_folder(at, server)
