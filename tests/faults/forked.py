"""Commands in processes of their own that begin in no time: copies of one that has all imported.

Importing torch takes seconds. So a process imports everything once, and every command runs in a
fork of it, which can be killed or given little memory. The parent process runs nothing in torch:
its threads would be missing in the forks.
"""

from __future__ import annotations

import importlib
import json
import os
import pwd
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
CHANGES = ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate")
TIMEOUT = 60.0  # seconds
# What commands import when they need it.
LATE_IMPORTS = ("explorer.classifiers.torchvision_models", "skimage.metrics._structural_similarity")


@dataclass(frozen=True)
class Fault:
    """What happens to a command.

    ``kill_at``: the number of the change below ``folder`` before which it is killed; the changes
    are counted without it too. ``memory``: bytes that it may still allocate. ``unset``: variables
    that its environment lacks. ``no_user``: the system knows no user and no home. ``setup``: Python
    code that is run first.
    """

    folder: str = ""
    kill_at: int | None = None
    memory: int | None = None
    unset: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    no_user: bool = False
    setup: str = ""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, or minus the signal's number."""

    status: int
    out: str
    err: str
    changes: int


class Command:
    """A command that is running."""

    def __init__(self, pid: int, place: Path) -> None:
        self.pid, self._place = pid, place

    def wait(self, seconds: float = TIMEOUT) -> Ended:
        deadline = time.monotonic() + seconds
        ended = self._place / "ended"
        while not ended.exists():
            assert time.monotonic() < deadline, self._read("err")
            time.sleep(0.01)
        status = int(ended.read_text())
        return Ended(status, self._read("out"), self._read("err"), int(self._read("changes") or 0))

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def said(self, text: str, seconds: float = TIMEOUT) -> None:
        """Wait until standard error has ``text``."""
        deadline = time.monotonic() + seconds
        while text not in self._read("err"):
            assert time.monotonic() < deadline, self._read("err")
            assert not (self._place / "ended").exists(), self._read("err")
            time.sleep(0.01)

    def _read(self, name: str) -> str:
        with suppress(FileNotFoundError):
            return (self._place / name).read_text()
        return ""


class Commands:
    """Starts commands in forks of ``process``."""

    def __init__(self, process: subprocess.Popen[str], folder: str) -> None:
        self._process, self._folder = process, folder

    def start(self, *arguments: str, fault: Fault | None = None) -> Command:
        place = Path(tempfile.mkdtemp(dir=self._folder))
        request = {"arguments": arguments, "place": str(place), **vars(fault or Fault())}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Command(int(self._process.stdout.readline()), place)

    def run(self, *arguments: str, fault: Fault | None = None) -> Ended:
        return self.start(*arguments, fault=fault).wait()


@contextmanager
def commands() -> Iterator[Commands]:
    """The process that imports everything, until the end of the block."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-m", "tests.faults.forked"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, cwd=ROOT, **pipes) as process,
    ):
        yield Commands(process, folder)
        assert process.stdin is not None
        process.stdin.close()


def _serve() -> None:
    import torch

    from explorer.__main__ import _parser
    from explorer.system import tune_process

    tune_process()
    for parser in _parser().commands.choices.values():
        parser.load()
    for module in LATE_IMPORTS:
        importlib.import_module(module)
    torch.set_num_threads(1)
    running: dict[int, Path] = {}
    while True:
        if select.select([sys.stdin], [], [], 0.01)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            request = json.loads(line)
            pid = os.fork()
            if not pid:
                _run(request)
            running[pid] = Path(request["place"])
            print(pid, flush=True)
        for pid, place in tuple(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[pid]
                (place / "code").write_text(str(os.waitstatus_to_exitcode(status)))
                os.replace(place / "code", place / "ended")


def _run(request: dict[str, Any]) -> NoReturn:
    from explorer.__main__ import main
    from explorer.cli.signals import handle_signals, leave

    arguments, place = request.pop("arguments"), Path(request.pop("place"))
    fault = Fault(**request)
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(place / name, os.O_CREAT | os.O_WRONLY), number)
    os.environ.update(fault.environment or {})
    for name in fault.unset:
        os.environ.pop(name, None)
    if fault.no_user:
        pwd.getpwuid = pwd.getpwnam = _no_user
    if fault.memory is not None:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + fault.memory,) * 2)
    sys.addaudithook(_Changes(fault, place / "changes"))
    # Tests that run in the background of a shell inherit an interrupt that is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    exec(fault.setup, {})
    handle_signals()
    try:
        leave(main(arguments))
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(ended.code or 0))


def _no_user(*_: object) -> NoReturn:
    raise KeyError


class _Changes:
    """An audit hook that counts the changes below a folder, and kills the process before one."""

    def __init__(self, fault: Fault, file: Path) -> None:
        self._fault, self._count = fault, 0
        self._file = os.open(file, os.O_CREAT | os.O_WRONLY)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
        if not self._fault.folder or not (writes or event in CHANGES):
            return
        if self._fault.folder not in str(arguments[0]):
            return
        self._count += 1
        os.pwrite(self._file, str(self._count).encode(), 0)
        if self._count == self._fault.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _serve()
