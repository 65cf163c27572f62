"""The parser of the command line: errors are one line each, with the nearest name that exists."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from explorer.cli.given import given_options
from explorer.errors import did_you_mean

MISTAKE = 2  # the exit status


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose commands all take ``--debug``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_argument("--debug", action="store_true", help="show where a bug happened")

    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"{self.prog}: {message} (--help tells more)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Called by argparse for a value that has ``choices``."""
        if action.choices is None or value in action.choices:
            return
        names = [str(each) for each in action.choices]
        if isinstance(action, argparse._SubParsersAction):
            self.error(f"there is no command {value!r}{_hint(str(value), names)}; {_all(names)}")
        raise argparse.ArgumentError(
            action, f"invalid choice: {value!r}{_hint(str(value), names)}; use {_or(names)}"
        )


class OptionParser(Parser):
    """The parser of a command, whose ``module`` adds the options when they are asked for.

    Importing the module takes seconds, as it imports torch.
    """

    def __init__(self, *, module: str, **options: Any) -> None:
        super().__init__(**options)
        self._module: str | None = module

    def load(self) -> None:
        """Add the options, unless they are there."""
        if self._module is not None:
            module, self._module = self._module, None
            importlib.import_module(f"explorer.cli.{module}").add(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does it."""
        self.load()
        return super().parse_known_args(args, namespace)


class CommandParser(Parser):
    """The parser of the whole line: a command with its options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: argparse._SubParsersAction[OptionParser] = self.add_subparsers(
            dest="command", metavar="COMMAND", parser_class=OptionParser
        )

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options of a command, with those that it passes on as ``more``.

        ``given`` names those that the person wrote.
        """
        options, more = self.parse_known_args(arguments)
        if options.command is None:
            self.error(f"name a command; {_all(self.commands.choices)}")
        if more and "takes_more" not in options:
            parser = self.commands.choices[options.command]
            unknown = next((text for text in more if text.startswith("-")), more[0])
            name = unknown.partition("=")[0]
            hint = _hint(name, parser._option_string_actions)
            parser.error(f"unrecognized arguments: {' '.join(more)}{hint}")
        if "takes_more" not in options:
            self._refuse_empty(self.commands.choices[options.command], arguments)
        options.more, options.parsers = more, self.commands.choices
        options.given = given_options(self.commands.choices[options.command], arguments)
        return options

    @staticmethod
    def _refuse_empty(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
        """An error for an argument of a variable that is not set; a path would be the folder."""
        for before, word in zip(("", *arguments), arguments, strict=False):
            is_flag = word.startswith("--") and word.endswith("=")
            if is_flag or not word.strip():
                flag = (
                    word[:-1] if is_flag else before if before.startswith("--") else "an argument"
                )
                parser.error(f"{flag} is empty, as of a variable that is not set; give it a value")


def _hint(text: str, names: Iterable[str]) -> str:
    near = did_you_mean(text, names, most=1)
    return f" ({near})" if near else ""


def _all(commands: Iterable[str]) -> str:
    return f"the commands are {', '.join(sorted(commands))}"


def _or(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
