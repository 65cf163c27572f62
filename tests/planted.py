"""Text from outside with everything in it that a browser, Markdown or plotly could take for markup.

It is planted as names of files, classes, labels, models and sets, and in what a person's own code
says when it fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from google.protobuf.message import Message
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from explorer.classifiers.user_model_card import UserModelCard
from explorer.classifiers.user_models import machine_models
from explorer.images.gallery import samples

ELSEWHERE = "127.0.0.1:9"  # nothing listens there
# File names can have no slash.
FILE_MARKUP = (
    '<img src=x onerror="window.__pwned=1"> ![i](i.png) `planted` **planted** $planted^2$ '
    ":red[planted] :streamlit: www.planted.example a@planted.example planted->b"
)
MARKUP = (
    f"{FILE_MARKUP} <script>window.__pwned=1</script> [l](http://{ELSEWHERE}/l) "
    f"![i](http://{ELSEWHERE}/i.png) :material/home: https://planted.example"
)
# What would be markup if it were neither escaped nor cut in two.
FRAGMENTS = (
    *("<img src=x", "<script>window", "](i.png", f"](http://{ELSEWHERE}", f"http://{ELSEWHERE}"),
    *("`planted", "**planted**", "$planted", ":red[planted", ":streamlit:", ":material/home:"),
    *("www.planted", "a@planted", "https://planted", "planted->b"),
)
# Fields of Streamlit's messages that the browser, or a script of ours, sets as text.
TEXT_FIELDS = {
    *(("Selectbox", field) for field in ("options", "raw_value")),
    *(("MultiSelect", field) for field in ("options", "raw_values")),
    ("Code", "code_text"),
    ("BidiComponent", "json"),
    ("PlotlyChart", "spec"),  # which has its own test below
}
IDENTIFIERS = ("id", "url", "query_param_key", "form_id")

FUNCTIONS = """
import torch
from torch import nn
from explorer.classifiers import Classifier

MARKUP = {markup!r}

class Fails(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3 * 32 * 32, 3)

    def forward(self, x):
        if x.requires_grad:
            raise ValueError(MARKUP)
        return self.linear(x.flatten(1))

def around(module):
    labels = [f"{{index}} {{MARKUP}}" for index in range(3)]
    return Classifier(module, labels=labels, input_size=(32, 32), mean=(0.5,) * 3, std=(0.25,) * 3,
                      title=MARKUP, gallery="cifar10")

def make():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return around(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 3)))

def fails():
    return around(Fails())
"""


def plant_functions(folder: Path) -> tuple[str, str]:
    """Names of functions in a planted file: one classifier works, the other fails if attacked."""
    path = folder / f"{FILE_MARKUP}.py".replace(",", "")
    path.write_text(FUNCTIONS.format(markup=MARKUP))
    return f"{path}:make", f"{path}:fails"


def plant_pair(folder: Path) -> str:
    """Add a standard and a robust classifier whose classes are planted; the name of the pair."""
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(0)
    weights = folder / "w.safetensors"
    save_file(mobilenet_v3_small(num_classes=2).state_dict(), weights)
    for name, robust in (("planted-standard", False), ("planted-robust", True)):
        labels = (f"1 {MARKUP}", f"2 {MARKUP}")
        card = UserModelCard(
            name, "mobilenet_v3_small", labels, input_size=32, resize=32, robust=robust
        )
        machine_models().add(card, weights)
    return "user:planted"


def plant_sets(folder: Path) -> tuple[Path, Path]:
    """A set with planted class names, and a table whose planted columns make it no set."""
    pictures = [sample.path.read_bytes() for sample in samples("cifar10")[:2]]
    columns = {"img": [{"bytes": picture} for picture in pictures], "label": [0, 1]}
    names = {"label": {"names": [f"1 {MARKUP}", f"2 {MARKUP}"]}}
    good, bad = folder / f"{FILE_MARKUP}.parquet", folder / f"bad {FILE_MARKUP}.parquet"
    table = pa.table(columns)
    metadata = {"huggingface": json.dumps({"info": {"features": names}})}
    pq.write_table(table.replace_schema_metadata(metadata), good)
    pq.write_table(pa.table({MARKUP: [1]}), bad)
    return good, bad


def markup_on(at: AppTest) -> list[str]:
    """Each fragment that a page gives to the browser as Markdown or HTML."""
    return [
        f"{kind}.{field}: {fragment} in {text}"
        for kind, field, text in _texts(at._tree)
        for fragment in FRAGMENTS
        if fragment in _unescaped(text) and (kind, field) not in TEXT_FIELDS
    ]


def texts_on(at: AppTest) -> str:
    """All that a page sends to the browser."""
    return "\n".join(text for _, _, text in _texts(at._tree))


def _unescaped(markdown: str) -> str:
    """``markdown`` without what a backslash or a break keeps from being markup."""
    return re.sub(r"\\.", "\0", markdown.replace(":small[]", "\0"))


def _texts(node: Any) -> Iterator[tuple[str, str, str]]:
    """The kind of element, the field and the text of each text below ``node``."""
    proto = getattr(node, "proto", None)
    if isinstance(proto, Message):
        yield from _fields(proto)
    for child in getattr(node, "children", {}).values():
        yield from _texts(child)


def _fields(message: Message) -> Iterator[tuple[str, str, str]]:
    for field, value in message.ListFields():
        values = value if isinstance(value, list) or hasattr(value, "extend") else [value]
        for each in values:
            if isinstance(each, Message):
                yield from _fields(each)
            elif isinstance(each, str) and field.name not in IDENTIFIERS:
                yield message.DESCRIPTOR.name, field.name, each
