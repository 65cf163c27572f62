"""Files that appear whole or not at all, and the folders that the explorer reads and writes."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.errors import UserError
from explorer.settings import CACHE, DATA, SHARED, WEIGHTS

ASSETS = Path(__file__).resolve().parents[1] / "assets"


class FileError(UserError):
    """A file or a folder that can't be read or written."""


def cache_folder() -> Path:
    """The folder for models that a person adds and for results that are computed once.

    ``EXPLORER_CACHE`` names it; the default is ``adversarial-explorer`` in the user's cache folder.
    """
    return _folder(CACHE.name, lambda: _user_cache() / "adversarial-explorer")


def weights_folder() -> Path:
    """The folder for downloaded weights, in which a person may also put files.

    ``EXPLORER_WEIGHTS`` names it; the default is the folder of torch's own downloads.
    """
    return _folder(WEIGHTS.name, lambda: _torch_home() / "hub" / "checkpoints")


def data_folder() -> Path:
    """The folder of torchvision's data sets: ``EXPLORER_DATA``, by default ``data``."""
    return _folder(DATA.name, lambda: Path("data"))


def shared_folder() -> Path:
    """The developers' training and test data: ``EXPLORER_SHARED``, by default ``../shared``."""
    return _folder(SHARED.name, lambda: ASSETS.parents[1] / "shared")


def _user_cache() -> Path:
    return _folder("XDG_CACHE_HOME", lambda: Path("~/.cache"))


def _torch_home() -> Path:
    return _folder("TORCH_HOME", lambda: _user_cache() / "torch")


def _folder(variable: str, default: Callable[[], Path]) -> Path:
    named = os.environ.get(variable)
    path = Path(named) if named else default()
    try:
        return path.expanduser()
    except RuntimeError:  # an unknown user, or one without a home
        raise FileError(
            f"can't tell where {path} is: there is no such home folder; set {variable} to a folder"
        ) from None


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, which never exists half written, even if the machine stops.

    Raises :class:`FileError` if it can't be written.
    """
    with replacing(path) as temporary:
        _write(temporary, data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, moved onto it when the block ends without an exception.

    Raises :class:`FileError` for an ``OSError`` of the block or of the move.
    """
    temporary = _temporary(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise disk_error(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _temporary(path: Path) -> Path:
    """A name for this thread: two sessions of the app may write the same file at the same time."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.part")


def create_first(path: Path, data: bytes) -> bool:
    """Write ``path`` unless it exists; True if it did not, for only one of several processes.

    Raises :class:`FileError` if it can't be written.
    """
    temporary = _temporary(path)
    try:
        _write(temporary, data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if path.exists():
                return False
            os.replace(temporary, path)
        return True
    except OSError as error:
        raise disk_error(path, error) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder, moved to ``path`` when the block ends without an exception.

    It has the name of ``path``, and its parent holds nothing else. Raises :class:`FileExistsError`
    if ``path`` is a file or a folder that is not empty, before the block or after it, and another
    ``OSError`` if something can't be written. Nothing is left behind then; :func:`disk_error` has
    the sentence.
    """
    _check_free(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # one of the parents is a file
        raise _os_error(errno.ENOTDIR, path) from None
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        folder = holder / path.name
        folder.mkdir()  # with the usual permissions; a temporary folder is closed to others
        yield folder
        _check_free(path)
        os.replace(folder, path)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def _check_free(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise _os_error(errno.EEXIST, path)


def _os_error(code: int, path: Path) -> OSError:
    return OSError(code, os.strerror(code), str(path))


def disk_error(
    path: Path, error: OSError, state: str = "What is done is kept", hint: str = ""
) -> FileError:
    """The sentence for a path that can't be written.

    ``state`` says what is left of the work if the disk is full, ``hint`` what to do about any other
    reason.
    """
    if is_disk_full(error):
        return FileError(
            f"the disk is full: {path} was not written. {state}; make room and start again"
        )
    reason = f"can't write {path}: {error.strerror or error}"
    return FileError(f"{reason}; {hint}" if hint else reason)


def is_disk_full(error: OSError) -> bool:
    """Whether the disk or the user's quota is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
