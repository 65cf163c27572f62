"""Who may import whom: a page asks, the core answers, a figure draws. Nothing that computes knows about the screen."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = (
    "fetch",
    "threats",
    "attacks",
    "classifiers",
    "images",
    "datasets",
    "experiments",
    "figures",
    "cli",
)

# What a layer must not import: parts of ours, and packages.
FORBIDDEN = {
    "fetch": {
        "threats",
        "attacks",
        "classifiers",
        "images",
        "datasets",
        "experiments",
        "figures",
        "ui",
        "cli",
    },
    "threats": {
        "attacks",
        "classifiers",
        "images",
        "datasets",
        "experiments",
        "figures",
        "ui",
        "cli",
    },
    "attacks": {"images", "datasets", "experiments", "figures", "ui", "cli"},
    "classifiers": {
        "threats",
        "attacks",
        "images",
        "datasets",
        "experiments",
        "figures",
        "ui",
        "cli",
    },
    "images": {
        "threats",
        "attacks",
        "classifiers",
        "datasets",
        "experiments",
        "figures",
        "ui",
        "cli",
    },
    "datasets": {"experiments", "figures", "ui", "cli"},
    "experiments": {"figures", "ui", "cli"},
    "figures": {"attacks", "classifiers", "datasets", "ui", "cli"},
    "ui": {"cli"},
    "cli": {"ui"},
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def files(layer: str) -> list[Path]:
    folder = ROOT / "explorer" / layer
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_imports_only_what_lies_below(layer):
    assert files(layer)
    for path in files(layer):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "explorer" and len(parts) > 1:
                assert parts[1] not in FORBIDDEN[layer], f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("layer", CORE)
def test_streamlit_stays_out_of_the_core(layer):
    for path in files(layer):
        assert not any(name.split(".")[0] == "streamlit" for name in imported(path)), path


def test_figures_never_run_a_model():
    for path in files("figures"):
        assert "torch.nn" not in imported(path)
        assert not any(name.startswith("explorer.classifiers") for name in imported(path)), path


def test_the_core_runs_where_streamlit_is_missing():
    """As on a GPU machine that only computes."""
    program = (
        "import sys\n"
        "sys.modules['streamlit'] = None\n"
        "import explorer.__main__ as m, explorer.cli.attack, explorer.cli.evaluate, explorer.cli.models, explorer.cli.train\n"
        "m.main(['--version'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_pages_hold_no_mathematics_and_are_short():
    for path in (ROOT / "pages").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 120, path
        assert not imported(path) & {"torch", "numpy", "math"}, path


def test_no_module_is_too_long():
    long = {
        p: n
        for p in (ROOT / "explorer").rglob("*.py")
        if (n := len(p.read_text().splitlines())) > 300
    }
    assert not long
