"""What hosts state of a file, and where they may not lead."""

from __future__ import annotations

import hashlib
import http.client
import http.server
import io
import urllib.request
from functools import partial

import pytest

from explorer.fetch import FetchError, Remote, fetch
from explorer.fetch.http import _Redirects
from tests.fetch.serving import DATA, OTHER, SHA


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
    with pytest.raises(
        FetchError,
        match=r"sends on to ftp.* is not a safe address|Redirection to url 'file.* is not allowed",
    ):
        fetch(Remote(server.url), path)


def test_a_redirect_from_https_to_http_is_not_followed():
    request = urllib.request.Request("https://127.0.0.1/x")
    follow = partial(
        _Redirects().redirect_request,
        request,
        io.BytesIO(),
        302,
        "Found",
        http.client.HTTPMessage(),
    )
    assert follow("https://elsewhere.invalid/x").full_url == "https://elsewhere.invalid/x"
    with pytest.raises(
        FetchError, match=r"sends on to http://elsewhere\.invalid/x, which is not a safe address"
    ):
        follow("http://elsewhere.invalid/x")
