"""The server, and where what it sends is put."""

from __future__ import annotations

import http.server
import threading

import pytest

from explorer.fetch import download as transfer
from tests.fetch.serving import Server


@pytest.fixture
def server(monkeypatch):
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            try:
                told.reply(self)
            except OSError:  # the client has had enough
                self.close_connection = True

        def log_message(self, *_):
            pass

    monkeypatch.setattr(transfer, "_CHUNK", 4096)
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    threading.Thread(
        target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    ).start()
    told.url = f"http://127.0.0.1:{running.server_address[1]}/weights.pth"
    yield told
    told.released.set()
    running.shutdown()
    running.server_close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "weights.pth"
