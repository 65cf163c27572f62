"""A picture by its source: a path, or the name of a sample of the gallery."""

from __future__ import annotations

from explorer.images.decode import DecodedImage, ImageError
from explorer.images.gallery import sample
from explorer.images.isolated import read_isolated

GALLERY_PREFIX = "gallery:"
UPLOAD_PREFIX = "upload:"


def open_image(source: str) -> DecodedImage:
    """The picture of ``source``, which is ``gallery:KEY`` or a path.

    Raises :class:`ImageError` if it can't be read, and for ``upload:NAME``: only the page has that.
    """
    if source.startswith(GALLERY_PREFIX):
        return DecodedImage(sample(source.removeprefix(GALLERY_PREFIX)).read(), ())
    if source.startswith(UPLOAD_PREFIX):
        name = source.removeprefix(UPLOAD_PREFIX)
        raise ImageError(f"{name} was uploaded to the page; name the file itself with --image")
    return read_isolated(source)
