"""A file that a person named is there and can be read."""

from __future__ import annotations

from pathlib import Path

from explorer.classifiers.error import ClassifierError


def first_bytes(path: Path, kind: str, count: int = 256) -> bytes:
    """The first bytes of the file. ``kind`` is what it should be, such as "weights file".

    Raises :class:`ClassifierError` when there is no such file or it can't be read.
    """
    try:
        if path.is_dir():
            raise ClassifierError(f"{path} is a folder; name the {kind} itself")
        if not path.is_file():
            raise ClassifierError(f"there is no {kind} {path}")
        with path.open("rb") as file:
            return file.read(count)
    except PermissionError:
        raise ClassifierError(
            f"{path} can't be read: permission denied; allow this user to read the file"
        ) from None
    except OSError as error:  # such as a name of more than 255 characters
        reason = (error.strerror or type(error).__name__).lower()
        raise ClassifierError(f"{path} can't be read: {reason}; give another file") from None
