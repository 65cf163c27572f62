"""The options that a person gave, and what to say of those that another one makes void."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from explorer.cli.error import UsageError


def given_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> frozenset[str]:
    """The options of ``parser`` among ``words``, by their full names, such as ``--steps``.

    argparse itself does not tell a default from the same value that was written.
    """
    known = [name for name in parser._option_string_actions if name.startswith("--")]
    given = set()
    for word in words:
        if word == "--":
            break
        name = word.partition("=")[0]
        matches = [each for each in known if name.startswith("--") and each.startswith(name)]
        if name in matches:
            given.add(name)
        elif len(matches) == 1:  # an option may be shortened as far as it is the only one
            given.add(matches[0])
    return frozenset(given)


def is_given(options: argparse.Namespace, flag: str) -> bool:
    """Whether the person wrote this option."""
    return flag in getattr(options, "given", ())  # which only the command line has


def refuse_void(options: argparse.Namespace, flags: Iterable[str], reason: str) -> None:
    """Raise :class:`UsageError` if one of ``flags`` was given, which ``reason`` makes void."""
    void = _given(options, flags)
    if void:
        raise UsageError(f"{reason}; leave out {_and(void)}")


def note_void(options: argparse.Namespace, flags: Iterable[str], reason: str) -> None:
    """Print on standard error which of ``flags`` change nothing, as ``reason`` says why."""
    void = _given(options, flags)
    if void:
        verb = "changes" if len(void) == 1 else "change"
        print(f"note: {_and(void)} {verb} nothing here: {reason}", file=sys.stderr)


def _given(options: argparse.Namespace, flags: Iterable[str]) -> list[str]:
    return [flag for flag in flags if is_given(options, flag)]


def _and(flags: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(flags[:-1]), flags[-1])))
