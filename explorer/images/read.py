"""The picture in a file, read in this process."""

from __future__ import annotations

import stat
from pathlib import Path

from explorer.images.decode import DecodedImage, ImageError, check_bytes, decode_image


def read_image(path: str | Path) -> DecodedImage:
    """The picture in the file at ``path``.

    Raises :class:`ImageError` if the file is missing, unreadable, too large or not a picture.
    """
    return decode_image(read_bytes(path), str(path))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file that may be a picture.

    Raises :class:`ImageError` if the file is missing, unreadable or too large.
    """
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path} is a folder; name a picture in it")
        # Opening a pipe or a device could block for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a regular file; name a picture")
        check_bytes(status.st_size, str(path))
        return path.read_bytes()
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise ImageError(
            f"{path} can't be read ({error.strerror}); check the path and its permissions"
        ) from None
    except ValueError:  # a NUL character
        raise ImageError(f"{str(path)!r} is not a path; check it") from None
