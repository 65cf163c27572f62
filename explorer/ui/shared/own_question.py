"""Whether a question is the visitor's own: its results are for no other session."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.experiments.sweep.image_set import GALLERY
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.shared.classifiers import belongs_to_session, entries, file_stamp


def is_own_question(
    names: Iterable[str], pictures: Iterable[str] = (), data: str | None = None
) -> bool:
    """Whether other sessions lack something that is asked about, or may get another answer.

    ``names`` are those of classifiers: the visitor may have added one for this session alone, or
    the file of one may be gone. ``pictures`` are the sources of pictures: the visitor may have
    uploaded or photographed one. ``data`` name a set of images: its file may change.
    """
    known = entries()
    return (
        data not in (None, GALLERY)
        or any(source.startswith(UPLOAD_PREFIX) for source in pictures)
        or any(
            belongs_to_session(name) or (name in known and file_stamp(known[name]) is None)
            for name in names
        )
    )
