"""Messages without the folders of this machine, which do not concern a public server's visitors."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from explorer.errors import UserError
from explorer.files import ASSETS, cache_folder, data_folder, weights_folder

# An absolute path up to the next space: after a space or a quote, not inside of 8/255 or https://.
_PATH = re.compile(r"""(?<![^\s'"“(=])/[^\s'"”;,()]*[^\s'"”;,():.]""")


def without_folders(text: str) -> str:
    """``text`` with the last name in place of each absolute path."""
    for folder in sorted(_folders(), key=len, reverse=True):
        # These may have spaces in their names.
        text = text.replace(f"{folder}/", "/").replace(folder, Path(folder).name)
    return _PATH.sub(lambda match: match[0].rstrip("/").rpartition("/")[2], text)


def _folders() -> Iterator[str]:
    """The folders that the explorer reads and writes, as messages spell them."""
    yield str(ASSETS.parent)
    yield tempfile.gettempdir()
    for folder in (cache_folder, data_folder, weights_folder):
        with suppress(UserError):  # a user without a home
            yield str(folder().absolute())
