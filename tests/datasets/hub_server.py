"""As much of the Hugging Face Hub as its library and ``datasets`` ask to read one data set."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT, FOLDER = "a" * 40, "b" * 40


@contextmanager
def serving(name: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """The address, on 127.0.0.1, of a Hub whose only data set has these files."""

    class Handler(_Handler):
        repository = name
        content = files

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    repository: str
    content: Mapping[str, bytes]

    def log_message(self, format: str, *arguments: object) -> None: ...

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        api, files = f"/api/datasets/{self.repository}", f"/datasets/{self.repository}/resolve"
        path = unquote(urlsplit(self.path).path)
        if match := re.fullmatch(rf"{api}(?:/revision/([^/]+))?", path):
            if match[1] not in (None, "main", COMMIT):
                self._missing("Revision")
            else:
                siblings = [{"rfilename": file} for file in self.content]
                self._json({"id": self.repository, "sha": COMMIT, "siblings": siblings})
        elif match := re.fullmatch(rf"{api}/tree/[^/]+(?:/(.*))?", path):
            self._tree(match[1] or "")
        elif match := re.fullmatch(rf"{files}/[^/]+/(.+)", path):
            self._file(match[1])
        else:
            self._missing("Repo")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        is_json = body.startswith("{")
        paths = (json.loads(body) if is_json else parse_qs(body))["paths"]
        found = [self._entry(path) for path in paths if path in self.content]
        found += [_folder(path) for path in paths if self._below(path) and path]
        self._json(found)

    def _below(self, folder: str) -> list[str]:
        start = f"{folder.rstrip('/')}/" if folder else ""
        return [file for file in self.content if file.startswith(start)]

    def _tree(self, folder: str) -> None:
        """Files and folders in ``folder``, as a request without recursion gets them."""
        entries: dict[str, Any] = {}
        for file in self._below(folder):
            below = file.removeprefix(f"{folder}/") if folder else file
            name, _, rest = below.partition("/")
            path = f"{folder}/{name}" if folder else name
            entries[path] = _folder(path) if rest else self._entry(path)
        if entries:
            self._json(list(entries.values()))
        else:
            self._missing("Entry")

    def _entry(self, path: str) -> dict[str, Any]:
        data = self.content[path]
        return {"type": "file", "oid": _digest(data), "size": len(data), "path": path}

    def _file(self, path: str) -> None:
        if path not in self.content:
            self._missing("Entry")
            return
        data = self.content[path]
        headers = {"ETag": f'"{_digest(data)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(match[1]), min(int(match[2] or len(data)), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            self._send(206, data[first : last + 1], headers)
        else:
            self._send(200, data, headers)

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _missing(self, kind: str) -> None:
        self._send(404, b"{}", {"X-Error-Code": f"{kind}NotFound", "X-Repo-Commit": COMMIT})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "oid": FOLDER, "size": 0, "path": path}


def _digest(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()
