"""Published weights: which of them are on this machine, and how the others are fetched.

Which are here is known by the files' names alone, without importing torchvision: a page asks at every start.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from explorer.classifiers.classifier import ClassifierError
from explorer.classifiers.imagenet import (
    ROBUST,
    ROBUST_PREFIX,
    TORCHVISION,
    TORCHVISION_FILES,
    TORCHVISION_PREFIX,
)
from explorer.fetch import Cancel, FetchError, OnBytes, Remote, fetch
from explorer.files import weights_folder

_DIGEST_IN_NAME = re.compile(
    r"-([0-9a-f]{8,64})\.pth$"
)  # torch's custom: the first digits of the SHA-256
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # a name that can't lead out of the folder


def is_published(name: str) -> bool:
    """Whether it is a name of this kind, be there such a classifier or not."""
    return name.startswith((TORCHVISION_PREFIX, ROBUST_PREFIX))


def local_file(name: str) -> Path | None:
    """The weights of a published classifier in :func:`weights_folder`, by the file's name alone: as it was published, or put there by
    hand as ``NAME.safetensors``, ``NAME-ANYTHING.safetensors``, or the same with ``.pth``."""
    stem = name.partition(":")[2]
    if not _PLAIN.fullmatch(stem):
        return None
    first = (
        f"{stem}.ckpt"
        if name.startswith(ROBUST_PREFIX)
        else TORCHVISION_FILES.get(stem, f"{stem}.pth")
    )
    folder = weights_folder()
    patterns = (
        first,
        f"{stem}.safetensors",
        f"{stem}-*.safetensors",
        f"{stem}.pth",
        f"{stem}-*.pth",
    )
    found = (
        path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()
    )
    return next(found, None)


def local_imagenet() -> tuple[str, ...]:
    """The names of the published classifiers whose weights are on this machine."""
    names = [TORCHVISION_PREFIX + each for each in TORCHVISION] + [
        ROBUST_PREFIX + each for each in ROBUST
    ]
    return tuple(name for name in names if local_file(name))


def remote_weights(name: str) -> Remote:
    """Where the weights of a published classifier are fetched from. Raises :class:`ClassifierError` when there is none of that name."""
    from explorer.classifiers.imagenet import robust_model
    from explorer.classifiers.torchvision_models import weights_record

    if name.startswith(ROBUST_PREFIX):
        return robust_model(name).remote
    url = weights_record(name.removeprefix(TORCHVISION_PREFIX)).url
    digest = _DIGEST_IN_NAME.search(url)
    return Remote(url, digest=digest[1] if digest else None)


def fetched_file(remote: Remote) -> Path:
    """Where it is kept."""
    return weights_folder() / Path(urlsplit(remote.url).path).name


def fetch_weights(
    name: str, on_bytes: OnBytes = lambda done, total: None, cancelled: Cancel | None = None
) -> Path:
    """The weights file of a published classifier, fetched into :func:`weights_folder` unless one is there.

    ``on_bytes(done, total)`` follows it; ``cancelled()`` is asked for each piece, and :class:`~explorer.errors.Cancelled` raised
    when it says so. Raises :class:`ClassifierError` when there is no such classifier, or its weights can't be fetched.
    """
    if not is_published(name):
        raise ClassifierError(
            f"there is nothing to fetch for {name!r}: only {TORCHVISION_PREFIX}ARCHITECTURE and {ROBUST_PREFIX}NAME are published "
            "(python -m explorer models lists them)"
        )
    if here := local_file(name):
        return here
    remote = remote_weights(name)
    path = fetched_file(remote)
    try:
        return fetch(remote, path, on_bytes=on_bytes, cancelled=cancelled)
    except FetchError as error:
        raise ClassifierError(
            f"the weights of {name} are not on this machine and could not be fetched: {error}. The file {path.name} may also be put into "
            f"{path.parent.absolute()} by hand"
        ) from None


def fetch_with_bar(name: str) -> Path:
    """The same, followed by a bar on standard error where that is a terminal."""
    with tqdm(
        unit="B", unit_scale=True, desc=name, file=sys.stderr, disable=None, leave=False, delay=0.2
    ) as bar:

        def follow(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return fetch_weights(name, follow)
