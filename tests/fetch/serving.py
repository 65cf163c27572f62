"""A server on this machine that is what a test tells it to be."""

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
    """What a test tells it to be; ``asked`` has the Range of each request for the file, ``"all"`` where it had none."""

    def __init__(self) -> None:
        self.data, self.etag = DATA, '"one"'
        self.ranges = self.knows_if_range = True
        self.breaks_after: list[int] = []  # bytes sent on each connection in turn, then all of them
        self.headers: dict[str, str] = {}
        self.status = 200
        self.answer = None  # a function of the handler, in place of the file
        self.asked: list[str] = []
        self.released = threading.Event()

    def reply(self, handler) -> None:
        self.asked.append(handler.headers.get("Range", "all"))
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
        most = self.breaks_after.pop(0) if self.breaks_after else length
        handler.wfile.write(self.data[start : start + most])

    def start(self, handler) -> int:
        asked = handler.headers.get("Range")
        current = not self.knows_if_range or handler.headers.get("If-Range") == self.etag
        if asked is None or not self.ranges or not current:
            return 0
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(self.data):
            handler.send_error(416)
            raise ConnectionAbortedError
        return start


def litter(path):
    return sorted(each.name for each in path.parent.iterdir() if each != path)


KEPT = ["weights.pth.part", "weights.pth.part.version"]
