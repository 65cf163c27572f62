"""The wheel, installed in a fresh environment outside of the checkout, and used there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from email.parser import Parser
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

from explorer import __version__
from explorer.classifiers.catalogue import bundled_cards
from explorer.files import ASSETS, PAGES
from tests.sessions.client import Session, run
from tests.sessions.screen import mark
from tests.sessions.server import ROOT, serving

NEEDED = ("pip", "hatchling", "hatch_requirements_txt")
MISSING = [name for name in NEEDED if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"building a wheel offline needs {', '.join(MISSING)}"
)
PROGRAM = "adversarial-explorer"
INSTALLED = "explorer/_installed"


def pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, ROOT)
    (path,) = folder.iterdir()
    return path


class Installation(NamedTuple):
    """A virtual environment with the wheel in it, and a folder elsewhere to work in."""

    environment: Path
    folder: Path

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(self.path_of("scripts")) / PROGRAM), *arguments]

    def path_of(self, kind: str) -> str:
        return sysconfig.get_path(kind, "venv", {"base": str(self.environment)})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """It sees the packages of the tests' environment, and the checkout in no way."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "explorer.py").write_text("raise RuntimeError('a file of the current folder')")
    installation = Installation(tmp_path_factory.mktemp("environment"), folder)
    venv.create(installation.environment, symlinks=os.name != "nt")
    packages = [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]
    own = Path(installation.path_of("purelib"))
    (own / "packages_of_the_tests.pth").write_text("\n".join(packages))
    python = Path(installation.path_of("scripts")) / Path(sys.executable).name
    pip("--python", python, "install", "--no-deps", "--no-index", wheel)
    return installation


def files_in(folder: Path, place: str, *patterns: str) -> Iterator[str]:
    """The names in the wheel of the files of ``folder``, which is ``place`` there."""
    for pattern in patterns or ("**/*",):
        for path in folder.glob(pattern):
            inside = path.relative_to(folder)
            if path.is_file() and not {"__pycache__", ".streamlit"} & set(inside.parts):
                yield f"{place}/{inside.as_posix()}"


def test_the_wheel_has_what_is_read_and_nothing_else(wheel: Path) -> None:
    """No tests, no screenshots, and no top-level folders with common names."""
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        config = archive.read("explorer/.streamlit/config.toml")
    read = (
        *("icon.svg", "classifiers/*.json", "classifiers/*.safetensors", "sets/*", "panda/*.jpg"),
        *("measured/*.json", "patches/*/recipe.json", "patches/*/patch.npy"),
    )
    assert names == {
        *(name for name in files_in(ROOT / "explorer", "explorer") if not name.endswith(".md")),
        *files_in(PAGES, f"{INSTALLED}/pages"),
        *files_in(ASSETS, f"{INSTALLED}/assets", *read),
        "explorer/.streamlit/config.toml",
    }
    assert config == (ROOT / ".streamlit" / "config.toml").read_bytes()


def test_the_wheel_needs_what_requirements_txt_names(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    requirements = {line.partition("#")[0].strip() for line in lines} - {""}
    needed = {line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line}
    assert needed == requirements
    assert (metadata["Name"], metadata["Version"]) == (PROGRAM, __version__)


def test_the_command_lists_and_attacks_bundled_classifiers(installation: Installation) -> None:
    listed = installation.run("models", "--json")
    assert listed.returncode == 0, listed.stderr
    assert all(f'"{name}"' in listed.stdout for name in bundled_cards())
    assert str(installation.environment) in listed.stdout
    for folder in ("explorer", "assets"):  # the environment may lie in the checkout
        assert str(ROOT / folder) not in listed.stdout
    options = ("--model", "cifar10-standard", "--epsilon", "8/255", "--steps", "5", "--out", "out")
    attack = installation.run("attack", "gallery:cifar10-00", *options, "--json")
    assert attack.returncode == 0, attack.stderr
    assert json.loads(attack.stdout)["success"]
    assert (installation.folder / "out" / "recipe.json").is_file()


def test_the_app_starts_with_its_settings(installation: Installation, tmp_path: Path) -> None:
    async def visit(address: str) -> tuple[list[str], dict[str, str]]:
        shown = {}
        async with Session(address) as session:
            for page, query in (("", ""), ("attack", "model=cifar10-standard&steps=5")):
                await session.open(page, query)
                assert mark(session) in ("fooled", "held")
                shown[page] = session.text
            await session.open("models")
            return session.errors, shown | {"models": session.text}

    command = installation.command("app")
    with serving(command, installation.folder, tmp_path / "log.txt") as server:
        errors, shown = run(visit(server.address))
    assert errors == []
    assert "Adversarial Explorer" in shown[""]
    assert "Attack an image" in shown["attack"]
    # On a server that listens to other machines, it would say "on this server".
    assert "Classifiers on this machine." in shown["models"]
