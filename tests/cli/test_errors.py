"""How a command ends: politely for a person's mistake, and as a bug for anything else."""

from __future__ import annotations

import importlib
import logging
import os
import re
import subprocess
import sys

import pytest
import torch

from explorer.__main__ import main
from explorer.cli import models
from explorer.cli.commands import COMMANDS
from explorer.errors import Cancelled, UserError
from explorer.files import cache_folder
from tests.cli.running import ROOT, run

SECRET = "/home/visitor/holiday.jpg"


@pytest.fixture
def fails_with(monkeypatch):
    """A function that lets the command ``models`` raise an exception."""

    def fail(error: BaseException) -> None:
        def raise_error(options):
            raise error

        monkeypatch.setattr(models, "run", raise_error)

    return fail


def test_a_mistake_of_the_person_is_one_polite_line(capsys, fails_with):
    fails_with(UserError("there is no such file; name another"))
    assert run(capsys, "models") == (
        2,
        "",
        "python -m explorer models: there is no such file; name another\n",
    )


def test_a_bug_is_one_line_with_an_id_that_is_in_the_log(capsys, caplog, fails_with):
    fails_with(ValueError(SECRET))
    status, out, err = run(capsys, "models")
    assert (status, out) == (70, "")
    assert len(err.splitlines()) == 1
    bug_id = re.search(
        r"^python -m explorer models: this is a bug in the explorer \((\w{8})\): ValueError\.", err
    )[1]
    assert "--debug" in err
    (record,) = caplog.records
    assert record.name == "explorer"
    path = cache_folder() / "log.txt"
    assert str(path) in err
    for text in (record.getMessage(), path.read_text(encoding="utf-8")):
        assert bug_id in text
        assert "ValueError" in text
        assert "in raise_error" in text
        assert SECRET not in text


def test_the_log_has_no_line_of_source_code(capsys, caplog, monkeypatch):
    def run_models(options):
        raise ValueError("/home/visitor/holiday.jpg")  # as in a person's own model

    monkeypatch.setattr(models, "run", run_models)
    assert run(capsys, "models")[0] == 70
    assert "in run_models" in caplog.text
    assert "holiday" not in caplog.text


def test_the_log_has_the_causes_of_a_bug_without_their_messages(capsys, caplog, fails_with):
    error = RuntimeError("outer")
    error.__cause__ = FileNotFoundError(SECRET)
    fails_with(error)
    assert run(capsys, "models")[0] == 70
    assert "RuntimeError" in caplog.text
    assert "FileNotFoundError" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("arguments", [("--debug", "models"), ("models", "--debug")])
def test_debug_prints_the_traceback_of_a_bug(capsys, fails_with, arguments):
    fails_with(ValueError(SECRET))
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (70, "")
    assert "Traceback" in err
    assert f"ValueError: {SECRET}" in err
    assert "this is a bug" in err.splitlines()[-1]
    assert "--debug" not in err.splitlines()[-1]


def test_messages_begin_with_the_program_as_the_person_types_it(capsys, fails_with):
    fails_with(UserError("no"))
    assert main(["models"], program="adversarial-explorer") == 2
    assert capsys.readouterr().err == "adversarial-explorer models: no\n"
    for arguments, beginning in (
        (["models", "x"], "adversarial-explorer models: unrecognized arguments: x"),
        (["attack"], "adversarial-explorer attack: the following arguments are required"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(arguments, program="adversarial-explorer")
        assert capsys.readouterr().err.startswith(beginning)
    with pytest.raises(SystemExit, match="0"):
        main(["attack", "--help"], program="adversarial-explorer")
    assert capsys.readouterr().out.startswith("usage: adversarial-explorer attack ")


def test_debug_leaves_a_polite_line_as_it_is(capsys, fails_with):
    fails_with(UserError("no"))
    assert run(capsys, "--debug", "models") == (2, "", "python -m explorer models: no\n")


def test_a_bug_is_reported_where_no_log_can_be_written(capsys, fails_with, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "file" / "cache"))
    fails_with(ValueError())
    status, _, err = run(capsys, "models")
    assert status == 70
    assert "this is a bug" in err
    assert "log.txt" not in err


def test_a_bug_in_reading_the_command_line_is_one_too(capsys, monkeypatch):
    monkeypatch.setattr(models, "add", lambda commands: 1 // 0)
    status, out, err = run(capsys, "models")
    assert (status, out) == (70, "")
    assert err.startswith("python -m explorer: this is a bug in the explorer")
    assert "ZeroDivisionError" in err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled()])
def test_an_interruption_is_no_bug(capsys, fails_with, error):
    fails_with(error)
    assert run(capsys, "models") == (130, "", "stopped\n")


def test_a_closed_pipe_ends_the_command_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "explorer", "gallery"]
    with os.fdopen(writer, "w") as closed:
        ended = subprocess.run(
            command, cwd=ROOT, stdout=closed, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert (ended.returncode, ended.stderr) == (141, "")


def test_nothing_is_printed_by_the_loggers_own_fallback():
    """Where no program set up logging, its last resort would print the stack on standard error."""
    program = (
        "import sys\n"
        "from explorer.cli import models\n"
        "from explorer.__main__ import main\n"
        "models.run = lambda options: 1 // 0\n"
        "sys.exit(main(['models']))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 70
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert "ZeroDivisionError" in ended.stderr
    assert not logging.getLogger("explorer").handlers


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("no", name="torch"), "package torch is not installed; activate"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "not enough memory"),
        (torch.OutOfMemoryError("CUDA out of memory"), "not enough memory"),
        (OSError(28, "No space left on device"), "make room"),
        (PermissionError(13, "Permission denied", "a.png"), "can't use a.png: Permission denied"),
    ],
)
def test_what_a_machine_lacks_is_one_polite_line(capsys, fails_with, error, words):
    fails_with(error)
    status, out, err = run(capsys, "models")
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert words in err


@pytest.mark.parametrize(
    "error", [OSError(5, "no file's fault"), ModuleNotFoundError("no", name="explorer.missing")]
)
def test_other_errors_of_these_types_are_bugs(capsys, fails_with, error):
    fails_with(error)
    assert run(capsys, "models")[0] == 70


def test_a_home_that_is_unknown_is_one_line(capsys, fails_with, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", "~nobody-here/cache")
    status, _, err = run(capsys, "models")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "set EXPLORER_CACHE" in err
    fails_with(ValueError())
    status, _, err = run(capsys, "models")
    assert (status, len(err.splitlines())) == (70, 1)


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        ("gallery >&-", 0, ""),
        ("gallery 2>&-", 0, ""),
        ("gallery >/dev/full", 2, "standard output: No space left"),
        ("--help >/dev/full", 2, "standard output: No space left"),
        ("attack --help >/dev/null", 0, ""),
    ],
)
def test_unusual_streams_are_no_bug(command, status, words):
    ended = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m explorer {command}"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == status, ended.stderr
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == bool(words)


@pytest.mark.parametrize(
    ("arguments", "status"), [(["--help"], 0), (["atack"], 2), ([], 2), (["--version"], 0)]
)
def test_the_list_of_commands_is_shown_before_torch_is_imported(arguments, status) -> None:
    program = (
        "import sys\n"
        "from explorer.__main__ import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "finally:\n"
        "    sys.exit(99) if 'torch' in sys.modules else None\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == status, ended.stderr


def test_every_command_has_its_module() -> None:
    for name, (module, _) in COMMANDS.items():
        assert callable(importlib.import_module(f"explorer.cli.{module}").run), name
        assert name.replace("-", "_") == module or name == "bench"
