"""Published weights: which of them are on this machine, and how the others are downloaded.

Those on this machine are known by their file names alone, without importing torchvision, because
pages ask for them at every start.
"""

from __future__ import annotations

import fnmatch
import os
import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.imagenet import (
    ROBUST,
    ROBUST_PREFIX,
    TORCHVISION,
    TORCHVISION_FILES,
    TORCHVISION_PREFIX,
    robust_model,
)
from explorer.fetch import Cancel, FetchError, OnBytes, Remote, fetch
from explorer.files import weights_folder

# torch's custom: a file's name ends with the first digits of its SHA-256
_DIGEST_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.pth$")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # a name that can't lead out of the folder


def is_published(name: str) -> bool:
    """Whether ``name`` has the form of a published classifier's name; it need not exist."""
    return name.startswith((TORCHVISION_PREFIX, ROBUST_PREFIX))


def local_file(name: str) -> Path | None:
    """The weights file of a published classifier in :func:`weights_folder`, or None.

    It has the name under which it was published, or was put there by hand as ``NAME.safetensors``,
    ``NAME-ANYTHING.safetensors``, or the same with ``.pth``.
    """
    stem = name.partition(":")[2]
    return _chosen(name, _names(weights_folder())) if _PLAIN.fullmatch(stem) else None


def local_imagenet() -> tuple[str, ...]:
    """The names of the published classifiers whose weights are on this machine."""
    # The folder is read once: pages ask several times a run, and each question to the file system
    # makes a thread of a busy server wait for its turn again.
    present = _names(weights_folder())
    if not present:
        return ()
    names = [TORCHVISION_PREFIX + architecture for architecture in TORCHVISION]
    names += [ROBUST_PREFIX + model for model in ROBUST]
    return tuple(name for name in names if _chosen(name, present))


def _names(folder: Path) -> list[str]:
    """The names of what is in a folder, sorted; none if it can't be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _chosen(name: str, present: list[str]) -> Path | None:
    """The weights file of a published classifier among the names in :func:`weights_folder`."""
    stem = name.partition(":")[2]
    robust = name.startswith(ROBUST_PREFIX)
    published = f"{stem}.ckpt" if robust else TORCHVISION_FILES.get(stem, f"{stem}.pth")
    patterns = ("{}.safetensors", "{}-*.safetensors", "{}.pth", "{}-*.pth")
    for pattern in (published, *(each.format(stem) for each in patterns)):
        for each in fnmatch.filter(present, pattern):
            path = weights_folder() / each
            if path.is_file():
                return path
    return None


def remote_weights(name: str) -> Remote:
    """The address of a published classifier's weights.

    Raises :class:`ClassifierError` when no such classifier was published.
    """
    if name.startswith(ROBUST_PREFIX):
        return robust_model(name).remote
    from explorer.classifiers.torchvision_models import weights_record  # 1.8 s to import

    url = weights_record(name.removeprefix(TORCHVISION_PREFIX)).url
    digest = _DIGEST_IN_NAME.search(url)
    return Remote(url, digest=digest[1] if digest else None)


def download_path(remote: Remote) -> Path:
    """The path to which ``remote`` is downloaded."""
    return weights_folder() / Path(urlsplit(remote.url).path).name


def fetch_weights(
    name: str, on_bytes: OnBytes = lambda done, total: None, cancelled: Cancel | None = None
) -> Path:
    """The weights file of a published classifier, downloaded unless it is on this machine.

    ``on_bytes(done, total)`` reports progress. ``cancelled()`` is called for each piece; when it
    returns true, :class:`~explorer.errors.Cancelled` is raised. Raises :class:`ClassifierError`
    when there is no such classifier or its weights can't be downloaded.
    """
    if not is_published(name):
        raise ClassifierError(
            f"there is nothing to fetch for {name!r}: only {TORCHVISION_PREFIX}ARCHITECTURE and "
            f"{ROBUST_PREFIX}NAME are published (python -m explorer models lists them)"
        )
    if path := local_file(name):
        return path
    remote = remote_weights(name)
    path = download_path(remote)
    try:
        return fetch(remote, path, on_bytes=on_bytes, cancelled=cancelled)
    except FetchError as error:
        raise ClassifierError(
            f"the weights of {name} are not on this machine and could not be fetched: {error}. "
            f"The file {path.name} may also be put into {path.parent.absolute()} by hand"
        ) from None


def fetch_with_bar(name: str) -> Path:
    """The file of :func:`fetch_weights`, with a progress bar if standard error is a terminal."""
    with tqdm(
        unit="B", unit_scale=True, desc=name, file=sys.stderr, disable=None, leave=False, delay=0.2
    ) as bar:

        def update(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return fetch_weights(name, update)
