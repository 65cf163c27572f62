"""``python -m explorer``: attack, rerun, evaluate, build, export, download, models, train, bench. ``--json`` prints one JSON object on
standard output and nothing else; progress goes to standard error; a mistake is one clear line and exit status 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from explorer import __version__
from explorer.errors import UserError
from explorer.system import tune_process


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line: argparse would print the usage above it."""
        self.exit(2, f"{self.prog}: {message} (--help tells more)\n")


def _parser() -> argparse.ArgumentParser:
    from explorer.cli import attack, benchmark, build, download, evaluate, export, models, train

    parser = _Parser(
        prog="explorer",
        description="Adversarial examples: attack, evaluate and train image classifiers, build data sets.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands: argparse._SubParsersAction[argparse.ArgumentParser] = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=_Parser
    )
    for add in (
        attack.add_attack,
        attack.add_rerun,
        evaluate.add,
        build.add,
        export.add,
        download.add,
        models.add,
        train.add,
        benchmark.add,
    ):
        add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0, 1 for a rerun that differs, 2 for a mistake, 130 when interrupted."""
    tune_process()
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except UserError as error:
        print(f"explorer {options.command}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
