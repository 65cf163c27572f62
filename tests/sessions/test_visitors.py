"""Visitors of a public server: what its log says of them, and what a forged request achieves."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.images.pictures import encoded, noise
from tests.planted import plant_functions
from tests.sessions.client import Session, run
from tests.sessions.server import SHORT_LADDERS, running
from tests.ui.app import shown

NAME = "Ångström's holiday 2026.png"
SECRETS = ("ngstr", "holiday", "visitors-own", "no-such-picture")
SPY = """
from pathlib import Path
Path({marker!r}).write_text("loaded")
def make():
    raise RuntimeError
"""


class Public(NamedTuple):
    address: str
    log: Path
    secret: Path  # a folder of the server with a Python file and a picture


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Public]:
    """A public server with a classifier whose own code fails in mid-attack."""
    folder = tmp_path_factory.mktemp("public")
    secret = folder / "secret"
    (secret / "class").mkdir(parents=True)
    (secret / "spy.py").write_text(SPY.format(marker=str(folder / "loaded")))
    (secret / "class" / "picture.png").write_bytes(encoded(noise(40, 32)))
    settings = {
        "EXPLORER_MODE": "public",
        "EXPLORER_CACHE": str(folder / "cache"),
        "EXPLORER_MODELS": plant_functions(folder)[1],
    }
    with running(folder / "log.txt", SHORT_LADDERS, **settings) as server:
        yield Public(server.address, folder / "log.txt", secret)


def test_the_log_says_nothing_of_a_whole_visit(public: Public) -> None:
    async def upload() -> list[str]:
        async with Session(public.address) as session:
            await session.open()
            await session.open("attack", "model=cifar10-standard&steps=3&image=no-such-picture")
            await session.set("source", string_array_value=["upload"])
            await session.upload("upload", NAME, encoded(noise(40, 32)))
            assert "holiday" in session.text
            await session.upload("upload", f"no picture, {NAME}", b"visitors-own")
            await session.open("datasets", "match_steps=10&attack_steps=5")
            await session.set("origin", string_array_value=["upload"])
            await session.upload("row_upload", NAME, encoded(noise(40, 32)))
            await session.open("models")
            return session.errors

    async def make_mistakes() -> list[str]:
        async with Session(public.address) as session:
            await session.open("attack", "seed=inf&linf=visitors-own&steps=2")
            await session.set("model", string_value=failing(session))
            return session.errors

    errors = run(upload()) + run(make_mistakes())
    assert any("holiday" in error for error in errors)
    assert any("failed in line" in error for error in errors)
    urllib.request.urlopen(f"{public.address}/attack?image=no-such-picture").read()
    log = public.log.read_text()
    assert not [secret for secret in SECRETS if secret in log]
    others = log.replace(public.address.removeprefix("http://"), "")  # the server's own
    assert not re.search(r"\d+\.\d+\.\d+\.\d+", others)


def failing(session: Session) -> str:
    """The name of the classifier that fails."""
    widget = session.widget("model")
    return next(option for option in widget.options if option.endswith(":fails"))


def test_a_forged_request_opens_no_file_of_the_server(public: Public) -> None:
    spy = f"{public.secret / 'spy.py'}:make"

    async def visit() -> str:
        async with Session(public.address) as session:
            seen = []
            await session.open("attack", f"model={spy}")
            seen.append(session.text)
            await session.set("model", string_value=spy)
            seen.append(session.text)
            await session.open("datasets", f"pair={spy}&match_steps=10&attack_steps=5")
            await session.set("others", string_array_value=[spy])
            await session.set("set", string_value="a file or folder")
            seen.append(session.text)
            await session.set("set", string_value=f"bundled: ../../..{public.secret}/class")
            await session.set("pair", string_value=spy)
            seen.append(session.text)
            with pytest.raises(LookupError):
                session.widget("set_path")
            await session.open("models")
            return "\n".join([*seen, session.text, *session.errors])

    text = shown(run(visit()))
    assert not (public.secret.parent / "loaded").exists()
    assert str(public.secret.parent) not in text
    assert "picture.png" not in text


def test_a_published_classifier_is_not_downloaded_by_its_address(public: Public) -> None:
    async def visit() -> None:
        async with Session(public.address) as session:
            await session.open("attack", "model=torchvision:resnet18&steps=2")
            await session.set("model", string_value="torchvision:resnet18")
            await session.open("datasets", "match_steps=10&attack_steps=5")
            await session.set("others", string_array_value=["torchvision:resnet18"])

    run(visit())
    assert not list(public.secret.parent.rglob("*.part"))


def test_the_server_publishes_its_figures(public: Public) -> None:
    async def visit() -> str:
        async with Session(public.address) as session:
            await session.open("attack", "model=cifar10-standard&steps=4")
            with urllib.request.urlopen(f"{public.address}/_stcore/metrics") as response:
                return str(response.read().decode())

    metrics = run(visit())
    assert re.search(r"^active_sessions [1-9]", metrics, re.MULTILINE)
    assert re.search(r'^explorer_jobs_waiting\{worker="cpu"\} 0', metrics, re.MULTILINE)
    assert re.search(r'^explorer_job_seconds_count\{worker="cpu"\} [1-9]', metrics, re.MULTILINE)
    assert "planted" not in metrics
