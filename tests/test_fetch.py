"""A file fetched from a server on this machine that is slow, drops, lies or has nothing: whole and checked, or one sentence."""

from __future__ import annotations

import errno
import hashlib
import http.client
import http.server
import io
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from explorer.fetch import FetchCancelled, FetchError, Remote, fetch, transfer
from explorer.fetch.asking import _Redirects

ROOT = Path(__file__).resolve().parents[1]
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
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    told.url = f"http://127.0.0.1:{running.server_address[1]}/weights.pth"
    yield told
    told.released.set()
    running.shutdown()
    running.server_close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "weights.pth"


def litter(path):
    return sorted(each.name for each in path.parent.iterdir() if each != path)


KEPT = ["weights.pth.part", "weights.pth.part.version"]


def test_a_file_is_fetched_checked_and_left_alone_after(server, path):
    said = []
    remote = Remote(server.url, len(DATA), SHA[:8])
    assert fetch(remote, path, on_bytes=lambda *progress: said.append(progress)) == path
    assert path.read_bytes() == DATA
    assert litter(path) == []
    assert said == sorted(said)
    assert said[-1] == (len(DATA), len(DATA))
    path.write_bytes(b"a file of one's own")
    assert fetch(remote, path).read_bytes() == b"a file of one's own"
    assert server.asked == ["all"]


def test_a_dropped_connection_is_taken_up_again_in_the_same_call(server, path):
    server.breaks_after = [50_000, 70_000]
    fetch(Remote(server.url, digest=SHA), path)
    assert path.read_bytes() == DATA
    assert server.asked == ["all", "bytes=50000-", "bytes=120000-"]
    assert litter(path) == []


def test_what_arrived_is_kept_for_the_next_call(server, path):
    server.breaks_after = [50_000, 0]
    with pytest.raises(FetchError, match=r"broke after 0\.1 of 0\.2 MB; what arrived is kept: try again to go on"):
        fetch(Remote(server.url, digest=SHA), path)
    assert (litter(path), path.exists()) == (KEPT, False)
    said = []
    fetch(Remote(server.url, digest=SHA), path, on_bytes=lambda *progress: said.append(progress))
    assert path.read_bytes() == DATA
    assert said[0] == (50_000, len(DATA))
    assert server.asked[-1] == "bytes=50000-"


def test_a_server_that_always_drops_is_not_asked_for_ever(server, path):
    server.breaks_after = [1000] * 100
    with pytest.raises(FetchError, match=r"the connection broke after 0\.0 of 0\.2 MB"):
        fetch(Remote(server.url, digest=SHA), path)
    assert len(server.asked) == 5


def test_a_server_that_ignores_ranges_starts_over(server, path):
    server.ranges, server.breaks_after = False, [50_000]
    fetch(Remote(server.url, digest=SHA), path)
    assert path.read_bytes() == DATA
    assert server.asked == ["all", "bytes=50000-"]


@pytest.mark.parametrize("knows_if_range", [True, False])
def test_a_file_that_changed_meanwhile_is_not_spliced(server, path, knows_if_range):
    server.breaks_after = [50_000, 0]
    with pytest.raises(FetchError):
        fetch(Remote(server.url), path)
    server.data, server.etag, server.knows_if_range = OTHER, '"two"', knows_if_range
    fetch(Remote(server.url), path)
    assert path.read_bytes() == OTHER


@pytest.mark.parametrize("etag", ["", 'W/"weak"', "no quotes"])
def test_without_a_word_for_the_version_nothing_is_kept(server, path, etag):
    server.etag, server.breaks_after = etag, [50_000, 50_000]
    with pytest.raises(FetchError, match="nothing was kept: try again"):
        fetch(Remote(server.url, digest=SHA), path)
    assert litter(path) == []
    assert server.asked == ["all", "all"]
    fetch(Remote(server.url, digest=SHA), path)
    assert path.read_bytes() == DATA


def test_a_date_serves_as_the_version_too(server, path):
    server.etag = ""
    server.headers = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.knows_if_range = False
    server.breaks_after = [50_000]
    fetch(Remote(server.url, digest=SHA), path)
    assert (path.read_bytes(), server.asked[-1]) == (DATA, "bytes=50000-")


@pytest.mark.parametrize("bytes_known", [len(DATA), None])
def test_a_part_that_is_too_long_starts_over(server, path, bytes_known):
    path.parent.mkdir()
    path.with_name(KEPT[0]).write_bytes(DATA + b"more")
    path.with_name(KEPT[1]).write_text('"one"')
    fetch(Remote(server.url, bytes_known, SHA), path)
    assert path.read_bytes() == DATA
    assert server.asked == (["all"] if bytes_known else ["bytes=200004-", "all"])


