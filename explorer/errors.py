"""The two kinds of exception that every layer shares, their words, and the log entry for others."""

from __future__ import annotations

import difflib
import errno
import logging
import os
import secrets
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

_LOGGER = logging.getLogger("explorer")
_LONGEST = 100  # characters of a file's own words in a message
_LIKE = 0.6  # how alike a name and what was written must be for a hint, as difflib has it
_CONTAINED, _TELLING = 0.8, 3  # the likeness of a name that contains a text of so many letters

USER_CODE = "explorer_user_"  # the names of modules that hold a person's own Python code begin so


class UserError(ValueError):
    """A mistake that a person can mend. ``str(error)`` says what is wrong and what to do.

    Commands print it as one line and pages show it as it is. Every other exception is a bug of the
    program and is reported as one.
    """


class Cancelled(Exception):
    """The work was stopped because its ``cancelled()`` callback returned true. It is no error."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, torch on the CPU or torch on a GPU found no memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    words = (
        "can't allocate memory",
        "not enough memory",
        "backend out of memory",  # of MPS
        os.strerror(errno.ENOMEM),
    )
    return isinstance(error, RuntimeError) and any(each in str(error) for each in words)


def failure_of_user_code(error: BaseException) -> str | None:
    """What to say if ``error`` was raised in or below a person's own Python file; else None."""
    stack = error.__traceback__
    names = [
        (summary, frame.f_globals.get("__name__", ""))
        for (frame, _), summary in zip(
            traceback.walk_tb(stack), traceback.extract_tb(stack), strict=True
        )
    ]
    theirs = [summary for summary, module in names if module.startswith(USER_CODE)]
    if not theirs:
        return None
    last = theirs[-1]
    return (
        f"{Path(last.filename).name} failed in line {last.lineno}, in {last.name}: "
        f"{type_and_message(error)}; correct the file and start again"
    )


def short(text: object) -> str:
    """Words from a file for a message: on one line, and the first ones only if there are many."""
    line = "".join(each if each.isprintable() else "?" for each in str(text)[: _LONGEST + 1])
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def did_you_mean(text: str, names: Iterable[str], most: int = 3) -> str:
    """``did you mean cat or cattle?``, with the :func:`nearest` names; empty if none is near."""
    near = nearest(text, names, most)
    return f"did you mean {' or '.join(near)}?" if near else ""


def nearest(text: str, names: Iterable[str], most: int = 3, least: float = _LIKE) -> list[str]:
    """The few ``names`` that a person may have meant by ``text``; none if nothing is like it.

    Letter case does not matter. A name that contains the text counts, and so does the last part of
    one: ``model`` for ``compare_model``. ``least`` is how alike they must be, from 0 to 1.
    """
    wanted = text.casefold()
    if not 0 < len(wanted) <= _LONGEST:
        return []
    matcher = difflib.SequenceMatcher(b=wanted)  # which prepares b once for all names
    scores = {name: _likeness(matcher, wanted, name.casefold(), least) for name in names}
    near = sorted((name for name in scores if scores[name] >= least), key=lambda n: -scores[n])
    return near[:most]


def _likeness(matcher: difflib.SequenceMatcher[str], wanted: str, name: str, least: float) -> float:
    """How alike ``name`` and the matcher's text are, from 0 to 1; 0 if less than ``least``."""
    parts = [name, *(name.split("_", n)[-1] for n in range(1, name.count("_") + 1))]
    best = _CONTAINED if len(wanted) >= _TELLING and wanted in name else 0.0
    for part in parts:
        matcher.set_seq1(part)
        if matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least:
            best = max(best, matcher.ratio())
    return best


def count_of(number: int, noun: str) -> str:
    """``1 step``, ``20 steps`` or ``2,000 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def named_twice(names: Sequence[str], noun: str) -> str:
    """The text of an error for names of which one, or several, are there more than once, or ""."""
    twice = repeated(names)
    return f"{twice}; name each {noun} once" if twice else ""


def repeated(names: Sequence[str]) -> str:
    """ "a is named more than once", or "a and b are", or "" where each is there once."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not twice:
        return ""
    return f"{' and '.join(twice)} {'is' if len(twice) == 1 else 'are'} named more than once"


def type_and_message(error: BaseException) -> str:
    """The type of ``error`` and the first line of its message."""
    line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def log_bug(error: BaseException) -> str:
    """A short random id, logged under "explorer" beside the type and the stack of ``error``.

    The messages of the exceptions stay out of the log, since they may hold a visitor's file names,
    and so does the source code, since it may be a visitor's and hold a message.
    """
    bug_id = secrets.token_hex(4)
    stacks = "".join(
        f"{type(each).__module__}.{type(each).__qualname__}\n" + "".join(_lines(each.__traceback__))
        for each in _with_causes(error)
    )
    _LOGGER.error("bug %s: %s", bug_id, stacks)
    return bug_id


def _lines(stack: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(stack):
        yield f"  {frame.filename}, line {frame.lineno}, in {frame.name}\n"


def _with_causes(error: BaseException) -> list[BaseException]:
    """``error``, then the exceptions that led to it."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return chain
