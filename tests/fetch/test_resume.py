"""Files from servers that drop connections, change the file or know no ranges."""

from __future__ import annotations

import pytest

from explorer.fetch import FetchError, Remote, fetch
from tests.fetch.serving import DATA, OTHER, PART_FILES, SHA, other_files


def test_a_file_is_fetched_once(server, path):
    progress = []
    remote = Remote(server.url, len(DATA), SHA[:8])
    assert fetch(remote, path, on_bytes=lambda *values: progress.append(values)) == path
    assert path.read_bytes() == DATA
    assert other_files(path) == []
    assert progress == sorted(progress)
    assert progress[-1] == (len(DATA), len(DATA))
    path.write_bytes(b"the person's file")
    assert fetch(remote, path).read_bytes() == b"the person's file"
    assert server.requests == ["all"]


def test_a_dropped_connection_is_resumed_in_the_same_call(server, path):
    server.breaks_after = [50_000, 70_000]
    fetch(Remote(server.url, digest=SHA), path)
    assert path.read_bytes() == DATA
    assert server.requests == ["all", "bytes=50000-", "bytes=120000-"]
    assert other_files(path) == []


def test_the_next_call_continues(server, path):
    server.breaks_after = [50_000, 0]
    with pytest.raises(
        FetchError,
        match=r"broke after 0\.1 of 0\.2 MB; what arrived is kept: try again to continue",
    ):
        fetch(Remote(server.url, digest=SHA), path)
    assert (other_files(path), path.exists()) == (PART_FILES, False)
    progress = []
    fetch(Remote(server.url, digest=SHA), path, on_bytes=lambda *values: progress.append(values))
    assert path.read_bytes() == DATA
    assert progress[0] == (50_000, len(DATA))
    assert server.requests[-1] == "bytes=50000-"


def test_a_server_that_always_drops_gets_five_requests(server, path):
    server.breaks_after = [1000] * 100
    with pytest.raises(FetchError, match=r"the connection broke after 0\.0 of 0\.2 MB"):
        fetch(Remote(server.url, digest=SHA), path)
    assert len(server.requests) == 5


def test_a_server_that_ignores_ranges_sends_all_again(server, path):
    server.ranges, server.breaks_after = False, [50_000]
    fetch(Remote(server.url, digest=SHA), path)
    assert path.read_bytes() == DATA
    assert server.requests == ["all", "bytes=50000-"]


@pytest.mark.parametrize("knows_if_range", [True, False])
def test_versions_of_a_file_are_not_mixed(server, path, knows_if_range):
    server.breaks_after = [50_000, 0]
    with pytest.raises(FetchError):
        fetch(Remote(server.url), path)
    server.data, server.etag, server.knows_if_range = OTHER, '"two"', knows_if_range
    fetch(Remote(server.url), path)
    assert path.read_bytes() == OTHER


@pytest.mark.parametrize("etag", ["", 'W/"weak"', "no quotes"])
def test_without_a_strong_validator_nothing_is_kept(server, path, etag):
    server.etag, server.breaks_after = etag, [50_000, 50_000]
    with pytest.raises(FetchError, match="nothing was kept: try again"):
        fetch(Remote(server.url, digest=SHA), path)
    assert other_files(path) == []
    assert server.requests == ["all", "all"]
    fetch(Remote(server.url, digest=SHA), path)
    assert path.read_bytes() == DATA


def test_a_date_serves_as_the_validator(server, path):
    server.etag = ""
    server.headers = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.knows_if_range = False
    server.breaks_after = [50_000]
    fetch(Remote(server.url, digest=SHA), path)
    assert (path.read_bytes(), server.requests[-1]) == (DATA, "bytes=50000-")


@pytest.mark.parametrize("bytes_known", [len(DATA), None])
def test_a_part_that_is_too_long_is_discarded(server, path, bytes_known):
    path.parent.mkdir()
    path.with_name(PART_FILES[0]).write_bytes(DATA + b"more")
    path.with_name(PART_FILES[1]).write_text('"one"')
    fetch(Remote(server.url, bytes_known, SHA), path)
    assert path.read_bytes() == DATA
    assert server.requests == (["all"] if bytes_known else ["bytes=200004-", "all"])


def test_a_part_of_unknown_version_is_discarded(server, path):
    path.parent.mkdir()
    path.with_name(PART_FILES[0]).write_bytes(OTHER[:1000])
    fetch(Remote(server.url), path)
    assert (path.read_bytes(), server.requests) == (DATA, ["all"])
