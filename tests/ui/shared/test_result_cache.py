"""The cache of recent responses."""

from __future__ import annotations

from explorer.ui.shared.result_cache import ResultCache


def test_the_least_recently_used_response_is_dropped_first() -> None:
    cache = ResultCache(capacity=2)
    for key in ("a", "b"):
        cache.put(key, key.upper())
    assert cache.get("a") == "A"  # used, and so more recent than b
    cache.put("c", "C")
    assert cache.get("b") is None
    assert (cache.get("a"), cache.get("c")) == ("A", "C")


def test_a_newer_response_replaces_the_older_one() -> None:
    cache = ResultCache(capacity=2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.put("a", 3)
    cache.put("c", 4)
    assert (cache.get("a"), cache.get("b")) == (3, None)
