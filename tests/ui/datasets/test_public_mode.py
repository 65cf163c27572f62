"""The data page on a public server: no file of the server, no download, no path on screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.classifiers import catalogue
from explorer.datasets.labelled import DataError
from explorer.ui.datasets import set_loading
from explorer.ui.datasets.pair import classifier_pairs
from explorer.ui.datasets.set_loading import BUNDLED_PREFIX, CIFAR, OTHER, SAMPLES, load_choice
from tests.ui.app import component, open_page, wait_until_idle

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "10", "attack_steps": "5"}


@pytest.fixture(autouse=True)
def public_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "public")
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "the server's data"))
    monkeypatch.delenv("EXPLORER_NETWORK", raising=False)


def all_text(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.info, at.warning, at.error)
    return "\n".join(element.value for kind in kinds for element in kind)


def test_only_sets_of_the_app_are_offered() -> None:
    at = open_page(DATASETS, set=OTHER, set_path="/etc", **QUICK)
    options = at.selectbox(key="set").options
    assert SAMPLES in options
    assert not {OTHER, CIFAR} & set(options)
    assert not [field for field in at.text_input if field.key == "set_path"]
    assert component(at, "tile_grid")["tiles"]


@pytest.mark.parametrize("choice", [OTHER, CIFAR, f"{BUNDLED_PREFIX}../../../etc/set"])
def test_a_set_that_is_not_offered_is_not_opened(
    choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(set_loading, "_load", lambda *_: pytest.fail("it was opened"))
    bundled = {entry.name: entry for entry in catalogue()}
    pair = next(iter(classifier_pairs(bundled).values()))
    with pytest.raises(DataError, match="there is no set"):
        load_choice(choice, "/etc", pair)


def test_the_operator_may_allow_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXPLORER_NETWORK", "1")
    at = open_page(DATASETS, **QUICK)
    at.selectbox(key="set").set_value(CIFAR)
    wait_until_idle(at.run())
    assert at.button(key="download_cifar10")
    assert str(tmp_path) not in all_text(at)


def test_errors_name_files_without_their_folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sets").mkdir()
    broken = tmp_path / "sets" / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    monkeypatch.setattr(set_loading, "BUNDLED_SETS", broken.parent)
    at = open_page(DATASETS, **QUICK)
    at.selectbox(key="set").set_value(f"{BUNDLED_PREFIX}broken")
    wait_until_idle(at.run())
    (error,) = at.error
    assert "broken" in error.value
    assert str(tmp_path).replace("-", r"\-") not in error.value
    assert "/" not in error.value
