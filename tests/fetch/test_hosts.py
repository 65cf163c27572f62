"""Digests that hosts state, and redirects that are not followed."""

from __future__ import annotations

import hashlib
import http.client
import http.server
import io
import urllib.request
from functools import partial

import pytest

from explorer.fetch import FetchError, Remote, fetch
from explorer.fetch.http import _RedirectHandler
from tests.fetch.serving import DATA, OTHER, SHA


def redirect(server, to, **headers):
    """The first request is redirected ``to`` another address; the second gets the file."""

    def answer(handler):
        if handler.path == "/there":
            server.answer = None
            return server.reply(handler)
        handler.send_response(302)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.answer = answer


def test_the_digest_that_a_host_states_is_checked(server, path):
    redirect(server, "/there", X_Linked_Etag=f'"{SHA}"')
    fetch(Remote(server.url), path)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("redirected", [True, False])
def test_a_file_that_differs_from_the_stated_digest_is_refused(server, path, redirected):
    digest = hashlib.sha256(OTHER).hexdigest()
    if redirected:
        redirect(server, "/there", X_Linked_Etag=f'"{digest}"')
        server.headers = {"X-Linked-Etag": f'"{SHA}"'}  # only the first response is the host's own
    else:
        server.headers = {"X-Linked-Etag": f'"{digest}"'}
    with pytest.raises(FetchError, match="its SHA-256 differs"):
        fetch(Remote(server.url), path)


def test_our_digest_overrides_that_of_the_host(server, path):
    server.data, server.headers = OTHER, {"X-Linked-Etag": f'"{hashlib.sha256(OTHER).hexdigest()}"'}
    with pytest.raises(FetchError, match="its SHA-256 differs"):
        fetch(Remote(server.url, digest=SHA), path)


@pytest.mark.parametrize("to", ["file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_protocol_is_not_followed(server, path, to):
    redirect(server, to)
    with pytest.raises(
        FetchError,
        match=r"redirects to ftp.* is not a safe address|Redirection to url 'file.* is not allowed",
    ):
        fetch(Remote(server.url), path)


def test_a_redirect_from_https_to_http_is_not_followed():
    request = urllib.request.Request("https://127.0.0.1/x")
    follow = partial(
        _RedirectHandler().redirect_request,
        request,
        io.BytesIO(),
        302,
        "Found",
        http.client.HTTPMessage(),
    )
    assert follow("https://elsewhere.invalid/x").full_url == "https://elsewhere.invalid/x"
    with pytest.raises(
        FetchError, match=r"redirects to http://elsewhere\.invalid/x, which is not a safe address"
    ):
        follow("http://elsewhere.invalid/x")
