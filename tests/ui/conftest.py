from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from explorer.experiments.one_image import ladder


@pytest.fixture(scope="session", autouse=True)
def one_scan_of_installed_packages() -> Iterator[None]:
    """Each AppTest looks through all installed packages for components, which takes 0.15 s."""
    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def short_ladders(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ladder behind every answered attack has two rungs, so that pages are idle soon."""
    monkeypatch.setattr(ladder, "COARSE_TO_FINE", (4.0, 32.0))
    monkeypatch.setattr(ladder, "HALVINGS", 0)
    monkeypatch.setattr(ladder, "FIRST_STEPS", 4)
    monkeypatch.setattr(ladder, "RUNG_STEPS", 2)
