"""torchvision's CIFAR-10: fetched (170 MB) where a person asks for it, and read. torchvision knows where it lies and checks it by MD5.

torchvision's own download waits for ever on a silent server, falls back to plain HTTP and leaves half a file behind; this one
stops with a sentence, goes on where it was, and moves the images into place when they are whole.
"""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from explorer.datasets.labelled import DataError, LabelledImages
from explorer.fetch import FetchError, Remote, alone, fetch
from explorer.files import data_folder

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

ARCHIVE_BYTES = 170_498_071  # as published; the server's word is not needed to show progress

OnBytes = Callable[[int, int], None]


def has_cifar10(folder: Path | None = None) -> bool:
    """Whether CIFAR-10 lies whole in ``folder`` (default :func:`data_folder`); reads all 186 MB to be sure."""
    try:
        _open(folder or data_folder(), train=False)
    except DataError:
        return False
    return True


def read_cifar10(
    limit: int | None = None, *, train: bool, folder: Path | None = None
) -> LabelledImages:
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

    ``on_bytes(done, total)`` follows the 170 MB; ``cancelled()`` is asked for each piece, and
    :class:`~explorer.errors.Cancelled` raised when it says so; ``timeout`` is the longest silence in seconds. Raises
    :class:`DataError` when it can't be fetched, checked or written. Nothing half whole is left in place; what arrived before a
    connection broke is kept where the server lets one go on from there.
    """
    from torchvision.datasets import CIFAR10  # torchvision takes 1.8 s to import

    root = folder or data_folder()
    place = Path(root, CIFAR10.base_folder)
    if has_cifar10(root):
        return place
    try:
        root.mkdir(parents=True, exist_ok=True)
        with alone(place, cancelled):
            if not has_cifar10(root):  # another process may have fetched it meanwhile
                _fetch_and_unpack(root, place, on_bytes, cancelled, timeout)
    except FetchError as error:
        raise DataError(
            f"CIFAR-10 could not be fetched: {error}. Or unpack {CIFAR10.filename} from another machine in {root.resolve()}; "
            "everything else works without it"
        ) from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(
            f"the archive of CIFAR-10 can't be unpacked ({error}); nothing was kept. Try again later"
        ) from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = (
            "the disk is full: CIFAR-10 needs 360 MB while it is unpacked"
            if full
            else error.strerror or str(error)
        )
        raise DataError(
            f"can't write CIFAR-10 into {root.resolve()}: {reason}; EXPLORER_DATA names another folder"
        ) from None
    return place


def _fetch_and_unpack(
    root: Path, place: Path, on_bytes: OnBytes, cancelled: Callable[[], bool] | None, timeout: float
) -> None:
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity

    remote = Remote(CIFAR10.url, ARCHIVE_BYTES)
    archive = (
        root / f".{CIFAR10.filename}"
    )  # hidden: ours to delete, unlike one that a person has put there
    try:
        fetch(
            remote,
            archive,
            on_bytes=lambda done, _: on_bytes(done, ARCHIVE_BYTES),
            cancelled=cancelled,
            timeout=timeout,
        )
        if not check_integrity(archive, CIFAR10.tgz_md5):
            raise DataError(
                f"what {remote.host} sent is not CIFAR-10 (its MD5 differs); nothing was kept. Try again later"
            )
        with tempfile.TemporaryDirectory(prefix=".cifar-10-", dir=root) as temporary:
            with tarfile.open(archive) as tar:
                tar.extractall(temporary, filter="data")
            _open(Path(temporary), train=False)
            if place.exists():
                shutil.rmtree(place)
            os.replace(Path(temporary, CIFAR10.base_folder), place)
    finally:
        archive.unlink(missing_ok=True)


def _open(folder: Path, train: bool) -> CIFAR10:
    from torchvision.datasets import CIFAR10

    try:
        return CIFAR10(str(folder), train=train, download=False)
    except (RuntimeError, OSError):
        raise DataError(
            f"CIFAR-10 is not in {folder.resolve()}, or not whole; fetch it with: python -m explorer download, or say with "
            "EXPLORER_DATA where it is"
        ) from None
