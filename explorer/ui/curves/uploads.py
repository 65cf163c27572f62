"""Several pictures of a visitor's own."""

from __future__ import annotations

import hashlib

import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import UserError
from explorer.images import isolated
from explorer.images.decode import ImageError
from explorer.images.formats import FORMATS_TEXT
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.shared.own_picture import file_limits
from explorer.ui.shared.uploads import PICTURE

MOST = 50  # pictures


def uploaded_pictures(key: str) -> tuple[tuple[tuple[str, Image.Image], ...], str]:
    """The pictures by file name, in the order of their names, and a digest of all of them.

    Shows what is wrong with a file that can't be read. Raises :class:`UserError` for too many.
    """
    files = st.file_uploader(
        f"Pictures of your own: {FORMATS_TEXT} (up to {PICTURE.limit} MB each)",
        accept_multiple_files=True,
        key=key,
        max_upload_size=PICTURE.limit,
        label_visibility="collapsed",
    )
    st.caption(f"Up to {MOST} files: {file_limits()}")
    if len(files) > MOST:
        raise UserError(f"upload at most {MOST} pictures at once; these are {len(files)}")
    pictures, digest = [], hashlib.sha256()
    # Decoded once: a run of the page does not repeat it.
    known: dict[str, Image.Image] = st.session_state.setdefault(f"{key} decoded", {})
    kept: dict[str, Image.Image] = {}
    left_out: list[str] = []
    for file in sorted(files, key=lambda file: file.name):
        try:
            data = PICTURE.read(file)
            name = hashlib.sha256(data).hexdigest()
            image = known.get(name) or isolated.decode_isolated(data, file.name).image
        except (ImageError, UserError) as error:
            st.error(sentence(str(error)))
            left_out.append(file.name)
            continue
        kept[name] = image
        pictures.append((file.name, image))
        digest.update(f"{file.name} {name}".encode())
    st.session_state.update({f"{key} decoded": kept, f"{key} left out": left_out})
    return tuple(pictures), digest.hexdigest()


def left_out_notice(container: DeltaGenerator, key: str) -> None:
    """Say in ``container`` which of the visitor's files the page's result is without."""
    if names := st.session_state.get(f"{key} left out"):
        files = ", ".join(f"“{plain(name)}”" for name in names)
        container.warning(f"The result is without {files}.")  # the reasons stand at the field
