"""The layers of one frozen network with their weights in the processor's own layout."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from explorer.engine.convolution import PackedConv
from explorer.engine.segments import PackedProducts


@dataclass(frozen=True)
class Prepacked:
    """Shared by the tapes of the network, so that none is packed twice."""

    convs: dict[Hashable, PackedConv] = field(default_factory=dict)
    products: PackedProducts = field(default_factory=PackedProducts)
