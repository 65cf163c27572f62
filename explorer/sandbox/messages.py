"""Messages between two processes over a pipe: a JSON object, and bytes that follow it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_LENGTHS = struct.Struct("<IQ")  # of the JSON text and of the bytes
_MAX_TEXT = 2**20


class PipeClosed(Exception):
    """The process at the other end has ended, or sends what is no message."""


@dataclass(frozen=True)
class Message:
    """``values`` can be written as JSON. ``data`` are bytes, or a function that writes ``size``."""

    values: dict[str, Any] = field(default_factory=dict)
    data: bytes | bytearray | Callable[[BinaryIO], None] = b""
    size: int | None = None


def send(pipe: BinaryIO, message: Message) -> None:
    """Write a message. Raises :class:`PipeClosed`."""
    text = json.dumps(message.values).encode()
    size = message.size if callable(message.data) else len(message.data)
    try:
        pipe.write(_LENGTHS.pack(len(text), size) + text)
        if callable(message.data):
            pipe.flush()
            message.data(pipe)
        else:
            pipe.write(message.data)
        pipe.flush()
    except (BrokenPipeError, ConnectionError):
        raise PipeClosed from None


def receive(pipe: BinaryIO, most: int) -> Message:
    """The next message, its bytes at most ``most``. Raises :class:`PipeClosed`."""
    text_length, size = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    if text_length > _MAX_TEXT or size > most:
        raise PipeClosed
    try:
        values = json.loads(_exactly(pipe, text_length))
    except (ValueError, RecursionError):
        raise PipeClosed from None
    if not isinstance(values, dict):
        raise PipeClosed
    return Message(values, _exactly(pipe, size))


def _exactly(pipe: BinaryIO, count: int) -> bytearray:
    buffer = bytearray(count)
    view, done = memoryview(buffer), 0
    while done < count:
        read = pipe.readinto(view[done:])  # type: ignore[attr-defined]
        if not read:
            raise PipeClosed
        done += read
    return buffer
