"""A file fetched over HTTP: whole and checked, or not at all. Imports nothing else of ours."""

from explorer.fetch.asking import FetchError, Remote
from explorer.fetch.transfer import Cancel, FetchCancelled, OnBytes, alone, fetch

__all__ = ["Cancel", "FetchCancelled", "FetchError", "OnBytes", "Remote", "alone", "fetch"]
