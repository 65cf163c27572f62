"""The real server on a free port."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 60  # seconds
# A program for :func:`running` that computes short ladders for the live ε.
SHORT_LADDERS = ("tests/journeys/short_ladders.py",)
# What Streamlit writes for an exception that leaves a script, and explorer.errors.log_bug for one
# that a page reports. Other tracebacks are no bugs of ours: Streamlit writes one whenever a browser
# leaves in the middle of a message.
BUG = re.compile(r"Uncaught app execution|\bbug [0-9a-f]{8}: ")


class Server(NamedTuple):
    address: str
    process: subprocess.Popen[bytes]


@contextmanager
def running(
    log: Path, program: tuple[str, ...] = ("-m", "streamlit"), **settings: str
) -> Iterator[Server]:
    """The app as a user starts it, with these environment variables; ``log`` gets its output."""
    command = [sys.executable, *program, "run", "explorer/Home.py", "--server.address=127.0.0.1"]
    with serving(command, ROOT, log, **settings) as server:
        yield server


@contextmanager
def serving(command: list[str], folder: Path, log: Path, **settings: str) -> Iterator[Server]:
    """The server that ``command`` starts in ``folder``, on a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [*command, "--server.headless=true", f"--server.port={port}"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with log.open("w") as log_file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment | settings,
            stdout=log_file,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(address, process, log)
            yield Server(address, process)
        finally:
            process.terminate()
            status = process.wait(timeout=10)
    output = log.read_text()
    assert not BUG.search(output), output
    assert status == 0, output


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).read()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)
