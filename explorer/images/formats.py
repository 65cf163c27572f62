"""What the first bytes of a file say about its format; its extension decides nothing."""

from __future__ import annotations

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # Pillow's own
FORMATS_TEXT = "PNG, JPEG, WebP, HEIC, AVIF, TIFF, GIF or BMP"
EXTENSIONS = frozenset(
    f".{ending}"
    for ending in (
        *("png", "apng", "jpg", "jpeg", "jpe", "jfif", "mpo", "webp", "heic", "heif", "hif"),
        *("avif", "tif", "tiff", "gif", "bmp", "dib"),
    )
)
HEAD = 512  # bytes that are enough for all functions here

_SIGNATURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

_EXPORT = "export it as a PNG or JPEG"
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"8BPS", f"is a Photoshop document; {_EXPORT}"),
    (b"%PDF", f"is a PDF document; {_EXPORT}"),
    (b"gimp xcf", f"is a GIMP document; {_EXPORT}"),
    (b"\xff\x0a", f"is a JPEG XL picture; {_EXPORT}"),
    (b"\0\0\0\x0cJXL ", f"is a JPEG XL picture; {_EXPORT}"),
    (b"\0\0\0\x0cjP  ", f"is a JPEG 2000 picture; {_EXPORT}"),
    (b"FUJIFILMCCD-RAW", f"is a camera's raw file; {_EXPORT}"),
    (b"IIRO", f"is a camera's raw file; {_EXPORT}"),
    (b"IIU\0", f"is a camera's raw file; {_EXPORT}"),
    (b"PK\x03\x04", "is a ZIP archive; unpack it and choose a picture in it"),
    (b"version https://git-lfs", "is a Git LFS pointer; fetch the file itself with git lfs pull"),
)
CAMERA_RAW = f"is a camera's raw file; {_EXPORT}"
_VECTOR = f"is a vector drawing (SVG); {_EXPORT}"
_WEB_PAGE = "is a web page; save the picture itself"
_VIDEO = "is a video; save one of its frames as a PNG or JPEG"


def is_picture(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is of a format that can be read."""
    if head.startswith(b"RIFF"):
        return head[8:12] == b"WEBP"
    if head.startswith(b"BM"):
        return len(head) > 26 and not any(head[6:10])  # reserved: text that begins so has others
    return head.startswith(_SIGNATURES) or is_heif(head) or _brand(head) in _AVIF_BRANDS


def is_heif(head: bytes) -> bool:
    """Whether the file is HEIC or HEIF, of whose container AVIF is another kind."""
    if _brand(head) not in _HEIF_BRANDS:
        return False
    others = head[16 : int.from_bytes(head[:4], "big")]
    return not any(others[at : at + 4] in _AVIF_BRANDS for at in range(0, len(others), 4))


def _brand(head: bytes) -> bytes:
    return head[8:12] if head[4:8] == b"ftyp" else b""


def why_not(head: bytes) -> str:
    """What a file is that can't be read, and what to do; the end of a sentence on it."""
    for signature, words in _OTHERS:
        if head.startswith(signature):
            return words
    if brand := _brand(head):
        return CAMERA_RAW if brand == b"crx " else _VIDEO
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return _VECTOR
    if text.startswith((b"<!doctype html", b"<html")):
        return _WEB_PAGE
    return f"is not a picture that can be read here; use {FORMATS_TEXT}"
