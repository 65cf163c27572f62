"""The picture that a person chose."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True)
class Picture:
    """``source`` is its name in recipes (``gallery:KEY`` or ``upload:NAME``); ``digest`` differs
    where the pixels differ; ``label`` is its class among those of ``gallery``, if known; ``notes``
    say what was changed while its file was read.
    """

    source: str
    title: str
    image: Image.Image
    digest: str
    credit: str = ""
    label: int | None = None
    gallery: str = ""
    notes: tuple[str, ...] = ()
