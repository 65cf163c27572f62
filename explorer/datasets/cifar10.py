"""torchvision's CIFAR-10: downloaded on request (170 MB), and read.

torchvision knows the archive's address and MD5. Its own download waits for ever on a silent server,
falls back to plain HTTP and leaves half a file behind; this one ends with an error message, resumes
where it was, and puts the folder in place only when it is complete.
"""

from __future__ import annotations

import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from explorer.datasets.labelled import DataError, LabelledImages
from explorer.fetch import FetchError, Remote, fetch, file_lock
from explorer.files import data_folder, disk_error, new_folder

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

ARCHIVE_BYTES = 170_498_071  # as published, to show progress also if the server doesn't say

OnBytes = Callable[[int, int], None]


def has_cifar10(folder: Path | None = None) -> bool:
    """Whether ``folder`` (default :func:`data_folder`) has a complete CIFAR-10; reads 186 MB."""
    try:
        _open(folder or data_folder(), train=False)
    except DataError:
        return False
    return True


def read_cifar10(
    limit: int | None = None, *, train: bool, folder: Path | None = None
) -> LabelledImages:
    """The training or the test images of CIFAR-10, or the first ``limit`` of them.

    Raises :class:`DataError` if they are not in ``folder`` (default :func:`data_folder`).
    """
    data = _open(folder or data_folder(), train)
    images = torch.from_numpy(np.ascontiguousarray(data.data[:limit].transpose(0, 3, 1, 2)))
    return LabelledImages(images, torch.tensor(data.targets[:limit]), tuple(data.classes))


def download_cifar10(
    folder: Path | None = None,
    on_bytes: OnBytes = lambda done, total: None,
    cancelled: Callable[[], bool] | None = None,
    timeout: float = 30.0,
) -> Path:
    """Download CIFAR-10 into ``folder`` unless it is there; returns the folder of its batches.

    ``on_bytes(done, total)`` reports the 170 MB; ``timeout`` is the longest silence in seconds.
    Raises :class:`~explorer.errors.Cancelled`, :class:`DataError` if the archive can't be fetched
    or unpacked, and :class:`~explorer.files.FileError` if it can't be written. Nothing incomplete
    is left in place; what arrived before a connection broke is kept if the server can resume there.
    """
    from torchvision.datasets import CIFAR10  # importing torchvision takes 1.8 s

    root = folder or data_folder()
    batches = Path(root, CIFAR10.base_folder)
    if has_cifar10(root):
        return batches
    try:
        root.mkdir(parents=True, exist_ok=True)
        with file_lock(batches, cancelled):
            if not has_cifar10(root):  # another process may have fetched it meanwhile
                _fetch_and_unpack(root, batches, on_bytes, cancelled, timeout)
    except FetchError as error:
        elsewhere = f"unpack {CIFAR10.filename} from another machine in {root.resolve()}"
        raise DataError(
            f"CIFAR-10 could not be fetched: {error}. Or {elsewhere}; everything else works "
            "without it"
        ) from None
    except (tarfile.TarError, EOFError, zlib.error) as error:
        fault = f"the archive of CIFAR-10 can't be unpacked ({error})"
        raise DataError(f"{fault}; nothing was kept. Try again later") from None
    except OSError as error:
        needed = "Unpacking CIFAR-10 needs 360 MB"
        hint = "EXPLORER_DATA names another folder"
        raise disk_error(batches.absolute(), error, needed, hint) from None
    return batches


def _fetch_and_unpack(
    root: Path,
    batches: Path,
    on_bytes: OnBytes,
    cancelled: Callable[[], bool] | None,
    timeout: float,
) -> None:
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity

    remote = Remote(CIFAR10.url, ARCHIVE_BYTES)
    # A hidden file is ours to delete, unlike an archive that a person has put there.
    archive = root / f".{CIFAR10.filename}"
    try:
        fetch(
            remote,
            archive,
            on_bytes=lambda done, _: on_bytes(done, ARCHIVE_BYTES),
            cancelled=cancelled,
            timeout=timeout,
        )
        if not check_integrity(archive, CIFAR10.tgz_md5):
            fault = f"what {remote.host} sent is not CIFAR-10 (its MD5 differs)"
            raise DataError(f"{fault}; nothing was kept. Try again later")
        shutil.rmtree(batches, ignore_errors=True)  # a damaged copy
        with new_folder(batches) as folder:
            with tarfile.open(archive) as tar:
                tar.extractall(folder.parent, filter="data")
            _open(folder.parent, train=False)
    finally:
        archive.unlink(missing_ok=True)


def _open(folder: Path, train: bool) -> CIFAR10:
    from torchvision.datasets import CIFAR10

    try:
        return CIFAR10(str(folder), train=train, download=False)
    except (RuntimeError, OSError):
        raise DataError(
            f"CIFAR-10 is not in {folder.resolve()}, or not complete; fetch it with: "
            "python -m explorer download, or set EXPLORER_DATA to its folder"
        ) from None
