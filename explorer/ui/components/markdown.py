"""Text that people wrote, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

_WORD = re.compile(r"[a-z]+('[a-z]+)?[,;:]?(\s|$)")  # and no file name or model name
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")


def plain(text: str) -> str:
    """Markdown that shows ``text`` character by character."""
    return _SPECIAL.sub(r"\\\1", text)


def sentence(text: str) -> str:
    """Markdown of an error's text with a full stop; its first word gets a capital unless a name."""
    capitalised = text[:1].upper() + text[1:] if _WORD.match(text) else text
    return plain(capitalised.rstrip(".")) + "."
