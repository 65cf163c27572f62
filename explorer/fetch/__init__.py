"""A file fetched over HTTP: whole and checked, or not at all. Imports nothing else of ours."""

from explorer.fetch.download import Cancel, OnBytes, alone, fetch
from explorer.fetch.http import FetchError, Remote

__all__ = ["Cancel", "FetchError", "OnBytes", "Remote", "alone", "fetch"]
