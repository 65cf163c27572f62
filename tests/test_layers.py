"""Who may import whom, and how long a module may be. Failures name the file and the line."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.imports import ROOT, Import, all_imports, circles, imports_of, lines_of, modules

# A room imports only from rooms above it in this list; rooms of one line don't import each other.
LEVELS = (
    ("errors",),
    ("settings", "leftovers"),
    ("files", "system", "sandbox", "ranks"),
    ("images", "fetch"),
    ("classifiers",),
    ("engine",),
    ("attacks",),
    ("datasets",),
    ("experiments",),
    ("training", "benchmarks"),
    ("figures",),
    ("ui", "cli"),
    ("Home", "__main__", "pages"),
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
COMMON = ("components", "jobs", "shared")  # folders of ui/ that every page may use
SCREEN = ("ui", "pages", "Home")
MODELS = ("classifiers", "engine", "attacks", "training", "benchmarks")  # what runs a model
NUMERICAL = ("torch", "numpy", "math")
ENGINE = "explorer.engine"


@cache
def ours() -> list[Import]:
    """The imports of our own modules."""
    return [entry for entry in all_imports() if entry.target in modules()]


def room_of(module: str) -> str:
    """The part of the house: "attacks" for explorer.attacks.pgd, "pages" for pages.attack."""
    parts = module.split(".")
    return parts[0] if parts[0] == "pages" or len(parts) == 1 else parts[1]


def page_folder(module: str) -> str | None:
    """The folder of ui/ that belongs to one page: "attack" for explorer.ui.attack.controls."""
    parts = module.split(".")
    own = parts[:2] == ["explorer", "ui"] and len(parts) > 3 and parts[2] not in COMMON
    return parts[2] if own else None


def check(rule: str, violations: Iterable[Import]) -> None:
    lines = sorted(set(map(str, violations)))
    assert not lines, "\n".join([f"{rule}:", *lines])


def test_every_module_lies_in_a_known_room():
    assert {room_of(module) for module in modules()} == {"explorer", *LEVEL}


def test_imports_go_down_only():
    def allowed(source: str, target: str) -> bool:
        return source == target or LEVEL[source] > LEVEL[target]

    check(
        "imports upwards or sideways",
        (
            entry
            for entry in ours()
            if entry.target != "explorer"
            and not allowed(room_of(entry.module), room_of(entry.target))
        ),
    )


def test_no_modules_import_each_other_in_a_circle():
    for group in circles():
        entries = (entry for module in group for entry in imports_of(module))
        check("a circle of imports", (entry for entry in entries if entry.target in group))


def test_the_engine_is_entered_by_its_front_door():
    exported = {entry.name for entry in imports_of(ENGINE)}

    def inside(entry: Import) -> bool:
        is_module = f"{entry.written}.{entry.name}" in modules()
        return entry.written != ENGINE or (is_module and entry.name not in exported)

    outsiders = [entry for entry in ours() if room_of(entry.module) != "engine"]
    targets = (entry for entry in outsiders if room_of(entry.target) == "engine")
    check("import these from explorer.engine", filter(inside, targets))


def test_no_page_uses_the_folder_of_another():
    check(
        "what two pages need belongs to ui/components, ui/jobs or ui/shared",
        (
            entry
            for entry in ours()
            if room_of(entry.module) == "ui"
            and page_folder(entry.target) not in (None, page_folder(entry.module))
        ),
    )


def test_only_the_screen_imports_streamlit():
    core = (entry for entry in all_imports() if room_of(entry.module) not in SCREEN)
    check(
        "Streamlit outside ui/, pages/ and Home.py",
        (entry for entry in core if entry.written.split(".")[0] == "streamlit"),
    )


def test_figures_never_run_a_model():
    drawing = [entry for entry in all_imports() if room_of(entry.module) == "figures"]
    check("figures draw results", (entry for entry in drawing if room_of(entry.target) in MODELS))
    check("figures draw results", (entry for entry in drawing if "torch.nn" in entry.written))


def test_pages_compute_nothing_and_are_short():
    pages = [module for module in modules() if room_of(module) == "pages"]
    for page in pages:
        assert len(lines_of(page)) <= 120, page
    entries = (entry for page in pages for entry in imports_of(page))
    check("a page computes", (entry for entry in entries if entry.written in NUMERICAL))


def test_no_module_is_too_long():
    assert not [module for module in modules() if len(lines_of(module)) > 300]


def test_the_tests_mirror_the_rooms():
    folders = {path.parent.relative_to(ROOT / "tests") for path in ROOT.glob("tests/**/test_*.py")}
    own = {Path("."), Path("journeys"), Path("sessions"), Path("hostile"), Path("faults")}
    assert not [folder for folder in folders - own if not (ROOT / "explorer" / folder).is_dir()]


def test_the_package_alone_changes_nothing_in_the_process():
    run(
        """
        import gc, os, sys
        before = dict(os.environ), list(sys.path), gc.get_threshold()
        import explorer
        assert before == (dict(os.environ), sys.path, gc.get_threshold())
        assert "torch" not in sys.modules
        """
    )


def test_the_core_runs_without_streamlit_and_its_import_changes_nothing():
    """As on a machine with a GPU that only computes, in a program that has its own settings."""
    core = [module for module in modules() if room_of(module) not in SCREEN]
    run(
        f"""
        import importlib, os, sys
        import torch, torchvision  # what their own imports change is not ours
        sys.modules["streamlit"] = None
        before = dict(os.environ), list(sys.path), torch.get_num_threads()
        for module in {core}:
            importlib.import_module(module)
        assert before == (dict(os.environ), sys.path, torch.get_num_threads())
        importlib.import_module("explorer.__main__").main(["--version"])
        """
    )


def run(program: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
