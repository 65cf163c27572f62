"""The error of this package."""

from explorer.errors import UserError


class AttackError(UserError):
    """An attack that can't be run as asked."""
