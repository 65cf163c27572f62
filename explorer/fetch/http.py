"""One HTTP request for a file, from some byte on. Every failure becomes a :class:`FetchError`."""

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
_VALIDATOR = re.compile(r'"[!#-~]*"|[A-Z][a-z]{2}, [ -~]{1,40}')  # a strong ETag, or a date
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})")


class FetchError(UserError):
    """A file that could not be fetched."""


class ConnectionFailed(FetchError):
    """No server answered."""


class RangeNotSatisfiable(Exception):
    """The server has another version of the file by now, or nothing from the requested byte on."""


@dataclass(frozen=True)
class Remote:
    """A file on a server.

    ``bytes`` is its exact length, None if that is unknown. ``digest`` is its SHA-256 or the first
    digits of it, at least eight. If it is None, the SHA-256 in the header ``X-Linked-Etag`` counts,
    which Hugging Face sends for large files. Without either only the length is checked: the caller
    must check the content or trust the connection.
    """

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
class FileResponse:
    """A server's response with a file, from byte ``start`` on.

    ``length`` is that of the whole file and ``digest`` its SHA-256, if the server says so.
    ``validator`` is the ETag or the date of this version, to request the rest of it later; "" if
    the server sends none that allows this.
    """

    stream: http.client.HTTPResponse
    start: int
    length: int | None
    digest: str | None
    validator: str


def is_validator(text: str) -> bool:
    """Whether ``text`` can be sent in ``If-Range`` to request more of the same version."""
    return _VALIDATOR.fullmatch(text) is not None


def request_file(
    remote: Remote, start: int = 0, validator: str = "", timeout: float = 30.0
) -> FileResponse:
    """The response with ``remote`` from byte ``start`` on, if its version is ``validator``.

    It has the whole file instead if the server has another version or knows no ranges. Raises
    :class:`FetchError` for a response that is not the file, and :class:`RangeNotSatisfiable` only
    if ``start`` is above 0.
    """
    if not _is_http(remote.url):
        raise FetchError(f"{remote.url} is not an http or https address")
    request = urllib.request.Request(remote.url, headers={"User-Agent": "adversarial-explorer"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", validator)
    redirects = _RedirectHandler()
    stream = _open(remote.host, request, redirects, timeout)
    try:
        start, length = _content_range(remote.host, stream, start, validator)
    except (FetchError, RangeNotSatisfiable):
        stream.close()
        raise
    headers = redirects.first_headers or stream.headers
    digest = headers.get("X-Linked-Etag", "").strip('"').lower()
    known_digest = digest if _SHA256.fullmatch(digest) else None
    return FileResponse(stream, start, length, known_digest, _validator(stream.headers))


def _open(
    host: str, request: urllib.request.Request, redirects: _RedirectHandler, timeout: float
) -> http.client.HTTPResponse:
    opener = urllib.request.build_opener(redirects)
    try:
        stream: http.client.HTTPResponse = opener.open(request, timeout=timeout)
        return stream
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


def _content_range(
    host: str, stream: http.client.HTTPResponse, start: int, validator: str
) -> tuple[int, int | None]:
    """The byte at which the response begins, and the length of the whole file if it is known."""
    if stream.status == HTTPStatus.PARTIAL_CONTENT and start:
        match = _CONTENT_RANGE.fullmatch(stream.headers.get("Content-Range", ""))
        # Servers that don't know If-Range may send bytes of another version.
        same_version = _validator(stream.headers) in ("", validator)
        if not match or int(match[1]) != start or not same_version:
            raise RangeNotSatisfiable
        return start, int(match[2])
    if stream.status != HTTPStatus.OK:
        raise FetchError(
            f"{host} answered {stream.status} ({stream.reason}) in place of the file; "
            "try again later"
        )
    if stream.headers.get_content_type() == "text/html":
        raise FetchError(
            f"{host} answered with a web page in place of the file; "
            "see whether this network asks you to log in"
        )
    return 0, stream.length


def _validator(headers: Message) -> str:
    values = (headers.get(name, "") for name in ("ETag", "Last-Modified"))
    return next((value for value in values if is_validator(value)), "")


def _is_http(url: str) -> bool:
    return urllib.parse.urlsplit(url).scheme in ("http", "https")


class _RedirectHandler(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, never from https to http.

    ``first_headers`` are the headers of the first redirect, None if there was none.
    """

    def __init__(self) -> None:
        self.first_headers: Message | None = None

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        self.first_headers = self.first_headers or headers
        if not _is_http(newurl) or (req.type == "https" and not newurl.startswith("https:")):
            raise FetchError(
                f"{req.host} redirects to {newurl[:80]}, which is not a safe address; "
                "nothing was taken"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)
