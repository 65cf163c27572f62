"""The error of a command line that can't be carried out."""

from __future__ import annotations

from explorer.errors import UserError


class UsageError(UserError):
    """A command line that can't be carried out."""
