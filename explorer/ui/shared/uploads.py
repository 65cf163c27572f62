"""Uploads: a field for each kind, which says its limit, and the same limit on the server.

The browser checks the limit of a field, and Streamlit's server only ``server.maxUploadSize``, which
is one for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.errors import UserError
from explorer.settings import LABELS_MB, PICTURE_MB, WEIGHTS_MB, Setting

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

MB = 2**20  # bytes, as Streamlit counts


class UploadError(UserError):
    """A file that is too large."""


@dataclass(frozen=True)
class UploadKind:
    """What is uploaded (a noun), the endings of its files (none: all), and the setting with its
    limit in MB.
    """

    noun: str
    endings: tuple[str, ...]
    setting: Setting[int]

    @property
    def limit(self) -> int:
        """The largest file in MB that both the setting and the server allow."""
        return min(self.setting.value, int(st.get_option("server.maxUploadSize")))

    def field(self, label: str, key: str, hidden: bool = False) -> UploadedFile | None:
        """Draw the field and return its file. The ``label`` is followed by the limit."""
        return st.file_uploader(
            f"{label} (up to {self.limit} MB)",
            type=list(self.endings) or None,
            key=key,
            max_upload_size=self.limit,
            label_visibility="collapsed" if hidden else "visible",
        )

    def read(self, file: UploadedFile) -> bytes:
        """The bytes of ``file``. Raises :class:`UploadError` if it passes the limit."""
        if file.size > self.limit * MB:
            raise UploadError(
                f"the {self.noun} may take up to {self.limit} MB; {file.name} takes "
                f"{file.size / MB:.1f} MB, so choose a smaller file"
            )
        return file.getvalue()


WEIGHTS = UploadKind("weights", ("safetensors", "pth", "pt", "ckpt"), WEIGHTS_MB)
# Of any ending: what can't be read is said on the page, not in the field's tooltip.
PICTURE = UploadKind("picture", (), PICTURE_MB)
LABELS = UploadKind("labels", ("txt", "json"), LABELS_MB)


def forget_upload(file: UploadedFile) -> None:
    """Let the server drop the bytes of ``file``, which it keeps until the session ends."""
    context = get_script_run_ctx()
    manager = context.uploaded_file_mgr if context is not None else None
    remove = getattr(manager, "remove_file", None)  # only managers that keep files have it
    if context is not None and remove is not None:
        remove(session_id=context.session_id, file_id=file.file_id)
