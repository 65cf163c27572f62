"""The two kinds of exception that every layer shares."""

from __future__ import annotations


class UserError(ValueError):
    """A mistake that a person can mend. ``str(error)`` says what is wrong and what to do.

    Commands print it as one line and pages show it as it is. Every other exception is a bug of the
    program and is reported as one.
    """


class Cancelled(Exception):
    """The work was stopped because its ``cancelled()`` callback returned true. It is no error."""