def test_a_part_nobody_knows_the_version_of_starts_over(server, path):
    path.parent.mkdir()
    path.with_name(KEPT[0]).write_bytes(OTHER[:1000])
    fetch(Remote(server.url), path)
    assert (path.read_bytes(), server.asked) == (DATA, ["all"])


def promises(length):
    return lambda server: server.headers.update({"Content-Length": length})


def sends(data):
    return lambda server: setattr(server, "data", data)


def answers(status):
    return lambda server: setattr(server, "status", status)


def fails(status):
    return lambda server: setattr(server, "answer", lambda handler: handler.send_error(status))


def web_page(server):
    server.headers["Content-Type"] = "text/html; charset=utf-8"


def falls_silent(server):
    server.answer = lambda handler: server.released.wait(20)


def hangs_up(server):
    server.answer = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)


def never_ends(server):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        while not server.released.is_set():
            handler.wfile.write(DATA)

    server.answer = answer


def breaks_a_chunk(server):
    def answer(handler):
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"1000\r\n" + DATA[:100])

    server.answer = answer


def resets(server):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        handler.wfile.write(DATA[:5000])
        handler.wfile.flush()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    server.answer = answer


@pytest.mark.parametrize(
    ("fault", "known", "words"),
    [
        (fails(404), None, r"127\.0\.0\.1 answered 404 \(Not Found\)"),
        (fails(500), None, r"answered 500 \(Internal Server Error\)"),
        (answers(203), None, r"answered 203 \(Non-Authoritative Information\) in place of the file"),
        (answers(206), None, r"answered 206 \(Partial Content\) in place of the file"),
        (web_page, None, "answered with a web page in place of the file; see whether this network asks you to log in"),
        (promises("200100"), None, r"broke after 0\.2 of 0\.2 MB"),
        (promises("200100"), len(DATA), "has a file of 200,100 bytes where 200,000 are expected; nothing was taken"),
        (promises("199900"), None, r"is not weights\.pth \(its SHA-256 differs\); nothing was kept"),
        (promises("199900"), len(DATA), "has a file of 199,900 bytes where 200,000 are expected"),
        (sends(OTHER), None, r"what 127\.0\.0\.1 sent is not weights\.pth"),
        (sends(b""), None, r"is not weights\.pth"),
        (falls_silent, None, r"did not answer within 0\.4 seconds; try again later"),
        (hangs_up, None, "ended the connection without an answer"),
        (never_ends, len(DATA), "sends more than the 200,000 bytes expected; nothing was kept"),
        (never_ends, None, "sends more than the 1,000,000 bytes expected"),
        (breaks_a_chunk, None, r"broke after 0\.0 MB; nothing was kept"),
        (resets, len(DATA), r"broke after 0\.0 of 0\.2 MB"),
    ],
)  # fmt: skip
def test_a_server_that_fails_is_one_sentence_and_leaves_nothing(server, path, monkeypatch, fault, known, words):
    monkeypatch.setattr(transfer, "_MOST", 1_000_000)
    server.etag = ""
    fault(server)
    with pytest.raises(FetchError, match=words) as error:
        fetch(Remote(server.url, known, SHA), path, timeout=0.4)
    assert "\n" not in str(error.value)
    assert "Error" not in str(error.value).replace("Internal Server Error", "")
    assert litter(path) == []
    assert not path.exists()


@pytest.mark.parametrize("fault", [web_page, sends(b"log in to this network"), fails(503)])
def test_what_has_arrived_survives_a_login_page(server, path, fault):
    server.breaks_after = [50_000, 0]
    remote = Remote(server.url, len(DATA), SHA)
    with pytest.raises(FetchError):
        fetch(remote, path)
    honest = dict(vars(server))
    server.etag, server.headers = '"page"', {}
    fault(server)
    with pytest.raises(FetchError):
        fetch(remote, path)
    vars(server).update({**honest, "headers": {}})
    fetch(remote, path)
    assert (path.read_bytes(), server.asked[-1]) == (DATA, "bytes=50000-")


def test_a_slow_server_is_waited_for(server, path):
    def trickles(handler):
        handler.send_response(200)  # and no length
        handler.end_headers()
        for start in range(0, len(DATA), 10_000):
            handler.wfile.write(DATA[start : start + 10_000])
            handler.wfile.flush()
            server.released.wait(0.05)

    server.answer = trickles
    said = []
    fetch(Remote(server.url, digest=SHA), path, on_bytes=lambda *progress: said.append(progress), timeout=0.4)
    assert path.read_bytes() == DATA
    assert said[-1] == (len(DATA), None)


def test_no_connection_is_one_calm_sentence(path):
    with socket.socket() as listener:  # a port that nothing answers on
        listener.bind(("127.0.0.1", 0))
        remote = Remote(f"http://127.0.0.1:{listener.getsockname()[1]}/x.pth")
        with pytest.raises(FetchError, match=r"^127\.0\.0\.1 can't be reached \(Connection refused\); check the connection$"):
            fetch(remote, path)
    with pytest.raises(FetchError, match=r"^nowhere\.invalid can't be reached \(.+\); check the connection$"):
        fetch(Remote("https://nowhere.invalid/x.pth"), path)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "weights.pth"])
