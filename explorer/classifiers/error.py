"""``ClassifierError``, which every module here may raise."""

from __future__ import annotations

from explorer.errors import UserError


class ClassifierError(UserError):
    """A classifier that can't be found, loaded or used."""
