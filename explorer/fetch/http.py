"""One question to a server: a file from some byte on. What is no answer becomes a sentence."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import IO

from explorer.errors import UserError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_STRONG = re.compile(r'"[!#-~]*"|[A-Z][a-z]{2}, [ -~]{1,40}')  # an ETag that is not weak, or a date
_CONTINUES = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})")


class FetchError(UserError):
    """A file that could not be fetched; the message says why, in one sentence."""


class ConnectionFailed(FetchError):
    """No server could be asked."""


class RangeNotSatisfiable(Exception):
    """The server has no such version of the file any more, or nothing from that byte on."""


@dataclass(frozen=True)
class Remote:
    """A file on a server. ``bytes`` is its exact length, None where it is not known. ``digest`` is its SHA-256, or the first digits of
    it, at least eight; None takes the one which the host states of a large file in ``X-Linked-Etag``, as Hugging Face does. Where there
    is neither, the length alone is checked: the caller then has a check of its own, or trusts the connection."""

    url: str
    bytes: int | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        if self.digest is not None and not _DIGEST.fullmatch(self.digest):
            raise ValueError(
                f"a digest must be 8 to 64 hexadecimal digits in lower case; it is {self.digest!r}"
            )

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.url).hostname or self.url


@dataclass(frozen=True)
class Answer:
    """The file from byte ``start`` on. ``length`` is that of the whole file and ``digest`` its SHA-256, as far as the server says;
    ``version`` the server's word for this version of it, "" where it has none that one could go on with later."""

    response: http.client.HTTPResponse
    start: int
    length: int | None
    digest: str | None
    version: str


def is_version(text: str) -> bool:
    """Whether it can be sent back to a server as the version that bytes are of."""
    return _STRONG.fullmatch(text) is not None


def ask(remote: Remote, start: int = 0, version: str = "", timeout: float = 30.0) -> Answer:
    """``remote`` from byte ``start`` of ``version`` on, or all of it where the server can't do that or has another version by now.

    Raises :class:`FetchError` for an answer that is not the file, :class:`RangeNotSatisfiable` only when ``start`` is above 0.
    """
    if not is_web(remote.url):
        raise FetchError(f"{remote.url} is not an http or https address")
    request = urllib.request.Request(remote.url, headers={"User-Agent": "adversarial-explorer"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", version)
    redirects = _Redirects()
    response = _open(remote, request, redirects, timeout)
    try:
        start, length = _extent(remote, response, start, version)
    except (FetchError, RangeNotSatisfiable):
        response.close()
        raise
    stated = (redirects.first or response.headers).get("X-Linked-Etag", "").strip('"').lower()
    return Answer(
        response,
        start,
        length,
        stated if _SHA256.fullmatch(stated) else None,
        _version(response.headers),
    )


def _open(
    remote: Remote, request: urllib.request.Request, redirects: _Redirects, timeout: float
) -> http.client.HTTPResponse:
    host = remote.host
    try:
        response: http.client.HTTPResponse = urllib.request.build_opener(redirects).open(
            request, timeout=timeout
        )
        return response
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and request.has_header("Range"):
            raise RangeNotSatisfiable from None
        raise FetchError(
            f"{host} answered {error.code} ({error.reason}) in place of the file; try again later"
        ) from None
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise ConnectionFailed(
            f"{host} can't be reached ({reason}); check the connection"
        ) from None
    except TimeoutError:
        raise ConnectionFailed(
            f"{host} did not answer within {timeout:g} seconds; try again later"
        ) from None
    except (OSError, http.client.HTTPException):
        raise ConnectionFailed(
            f"{host} ended the connection without an answer; try again later"
        ) from None


def _extent(
    remote: Remote, response: http.client.HTTPResponse, start: int, version: str
) -> tuple[int, int | None]:
    """From which byte on the answer is, and of how many."""
    if response.status == HTTPStatus.PARTIAL_CONTENT and start:
        found = _CONTINUES.fullmatch(response.headers.get("Content-Range", ""))
        # Some servers don't know If-Range: what they send may be of another version.
        if not found or int(found[1]) != start or _version(response.headers) not in ("", version):
            raise RangeNotSatisfiable
        return start, int(found[2])
    if response.status != HTTPStatus.OK:
        raise FetchError(
            f"{remote.host} answered {response.status} ({response.reason}) in place of the file; try again later"
        )
    if response.headers.get_content_type() == "text/html":
        raise FetchError(
            f"{remote.host} answered with a web page in place of the file; see whether this network asks you to log in"
        )
    return 0, response.length


def _version(headers: Message) -> str:
    found = (headers.get(name, "") for name in ("ETag", "Last-Modified"))
    return next((each for each in found if is_version(each)), "")


def is_web(url: str) -> bool:
    return urllib.parse.urlsplit(url).scheme in ("http", "https")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects over the web, never from https to http; keeps the headers of the first."""

    def __init__(self) -> None:
        self.first: Message | None = None

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        self.first = self.first or headers
        if not is_web(newurl) or (req.type == "https" and not newurl.startswith("https:")):
            raise FetchError(
                f"{req.host} sends on to {newurl[:80]}, which is not a safe address; nothing was taken"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)