def test_only_the_web_is_asked(path, url):
    with pytest.raises(FetchError, match="is not an http or https address"):
        fetch(Remote(url), path)


@pytest.mark.parametrize("digest", ["b43", "", "not hexadecimal", SHA.upper(), SHA + "0"])
def test_a_digest_too_short_to_tell_anything_is_refused(digest):
    with pytest.raises(ValueError, match="8 to 64 hexadecimal digits"):
        Remote("http://127.0.0.1/x", None, digest)


def redirecting(server, to, **stated):
    """The first answer sends on to ``to``, the second is the file."""
    plain = server.reply

    def first(handler):
        if handler.path == "/there":
            server.answer = None
            return plain(handler)
        handler.send_response(302)
        for name, value in stated.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = first


def test_the_hash_a_host_states_of_a_large_file_is_checked(server, path):
    redirecting(server, "/there", X_Linked_Etag=f'"{SHA}"')
    fetch(Remote(server.url), path)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("redirected", [True, False])
def test_other_bytes_than_the_host_stated_are_refused(server, path, redirected):
    stated = hashlib.sha256(OTHER).hexdigest()
    if redirected:
        redirecting(server, "/there", X_Linked_Etag=f'"{stated}"')
        server.headers = {"X-Linked-Etag": f'"{SHA}"'}  # only the first answer is the host's own
    else:
        server.headers = {"X-Linked-Etag": f'"{stated}"'}
    with pytest.raises(FetchError, match="its SHA-256 differs"):
        fetch(Remote(server.url), path)


def test_a_digest_of_ours_counts_more_than_the_hosts(server, path):
    server.data, server.headers = OTHER, {"X-Linked-Etag": f'"{hashlib.sha256(OTHER).hexdigest()}"'}
    with pytest.raises(FetchError, match="its SHA-256 differs"):
        fetch(Remote(server.url, digest=SHA), path)


@pytest.mark.parametrize("to", ["file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_a_redirect_off_the_web_is_not_followed(server, path, to):
    redirecting(server, to)
    with pytest.raises(FetchError, match=r"sends on to ftp.* is not a safe address|Redirection to url 'file.* is not allowed"):
        fetch(Remote(server.url), path)


def test_a_redirect_from_https_to_http_is_not_followed():
    request = urllib.request.Request("https://127.0.0.1/x")
    follow = partial(_Redirects().redirect_request, request, io.BytesIO(), 302, "Found", http.client.HTTPMessage())
    assert follow("https://elsewhere.invalid/x").full_url == "https://elsewhere.invalid/x"
    with pytest.raises(FetchError, match=r"sends on to http://elsewhere\.invalid/x, which is not a safe address"):
        follow("http://elsewhere.invalid/x")


def test_it_can_be_stopped_and_gone_on_with(server, path):
    said = []
    remote = Remote(server.url, digest=SHA)
    with pytest.raises(FetchCancelled):
        fetch(remote, path, on_bytes=lambda *progress: said.append(progress), cancelled=lambda: len(said) >= 3)
    assert len(said) == 3
    assert litter(path) == KEPT
    fetch(remote, path)
    assert (path.read_bytes(), server.asked[-1]) == (DATA, f"bytes={said[-1][0]}-")


def test_two_at_once_fetch_it_once(server, path):
    def slowly(handler):
        server.released.wait(0.3)
        server.answer = None
        server.asked.pop()
        server.reply(handler)

    server.answer = slowly
    threads = [threading.Thread(target=fetch, args=(Remote(server.url, digest=SHA), path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (path.read_bytes(), server.asked, litter(path)) == (DATA, ["all"], [])


def test_waiting_for_another_can_be_stopped(server, path):
    path.parent.mkdir()
    holds = (
        "import sys, pathlib, explorer.fetch as f\n"
        "with f.alone(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holds, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as other:
        assert other.stdout.readline() == b"held\n"
        until = time.monotonic() + 0.3
        with pytest.raises(FetchCancelled):
            fetch(Remote(server.url), path, cancelled=lambda: time.monotonic() > until)
        assert server.asked == []
    fetch(Remote(server.url), path)  # the other process is done
    assert litter(path) == []


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EIO, "Input/output error")])
def test_a_disk_that_fails_is_said(server, path, monkeypatch, code, words):
    def fsync(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(FetchError, match=f"can't write weights.pth into .*cache: {words}"):
        fetch(Remote(server.url, digest=SHA), path)
    assert not path.exists()


def test_a_folder_that_can_not_be_made_is_said(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match=r"can't write x\.pth into .*file.deep: "):
        fetch(Remote(server.url), tmp_path / "file" / "deep" / "x.pth")
