"""A picture by its written name: a path, or a sample of the gallery."""

from __future__ import annotations

from explorer.images.decode import Decoded, ImageError, read
from explorer.images.gallery import sample

GALLERY_PREFIX = "gallery:"
UPLOAD_PREFIX = "upload:"


def open_source(source: str) -> Decoded:
    """``gallery:KEY`` or a path. Raises :class:`ImageError`, also for ``upload:NAME``, which only the page has seen."""
    if source.startswith(GALLERY_PREFIX):
        return Decoded(sample(source.removeprefix(GALLERY_PREFIX)).read(), ())
    if source.startswith(UPLOAD_PREFIX):
        raise ImageError(
            f"{source.removeprefix(UPLOAD_PREFIX)} was uploaded to the page; name the file itself with --image."
        )
    return read(source)
