"""Text that people wrote, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

from explorer.settings import USER_PREFIX

_WORD = re.compile(r"[a-z]+('[a-z]+)?[,;:]?(\s|$)")  # and no file name or model name
_USER_NAME = re.compile(rf"(?<![\w/]){USER_PREFIX}(?=[A-Za-z0-9])")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")
_ESCAPED = re.compile(r"\\(.)")
# Streamlit also looks for addresses, icons (:material/home:) and arrows in the finished text, where
# a backslash no longer protects them. These are the places inside of them.
_INSIDE = re.compile(r"(?<=:)(?=[a-z/])|(?<=www)(?=\.)|(?<=@)(?=\w)|(?<=[-<>~=])(?=[-<>~=])", re.I)
# Spaces at which a line must not end: before a unit, and around "to" and "=".
_TOGETHER = re.compile(
    r"(?<=[\d.]) (?=%)|(?<=%) (?=to )|(?<= to) (?=[<>\d])| (?== )|(?<==) |(?<=[<>]) (?=\d)"
)
_BREAK = ":small[]"  # nothing on screen, but the text before and after it is looked at separately


def plain(text: str) -> str:
    """Markdown that shows ``text`` character by character, on one line."""
    parts = _INSIDE.split(" ".join(text.split()))
    return _BREAK.join(_SPECIAL.sub(r"\\\1", part) for part in parts)


def unbroken(text: str) -> str:
    """``text`` with numbers and intervals that no line break parts, for the cells of a table."""
    return _TOGETHER.sub("\N{NO-BREAK SPACE}", text)


def words(markdown: str) -> str:
    """What ``markdown`` shows, without bold type and the signs of :func:`plain`."""
    return _ESCAPED.sub(r"\1", markdown.replace(_BREAK, "").replace("**", ""))


def title_of(name: str) -> str:
    """The title of a classifier that a person added, without what commands put before its name."""
    return name.removeprefix(USER_PREFIX)


def sentence(text: str) -> str:
    """Markdown of an error's text with a full stop; its first word gets a capital unless a name.

    A classifier that a person added has its title, as in lists of choices: ``mine`` and not
    ``user:mine``.
    """
    text = _USER_NAME.sub("", text)
    capitalised = text[:1].upper() + text[1:] if _WORD.match(text) else text
    return plain(capitalised.rstrip(".")) + "."
