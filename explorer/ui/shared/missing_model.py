"""What a page says when its address names a classifier that is not here."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.classifiers import Entry
from explorer.classifiers.downloads import is_published
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.imagenet import (
    ROBUST,
    ROBUST_PREFIX,
    TORCHVISION,
    TORCHVISION_PREFIX,
)
from explorer.errors import nearest
from explorer.ui.components.markdown import plain, title_of
from explorer.ui.shared.address import Refused
from explorer.ui.shared.link_words import no_longer_here
from explorer.ui.shared.mode import is_public, may_fetch

_PUBLISHED = (
    *(TORCHVISION_PREFIX + name for name in TORCHVISION),
    *(ROBUST_PREFIX + name for name in ROBUST),
)


def missing_model(wanted: Refused, instead: Entry, known: Sequence[str]) -> str:
    """Markdown: the classifier that is ``wanted`` is not here, what to do, and what is shown
    ``instead``.
    """
    name = wanted.text
    missing = f"The link asks for the classifier **{plain(title_of(name))}**, "
    missing = no_longer_here(wanted.texts) if wanted.is_lost else missing + _reason(name, known)
    return f"{missing} Instead, this page attacks the classifier “{plain(instead.title)}”."


def _reason(name: str, known: Sequence[str]) -> str:
    if name in _PUBLISHED:
        if may_fetch():
            return "which is not on this machine yet. Download it on the Models page."
        return "which this server does not have. Ask those who run it, or choose another one."
    if name.startswith(USER_PREFIX) and is_public():
        return (
            "which is not here: a visitor's own model is only there for that visitor, until the "
            "page is closed or reloaded or its connection breaks. Add it again on the Models page."
        )
    if name.startswith(USER_PREFIX):
        return (
            "which was removed from this machine or never added. Add it on the Models page, or "
            "choose another one."
        )
    if _is_architecture(name):
        return "which this page does not offer. Choose another one."
    near = nearest(name, (*known, *_PUBLISHED), most=1, least=0.75)
    hint = f"Did you mean {plain(near[0])}?" if near else "Choose another one."
    return f"which does not exist. {hint}"


def _is_architecture(name: str) -> bool:
    from explorer.classifiers.torchvision_models import architectures  # 1.8 s to import

    return name.removeprefix(TORCHVISION_PREFIX) in architectures() and is_published(name)
