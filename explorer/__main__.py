"""``python -m explorer COMMAND``: the command line.

With ``--json`` a command prints one JSON object on standard output and nothing else; progress goes
to standard error. A mistake of the person is one line there and exit status 2, a bug of the program
one line and exit status 70; ``--debug`` shows a bug's traceback.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from explorer import __version__
from explorer.errors import Cancelled, UserError, log_bug
from explorer.files import cache_folder
from explorer.system import tune_process

MISTAKE, BUG, STOPPED, BROKEN_PIPE = 2, 70, 130, 141  # 70: sysexits.h; above 128: plus a signal


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose commands all take ``--debug``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--debug", action="store_true", help="show where a bug happened")

    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"{self.prog}: {message} (--help tells more)\n")


def _parser() -> argparse.ArgumentParser:
    from explorer.cli import (
        attack,
        benchmark,
        build,
        download,
        evaluate,
        export,
        models,
        rerun,
        train,
    )

    parser = _Parser(
        prog="explorer",
        description="Adversarial examples: attack, evaluate and train image classifiers, and build "
        "data sets.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    for module in (attack, rerun, evaluate, build, export, download, models, train, benchmark):
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of one command, run with ``arguments`` (None: those of the process).

    0 is success, 1 a rerun that differs, 2 a mistake of the person, 70 a bug, 130 an interruption,
    and 141 standard output that was closed.
    """
    tune_process()
    arguments = sys.argv[1:] if arguments is None else arguments
    program = "explorer"
    try:
        options = _parser().parse_args(arguments)
        program = f"explorer {options.command}"
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except (KeyboardInterrupt, Cancelled):
        print("stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # As "explorer models | head" does. Without this Python complains once more when it exits.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except UserError as error:
        print(f"{program}: {error}", file=sys.stderr)
        return MISTAKE
    except Exception as error:
        _report_bug(program, error, debug="--debug" in arguments)
        return BUG


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


def _log_to_file(error: Exception) -> tuple[str, Path | None]:
    """The id of a bug and the log that has its stack; None where no log can be written."""
    path = cache_folder() / "log.txt"
    handler: logging.Handler
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()  # without any, logging prints on standard error
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("explorer")
    logger.addHandler(handler)
    try:
        return log_bug(error), path if isinstance(handler, logging.FileHandler) else None
    finally:
        logger.removeHandler(handler)
        handler.close()


if __name__ == "__main__":
    sys.exit(main())
