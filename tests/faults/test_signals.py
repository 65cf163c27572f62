"""SIGTERM and Ctrl+C end commands and the app soon, without a traceback or half a file."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest

from tests.faults.forked import Command, Commands, Ended, Fault
from tests.faults.work import QUICK, Work
from tests.fetch.serving import Server
from tests.sessions.client import Session, run
from tests.sessions.server import running

SOON = 2.0  # seconds
# A call that runs no Python instruction until it is done, as torch's do.
LONG_CALL = """
import ctypes, sys
from explorer.cli import models
def wait(options):
    sys.stderr.write("waiting\\n")  # in one piece, which no signal parts
    library = ctypes.CDLL(None)
    for _ in range(2):  # the signal interrupts one
        library.sleep(20)
models.run = lambda options: wait(options)
"""


def stop(command: Command, number: int) -> tuple[Ended, float]:
    """How the command ends after the signal, and how many seconds it takes."""
    start = time.monotonic()
    command.signal(number)
    return command.wait(), time.monotonic() - start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["attack", "evaluate", "build", "train"])
def test_a_command_ends_soon(
    forks: Commands, work: Work, tmp_path: Path, name: str, number: int
) -> None:
    epochs = ("--epochs", "100000", "--stop-after", "100000")
    more = epochs if name == "train" else ("--steps", "10000")
    setup = QUICK.get(name, "")
    command = forks.start(*work.arguments(name, tmp_path), *more, fault=Fault(setup=setup))
    time.sleep(0.7)
    ended, seconds = stop(command, number)
    assert (ended.status, ended.out) == (128 + number, "")
    assert ended.err.splitlines()[-1] == "stopped"
    assert "Traceback" not in ended.err
    assert seconds < SOON
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_download_ends_soon_and_continues_later(
    forks: Commands, server: Server, tmp_path: Path, number: int
) -> None:
    server.answer = lambda handler: server.released.wait(20)
    command = forks.start("download", "--out", str(tmp_path), fault=_fetching_from(server))
    while not server.requests:
        time.sleep(0.01)
    ended, seconds = stop(command, number)
    assert (ended.status, ended.err) == (128 + number, "stopped\n")
    assert seconds < SOON
    assert list(tmp_path.iterdir()) == []


def _fetching_from(server: Server) -> Fault:
    url = f"from torchvision.datasets import CIFAR10; CIFAR10.url = {server.url!r}"
    return Fault(setup=url)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_ends_soon_in_a_call_that_takes_long(forks: Commands, number: int) -> None:
    command = forks.start("models", fault=Fault(setup=LONG_CALL))
    command.said("waiting")
    ended, seconds = stop(command, number)
    assert (ended.status, ended.err) == (128 + number, "waiting\nstopped\n")
    assert seconds < SOON


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_measured_is_printed_though_a_call_takes_long(
    forks: Commands, number: int
) -> None:
    setup = """
import ctypes, sys
from explorer.experiments import architecture_check
def check(name):
    if name == "second":
        sys.stderr.write("waiting\\n")
        for _ in range(2):
            ctypes.CDLL(None).sleep(20)
    return architecture_check.ArchitectureCheck(name, 1, 1.0, "")
architecture_check.check_architecture = check
"""
    command = forks.start(
        "models", "--check", "first", "second", "--json", fault=Fault(setup=setup)
    )
    command.said("waiting")
    ended, seconds = stop(command, number)
    assert (ended.status, ended.err.splitlines()[-1]) == (128 + number, "stopped")
    values = json.loads(ended.out)
    assert [each["architecture"] for each in values["checks"]] == ["first"]
    assert values["partial"] == "partial: it was ended when 1 of 2 had results"
    assert seconds < SOON


def test_an_import_that_a_signal_interrupts_is_no_bug(forks: Commands) -> None:
    """NumPy, for one, turns the interruption of its own import into an ImportError."""
    setup = """
import os, signal
from explorer.cli import models
def fail(options):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        raise ImportError("numpy failed") from None
models.run = fail
"""
    ended = forks.run("models", fault=Fault(setup=setup))
    assert (ended.status, ended.err) == (128 + signal.SIGTERM, "stopped\n")


def test_an_ignored_signal_stays_ignored(forks: Commands) -> None:
    setup = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from explorer.cli import models
run = models.run
models.run = lambda options: os.kill(os.getpid(), signal.SIGINT) or run(options)
"""
    assert forks.run("models", fault=Fault(setup=setup)).status == 0


def test_the_app_ends_soon_in_the_middle_of_an_attack(tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    async def attack_and_stop(address: str) -> float:
        async with Session(address) as session:
            query = "model=cifar10-robust&norm=l2&steps=200&restarts=10"
            opening = asyncio.create_task(session.open("attack", query))
            assert await session.until(lambda: bool(session.of_kind("progress")), 60)
            start = time.monotonic()
            server.process.terminate()
            while server.process.poll() is None:
                await asyncio.sleep(0.01)
            opening.cancel()
            return time.monotonic() - start

    with running(tmp_path / "log.txt", EXPLORER_CACHE=str(cache)) as server:
        assert run(attack_and_stop(server.address)) < SOON
        assert server.process.returncode == 0
    assert "Traceback" not in (tmp_path / "log.txt").read_text()
    assert not cache.exists()
