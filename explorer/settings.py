"""Every setting of the explorer. They are variables of the environment, read when they are used.

``explorer/README.md`` has them as a table, which a test compares with this file.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from explorer.errors import UserError

T = TypeVar("T")
AUTO, LOCAL, PUBLIC = "auto", "local", "public"
USER_PREFIX = "user:"  # before the names of classifiers that a person added


@dataclass(frozen=True)
class Setting(Generic[T]):
    """A variable of the environment; unset or empty, it has its ``default``.

    ``parse`` turns its text into a value and raises ``ValueError`` for a text that is not
    ``expected``.
    """

    name: str
    default: T
    parse: Callable[[str], T]
    expected: str

    @property
    def value(self) -> T:
        """The value at this moment. Raises :class:`UserError` for a text that can't be used."""
        text = os.environ.get(self.name, "").strip()
        if not text:
            return self.default
        try:
            return self.parse(text)
        except ValueError:
            raise UserError(f"{self.name} must be {self.expected}; it is {text!r}") from None


def _choice(name: str, default: str, *choices: str) -> Setting[str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return Setting(name, default, parse, f"{', '.join(choices[:-1])} or {choices[-1]}")


def _switch(name: str, default: bool = False) -> Setting[bool]:
    def parse(text: str) -> bool:
        if text not in ("0", "1"):
            raise ValueError
        return text == "1"

    return Setting(name, default, parse, "0 or 1")


def _count(name: str, default: int) -> Setting[int]:
    def parse(text: str) -> int:
        number = int(text)
        if number < 1:
            raise ValueError
        return number

    return Setting(name, default, parse, "a whole number from 1 on")


def _text(name: str) -> Setting[str]:
    return Setting(name, "", str, "a text")


# Files and folders; explorer/files.py has the folders' defaults.
DATA = _text("EXPLORER_DATA")
WEIGHTS = _text("EXPLORER_WEIGHTS")
MODELS = _text("EXPLORER_MODELS")
CACHE = _text("EXPLORER_CACHE")
SHARED = _text("EXPLORER_SHARED")

# Who may do what
MODE = _choice("EXPLORER_MODE", AUTO, AUTO, LOCAL, PUBLIC)
NETWORK = _switch("EXPLORER_NETWORK")

# The largest upload of each kind, in MB; server.maxUploadSize of Streamlit limits all of them.
WEIGHTS_MB = _count("EXPLORER_WEIGHTS_MB", 500)
PICTURE_MB = _count("EXPLORER_PICTURE_MB", 32)
LABELS_MB = _count("EXPLORER_LABELS_MB", 1)

# The models of visitors of a public server
SESSION_MODELS = _count("EXPLORER_SESSION_MODELS", 4)
SESSION_MODELS_MB = _count("EXPLORER_SESSION_MODELS_MB", 600)
SERVER_MODELS_MB = _count("EXPLORER_SERVER_MODELS_MB", 4000)
INPUT_PIXELS = _count("EXPLORER_INPUT_PIXELS", 512)

MAX_SEED = 2**31 - 1  # that pages and commands take, so that every seed has a link
MAX_STEPS, MAX_RESTARTS = 10_000, 1_000  # of an attack

# The device
PRECISIONS = (AUTO, "float32", "folded", "bfloat16")
PRECISION = _choice("EXPLORER_PRECISION", AUTO, *PRECISIONS)
GRAPHS = _switch("EXPLORER_GRAPHS", True)
COMPILE = _switch("EXPLORER_COMPILE")
SECONDS = _count("EXPLORER_SECONDS", 120)

SETTINGS: tuple[Setting[object], ...] = tuple(
    value for value in globals().values() if isinstance(value, Setting)
)


def problems() -> list[str]:
    """A sentence for each setting whose text can't be used."""
    sentences = []
    for setting in SETTINGS:
        try:
            _ = setting.value
        except UserError as error:
            sentences.append(str(error))
    return sentences


def is_loopback(address: str | None) -> bool:
    """Whether a server that listens on ``address`` is reached from this machine alone."""
    if address == "localhost":
        return True
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:  # the name of a machine, or of a socket
        return False
