"""Text that people wrote, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")


def plain(text: str) -> str:
    """Markdown that shows ``text`` character by character."""
    return _SPECIAL.sub(r"\\\1", text)


def sentence(text: str) -> str:
    """Markdown that shows an error's text as a sentence, with a capital letter and a full stop."""
    return plain(text[:1].upper() + text[1:].rstrip(".")) + "."
