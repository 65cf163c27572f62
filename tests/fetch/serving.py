"""A server on this machine whose behaviour a test sets."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
DATA = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8).tobytes()
OTHER = DATA[::-1]
SHA = hashlib.sha256(DATA).hexdigest()


class Server:
    """The behaviour of the server, and ``requests``: the Range of each request, or "all"."""

    def __init__(self) -> None:
        self.data, self.etag = DATA, '"one"'
        self.ranges = self.knows_if_range = True
        self.breaks_after: list[int] = []  # bytes sent on each connection; later ones send all
        self.headers: dict[str, str] = {}
        self.status = 200
        self.answer = None  # a function of the handler that replaces the file
        self.requests: list[str] = []
        self.released = threading.Event()

    def reply(self, handler) -> None:
        self.requests.append(handler.headers.get("Range", "all"))
        if self.answer is not None:
            return self.answer(handler)
        start = self.start(handler)
        handler.send_response(206 if start else self.status)
        length = len(self.data) - start
        headers = {"ETag": self.etag, "Content-Length": str(length)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        for name, value in (headers | self.headers).items():
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        count = self.breaks_after.pop(0) if self.breaks_after else length
        handler.wfile.write(self.data[start : start + count])

    def start(self, handler) -> int:
        requested = handler.headers.get("Range")
        current = not self.knows_if_range or handler.headers.get("If-Range") == self.etag
        if requested is None or not self.ranges or not current:
            return 0
        start = int(requested.removeprefix("bytes=").removesuffix("-"))
        if start >= len(self.data):
            handler.send_error(416)
            raise ConnectionAbortedError
        return start


def other_files(path):
    """The names of the files beside ``path``."""
    return sorted(file.name for file in path.parent.iterdir() if file != path)


PART_FILES = ["weights.pth.part", "weights.pth.part.version"]
