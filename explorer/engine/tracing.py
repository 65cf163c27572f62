"""Tracing a module with torch.fx while other threads run theirs.

While torch.fx traces, it replaces ``nn.Module.__call__`` for the whole process: a module that
another thread runs would be traced too, and fail. Two traces at once would leave the replacement of
one behind for good.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from torch import fx, nn

_TRACING = threading.Lock()


class _Tracer(fx.Tracer):
    """Traces what its own thread calls, and lets the modules of other threads run."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


def trace(module: nn.Module) -> fx.Graph:
    """What ``module`` computes, as a graph. Raises whatever its code raises on proxies."""
    with _TRACING:
        return _Tracer().trace(module)
