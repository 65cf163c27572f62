"""A picture of the visitor's own, an upload or a photograph, and what a page says without one.

The session's state has a picture under ``PAGEuploaded`` or ``PAGEphotographed``, and the page's
words on it under ``PAGEpicture notice``. Neither is in an address, nor is there after a reload.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.images import isolated
from explorer.images.decode import LIMITS_TEXT, ImageError
from explorer.images.formats import FORMATS_TEXT
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.uploads import PICTURE, UploadError

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

UPLOAD, CAMERA = "upload", "camera"
_STATE = {UPLOAD: "uploaded", CAMERA: "photographed"}
_FORGOTTEN = (
    "The picture here was uploaded or photographed. It is not part of the address, and is "
    "forgotten when the page is loaded again: choose it once more under “Picture” in the sidebar."
)
_NOT_YET = {
    UPLOAD: "Choose a picture of your own under “Picture” in the sidebar.",
    CAMERA: "Take a photograph under “Picture” in the sidebar.",
}


def own_picture(source: str, page: str = "") -> Picture | None:
    """The last picture from the ``source``, :data:`UPLOAD` or :data:`CAMERA`, that could be read.

    None if there is none yet. Shows what is wrong with a file. ``page`` begins the keys.
    """
    return _from_upload(page) if source == UPLOAD else _from_camera(page)


def file_limits() -> str:
    """Which files a field for pictures takes: formats, bytes and pixels."""
    return f"{FORMATS_TEXT}, up to {PICTURE.limit} MB; {LIMITS_TEXT}."


def _from_upload(page: str) -> Picture | None:
    file = PICTURE.field(f"A picture of your own: {FORMATS_TEXT}", f"{page}upload", hidden=True)
    st.caption(file_limits())
    return _last_readable(f"{page}{_STATE[UPLOAD]}", file, "A file")


def _from_camera(page: str) -> Picture | None:
    """The browser asks for permission, and says so if there is no camera."""
    file = st.camera_input("A photograph", key=f"{page}camera", label_visibility="collapsed")
    return _last_readable(f"{page}{_STATE[CAMERA]}", file, "A photograph", name="photograph.jpg")


def _last_readable(
    key: str, file: UploadedFile | None, what: str, name: str | None = None
) -> Picture | None:
    """The last picture that could be read, which the session's state has under ``key``: that in
    ``file``, or else an earlier one.

    ``what`` the file is begins a sentence; ``name`` is used in place of the file's.
    """
    state, file_key, error_key = st.session_state, f"{key} file", f"{key} error"
    if file is None:
        isolated.warm()
        state[error_key] = ""
        st.caption(f"{what} stays in the memory of this machine and is never written to a disk.")
    elif state.get(file_key) != file.file_id:
        state.update({file_key: file.file_id, error_key: ""})
        try:
            state[key] = _read(name or file.name, PICTURE.read(file))
        except (ImageError, UploadError) as error:
            state[error_key] = str(error)
    picture: Picture | None = state.get(key)
    if file is not None and state[error_key]:
        st.error(sentence(state[error_key]))
    elif file is not None and picture is not None and picture.notes:
        st.caption(" ".join(sentence(note) for note in picture.notes))
    return picture


def _read(name: str, data: bytes) -> Picture:
    decoded = isolated.decode_isolated(data, name)
    digest = hashlib.sha256(data).hexdigest()
    return Picture(UPLOAD_PREFIX + name, name, decoded.image, digest, notes=decoded.notes)


def note_linked_source(key: str, page: str = "") -> None:
    """Remember that the address asks for the visitor's own picture, which it does not hold.

    ``key`` is that of the widget for the source. Call it before the widget.
    """
    if key not in st.session_state and st.query_params.get(key) in _STATE:
        st.session_state[f"{page}picture linked"] = True


def note_shown(source: str, own: Picture | None, shown: Picture, page: str = "") -> None:
    """Remember what :func:`picture_notice` says: ``shown`` stands for what ``source`` lacks.

    ``own`` is the visitor's own picture from this source, if there is one.
    """
    state, text = st.session_state, ""
    if source not in _STATE or own is not None:
        state.pop(f"{page}picture linked", None)
    if source in _STATE:
        title = f"“{plain(shown.title)}”"
        if error := state.get(f"{page}{_STATE[source]} error"):
            # Also at the field, which a phone does not show: there the sidebar is closed.
            text = f"{sentence(error)} The page still shows {title}."
        elif own is None:
            linked = state.get(f"{page}picture linked", False)
            missing = _FORGOTTEN if linked else _NOT_YET[source]
            others = " All other settings are those of the address." if linked else ""
            text = f"{missing} Until then the page shows {title}.{others}"
    state[f"{page}picture notice"] = text


def picture_notice(container: DeltaGenerator, page: str = "") -> None:
    """Say in ``container`` if the page shows another picture than the one that was asked for."""
    if text := st.session_state.get(f"{page}picture notice"):
        container.warning(text, icon=":material/image:")
