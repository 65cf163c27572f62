"""The order of the slow imports: the picture's first, the others when drawn or asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from explorer.ui.shared import imports as imports_module
from explorer.ui.shared.imports import BackgroundImports

STAGES = {"picture": ("first",), "charts": ("second",), "files": ("third",)}


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(imports_module, "STAGES", STAGES)
    monkeypatch.setattr(imports_module, "_import", lambda modules: names.extend(modules))
    return names


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[BackgroundImports, str], None]:
    def ask(imports: BackgroundImports, stage: str) -> None:
        monkeypatch.setattr(imports_module, "warm_up", lambda: imports)
        waiting = threading.Thread(
            target=imports_module.wait_for_imports, args=(stage,), daemon=True
        )
        waiting.start()
        waiting.join(30)
        assert not waiting.is_alive(), f"the imports of {stage} never came"

    return ask


def test_a_page_that_needs_charts_gets_them_before_any_picture(
    monkeypatch: pytest.MonkeyPatch,
    imported: list[str],
    asked: Callable[[BackgroundImports, str], None],
) -> None:
    monkeypatch.setattr(imports_module, "LONGEST_DELAY", 3600.0)
    imports = BackgroundImports()
    asked(imports, "picture")
    assert imported == ["first"]
    asked(imports, "charts")
    assert imported[:2] == ["first", "second"]


def test_the_rest_follows_the_first_picture_unasked(
    monkeypatch: pytest.MonkeyPatch, imported: list[str]
) -> None:
    monkeypatch.setattr(imports_module, "DRAWING", 0.0)
    imports = BackgroundImports()
    imports.picture_drawn.set()
    assert imports.finished["files"].wait(30)
    assert imported == ["first", "second", "third"]


def test_a_failed_import_lets_the_waiting_page_go_on(
    monkeypatch: pytest.MonkeyPatch, imported: list[str]
) -> None:
    def fail(modules: tuple[str, ...]) -> None:
        raise ImportError(modules[0])

    monkeypatch.setattr(imports_module, "_import", fail)
    assert BackgroundImports().finished["picture"].wait(30)
    assert imported == []
