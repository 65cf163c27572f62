"""A file fetched whole and checked, from a server that drops, changes its mind or knows no ranges."""

from __future__ import annotations

import pytest

from explorer.fetch import FetchError, Remote, fetch
from tests.fetch.serving import DATA, KEPT, OTHER, SHA, litter


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
    with pytest.raises(
        FetchError, match=r"broke after 0\.1 of 0\.2 MB; what arrived is kept: try again to go on"
    ):
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
