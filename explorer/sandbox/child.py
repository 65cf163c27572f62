"""The program of a reading process: ``python -m explorer.sandbox.child MODULE:FUNCTION [threads]``.

The function gets each request and returns the reply. It may raise a
:class:`~explorer.errors.UserError`, which is sent back as its text.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

from explorer.errors import UserError, is_out_of_memory, log_bug
from explorer.sandbox.limits import Limits, confine, limited
from explorer.sandbox.messages import Message, PipeClosed, receive, send

Handler = Callable[[Message], Message]
MAX_REQUEST = 2**30
_MAX_WORDS = 4000  # characters of an error


def main(name: str, threads: bool) -> None:
    """Answer requests until the other process closes the pipe or ends.

    ``threads``: whether the function may start some.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits
    requests, replies = _pipes()
    module, _, function = name.partition(":")
    handler: Handler = getattr(importlib.import_module(module), function)
    confine(threads=threads)
    send(replies, Message())
    while True:
        request = receive(requests, MAX_REQUEST)
        with limited(Limits(**request.values.pop("limits"))):
            send(replies, _reply(handler, request))
        del request  # it would stay in memory until the next


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, which nothing else reads and writes from now on."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return requests, replies


def _reply(handler: Handler, request: Message) -> Message:
    try:
        return handler(request)
    except UserError as error:
        return Message({"refused": str(error)[:_MAX_WORDS]})
    except Exception as error:
        if is_out_of_memory(error):
            return Message({"failed": "memory"})
        return Message({"bug": log_bug(error)})


if __name__ == "__main__":
    try:
        main(sys.argv[1], threads="threads" in sys.argv[2:])
    except PipeClosed:
        os._exit(0)  # quicker than taking torch down
