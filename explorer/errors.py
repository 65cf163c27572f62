"""The two kinds of exception that every layer shares, and the log entry for every other kind."""

from __future__ import annotations

import logging
import secrets
import traceback

_LOGGER = logging.getLogger("explorer")


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
    words = ("can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(each in str(error) for each in words)


def log_bug(error: BaseException) -> str:
    """A short random id, logged under "explorer" beside the type and the stack of ``error``.

    The messages of the exceptions stay out of the log: they may hold a visitor's file names.
    """
    bug_id = secrets.token_hex(4)
    stacks = "".join(
        f"{type(each).__module__}.{type(each).__qualname__}\n"
        + "".join(traceback.format_tb(each.__traceback__))
        for each in _with_causes(error)
    )
    _LOGGER.error("bug %s: %s", bug_id, stacks)
    return bug_id


def _with_causes(error: BaseException) -> list[BaseException]:
    """``error``, then the exceptions that led to it."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return chain
