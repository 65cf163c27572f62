"""A server that is slow, fails or lies: one sentence, and no file is left behind."""

from __future__ import annotations

import socket
import struct

import pytest

from explorer.fetch import FetchError, Remote, download, fetch
from tests.fetch.serving import DATA, OTHER, SHA, other_files


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
    ("fault", "length", "words"),
    [
        (fails(404), None, r"127\.0\.0\.1 answered 404 \(Not Found\)"),
        (fails(500), None, r"answered 500 \(Internal Server Error\)"),
        (
            answers(203),
            None,
            r"answered 203 \(Non-Authoritative Information\) in place of the file",
        ),
        (answers(206), None, r"answered 206 \(Partial Content\) in place of the file"),
        (
            web_page,
            None,
            "answered with a web page in place of the file; see whether this network asks you to ",
        ),
        (promises("200100"), None, r"broke after 0\.2 of 0\.2 MB"),
        (
            promises("200100"),
            len(DATA),
            "has a file of 200,100 bytes where 200,000 are expected; nothing was taken",
        ),
        (
            promises("199900"),
            None,
            r"is not weights\.pth \(its SHA-256 differs\); nothing was kept",
        ),
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
)
def test_a_server_that_fails_is_one_sentence_and_leaves_nothing(
    server, path, monkeypatch, fault, length, words
):
    monkeypatch.setattr(download, "_MAX_BYTES", 1_000_000)
    server.etag = ""
    fault(server)
    with pytest.raises(FetchError, match=words) as error:
        fetch(Remote(server.url, length, SHA), path, timeout=0.4)
    assert "\n" not in str(error.value)
    assert "Error" not in str(error.value).replace("Internal Server Error", "")
    assert other_files(path) == []
    assert not path.exists()


@pytest.mark.parametrize("fault", [web_page, sends(b"log in to this network"), fails(503)])
def test_a_part_survives_a_login_page(server, path, fault):
    server.breaks_after = [50_000, 0]
    remote = Remote(server.url, len(DATA), SHA)
    with pytest.raises(FetchError):
        fetch(remote, path)
    behaviour = dict(vars(server))
    server.etag, server.headers = '"page"', {}
    fault(server)
    with pytest.raises(FetchError):
        fetch(remote, path)
    vars(server).update({**behaviour, "headers": {}})
    fetch(remote, path)
    assert (path.read_bytes(), server.requests[-1]) == (DATA, "bytes=50000-")


def test_a_slow_server_does_not_time_out(server, path):
    def trickles(handler):
        handler.send_response(200)  # without a length
        handler.end_headers()
        for start in range(0, len(DATA), 10_000):
            handler.wfile.write(DATA[start : start + 10_000])
            handler.wfile.flush()
            server.released.wait(0.05)

    server.answer = trickles
    progress = []
    fetch(
        Remote(server.url, digest=SHA),
        path,
        on_bytes=lambda *values: progress.append(values),
        timeout=0.4,
    )
    assert path.read_bytes() == DATA
    assert progress[-1] == (len(DATA), None)


def test_no_connection_is_one_sentence(path):
    with socket.socket() as listener:  # a port on which nothing listens
        listener.bind(("127.0.0.1", 0))
        remote = Remote(f"http://127.0.0.1:{listener.getsockname()[1]}/x.pth")
        with pytest.raises(
            FetchError,
            match=r"^127\.0\.0\.1 can't be reached \(Connection refused\); check the connection$",
        ):
            fetch(remote, path)
    with pytest.raises(
        FetchError, match=r"^nowhere\.invalid can't be reached \(.+\); check the connection$"
    ):
        fetch(Remote("https://nowhere.invalid/x.pth"), path)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "weights.pth"])
def test_only_http_addresses_are_fetched(path, url):
    with pytest.raises(FetchError, match="is not an http or https address"):
        fetch(Remote(url), path)


@pytest.mark.parametrize("digest", ["b43", "", "not hexadecimal", SHA.upper(), SHA + "0"])
def test_a_digest_that_is_too_short_or_not_hexadecimal_is_an_error(digest):
    with pytest.raises(ValueError, match="8 to 64 hexadecimal digits"):
        Remote("http://127.0.0.1/x", None, digest)
