"""What a reading process does in these tests."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import time
from pathlib import Path

from explorer.errors import UserError
from explorer.sandbox import Message


def handle(request: Message) -> Message:
    what = request.values["do"]
    if what == "echo":
        return Message({"said": request.values["say"], "pid": os.getpid()}, request.data)
    if what == "refuse":
        raise UserError("this file is no picture")
    if what == "fail":
        raise KeyError("a bug")
    if what == "loop":
        while True:
            pass
    if what == "sleep":
        time.sleep(60)
    if what == "fill memory":
        bytes(2**30)
    if what == "crash":
        os.abort()
    if what == "reply too much":
        return Message({}, bytes(2 * request.values["reply"]))
    if what == "exit":
        os._exit(0)
    return Message({"allowed": _allowed(what, Path(request.values["path"]))})


def _allowed(what: str, path: Path) -> bool:
    try:
        if what == "start a program":
            subprocess.run(["touch", path], check=True)
        elif what == "use the shell":
            os.system(f"touch {path}")
        elif what == "connect":
            socket.create_connection(("127.0.0.1", 9))
        elif what == "load a library":
            ctypes.CDLL("libm.so.6")
        elif what == "write":
            path.write_bytes(b"written")
    except OSError:
        return False
    return True
