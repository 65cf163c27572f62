"""Files that appear whole or not at all, and the folders that the explorer reads and writes."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.errors import UserError

ASSETS = Path(__file__).resolve().parents[1] / "assets"


class FileError(UserError):
    """A file or a folder that can't be read or written."""


def cache_folder() -> Path:
    """The folder for what a person adds and what the explorer computes once: ``EXPLORER_CACHE``.

    The default is ``adversarial-explorer`` in the person's own cache folder.
    """
    chosen = os.environ.get("EXPLORER_CACHE")
    return Path(chosen) if chosen else _user_cache() / "adversarial-explorer"


def weights_folder() -> Path:
    """The folder for downloaded weights, where a person may also put files: ``EXPLORER_WEIGHTS``.

    The default is the folder in which torch keeps its own downloads.
    """
    chosen = os.environ.get("EXPLORER_WEIGHTS")
    if chosen:
        return Path(chosen).expanduser()
    torch_home = Path(os.environ.get("TORCH_HOME") or _user_cache() / "torch").expanduser()
    return torch_home / "hub" / "checkpoints"


def data_folder() -> Path:
    """The folder of torchvision's data sets: ``EXPLORER_DATA``, by default ``data`` here."""
    return Path(os.environ.get("EXPLORER_DATA", "data"))


def shared_folder() -> Path:
    """The developers' training and test data: ``EXPLORER_SHARED``, by default ``../shared``."""
    return Path(os.environ.get("EXPLORER_SHARED", ASSETS.parents[1] / "shared"))


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, which never exists half written, even if the machine stops.

    Raises :class:`FileError` where that is impossible.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, moved onto it when the block ends without an exception.

    Raises :class:`FileError` for an ``OSError`` of the block or of the move.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise disk_error(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def create_first(path: Path, data: bytes) -> bool:
    """Write ``path`` unless it exists; True if it did not. Of several processes one is the first.

    Raises :class:`FileError` where it can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    write_atomically(temporary, data)
    try:
        os.link(temporary, path)
        return True
    except FileExistsError:
        return False
    except OSError as error:  # a file system without links
        if path.exists():
            return False
        try:
            os.replace(temporary, path)
        except OSError:
            raise disk_error(path, error) from None
        return True
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder, moved to ``path`` when the block ends without an exception.

    Raises :class:`FileExistsError` where ``path`` exists with something in it, and the ``OSError``
    of whatever else went wrong. Nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        filled = holder / path.name
        filled.mkdir()  # with the usual permissions; a temporary folder is closed to others
        yield filled
        if path.exists() and any(path.iterdir()):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        os.replace(filled, path)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def disk_error(path: Path, error: OSError, kept: str = "What is done is kept") -> FileError:
    """The sentence for a path that can't be written; ``kept`` says what is left of the work."""
    if is_disk_full(error):
        return FileError(
            f"the disk is full: {path} was not written. {kept}; make room and start the same "
            "command again"
        )
    return FileError(f"can't write {path}: {error.strerror or error}")


def is_disk_full(error: OSError) -> bool:
    """Whether the file system, or the person's share of it, has no room left."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
