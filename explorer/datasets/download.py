"""torchvision's CIFAR-10: fetched (170 MB) where a person asks for it, and read. torchvision knows where it lies and checks it by MD5.

torchvision's own download waits for ever on a silent server, falls back to plain HTTP and leaves half a file behind; this one
stops with a sentence, and moves the images into place when they are whole.
"""

from __future__ import annotations

import errno
import http.client
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from explorer.attacks import Cancelled
from explorer.datasets.labelled import DataError, LabelledImages

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

ARCHIVE_BYTES = 170_498_071  # as published; the server's word is not needed to show progress
_CHUNK = 2**18
_MB = 1_000_000

OnBytes = Callable[[int, int], None]


def data_folder() -> Path:
    """Where torchvision keeps its data sets: ``EXPLORER_DATA``, by default ``data`` in the current folder."""
    return Path(os.environ.get("EXPLORER_DATA", "data"))


def has_cifar10(folder: Path | None = None) -> bool:
    """Whether CIFAR-10 lies whole in ``folder`` (default :func:`data_folder`); reads all 186 MB to be sure."""
    try:
        _open(folder or data_folder(), train=False)
    except DataError:
        return False
    return True


def read_cifar10(limit: int | None = None, *, train: bool, folder: Path | None = None) -> LabelledImages:
    """The training or the test images of CIFAR-10, the first ``limit`` when given. Raises :class:`DataError` where they are not."""
    data = _open(folder or data_folder(), train)
    images = torch.from_numpy(np.ascontiguousarray(data.data[:limit].transpose(0, 3, 1, 2)))
    return LabelledImages(images, torch.tensor(data.targets[:limit]), tuple(data.classes))


def download_cifar10(
    folder: Path | None = None,
    on_bytes: OnBytes = lambda done, total: None,
    cancelled: Callable[[], bool] | None = None,
    timeout: float = 30.0,
) -> Path:
    """Fetch CIFAR-10 into ``folder`` (default :func:`data_folder`) unless it is there; returns the folder of its batches.

    ``on_bytes(done, total)`` follows the 170 MB; ``cancelled()`` is asked for each chunk, and
    :class:`~explorer.attacks.Cancelled` raised when it says so; ``timeout`` is the longest silence in seconds. Raises
    :class:`DataError` when it can't be fetched, checked or written; nothing is left behind then.
    """
    from torchvision.datasets import CIFAR10  # torchvision takes 1.8 s to import
    from torchvision.datasets.utils import check_integrity

    root = folder or data_folder()
    place = Path(root, CIFAR10.base_folder)
    if has_cifar10(root):
        return place
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".cifar-10-", dir=root) as temporary:
            archive = Path(temporary, CIFAR10.filename)
            _fetch(CIFAR10.url, archive, on_bytes, cancelled, timeout, root)
            if not check_integrity(archive, CIFAR10.tgz_md5):
                raise DataError(f"what {_host(CIFAR10.url)} sent is not CIFAR-10 (its MD5 differs); nothing was kept. Try again later")
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")
            _open(Path(temporary), train=False)
            if place.exists():
                shutil.rmtree(place)
            os.replace(Path(temporary, CIFAR10.base_folder), place)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"the archive of CIFAR-10 can't be unpacked ({error}); nothing was kept. Try again later") from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full: CIFAR-10 needs 360 MB while it is unpacked" if full else error.strerror or str(error)
        raise DataError(f"can't write CIFAR-10 into {root.resolve()}: {reason}; EXPLORER_DATA names another folder") from None
    return place


def _open(folder: Path, train: bool) -> CIFAR10:
    from torchvision.datasets import CIFAR10

    try:
        return CIFAR10(str(folder), train=train, download=False)
    except (RuntimeError, OSError):
        raise DataError(
            f"CIFAR-10 is not in {folder.resolve()}, or not whole; fetch it with: python -m explorer download, or say with "
            "EXPLORER_DATA where it is"
        ) from None


def _fetch(url: str, path: Path, on_bytes: OnBytes, cancelled: Callable[[], bool] | None, timeout: float, root: Path) -> None:
    """Stream ``url`` to ``path``. Errors of the network become sentences; those of the disk are the caller's."""
    done = 0
    try:
        # An archive of a known size: a server that never ends must not fill the disk.
        with urllib.request.urlopen(url, timeout=timeout) as response, path.open("wb") as file:
            while chunk := _receive(response, done):
                if cancelled is not None and cancelled():
                    raise Cancelled
                file.write(chunk)
                done += len(chunk)
                if done > 2 * ARCHIVE_BYTES:
                    raise DataError(f"{_host(url)} sends more than CIFAR-10 has; nothing was kept. Try again later")
                on_bytes(done, ARCHIVE_BYTES)
            promised = response.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        raise DataError(f"{_host(url)} answered {error.code} ({error.reason}) instead of CIFAR-10; try again later") from None
    except urllib.error.URLError as error:
        raise DataError(_offline(url, root, error.reason)) from None
    if promised is not None and promised.isdecimal() and done < int(promised):
        raise _broken(done)


def _receive(response: http.client.HTTPResponse, done: int) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException):  # silence, a reset, a broken chunk
        raise _broken(done) from None


def _broken(done: int) -> DataError:
    return DataError(f"the connection broke after {done / _MB:.0f} of {ARCHIVE_BYTES / _MB:.0f} MB; nothing was kept. Try again")


def _offline(url: str, root: Path, reason: object) -> str:
    return (
        f"{_host(url)} can't be reached ({getattr(reason, 'strerror', None) or reason}). Check the connection, or unpack "
        f"cifar-10-python.tar.gz from another machine in {root.resolve()}; everything else works without it"
    )


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or url
