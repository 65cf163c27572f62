"""Files that appear whole or not at all, and the folders that the explorer reads and writes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from explorer.errors import UserError
from explorer.leftovers import remove_leftovers, temporary_file, temporary_folder
from explorer.settings import CACHE, DATA, SHARED, WEIGHTS

# A checkout has these folders beside the package, and a wheel inside of it (pyproject.toml).
_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_installed"
RESOURCES = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
ASSETS, PAGES = RESOURCES / "assets", RESOURCES / "pages"


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
    return _folder(SHARED.name, lambda: RESOURCES.parent / "shared")


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


def stat_file(path: Path) -> os.stat_result | None:
    """What the system knows of a file; None if there is none, or if it is no plain file.

    Others may remove and replace files at any time, so that it must be asked once.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, which never exists half written, even if the machine stops.

    Raises :class:`FileError` if it can't be written.
    """
    with _disk_errors(path), _written(path.parent, data) as temporary:
        os.replace(temporary, path)


def write_together(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files``, by name, so that the last one is there only if the others belong to it.

    If there is no room for all of them, the old ones stay. Raises :class:`FileError`.
    """
    *_, last = files
    with ExitStack() as stack:
        written = {}
        for name, data in files.items():
            with _disk_errors(folder / name, "Nothing of it is kept"):
                written[name] = stack.enter_context(_written(folder, data))
        with _disk_errors(folder / last):
            (folder / last).unlink(missing_ok=True)  # until the others have been replaced
        for name, temporary in written.items():
            with _disk_errors(folder / name):
                os.replace(temporary, folder / name)


def create_first(path: Path, data: bytes) -> bool:
    """Write ``path`` unless it exists; True if it did not, for only one of several processes.

    Raises :class:`FileError` if it can't be written.
    """
    if path.exists():  # perhaps in a folder that can only be read
        return False
    with _disk_errors(path), _written(path.parent, data) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if path.exists():
                return False
            os.replace(temporary, path)
        return True


@contextmanager
def _disk_errors(path: Path, state: str = "What is done is kept") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_error(path, error, state) from None


@contextmanager
def _written(folder: Path, data: bytes) -> Iterator[Path]:
    """A temporary file in ``folder`` that holds ``data``, on the disk and not only in memory."""
    with temporary_file(folder) as path:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield path


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A temporary folder, moved to ``path`` when the block ends without an exception.

    It has the name of ``path``, and its parent holds nothing else. Raises :class:`FileExistsError`
    if ``path`` is a file or a folder that is not empty, before the block or after it, and another
    ``OSError`` if something can't be written. Nothing is left behind then; :func:`disk_error` has
    the sentence.
    """
    remove_leftovers(path.parent)  # also if nothing is made now
    _check_free(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # one of the parents is a file
        raise _os_error(errno.ENOTDIR, path) from None
    with temporary_folder(path.parent) as holder:
        folder = holder / path.name
        folder.mkdir()  # with the usual permissions; a temporary folder is closed to others
        yield folder
        _check_free(path)
        os.replace(folder, path)


def remove_folder(path: Path) -> None:
    """Delete a folder, which vanishes as a whole before its files do.

    Raises ``FileNotFoundError`` if it is not there, for all but one of several processes, and
    another ``OSError`` if it can't be removed.
    """
    with temporary_folder(path.parent) as holder:
        os.replace(path, holder / path.name)


_created: list[Path] = []  # folders of this process, each before its parent


def make_folder(path: Path) -> None:
    """Create a folder and those above it, which :func:`remove_empty_folders` may remove again.

    Raises :class:`OSError`.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    _created.extend(missing)


def remove_empty_folders() -> None:
    """Remove what :func:`make_folder` created and nothing was written to."""
    while _created:
        with suppress(OSError):  # there are files in it
            _created.pop(0).rmdir()


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
