"""``python -m explorer COMMAND``, or ``adversarial-explorer COMMAND``: the command line.

With ``--json`` a command prints one JSON object on standard output and nothing else; progress goes
to standard error. A mistake of the person is one line there and exit status 2, a bug of the program
one line and exit status 70; ``--debug`` shows a bug's traceback.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from explorer import __version__
from explorer.cli.commands import COMMANDS
from explorer.cli.parser import MISTAKE, CommandParser
from explorer.cli.signals import handle_signals, leave, report_stop, was_interrupted
from explorer.errors import Cancelled, UserError, failure_of_user_code, is_out_of_memory, log_bug
from explorer.files import cache_folder, is_disk_full, remove_empty_folders
from explorer.system import tune_process

BUG, BROKEN_PIPE = 70, 141  # 70: sysexits.h; above 128: plus a signal
MODULE, COMMAND = "python -m explorer", "adversarial-explorer"  # what a person types


def _parser(program: str = MODULE) -> CommandParser:
    parser = CommandParser(
        prog=program,
        description="Adversarial examples: attack, evaluate and train image classifiers, and build "
        "data sets.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    for name, (module, summary) in COMMANDS.items():
        parser.commands.add_parser(name, help=summary, module=module)
    return parser


def main(arguments: Sequence[str] | None = None, program: str = MODULE) -> int:
    """The exit status of one command, run with ``arguments`` (None: those of the process).

    ``program`` is the name that messages begin with.

    0 is success, 1 a rerun that differs, 2 a mistake of the person, 70 a bug, 130 and 143 the
    signals SIGINT and SIGTERM, and 141 standard output that was closed.
    """
    _prepare_streams()
    tune_process()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        try:
            options = _parser(program).parse(arguments)
        finally:  # argparse ends the process after --help
            _flush()
        program = f"{program} {options.command}"
        status = int(options.run(options))
        _flush()
        return status
    except (KeyboardInterrupt, Cancelled):
        return report_stop()
    except BrokenPipeError:
        # As "explorer models | head" does. Without this Python complains once more when it exits.
        _discard_output()
        return BROKEN_PIPE
    except Exception as error:
        if was_interrupted():
            return report_stop()
        sentence = _output_problem(error) or _mistake(error)
        if sentence is None:
            _report_bug(program, error, debug="--debug" in arguments)
            return BUG
        print(f"{program}: {sentence}", file=sys.stderr)
        return MISTAKE
    finally:
        remove_empty_folders()  # a refused command leaves nothing behind


class _OutputError(UserError):
    """Standard output that can't be written."""


def _prepare_streams() -> None:
    """Give the process both streams, which print "?" for what their encoding lacks.

    Python has None for a stream that was closed when the process began.
    """
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _flush() -> None:
    """Write what standard output still holds. Raises :class:`_OutputError`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_output()
        raise _OutputError(
            f"can't write to standard output: {error.strerror}; send it to another place"
        ) from None


def _output_problem(error: Exception) -> str | None:
    """What to say if ``error`` came from standard output, which then fails again."""
    if isinstance(error, OSError):
        try:
            _flush()
        except (_OutputError, OSError) as problem:
            return str(problem)
    return None


def _discard_output() -> None:
    """Let what standard output still holds go nowhere, also when Python exits."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mistake(error: Exception) -> str | None:
    """What a person is told of an exception that is no bug; None for a bug."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and _is_foreign(error.name):
        return (
            f"the package {error.name} is not installed; activate the virtual environment, or "
            "install the explorer again"
        )
    if is_out_of_memory(error):
        return (
            "there is not enough memory for this; close other programs, or try fewer images or "
            "restarts or a smaller model"
        )
    if isinstance(error, OSError) and error.filename is None and is_disk_full(error):
        # Also standard output without a buffer, as PYTHONUNBUFFERED makes it.
        return f"can't write the result: {error.strerror}; make room and start again"
    if isinstance(error, OSError) and error.filename is not None:
        return f"can't use {os.fsdecode(error.filename)}: {error.strerror or type(error).__name__}"
    return failure_of_user_code(error)


def _is_foreign(package: str | None) -> bool:
    """Whether this is the name of a whole package, and not of a part of this one."""
    return package is not None and "." not in package and package != "explorer"


def _report_bug(program: str, error: Exception, *, debug: bool) -> None:
    """Print one line on standard error, and with ``debug`` the traceback before it."""
    bug_id, log = _log_to_file(error)
    advice = f"Its stack is in {log}. " if log else ""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    else:
        advice += "Run again with --debug to see where it happened. "
    print(
        f"{program}: this is a bug in the explorer ({bug_id}): {type(error).__name__}. "
        f"{advice}Please report it.",
        file=sys.stderr,
    )


class _LogFile(logging.FileHandler):
    """A log that says whether it could not be written, as on a full disk."""

    failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        self.failed = True


def _log_to_file(error: Exception) -> tuple[str, Path | None]:
    """The id of a bug and the log that has its stack; None where no log can be written."""
    logger, path = logging.getLogger("explorer"), None
    handler: logging.Handler = logging.NullHandler()  # without any, logging prints the stack
    with suppress(OSError, UserError):
        path = cache_folder() / "log.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    try:
        bug_id = log_bug(error)
    finally:
        logger.removeHandler(handler)
        with suppress(OSError):
            handler.close()
    return bug_id, path if isinstance(handler, _LogFile) and not handler.failed else None


def command(program: str = COMMAND) -> NoReturn:
    """Run the command line and end the process: what ``adversarial-explorer`` calls."""
    handle_signals()
    leave(main(program=program))


if __name__ == "__main__":
    command(MODULE)
