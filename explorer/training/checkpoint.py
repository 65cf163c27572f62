"""The file from which a stopped training continues."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from explorer.errors import UserError
from explorer.files import write_atomically


class TrainingError(UserError):
    """A training that can't begin, continue or finish."""


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write ``state``; the file at ``path`` is always complete.

    Raises :class:`~explorer.files.FileError` where it can't be written.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def read_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """The state in a file of :func:`write_checkpoint`, its tensors on ``device``.

    Raises :class:`TrainingError` where the file can't be read or holds something else.
    """
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        reason = str(error).partition("\n")[0]
        raise TrainingError(f"{path} can't be read ({reason}); remove it to begin again") from None
    if not isinstance(state, dict) or not isinstance(state.get("recipe"), dict):
        raise TrainingError(f"{path} is no checkpoint of a training; remove it to begin again")
    return state
