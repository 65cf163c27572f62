"""A small CIFAR-10 in an archive, and servers on this machine that send it well or badly."""

from __future__ import annotations

import http.server
import io
import socket
import tarfile
import threading
from contextlib import contextmanager

from torchvision.datasets import CIFAR10


def packed(files, folder="cifar-10-batches-py"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@contextmanager
def serving(monkeypatch, respond):
    """A server on 127.0.0.1 whose GET is ``respond(handler, released)``, at torchvision's URL."""
    released = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            respond(self, released)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(
        CIFAR10, "url", f"http://127.0.0.1:{server.server_address[1]}/cifar-10-python.tar.gz"
    )
    try:
        yield
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def sends(data, length=None, status=200):
    def respond(handler, released):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data) if length is None else length))
        handler.end_headers()
        handler.wfile.write(data)

    return respond


def falls_silent(data):
    def respond(handler, released):
        sends(data[: len(data) // 2], len(data))(handler, released)
        handler.wfile.flush()
        released.wait(20)

    return respond


def resets(data):
    def respond(handler, released):
        sends(data[: len(data) // 2], len(data))(handler, released)
        handler.wfile.flush()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        handler.connection.close()

    return respond


def never_ends(data):
    def respond(handler, released):
        handler.send_response(200)
        handler.end_headers()
        try:
            while not released.is_set():
                handler.wfile.write(data)
        except OSError:
            pass

    return respond


def trickles(data):
    def respond(handler, released):
        handler.send_response(200)  # and no length
        handler.end_headers()
        for start in range(0, len(data), 512):
            handler.wfile.write(data[start : start + 512])
            handler.wfile.flush()
            released.wait(0.002)

    return respond
