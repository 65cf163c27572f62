"""The server, and the path that tests fetch to."""

from __future__ import annotations

import http.server
import threading

import pytest

from explorer.fetch import download
from tests.fetch.serving import Server


@pytest.fixture
def server(monkeypatch):
    script = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            try:
                script.reply(self)
            except OSError:  # the client ended the connection
                self.close_connection = True

        def log_message(self, *_):
            pass

    monkeypatch.setattr(download, "_CHUNK", 4096)
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    threading.Thread(
        target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    ).start()
    script.url = f"http://127.0.0.1:{running.server_address[1]}/weights.pth"
    yield script
    script.released.set()
    running.shutdown()
    running.server_close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "weights.pth"
