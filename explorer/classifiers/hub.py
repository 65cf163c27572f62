"""The Hugging Face Hub's library, kept from trying for half a minute where there is no network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies

from huggingface_hub import constants

_SECONDS = 5.0
_SWITCHING = threading.Lock()  # the library has one switch for the whole process


@contextmanager
def hub_if_reachable() -> Iterator[bool]:
    """Within the block the library uses its cache alone if its server can't be reached.

    Yields whether it can. Behind a proxy, or where ``HF_HUB_OFFLINE`` is set, nothing is tried.
    """
    with _SWITCHING:
        before = constants.HF_HUB_OFFLINE
        reachable = not before and (bool(getproxies()) or _answers())
        constants.HF_HUB_OFFLINE = not reachable
        try:
            yield reachable
        finally:
            constants.HF_HUB_OFFLINE = before


def _answers() -> bool:
    address = urlsplit(constants.ENDPOINT)
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        socket.create_connection((address.hostname or "", port), timeout=_SECONDS).close()
    except OSError:
        return False
    return True
