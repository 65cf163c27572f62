"""Files over HTTP, complete and checked, or not at all."""

from explorer.fetch.download import Cancel, OnBytes, fetch, file_lock
from explorer.fetch.http import FetchError, Remote

__all__ = ["Cancel", "FetchError", "OnBytes", "Remote", "fetch", "file_lock"]
