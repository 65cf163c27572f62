"""Parquet files: damaged, with columns of other kinds, and with cells that become enormous."""

from __future__ import annotations

import io
from functools import cache
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests.hostile.mutations import damaged
from tests.hostile.pictures import picture
from tests.images.pictures import encoded

_LABELS = (
    [0, 1, 2],
    [0, -1, 2**62],
    [0, None, 1],
    ["a", "b", "c"],
    [0.5, 1, 2],
    [True, False, True],
)


def table(random: Random) -> bytes:
    """One file."""
    if random.random() < 0.5:
        return damaged(random, random.choice(_intact()))
    return random.choice((_odd_columns, _odd_cells, _many_rows, _huge_cells))(random)


def _written(columns: dict[str, Any], metadata: dict[str, str] | None = None, **how: Any) -> bytes:
    made = pa.table(columns).replace_schema_metadata(metadata)
    buffer = io.BytesIO()
    pq.write_table(made, buffer, **how)
    return buffer.getvalue()


@cache
def _pngs() -> list[bytes]:
    generator = np.random.default_rng(0)
    return [
        encoded(Image.fromarray(generator.integers(0, 256, (9, 9, 3), dtype=np.uint8)))
        for _ in range(3)
    ]


def _cells(pictures: list[bytes]) -> list[dict[str, object]]:
    return [{"bytes": data, "path": None} for data in pictures]


@cache
def _intact() -> tuple[bytes, ...]:
    columns = {"img": _cells(_pngs()), "label": [0, 1, 2]}
    names = '{"info": {"features": {"label": {"names": ["a", "b", "c"]}}}}'
    return (
        _written(columns, {"huggingface": names}),
        _written(columns, compression="none", write_page_checksum=True),
        _written(columns, compression="zstd", use_dictionary=False, data_page_version="2.0"),
        _written({"image": _pngs(), "label": [0, 1, 2]}, row_group_size=1),
    )


def _odd_columns(random: Random) -> bytes:
    image: Any = random.choice(
        (
            _pngs(),
            _cells(_pngs()),
            [[data] for data in _pngs()],
            ["a", "b", "c"],
            [1, 2, 3],
            [None, None, None],
            [{"bytes": {"bytes": data}} for data in _pngs()],
            [{"path": "/etc/passwd"}] * 3,
            [{"bytes": None, "path": "/etc/passwd"}] * 3,
        )
    )
    label: Any = random.choice((*_LABELS, [[1], [2], [3]], [{"a": 1}] * 3, [None] * 3))
    names = random.choice((("img", "label"), ("image", "label"), ("img", "Label"), ("", "a\nb")))
    metadata = random.choice(
        (
            None,
            {"huggingface": "[" * 100_000},
            {"huggingface": '{"info": 5}'},
            {"huggingface": '{"info": {"features": {"label": {"names": ["a\\ud800", 5, null]}}}}'},
            {"explorer": "{}", "explorer_plan": "[" * 9},
            {"k" * 10_000: "v"},
        )
    )
    more = {f"c{i}": [0] * 3 for i in range(random.choice((0, 0, 300)))}
    return _written({names[0]: image, names[1]: label, **more}, metadata)


def _odd_cells(random: Random) -> bytes:
    cells = [random.choice((*_pngs(), picture(random), b"", b"x")) for _ in range(3)]
    return _written({"img": _cells(cells), "label": random.choice(_LABELS)})


def _many_rows(random: Random) -> bytes:
    """Rows by the million, or row groups by the thousand, of nothing."""
    rows = random.choice((0, 1000, 200_000))
    cell = random.choice((None, b"", _pngs()[0]))
    columns = {"img": pa.array([cell] * rows, pa.binary()), "label": np.zeros(rows, np.int64)}
    return _written(columns, row_group_size=random.choice((max(1, rows // 1000), 100_000)))


def _huge_cells(random: Random) -> bytes:
    """One cell that a dictionary repeats, or that decompresses to very much."""
    size, rows = random.choice(((10**6, 2000), (10**7, 200), (10**8, 3), (10**7, 3)))
    large = _large_picture() if random.random() < 0.5 else bytes(size)
    cells = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [large])
    return _written(
        {"img": cells, "label": np.zeros(rows, np.int64)},
        compression=random.choice(("snappy", "zstd", "gzip")),
    )


@cache
def _large_picture() -> bytes:
    return encoded(Image.new("L", (4800, 4800)))
